# SPDX-License-Identifier: Apache-2.0
"""`python -m keepclear.cli` is the command `keepclear`."""

from keepclear.cli import main

if __name__ == "__main__":
    main()
