# SPDX-License-Identifier: Apache-2.0
"""Which files a check reads, each once, and whose each of them is.

1. Two paths of one file are one file, under the spelling that came first: else its plans would be
   compared with themselves.
2. A party may have several files; a file has one party.

Leaves what is in the files to `formats`, and a file that is not there to whoever reads it.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from keepclear.errors import InputError

FilePath: TypeAlias = str | os.PathLike[str]
Parties: TypeAlias = Mapping[str, FilePath | Sequence[FilePath]]


class Inputs(NamedTuple):
    """files: to read, in order, each once. parties: file -> whose it is, where that is said."""

    files: tuple[str, ...]
    parties: dict[str, str]


def inputs_of(files: Sequence[FilePath], parties: Parties) -> Inputs:
    """Return the files and those of the parties; `InputError` where a file has two parties."""
    if isinstance(files, str | os.PathLike):
        path = os.fspath(files)
        raise InputError("files", path, "is one path and no list", f"give a list: [{path!r}]")
    spelt: dict[object, str] = {}
    for file in files:
        spelt.setdefault(_identity(file), os.fspath(file))
    owners: dict[str, str] = {}
    for party, file in _pairs_of(parties):
        first = spelt.setdefault(_identity(file), os.fspath(file))
        if owners.setdefault(first, party) != party:
            raise InputError("party", party, f"{first!r} is {owners[first]!r} already", "name one")
    return Inputs(tuple(spelt.values()), owners)


def _pairs_of(parties: Parties) -> Iterator[tuple[str, FilePath]]:
    for party, given in parties.items():
        for file in (given,) if isinstance(given, str | os.PathLike) else given:
            yield party, file


def _identity(file: FilePath) -> object:
    """Return what is equal for all paths of one file, links too."""
    try:
        status = Path(file).stat()
    except (OSError, ValueError):
        return os.path.realpath(file)
    if status.st_ino == 0:  # file systems without numbers of files
        return os.path.realpath(file)
    return status.st_dev, status.st_ino
