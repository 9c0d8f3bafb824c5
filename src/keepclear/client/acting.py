# SPDX-License-Identifier: Apache-2.0
"""The client of a post: signs acts, sends them until there is an answer, and follows what happens.

1. An act is signed here, with a key that never leaves; the same bytes are sent again until there is
   an answer, so nothing is done twice.
2. An answer counts where each receipt is proven by the exchange's key, and the first is of the act
   that was sent. Whoever rewrites the operator's database cannot make one. Another key of the
   exchange counts once the record says, signed with the one before, that it follows that.
3. After each answer the party's own copy of its part of the record is brought up to it, leaf by
   leaf (`own_copy`): what was left out of an answer, of a list or of the stream is found out. What
   `operations`, `conflicts` and `follow` give is folded from that copy, and nothing else.
4. An answer of another incarnation of the record (a backup was restored) is a `NewIncarnation`: a
   person looks at the record, and goes on with a new `Seen`, which accepts it.
5. Where this clock and the exchange's differ by more than agreed, nothing is signed (`ClockOff`)
   but distress, which is sent without signing in, too.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from socket import SHUT_RDWR
from types import TracebackType
from typing import Any, Final, Protocol, Self
from urllib.parse import urlencode

import httpx
import msgspec

from keepclear.client.answers import (
    Answered,
    Challenge,
    Event,
    RegionSaid,
    Token,
    accepted,
    check_whole,
    connection,
    events,
    is_of,
    read,
    why,
)
from keepclear.client.faults import ClockOff, NewIncarnation, NoAnswer, NotDone, SetBack
from keepclear.client.own_copy import Keeping, OwnCopy, Seen, Steps, page_after
from keepclear.client.unreadable import check_payload
from keepclear.clock import RandomIds, now_us
from keepclear.errors import InputError, KeepclearError
from keepclear.exchange.checking import Checked
from keepclear.exchange.coverage import AnswersFor
from keepclear.exchange.picture import Picture
from keepclear.exchange.views import Notice
from keepclear.line.acts import MarkDelivered
from keepclear.line.checks import CheckedLine
from keepclear.line.ladder import Step
from keepclear.line.messages import Message
from keepclear.line.stops import KeepOut
from keepclear.plans.acts import FileOperation
from keepclear.plans.filing import FiledOperation
from keepclear.plans.operations import Operation
from keepclear.plans.stops import Stop
from keepclear.record.encoding import Signed, encode
from keepclear.record.entries import Part
from keepclear.record.envelopes import Envelope, seal
from keepclear.record.faults import BrokenProof, NotProven, RecordError
from keepclear.record.files import KeysFile
from keepclear.record.headers import ACT, CLOCK_US, Act, Status, read_act
from keepclear.record.held import ASK
from keepclear.record.keys import PublicKey, Signer
from keepclear.record.notes import NoteKey
from keepclear.record.origins import read_origin
from keepclear.record.receipts import Receipt, verify_receipt
from keepclear.record.signers import OF_DISTRESS, deed_of
from keepclear.record.signing_in import SIGN_IN, OpenSession

LIVES_US: Final = 3_600_000_000
TIMEOUT_S: Final = 30.0
STREAM_S: Final = 40.0  # nothing for so long, not even a sign of life: it is cut
KNOWN_S: Final = 10.0
TRIES: Final = 18  # half a minute, with the waits between them
FEW_TRIES: Final = 7  # seven seconds: longer than another node takes to go on (`docs/operate.md`)
FIRST_WAIT_S: Final = 0.2
LONGEST_WAIT_S: Final = 2.0  # so that soon after a node is back it is asked
TOLD_AT: Final = 4  # tries, after 1.4 s
SIGN_INS: Final = 30  # a node that is killed before it answers has lost the token by the next try
ACTS: Final = "/v1/acts"
LATE_ACTS: Final = "/v1/late-acts"
COMES_AGAIN: Final = frozenset({
    httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS,
})  # fmt: skip
COUNTS: Final = "it counts as done; sent again, the same bytes do nothing twice and bring the proof"


class NetworkStream(Protocol):
    """What httpx has below a response that is streamed."""

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 as httpx has it
        """Return the socket, among others."""


class Client:
    """One post of a party at one exchange. Used by one thread at a time.

    believed: the exchange's keys, as they came from the operator by another way, the newest last.
    seen: what was shown before; keeping: where it is kept. clock_us: by how much clocks may differ.
    follows: it signs with the exchange's time, as in an exercise whose clock is not that of the
    world. told_to_wait: is told why, where an answer takes its time. tries: how often it asks where
    there is none.
    caught_up_us: when it last asked for all that is new and was given it, by this machine's clock.
    """

    def __init__(
        self, url: str, party: str, post: str, signer: Signer, believed: KeysFile, *,
        status: Status = Status.ACTUAL, seen: Seen | None = None, keeping: Keeping | None = None,
        clock_us: int = CLOCK_US, now: Callable[[], int] = now_us, follows: bool = False,
        http: httpx.Client | None = None,
    ) -> None:  # fmt: skip
        self._party, self._post, self._signer, self._status = party, post, signer, status
        keys = [NoteKey(each.name, PublicKey(each.key)) for each in believed.exchange]
        self._copy = OwnCopy(party, keys, Seen() if seen is None else seen, keeping)
        if follows and status is Status.ACTUAL:
            raise InputError(
                "follows", follows, "takes the time from the exchange for what is Actual",
                "sign with the time of this machine",
            )  # fmt: skip
        self._follows, self._said_us, self._known_until = follows, 0, 0.0
        self._stream: NetworkStream | None = None
        self.told_to_wait: Callable[[str], None] = lambda _: None
        self.caught_up_us, self.tries = 0, TRIES
        self._clock_us, self._now, self._token, self._ids = clock_us, now, "", RandomIds()
        self._http = connection(url, TIMEOUT_S) if http is None else http

    @property
    def key_id(self) -> str:
        """Return the id of the key that its post signs with."""
        return self._signer.public.id

    @property
    def party(self) -> str:
        """Return the party that it acts for."""
        return self._party

    @property
    def seen(self) -> Seen:
        """Return what it was shown, to be kept from one run to the next."""
        return self._copy.seen

    @property
    def believed(self) -> tuple[NoteKey, ...]:
        """Return the exchange's keys that are believed, the newest last."""
        return self._copy.keys

    @property
    def picture(self) -> Picture:
        """Return how its operations and conflicts stand, as far as it has caught up."""
        return self._copy.picture

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    # --- acts ---------------------------------------------------------------------------------

    def act(
        self, kind: str, payload: Signed, *, agreement: str = "", signers: Sequence[Signer] = ()
    ) -> tuple[Part, ...]:
        """Sign an act, send it, and return what the exchange has proven to have come of it.

        agreement: the version that was seen, as its hash. signers: where others sign than the post.
        `NotDone` where it was refused.
        """
        return self.send(self.signed(kind, payload, agreement=agreement, signers=signers))

    def signed(
        self, kind: str, payload: Signed, *, agreement: str = "", signers: Sequence[Signer] = ()
    ) -> Envelope:
        """Return an act of this post, signed; it can be sent within the hour."""
        region = self._known(is_distress=kind.partition("/")[0] in OF_DISTRESS)
        created_us = self._said_us if self._follows else self._now()
        return self._sealed(region, created_us, LIVES_US, kind, payload, agreement, signers)

    def signed_apart(
        self, kind: str, payload: Signed, *, lives_us: int, agreement: str = "",
        signers: Sequence[Signer] = (),
    ) -> Envelope:  # fmt: skip
        """Return an act that is signed without asking the exchange, where there is no network.

        Its time is this machine's, compared with no other; it can be handed in for lives_us.
        """
        region = self._copy.known.region
        if not region or self._follows:
            raise InputError(
                "exchange", region, "gives the time of this exercise" if region else
                "was never asked from here, so its region is not known",
                "sign where it can be asked",
            )  # fmt: skip
        return self._sealed(region, self._now(), lives_us, kind, payload, agreement, signers)

    def _sealed(
        self, region: str, created_us: int, lives_us: int, kind: str, payload: Signed,
        agreement: str, signers: Sequence[Signer],
    ) -> Envelope:  # fmt: skip
        check_payload(payload)
        act = Act(
            region=region, incarnation=self._copy.known.incarnation, status=self._status,
            party=self._party, post=self._post, id=self._ids.id(), created_us=created_us,
            expires_us=created_us + lives_us, agreement=agreement, kind=kind,
            payload=msgspec.Raw(encode(payload)),
        )  # fmt: skip
        return seal(ACT, encode(act), *(signers or (self._signer,)))

    def send(self, envelope: Envelope) -> tuple[Part, ...]:
        """Send an act until it is answered, and return what is proven to have come of it.

        A `RecordError` says that it was taken, and that the proof is missing.
        """
        data = self._sent(envelope)
        taken = (
            f"act {read_act(envelope).id[:8]}: the exchange has taken it, and the proof is missing"
        )
        try:
            return self._come_of(envelope, read(data, Answered).receipts)
        except RecordError as fault:
            raise type(fault)(
                f"{taken}: {fault.path}", fault.value, fault.limit, f"{fault.way_out}; {COUNTS}"
            ) from None
        except KeepclearError as fault:
            raise BrokenProof(taken, "", f"cannot be got now ({fault})", COUNTS) from None

    def _sent(self, envelope: Envelope) -> bytes:
        """Return the answer to an act; distress waits for no token, its signature is enough."""
        act = read_act(envelope)
        if deed_of(act) not in OF_DISTRESS or self._token:
            return self._ask("POST", ACTS, encode(envelope))
        return self._asked("POST", ACTS, encode(envelope)).content

    def hand_in(self, receipts: Sequence[Receipt]) -> tuple[Part, ...]:
        """Hand in an act from before a restored backup; return what is proven to have come of it.

        receipts: of the party's earlier copy (`earlier`), that of the act first. It can be handed
        in again: it is entered once.
        """
        data = self._ask("POST", LATE_ACTS, encode(Answered(receipts=tuple(receipts))))
        return self._come_of(receipts[0], read(data, Answered).receipts)

    def _come_of(self, sent: Envelope | Receipt, receipts: Sequence[Receipt]) -> tuple[Part, ...]:
        """Return what receipts prove to have come of an act, all of it."""
        new = []
        if not self._copy.knows(each.checkpoint for each in receipts):
            new = self.catch_up()  # there it says which key the exchange goes on with
        parts = self._proven_of(sent, receipts)
        check_whole(sent, parts, [*new, *self.catch_up()])
        return parts[1:]

    def _proven_of(self, sent: Envelope | Receipt, receipts: Sequence[Receipt]) -> tuple[Part, ...]:
        """Return the parts that receipts prove; `NotProven` where they are not of an act."""
        parts = tuple(self._proven(each) for each in receipts)
        if not parts or not is_of(parts[0], sent):
            raise NotProven(
                "receipt", f"{len(parts)} parts", "do not begin with the act that was sent", ASK
            )
        return parts

    def check_own(self, envelope: Envelope) -> None:
        """Refuse an act of another party than this client's."""
        act = read_act(envelope)
        if act.party != self._party:
            raise InputError(
                "act", act.id[:8], f"is of {act.party}, and this is a desk of {self._party}",
                "take its answer in where it was signed",
            )  # fmt: skip

    def is_of_now(self, receipts: Sequence[Receipt]) -> bool:
        """Tell whether receipts name the key that signs now, and none that it has followed."""
        return self._copy.signs_now(each.checkpoint for each in receipts)

    def take_in(
        self, answered: Sequence[tuple[Envelope, Sequence[Receipt]]], pages: Sequence[Steps]
    ) -> tuple[list[tuple[Part, ...]], list[tuple[Part, ...]]]:
        """Take in what was brought from the exchange by hand, proven as if it had come by itself.

        Return what came of each act, and what each new step holds. pages: of its steps, in order.
        `InputError` for acts of another party, whose receipts are as true.
        """
        for envelope, _ in answered:
            self.check_own(envelope)
        notes = [each.checkpoint for _, receipts in answered for each in receipts]
        new = [] if self._copy.knows(notes) else self._taken_in(pages)
        came = [self._proven_of(envelope, receipts) for envelope, receipts in answered]
        new += self._taken_in(pages)
        for (envelope, _), parts in zip(answered, came, strict=True):
            check_whole(envelope, parts, new)
        return [parts[1:] for parts in came], new

    def _taken_in(self, pages: Sequence[Steps]) -> list[tuple[Part, ...]]:
        """Return what each step holds that is new in pages that were brought."""
        if not pages or pages[-1].last < self._copy.step:
            return []
        return self._copy.catch_up(lambda after: page_after(pages, after))

    # --- what is read -------------------------------------------------------------------------

    def catch_up(self) -> list[tuple[Part, ...]]:
        """Bring the party's copy up to what there is; return what each new step of it holds."""
        asked_us = self._now()
        if self._copy.known.incarnation == 0:
            self._known()
        new = self._copy.catch_up(self._steps)
        self.caught_up_us = asked_us
        return new

    def _steps(self, after: int) -> Steps:
        try:
            return read(self._ask("GET", f"/v1/steps?after={after}"), Steps)
        except NotDone as fault:
            if fault.status == httpx.codes.CONFLICT:  # it has not so many
                raise SetBack(str(fault)) from None
            raise

    def operations(self) -> list[Operation]:
        """Return the party's own operations; of those that are over some may be left out."""
        self.catch_up()
        return list(self.picture.operations.values())

    def conflicts(self) -> list[Notice]:
        """Return how the party's conflicts stand; of settled ones some may be left out."""
        self.catch_up()
        return list(self.picture.conflicts.values())

    def messages(self) -> list[Message]:
        """Return how the party's messages stand; of those that are done some may be left out."""
        self.catch_up()
        return list(self.picture.messages.values())

    def lines(self) -> list[CheckedLine]:
        """Return how the party's lines stand that are checked, each in its direction."""
        self.catch_up()
        return list(self.picture.lines.values())

    def stops(self) -> list[Stop]:
        """Return how the party's own STOPs stand; those that have ended may be left out."""
        self.catch_up()
        return list(self.picture.stops.values())

    def keep_outs(self) -> list[KeepOut]:
        """Return where the party's operations must keep out for STOPs of others, by their ids."""
        self.catch_up()
        held = self.picture.keep_outs
        return [KeepOut(operation=own, areas=held[own]) for own in sorted(held)]

    def deliver(self) -> list[Message]:
        """Sign *delivered* for each message that this post has, and has not signed it for.

        Held in the party's own copy, proven: that is what it says. A post that only reads does not
        call this, and claims nothing. Returns those that it was signed for; one that another desk
        of the post was sooner with is left out.
        """
        self.catch_up()
        signed = []
        for each in list(self.picture.messages.values()):
            is_ours = each.receiver == self._party and each.status is self._status
            if not is_ours or not each.is_with(self._post) or each.is_done:
                continue
            if each.first(Step.DELIVERED, self._post) is None:
                try:
                    self.act("line.delivered/1", MarkDelivered(id=each.id))
                except NotDone:
                    self.catch_up()
                    if self.picture.messages[each.id].first(Step.DELIVERED, self._post) is None:
                        raise
                    continue
                signed.append(self.picture.messages[each.id])
        return signed

    def check(self, plan: FiledOperation, instead_of: str = "") -> Checked:
        """Return what a plan would meet of what the party knows; nothing is entered.

        instead_of: the own operation that it would replace. As the exchange says: none of it is
        proven. `NotDone` for a plan that could not be filed.
        """
        path = f"/v1/check?status={self._status}"
        path += f"&instead_of={instead_of}" if instead_of else ""
        return read(self._ask("POST", path, encode(FileOperation(operation=plan))), Checked)

    def answers_for(self, force: str = "") -> AnswersFor:
        """Return what the exchange's answers cover, and who answers for whom; as it says."""
        return read(self._ask("GET", f"/v1/answers-for?{urlencode({'force': force})}"), AnswersFor)

    def cap(self, message: str) -> bytes:
        """Return a message of the party as a document of CAP 1.2 that the exchange has signed.

        message: its id, whole. `NotDone` says why it may not leave the line.
        """
        return self._ask("GET", f"/v1/cap?{urlencode({'message': message})}")

    def record(self, after: int) -> tuple[bytes, int]:
        """Return lines of the party's file after so many steps, and how many steps that makes.

        As the exchange gives them: `keepclear record verify` says what they prove.
        """
        answer = self._answer("GET", f"/v1/record?after={after}", b"")
        return answer.content, int(answer.headers["Keepclear-Step"])

    def follow(self, *, delivers: bool = False) -> Iterator[list[tuple[Part, ...]]]:
        """Yield what each new step holds, proven, as it happens; once it is open, what is new then.

        delivers: sign *delivered* for each message that comes to this post, before it is yielded.
        `NoAnswer` where the connection ends, a `RecordError` for what is not proven: call it again,
        and nothing is missed.
        """
        for event in self.stream(self.begin_following()):
            found = self.heard(event)
            if delivers:
                self.deliver()
            yield [*found, *self.untold()]

    def begin_following(self) -> int:
        """Catch up, and return the step from which the stream is to go on."""
        self._copy.untold = self._copy.untold or []
        self.catch_up()
        return self._copy.step

    def heard(self, event: Event) -> list[tuple[Part, ...]]:
        """Return what is new, proven, after an event of the stream: that is a bell, and no more."""
        if event.kind != "open" and (event.kind != "step" or event.step > self._copy.step):
            self.catch_up()
        if event.step > self._copy.step:
            raise NotProven(
                "stream", event.step, f"is more than the {self._copy.step:,} steps that are "
                "proven", ASK,
            )  # fmt: skip
        return self.untold()

    def untold(self) -> list[tuple[Part, ...]]:
        """Return what `follow` has not yielded yet: where it ends, there may be some."""
        found, self._copy.untold = self._copy.untold or [], []
        return found

    def stream(self, after: int | None = None) -> Iterator[Event]:
        """Yield what the exchange sends as it happens; from a step on, or a snapshot first.

        None of it is proven: `follow` proves it. The first event is that it is open. `NoAnswer`
        where the connection ends: call it again with the last step, and nothing is missed.
        """
        headers = {} if after is None else {"Last-Event-ID": str(after)}
        try:
            for _ in range(SIGN_INS):
                if not self._token:
                    self._signed_in()
                headers["Authorization"] = f"Bearer {self._token}"
                with self._http.stream(
                    "GET", "/v1/stream", headers=headers, timeout=STREAM_S
                ) as answer:
                    if answer.status_code == httpx.codes.UNAUTHORIZED:
                        self._token = ""
                        continue
                    if not answer.is_success:
                        answer.read()
                        accepted(answer)
                    self._stream = answer.extensions.get("network_stream")
                    yield Event("open", after or 0, b"")
                    yield from events(answer.iter_lines())
                    break
        except httpx.RequestError as fault:
            raise NoAnswer(f"stream: was cut ({fault}); go on from the last step") from None
        raise NoAnswer("stream: was ended by the exchange; go on from the last step")

    def cut(self) -> None:
        """End the stream that another thread hears; the one thing that another thread may do."""
        found = None if self._stream is None else self._stream.get_extra_info("socket")
        if found is not None:
            with suppress(OSError):  # it has ended by itself
                found.shutdown(SHUT_RDWR)

    # --- inside -------------------------------------------------------------------------------

    def _known(self, *, is_distress: bool = False) -> str:
        """Return the region, having seen that it is the one that is known and the clocks agree.

        is_distress: whatever the clocks say; where the region is known it is asked once alone, and
        signed also without an answer, so that it is kept and sent.

        Asked anew after ten seconds: clocks do not part sooner. Who follows the exchange's clock
        asks each time.
        """
        if time.monotonic() < self._known_until and not self._follows:
            return self._copy.known.region
        before_us = self._now()
        if is_distress and self._copy.known.incarnation and not self._follows:
            try:
                self._http.get("/v1/region").raise_for_status()
            except httpx.HTTPError:
                return self._copy.known.region
        said = read(self._asked("GET", "/v1/region", b"").content, RegionSaid)
        after_us, self._said_us = self._now(), said.now_us
        off_us = max(before_us - said.now_us, said.now_us - after_us, 0)
        is_off = off_us > self._clock_us and not self._follows
        if is_off and not is_distress:
            raise ClockOff(
                f"clock: differs from the exchange's by {off_us / 1e6:.1f} s, above "
                f"{self._clock_us / 1e6:g} s; set it right, and sign then"
            )
        if self._copy.known.incarnation == 0:
            self._copy.known.region, self._copy.known.incarnation = said.region, said.incarnation
        self._check_incarnation(said.region, said.incarnation)
        if not is_off:
            self._known_until = time.monotonic() + KNOWN_S
        return said.region

    def _check_incarnation(self, region: str, incarnation: int) -> None:
        if region != self._copy.known.region:
            raise NotProven(
                "region", region, f"is not {self._copy.known.region}", "give the address of that"
            )
        if incarnation != self._copy.known.incarnation:
            raise NewIncarnation(
                f"record: is incarnation {incarnation} of {region}, and "
                f"{self._copy.known.incarnation} is known here: a backup was restored; look at "
                "what it has, keep what you hold, and go on from nothing once it is accepted",
                is_later=incarnation > self._copy.known.incarnation,
            )

    def _proven(self, receipt: Receipt) -> Part:
        """Return the part of a receipt, where it is proven; the copy must then reach it."""
        proven = verify_receipt(receipt, self._copy.keys)
        origin = read_origin(proven.checkpoint.origin)
        if origin is None:
            raise BrokenProof("receipt", receipt.audience, "is of no tree", "ask the operator")
        self._check_incarnation(origin.region, origin.incarnation)
        self._copy.remember(receipt.audience, receipt.checkpoint)
        return proven.part

    def _ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        return self._answer(method, path, body).content

    def _answer(self, method: str, path: str, body: bytes) -> httpx.Response:
        """Return an answer, signing in where that is asked: whoever began again knows no token."""
        answer = None
        for _ in range(SIGN_INS):
            if not self._token:
                answer = self._signed_in()
                self._check_goes_on(path)
            if self._token:
                answer = self._tried(method, path, body)
                if answer.status_code != httpx.codes.UNAUTHORIZED:
                    return accepted(answer)
                self._token = ""
        raise NotDone(why(answer) if answer is not None else "")

    def _check_goes_on(self, path: str) -> None:
        """See, before an act is sent, that the exchange has what is held: else it gets none."""
        if self._token and path in {ACTS, LATE_ACTS}:
            self.catch_up()

    def _signed_in(self) -> httpx.Response:
        """Sign in; return the answer, which may be that the challenge is not known any more."""
        challenge = read(self._asked("GET", "/v1/challenge", b"").content, Challenge).challenge
        envelope = self.signed(SIGN_IN, OpenSession(challenge=challenge))
        answer = self._tried("POST", "/v1/sessions", encode(envelope))
        if answer.status_code != httpx.codes.UNAUTHORIZED:
            self._token = read(accepted(answer).content, Token).token
        return answer

    def _asked(self, method: str, path: str, body: bytes) -> httpx.Response:
        return accepted(self._tried(method, path, body))

    def _tried(self, method: str, path: str, body: bytes) -> httpx.Response:
        """Return an answer, asking again where there is none: the same bytes do nothing twice."""
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        reason = ""
        for number in range(self.tries):
            if number == TOLD_AT:
                self.told_to_wait(f"{self._http.base_url} gives no answer yet ({reason})")
            if number:
                time.sleep(min(FIRST_WAIT_S * 2 ** (number - 1), LONGEST_WAIT_S))
            try:
                answer = self._http.request(method, path, content=body, headers=headers)
            except httpx.RequestError as fault:
                reason = f"{type(fault).__name__}: {fault}"
                continue
            if answer.status_code not in COMES_AGAIN:
                return answer
            reason = why(answer)
        way_out = "it sent nothing that is done; try again"
        if path in {ACTS, LATE_ACTS}:
            way_out = "send the same again, it does nothing twice"
        raise NoAnswer(
            f"exchange {self._http.base_url}: gave no answer to {method} {path.partition('?')[0]} "
            f"in {self.tries} tries ({reason}); {way_out}"
        )
