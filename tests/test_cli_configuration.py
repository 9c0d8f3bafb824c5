# SPDX-License-Identifier: Apache-2.0
"""One TOML file, variables and the line: which of them holds, and what is wrong with a file."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from keepclear.cli import command

NODE = """
home = "north"

[serve]
listen = "0.0.0.0:8610"
tls-cert = "server.pem"

[party]
folder = "east"

[party.add]
folder = "west"
status = "Actual"
"""


@pytest.fixture
def node(tmp_path: Path) -> Path:
    file = tmp_path / "node.toml"
    file.write_text(NODE)
    return file


def run(*words: str, **variables: str) -> tuple[int, str]:
    """Return status and output of a command; what the process was given is not set."""
    done = CliRunner().invoke(command, words, env={"KEEPCLEAR_CONFIG": None, **variables})
    return done.exit_code, done.output


def said(*words: str, **variables: str) -> str:
    """Return what `keepclear config` prints."""
    status, text = run(*words, **variables)
    assert status == 0, text
    return text


def test_what_is_set_is_printed_with_where_it_comes_from(node: Path) -> None:
    text = said("--config", str(node), "config")

    assert 'listen = "0.0.0.0:8610"  # file, for serve\n' in text
    assert f'tls-cert = "{node.parent}/server.pem"  # file, for serve\n' in text
    assert f'folder = "{node.parent}/east"  # file, for party.admit\n' in text
    assert f'folder = "{node.parent}/west"  # file, for party.add\n' in text
    assert f'home = "{node.parent}/north"  # file, for ' in text
    assert "operator" not in text


def test_of_one_command_all_options_are_printed_and_a_variable_holds_before_the_file(
    node: Path,
) -> None:
    text = said("config", "serve", KEEPCLEAR_CONFIG=str(node), KEEPCLEAR_SERVE_LISTEN="127.0.0.1:9")

    assert text.startswith("[serve]\n")
    assert 'listen = "127.0.0.1:9"  # environment\n' in text
    assert 'operator = "127.0.0.1:8611"  # default\n' in text
    assert "# tls-key: not set\n" in text


def test_what_is_printed_can_be_a_file_again(node: Path, tmp_path: Path) -> None:
    text = said("--config", str(node), "config", "party")
    again = tmp_path / "again.toml"
    again.write_text(text)

    assert said("--config", str(again), "config", "party").replace("# file", "") == text.replace(
        "# file", ""
    ).replace("# default", "")


def test_a_command_takes_its_options_from_the_file_and_the_line_holds_before_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "node.toml").write_text('[key.new]\nfolder = "keys"\npost = ["watch"]\n')
    words = ("--config", str(tmp_path / "node.toml"), "key", "new", "north")

    assert run(*words)[0] == 0
    assert run(*words, "--folder", str(tmp_path / "others"))[0] == 0

    assert (tmp_path / "keys" / "north.keys.json").exists()
    assert (tmp_path / "others" / "north.keys.json").exists()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[serve]\nlisen = "x"', 'serve.lisen: is not an option here; did you mean "listen"?'),
        ('[srve]\nlisten = "x"', 'srve: is not a command here; did you mean "serve"?'),
        ('[party.ad]\nhome = "x"', 'party.ad: is not a command here; did you mean "add"?'),
        ('hom = "x"', 'hom: is not an option here; did you mean "home"?'),
        ("[serve]\nlisten = true", "serve.listen True: is neither a text nor a number; give it as"),
        ('[serve]\nnew = "yes"', "serve.new 'yes': is not true or false"),
        ('[party.add]\nstatus = "Live"', "party.add.status 'Live': 'Live' is not one of 'Actual'"),
        ("[serve\n", "is no TOML"),
        ("[serve]\nlisten = []", "serve.listen []: is neither"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_by_its_key_and_nothing_is_done(
    text: str, why: str, tmp_path: Path
) -> None:
    file = tmp_path / "node.toml"
    file.write_text(text)

    status, words = run("--config", str(file), "key", "new", "n", "--folder", f"{tmp_path}/keys")

    assert status != 0
    assert why in words
    assert not (tmp_path / "keys").exists()


def test_all_that_is_wrong_is_told_at_once_and_a_file_that_is_not_there_too(
    tmp_path: Path,
) -> None:
    file = tmp_path / "node.toml"
    file.write_text('[serve]\nlisen = "x"\nopertor = "y"\n')

    _, words = run("--config", str(file), "config")
    status, none = run("--config", str(tmp_path / "none.toml"), "config")

    assert words.count("did you mean") == 2
    assert status != 0
    assert "cannot be read (No such file or directory); give a file that is there" in none


def test_a_file_in_the_working_folder_is_not_taken_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "keepclear.toml").write_text("[serve]\nwrong = 1\n")
    monkeypatch.chdir(tmp_path)

    assert said("config").startswith("# nothing is set")


def test_a_command_that_is_none_is_named_with_the_nearest() -> None:
    status, words = run("config", "serv")

    assert status == 2
    assert "'serv' is no command; did you mean 'serve'?" in words
