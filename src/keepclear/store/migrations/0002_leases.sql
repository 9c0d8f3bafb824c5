-- SPDX-License-Identifier: Apache-2.0
-- Which node may write each region's record: its term only rises, and ends by this server's clock.
CREATE TABLE keepclear_leases (
    region text PRIMARY KEY,
    term bigint NOT NULL,
    holder text NOT NULL,
    address text NOT NULL,
    until timestamptz NOT NULL
);
INSERT INTO keepclear_leases
SELECT region, 0, '', '', clock_timestamp() FROM keepclear_lines WHERE number = 0;
