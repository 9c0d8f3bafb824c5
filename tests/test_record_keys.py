# SPDX-License-Identifier: Apache-2.0
"""Key documents: who may appoint whom, rule by rule of `record/key_documents.py`."""

import msgspec
import pytest

from keepclear.errors import InputError
from keepclear.record import key_documents
from keepclear.record.faults import Malformed, NotProven
from keepclear.record.headers import TIMES_END_US
from keepclear.record.key_documents import (
    KeyDocument,
    Revocation,
    follow,
    seal_document,
)
from keepclear.record.mandates import ROUTINE, Power
from tests.record_plays import (
    DAY_US,
    START_US,
    first_document,
    mandate,
    next_document,
    post,
    public,
    representative,
    sealed,
    signer,
)

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
    mine = tuple(representative("a", f"new-{n}", mandate(Power.KEYS)) for n in (1, 2))
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

    with pytest.raises(
        NotProven,
        match=r"1 representatives.*are left unrevoked with a m.*, 2 are",
    ):
        follow(sealed(FIRST), sealed(second, *REPRESENTATIVES))
    with pytest.raises(ValueError, match="appoints a key that it revokes"):
        KeyDocument(
            **{
                **{name: getattr(second, name) for name in KeyDocument.__struct_fields__},
                "representatives": FIRST.representatives,
            }
        )


def test_a_representative_without_a_mandate_for_keys_at_that_time_signs_none() -> None:
    until_us = START_US + DAY_US
    short = tuple(
        representative("a", name, mandate(Power.AGREEMENT), mandate(Power.KEYS, days=1))
        for name in REPRESENTATIVES
    )
    first = first_document("a", representatives=short)
    in_time = next_document(first, created_us=until_us - 1)
    late = next_document(first, created_us=until_us)

    assert follow(sealed(first), sealed(in_time, *REPRESENTATIVES)) == in_time
    missing = (
        r"representative rep-1 of a.*has no mandate for keys at 2015-10-01T08:00:00Z \(has: agr.*; "
        r"keys from 2015-09-30T08:00:00Z to 2015-10-01T08:00:00Z\); let somebody with a mandate"
    )
    with pytest.raises(NotProven, match=missing):
        follow(sealed(first), sealed(late, *REPRESENTATIVES))
    with pytest.raises(NotProven, match=r"0 representatives.*are left unrevoked with a mandate"):
        follow(sealed(first), sealed(late))
    new_root = next_document(
        first, created_us=until_us, root=public("a next root").data,
        next_root=public("a third root").id,
    )  # fmt: skip
    assert follow(sealed(first), sealed(new_root, "rep-2")) == new_root
    with pytest.raises(NotProven, match="goes on alone and leaves no representative of version 1"):
        follow(sealed(first), sealed(new_root))


def test_a_document_is_not_made_before_the_one_it_follows() -> None:
    early = next_document(FIRST, created_us=START_US - 1)

    with pytest.raises(Malformed, match="is before the version before it"):
        follow(sealed(FIRST), sealed(early, *REPRESENTATIVES))


def test_a_post_is_not_appointed_to_what_takes_a_representative() -> None:
    with pytest.raises(ValueError, match="lets post watch sign keys; appoint a representative"):
        post("a", "watch", mandate(ROUTINE, "keys"))


def test_where_too_few_representatives_are_left_only_a_new_root_goes_on() -> None:
    second = rotated(FIRST, **revoking("rep-2"))

    assert follow(sealed(FIRST), sealed(second, "rep-1")) == second
    with pytest.raises(NotProven, match="have signed"):
        follow(sealed(FIRST), sealed(second))


def test_the_next_root_alone_does_not_take_a_party_over() -> None:
    mine = tuple(representative("a", f"new-{n}", mandate(Power.KEYS)) for n in (1, 2))
    taken = rotated(FIRST, **revoking(*REPRESENTATIVES) | {"representatives": mine})
    without = rotated(FIRST, **revoking(*REPRESENTATIVES))

    for document in (taken, without):
        with pytest.raises(NotProven, match=r"let rep-1 or rep-2 sign it too, revoked or not"):
            follow(sealed(FIRST), sealed(document))
    with pytest.raises(NotProven, match="is by a key that is not known here"):
        follow(sealed(FIRST), sealed(taken, "new-1"))


def test_a_party_whose_representatives_are_all_stolen_goes_on_with_one_of_their_keys() -> None:
    mine = tuple(representative("a", f"new-{n}", mandate(Power.KEYS)) for n in (1, 2))
    replaced = rotated(FIRST, **revoking(*REPRESENTATIVES) | {"representatives": mine})
    same_root = next_document(FIRST, **revoking(*REPRESENTATIVES) | {"representatives": mine})

    assert follow(sealed(FIRST), sealed(replaced, "rep-2")) == replaced
    with pytest.raises(NotProven, match="are left unrevoked with a mandate for keys, 2 are needed"):
        follow(sealed(FIRST), sealed(same_root, *REPRESENTATIVES))


def test_a_party_without_representatives_goes_on_with_its_root() -> None:
    first = first_document("a", representatives=())
    second = rotated(first)

    assert follow(sealed(first), sealed(second)) == second


def test_a_name_that_ends_in_a_line_break_is_refused() -> None:
    for document, path in (
        (first_document("a", next_root=f"{'0' * 64}\n"), "next_root"),
        (first_document("a", previous=f"{'0' * 64}\n"), "previous"),
        (first_document("a", devices=(post("a", "watch", mandate("routine\n")),)), "covers"),
    ):
        with pytest.raises(Malformed, match=path):
            follow(None, sealed(document))


@pytest.mark.parametrize("name", ["all", "beat", "order"])
def test_no_party_is_called_as_a_part_of_every_record_is(name: str) -> None:
    with pytest.raises(InputError, match="give the party another name"):
        first_document(name)
    whole = sealed(first_document("beatrice"))
    payload = whole.payload.replace(b'"beatrice"', b'"%b"' % name.encode())
    with pytest.raises(Malformed, match="give the party another name"):
        follow(None, msgspec.structs.replace(whole, payload=payload))


def test_a_time_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(Malformed, match=r"created_us"):
        follow(None, sealed(first_document("a", created_us=TIMES_END_US)))
    last = first_document("a", created_us=TIMES_END_US - 1)
    assert follow(None, sealed(last)) == last


def test_a_revocation_is_not_taken_back() -> None:
    second = rotated(FIRST, **revoking("rep-2"))
    third = next_document(second, revoked=())

    with pytest.raises(Malformed, match="takes a revocation back; keep all of them"):
        follow(sealed(second, "rep-1"), sealed(third, "rep-1"))


def test_one_key_has_one_use() -> None:
    twice = (*FIRST.devices, post("a", "tower", key="watch"))
    with pytest.raises(ValueError, match="appoints one key twice"):
        KeyDocument(
            **{
                **{name: getattr(FIRST, name) for name in KeyDocument.__struct_fields__},
                "devices": twice,
            }
        )


def test_a_new_partys_document_follows_from_nothing_and_says_who_may_sign_what() -> None:
    made = {each: signer(each) for each in ("root", "next-root", "one", "two", "watch")}

    envelope = key_documents.first_document(
        "a", made, ("one", "two"), ("watch",), START_US, START_US + DAY_US
    )

    document = follow(None, envelope)
    assert (document.created_us, document.one_person) == (START_US, ())
    [watch] = document.devices
    assert (watch.post, watch.key) == ("watch", made["watch"].public.data)
    assert watch.mandates[0].covers == (ROUTINE,)
    assert [each.mandates[0].covers for each in document.representatives] == [tuple(Power)] * 2
    alone = key_documents.first_document(
        "a", made, ("one",), (), START_US, START_US + DAY_US, is_one=True
    )
    assert follow(None, alone).one_person == tuple(Power)
