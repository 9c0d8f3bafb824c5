# SPDX-License-Identifier: Apache-2.0
"""Key documents: who may appoint whom, rule by rule of `record/key_documents.py`."""

import pytest

from keepclear.record.faults import Malformed, NotProven
from keepclear.record.key_documents import (
    Device,
    KeyDocument,
    Representative,
    Revocation,
    follow,
    seal_document,
)
from tests.record_plays import START_US, first_document, next_document, public, sealed, signer

FIRST = first_document("a")
REPRESENTATIVES = ("rep-1", "rep-2")


def rotated(before: KeyDocument = FIRST, **changes: object) -> KeyDocument:
    """Return a document with the root that was announced."""
    return next_document(
        before, root=public("a next root").data, next_root=public("a third root").id, **changes
    )


def revoking(*names: str) -> dict[str, object]:
    """Return changes that revoke representatives."""
    left = tuple(each for each in FIRST.representatives if each.id not in names)
    return {
        "representatives": left,
        "revoked": tuple(
            Revocation(key_id=public(f"a {name}").id, suspect_since_us=START_US) for name in names
        ),
    }


def test_the_first_document_is_signed_by_its_own_root() -> None:
    assert follow(None, sealed(FIRST)) == FIRST

    with pytest.raises(NotProven, match="is by a key that is not known here"):
        follow(None, seal_document(FIRST, signer("b root")))
    with pytest.raises(Malformed, match="is not the first; give those before it"):
        follow(None, sealed(next_document(FIRST)))


def test_a_further_document_is_signed_by_the_root_and_two_representatives() -> None:
    second = next_document(FIRST, created_us=START_US + 1)

    assert follow(sealed(FIRST), sealed(second, *REPRESENTATIVES)) == second
    with pytest.raises(NotProven, match=r"1 representatives.*have signed, 2 are needed"):
        follow(sealed(FIRST), sealed(second, "rep-1"))
    with pytest.raises(NotProven, match=r"0 representatives.*have signed, 2 are needed"):
        follow(sealed(FIRST), sealed(second))
    both = [signer(f"a {name}") for name in REPRESENTATIVES]
    with pytest.raises(NotProven, match=r"root .*has not signed"):
        follow(sealed(FIRST), seal_document(second, *both))


def test_representatives_appointed_by_the_document_itself_do_not_count() -> None:
    mine = tuple(Representative(id=f"new-{n}", key=public(f"a new-{n}").data) for n in (1, 2))
    second = next_document(FIRST, representatives=mine)

    with pytest.raises(NotProven, match="is by a key that is not known here"):
        follow(sealed(FIRST), sealed(second, "new-1", "new-2"))


def test_a_rotation_announces_a_root_after_it() -> None:
    with pytest.raises(ValueError, match="names its own root as the next"):
        KeyDocument(
            **{
                **{name: getattr(rotated(), name) for name in KeyDocument.__struct_fields__},
                "next_root": public("a next root").id,
            }
        )


def test_a_document_follows_the_latest_as_it_stands() -> None:
    changed = first_document("a", created_us=START_US + 5)
    other = first_document("b")

    with pytest.raises(Malformed, match="does not follow version 1 as it stands"):
        follow(sealed(FIRST), sealed(next_document(changed), *REPRESENTATIVES))
    with pytest.raises(Malformed, match="is not a; keep parties apart"):
        follow(sealed(FIRST), sealed(next_document(other), *REPRESENTATIVES))
    with pytest.raises(Malformed, match="does not follow version 1"):
        follow(sealed(FIRST), sealed(next_document(next_document(FIRST)), *REPRESENTATIVES))


def test_a_revoked_representative_does_not_count_and_is_not_appointed_again() -> None:
    second = next_document(FIRST, **revoking("rep-2"))

    with pytest.raises(NotProven, match=r"1 representatives.*are left unrevoked, 2 are needed"):
        follow(sealed(FIRST), sealed(second, *REPRESENTATIVES))
    with pytest.raises(ValueError, match="appoints a key that it revokes"):
        KeyDocument(
            **{
                **{name: getattr(second, name) for name in KeyDocument.__struct_fields__},
                "representatives": FIRST.representatives,
            }
        )


def test_where_too_few_representatives_are_left_only_a_new_root_goes_on() -> None:
    second = rotated(FIRST, **revoking("rep-2"))

    assert follow(sealed(FIRST), sealed(second, "rep-1")) == second
    with pytest.raises(NotProven, match="have signed"):
        follow(sealed(FIRST), sealed(second))


def test_a_revocation_is_not_taken_back() -> None:
    second = rotated(FIRST, **revoking("rep-2"))
    third = next_document(second, revoked=())

    with pytest.raises(Malformed, match="takes a revocation back; keep all of them"):
        follow(sealed(second, "rep-1"), sealed(third, "rep-1"))


def test_one_key_has_one_use() -> None:
    twice = (*FIRST.devices, Device(post="tower", key=FIRST.devices[0].key))
    with pytest.raises(ValueError, match="appoints one key twice"):
        KeyDocument(
            **{
                **{name: getattr(FIRST, name) for name in KeyDocument.__struct_fields__},
                "devices": twice,
            }
        )
