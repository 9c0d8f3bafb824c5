-- SPDX-License-Identifier: Apache-2.0
-- The lines of each region's record, as they stand in a record's file; number 0 is the header.
-- The primary key refuses whoever appends where a line stands already.
CREATE TABLE keepclear_lines (
    region text NOT NULL,
    number bigint NOT NULL,
    line bytea NOT NULL,
    PRIMARY KEY (region, number)
);
