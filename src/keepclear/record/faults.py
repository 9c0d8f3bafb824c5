# SPDX-License-Identifier: Apache-2.0
"""Why something of a record is refused: one class for each kind of fault.

CallerError
└── InputError
    └── RecordError        names the path, the value, the limit, the way out
        ├── Malformed      bytes that are not what they should be, to the last one
        ├── NotProven      a signature that does not verify, or by no key that may
        ├── BrokenProof    a proof that leads nowhere, or to another root
        └── SplitView      two signed checkpoints that cannot both be true
"""

from keepclear.errors import InputError


class RecordError(InputError):
    """Something of a record is refused."""


class Malformed(RecordError):
    """Bytes are not what they should be."""


class NotProven(RecordError):
    """A signature does not verify, or is by a key that may not sign this."""


class BrokenProof(RecordError):
    """A proof leads nowhere, or to another root than the one that was signed."""


class SplitView(RecordError):
    """Two signed checkpoints of one tree cannot both be true: the operator shows two records."""
