# SPDX-License-Identifier: Apache-2.0
"""`keepclear watch` where something is refused, or gone: it says so, tries again, and goes on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from keepclear.cli.desk import AtDesk
from keepclear.cli.post_folder import PostFolder
from keepclear.cli.watching import Watching
from keepclear.record.encoding import encode
from tests.server_plays import Node, serving
from tests.test_lying_exchange import Party, without_proof
from tests.test_post_folder import DESK

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with serving(tmp_path_factory.mktemp("region") / "east") as made:
        yield made


class Watched:
    """A watch, whose stream ends at once; each wait does the next thing, and then it ends."""

    def __init__(self, party: Party, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.party, self.waits = party, list[float]()
        (home / "desk.json").write_bytes(encode(DESK))
        self._folder = PostFolder(str(home))
        self._then: list[Callable[[], None]] = []
        self._whole = party.way.handle_request
        party.client = party.begin()
        party.client._copy._keeping = self._folder
        monkeypatch.setattr(party.way, "handle_request", self._answered)

    def _answered(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/stream" and "/v1/stream" not in self.party.way.refused:
            return httpx.Response(200, content=b": alive\n\n", request=request)
        return self._whole(request)

    def _wait(self, wait_s: float) -> None:
        self.waits.append(wait_s)
        if not self._then:
            raise KeyboardInterrupt
        self._then.pop(0)()

    def run(self, *then: Callable[[], None]) -> None:
        """Watch; each time that it waits, do the next."""
        self._then = list(then)
        watching = Watching(is_quiet=False, wait=self._wait)
        with pytest.raises(KeyboardInterrupt):
            watching.follow(AtDesk(self.party.client, self._folder))


def nothing() -> None:
    """Let time pass."""


def test_a_watch_that_is_refused_says_why_once_and_goes_on_with_growing_waits(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    party = Party(node, "refused", 0)
    party.file()
    watched = Watched(party, tmp_path, monkeypatch)
    party.way.refused["/v1/stream"] = 429

    watched.run(nothing, party.cross, nothing, party.way.refused.clear)

    said = capsys.readouterr().out
    assert watched.waits[:4] == [1.0, 2.0, 4.0, 8.0]
    assert said.count("NOTHING NEW IS SHOWN: what stands above may be stale\n  not now\n") == 1
    before, _, after = said.partition("NOTHING NEW IS SHOWN")
    assert "of your operations, 1 protect now" in before
    assert after.count(f"of {party.other.party}: raised") == 1  # also where no stream tells of it
    assert "connected again; nothing was missed" in after


def test_a_watch_that_never_was_connected_shows_no_picture_of_nothing(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    party = Party(node, "never", 120)
    party.file()
    watched = Watched(party, tmp_path, monkeypatch)
    party.way.refused["/v1/steps"] = 403

    watched.run(nothing, party.way.refused.clear)

    before, _, after = capsys.readouterr().out.partition("NOTHING NEW IS SHOWN")
    assert "no conflicts are known" not in before
    assert "of your operations, 1 protect now" in after


def test_what_is_not_proven_is_said_and_shown_once_it_is(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    party = Party(node, "unproven", 40)
    party.file()
    watched = Watched(party, tmp_path, monkeypatch)

    def lie() -> None:
        party.cross()
        party.way.changes["/v1/steps"] = without_proof

    watched.run(lie, nothing, party.way.changes.clear)

    said = capsys.readouterr().out
    why, _, after = said.partition("connected again")
    assert "no checkpoints prove them; keep what you hold, and ask the operator" in why
    assert "raised" not in why
    assert "\a" in after
    assert f"of {party.other.party}: raised" in after


def test_a_watch_of_a_record_that_was_restored_says_what_to_type_and_begins_anew(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    party = Party(node, "restored", 80)
    party.file()
    watched = Watched(party, tmp_path, monkeypatch)
    party.client._copy.known.region, party.client._copy.known.incarnation = "exercise-east", 7
    watching = Watching(is_quiet=True, wait=watched.waits.append)

    watching.follow(AtDesk(party.client, watched._folder))

    said = capsys.readouterr().out
    assert "is incarnation 1 of exercise-east, and 7 is known here: a backup was restored" in said
    assert watched.waits == [15.0]
    assert f"type mv {tmp_path}/seen.json {tmp_path}/seen.1.json && mv" in said
