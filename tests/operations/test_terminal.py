"""The command line for people and for programs: JSON, colours, bars of progress and completion."""

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from app.build import APP
from app.cli.options import echo_json, echo_result
from app.config import SEED_DIR
from app.extensions.editing.services import uploads
from app.models.base import counted
from app.services.desk import exports
from app.services.operations.verification import Verified
from tests.support.command import every_command, guidance, guidance_on_a_terminal
from tests.support.loops import first_by_day
from tests.support.publishing import SLUG
from tests.support.set_ups import SetUp, make_set_up

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-7][;m]")
REPORTS = {"verify", "migrate", "doctor", "health", "due", "check", "rendition check", "desk people"}
EMPTY = ("clients", "keys", "webhooks")
OF_A_SERVICE = ("desk",)
"""What lists by asking a service: tests/extensions/terminal/test_desk_commands.py runs it."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> SetUp:
    return make_set_up(tmp_path_factory.mktemp("healthy") / "place")


def test_every_command_that_lists_or_reports_can_print_json() -> None:
    found = [(name, each) for name, each in every_command() if name.endswith(" list") or name in REPORTS]

    assert len(found) == len(EMPTY) + len(OF_A_SERVICE) + len(REPORTS)
    assert [name for name, each in found if not any("--json" in option.opts for option in each.params)] == []


BOXES = re.compile("[\u2500-\u257f\u2026\x1b]")
COUNT_WITHOUT_RULE = re.compile(
    r"[^\"']\} (?:acts|additions|backups|cards|concerns|contacts|days|editions|entries|errors|events|files|passkeys"
    r"|people|recipients|rows|sentences|statements|texts|webhooks)\b"
)
"""A number in braces, with a plural that it has if it is 1 too."""


def test_a_pipe_gets_plain_text_with_whole_sentences() -> None:
    told = {
        name: guidance(*name.split(), "--help", COLUMNS="40").stdout for name in ("", "desk", "restore", "desk list")
    }
    refused = [guidance(*words) for words in (["restoer"], ["restore"], ["due", "--within", "x"], ["keys", "new", "."])]

    assert (
        "Verify the database: pages, schema rules, digests and hash chains, and every row against the audit log."
        in (told[""])
    )
    assert [text for text in (*told.values(), *(each.stderr for each in refused)) if BOXES.search(text)] == []
    assert [each.stderr.splitlines()[-1] for each in refused] == [
        "Error: No such command 'restoer'. Did you mean 'restore'?",
        "Error: Missing argument 'FILE'.",
        "Error: Invalid value for '--within': must be a whole number.",
        "Error: the file exists; choose another name.",
    ]


def test_a_count_is_told_by_one_rule() -> None:
    told = [counted(0, "concern"), counted(1, "concern"), counted(2, "concern"), counted(1, "entry", "entries")]
    found = [
        (path.name, number)
        for folder in ("cli", "extensions/operator_tools", "extensions/terminal", "services/operations")
        for path in sorted(Path(APP / folder).rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if COUNT_WITHOUT_RULE.search(line) and 'f"' in line
    ]

    assert told == ["0 concerns", "1 concern", "2 concerns", "1 entry"]
    assert found == []


def test_what_was_checked_is_told_with_its_numbers(place: SetUp) -> None:
    verified = guidance("verify", "--data-dir", place.data_dir)

    assert re.fullmatch(
        "checked pages, rules, digests, chains and every row: "
        "1 edition, 0 renditions, 1 concern and [34] audit log entries: no errors",
        verified.stdout.splitlines()[-1],
    )


def test_the_faults_of_files_are_told_as_json(tmp_path: Path) -> None:
    broken = tmp_path / "broken" / "1.yaml"
    broken.parent.mkdir()
    broken.write_text("title: A broken guide\ntitle: again\n", encoding="utf-8")

    checked = guidance("check", SEED_FILE, broken, "--json", "--data-dir", tmp_path / "data")

    assert checked.returncode == 1
    whole, faulty = json.loads(checked.stdout)
    assert (whole["file"], whole["errors"]) == (str(SEED_FILE), [])
    assert (faulty["file"], faulty["errors"][0]["line"]) == (str(broken), 1)


@pytest.mark.parametrize(
    ("library", "words", "told"),
    [
        ("docx", ["import", "guide.docx"], "`guidance import` needs the extra `documents`: pip install"),
        ("pypdf", ["export", "verify", "made.pdf", "--key", "x"], "`guidance export verify` needs the extra `print`:"),
    ],
)
def test_an_extra_that_is_missing_is_named_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str, words: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    end = b"\nstartxref\n1\n%%EOF\n"
    for name in ("guide.docx", "made.pdf"):
        (tmp_path / name).write_bytes(b"%PDF" + end + b"%guidance-export e30" + end[1:].join([b"\n", b""]))
    for module in (uploads, exports):
        monkeypatch.setattr(module, "find_spec", lambda name: None if name == library else find_spec(name))

    refused = guidance(*words)

    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert told in refused.stderr


@pytest.mark.parametrize(("library", "module"), [("cryptography", "receipts"), ("pyrage", "sealed")])
def test_the_client_names_the_extra_that_is_missing(library: str, module: str) -> None:
    program = f"import sys; sys.modules[{library!r}] = None; import guidance_client.{module}"
    environment = os.environ | {"PYTHONPATH": str(APP.parent / "client" / "src")}
    failed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=False, env=environment, text=True
    )

    assert failed.stderr.splitlines()[-1].startswith(f"ImportError: guidance_client.{module} needs the extra `")
    assert "During handling" not in failed.stderr


def test_a_list_as_json_has_no_secret(place: SetUp) -> None:
    recipients = ",".join(place.settings.seal_to)
    added = guidance("clients", "add", "forms", "--scope", "concerns:submit", "--data-dir", place.data_dir)
    listed = {
        name: guidance(name, "list", "--json", "--data-dir", place.data_dir, SEAL_TO=recipients) for name in EMPTY
    }

    assert {"forms", "example-desk"} == {each["name"] for each in json.loads(listed["clients"].stdout)}
    assert [each["recipient"] for each in json.loads(listed["keys"].stdout)] == list(place.settings.seal_to)
    assert json.loads(listed["webhooks"].stdout) == []
    assert added.stdout.strip() not in "".join(each.stdout for each in listed.values())


def test_reports_as_json_say_the_same(place: SetUp) -> None:
    verified = guidance("verify", "--json", "--data-dir", place.data_dir)
    migrated = guidance("migrate", "--json", "--data-dir", place.data_dir)
    due = guidance("due", "--json", "--within", "100000", "--data-dir", place.data_dir)

    assert verified.returncode == 0
    edition, checked = json.loads(verified.stdout)
    assert edition == {"name": "child-sexual-exploitation, edition 1", "fault": None}
    assert (checked["name"], checked["fault"]) == ("checked", None)
    assert (checked["counts"].keys(), checked["counts"]["editions"]) == (Verified.__annotations__.keys(), 1)
    assert json.loads(migrated.stdout)["before"] == json.loads(migrated.stdout)["now"]
    assert {(each["guide"], each["edition"]) for each in json.loads(due.stdout) if "guide" in each} == {(SLUG, 1)}


@pytest.mark.embedded
def test_long_work_shows_a_bar_on_a_terminal_and_nothing_elsewhere(place: SetUp, tmp_path: Path) -> None:
    identity = tmp_path / "identity.txt"
    identity.write_text(f"{place.identities[0]}\n")
    recipients = place.settings.seal_to[0]
    copy = tmp_path / "copy.db"

    def shown(*words: str | Path, data_dir: Path) -> str:
        ended = guidance_on_a_terminal(*words, "--data-dir", data_dir, SEAL_TO=recipients)
        assert ended.returncode == 0
        return ended.stderr

    assert "Verifying" in shown("verify", data_dir=place.data_dir)
    backed_up = shown("backup", copy, "--test", data_dir=place.data_dir)
    assert "Copying and verifying" in backed_up
    assert "Testing a restore" in backed_up
    assert "Testing a restore" in shown("restore", copy, "--test", data_dir=place.data_dir)
    assert "Migrating" in shown("migrate", data_dir=place.data_dir)
    assert "Reading" in shown("export", tmp_path / "export", data_dir=place.data_dir)
    assert "Erasing" in shown("desk", "purge", data_dir=place.data_dir)
    assert "Copying" in shown("copy", "--to", tmp_path / "moved", data_dir=place.data_dir)
    assert "100%" in shown("restore", copy, data_dir=tmp_path / "restored")
    assert "Sealing anew" in shown("keys", "reseal", "--identity", identity, data_dir=tmp_path / "restored")
    assert guidance("verify", "--data-dir", place.data_dir).stderr == ""


def test_a_shell_can_complete_the_commands() -> None:
    environment = {**os.environ, "_GUIDANCE_COMPLETE": "complete_bash", "COMP_WORDS": "guidance do", "COMP_CWORD": "1"}

    offered = subprocess.run(
        [Path(sys.executable).with_name("guidance")], capture_output=True, check=False, env=environment, text=True
    )

    assert offered.stdout.split() == ["doctor"]


@pytest.mark.parametrize("words", first_by_day([["--help"], ["doctor", "--help"]]))
def test_no_color_is_respected_by_the_help(words: list[str]) -> None:
    plain = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    plain |= {"TERM": "xterm-256color", "FORCE_COLOR": "1"}
    command = [sys.executable, "-m", "app.cli", *words]
    shown = [
        subprocess.run(command, capture_output=True, check=True, env=environment, text=True).stdout
        for environment in (plain, plain | {"NO_COLOR": "1"})
    ]

    assert COLOUR.search(shown[0])
    assert not COLOUR.search(shown[1])


SEED_FILE = SEED_DIR / "guides" / SLUG / "1.yaml"


def told(*arguments: str | Path) -> Any:
    """The output of the command with `--json`."""
    finished = guidance(*arguments, "--json")
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def test_each_command_that_changes_something_says_what_it_did(tmp_path: Path) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy.db"

    (published,) = told("publish", SEED_FILE, "--data-dir", data)
    copied = told("backup", copy, "--test", "--data-dir", data)
    restored = told("restore", copy, "--force", "--data-dir", data)
    purged = told("desk", "purge", "--data-dir", data)
    withdrawn = told("withdraw", SLUG, "1", "--reason", "A made-up reason.", "--data-dir", data)

    assert (published["guide"], published["edition"], published["is_new"]) == (SLUG, 1, True)
    assert (copied["file"], copied["editions"], copied["concerns"]) == (str(copy), 1, 0)
    assert copied["restored_in_seconds"] > 0
    assert Path(restored["former_database"]).exists()
    assert purged == {"erased": 0, "former_texts_remain": False}
    assert withdrawn == {"guide": SLUG, "edition": 1, "is_new": True}


def test_an_invitation_and_a_leave_say_what_they_did(tmp_path: Path) -> None:
    folder = ("--data-dir", tmp_path / "data")

    invited = told("desk", "invite", "Jo Example", "--role", "worker", *folder)
    left = told("desk", "leave", "Jo Example", *folder)

    assert (invited["name"], invited["role"]) == ("Jo Example", "worker")
    assert re.search(r"/desk/invitation#\S+$", invited["link"])
    assert invited["expires_at"].endswith("Z")
    assert left == {"name": "Jo Example", "unassigned": [], "clients": [], "keys": []}


def test_a_refused_file_leaves_earlier_ones_published_and_reported(tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("title: Not a whole guide\n", encoding="utf-8")

    finished = guidance("publish", SEED_FILE, other, "--json", "--data-dir", tmp_path / "data")

    assert finished.returncode == 1
    assert [each["edition"] for each in json.loads(finished.stdout)] == [1]
    assert finished.stderr


HIDDEN = "".join(map(chr, [0x1B, 0x7F, 0x9B, 0xAD, 0x61C, 0x200B, 0x200E, 0x202E, 0x2066, 0x2069, 0xFEFF, 0xE0041]))


def test_what_a_terminal_would_obey_is_printed_as_its_number(capsys: pytest.CaptureFixture[str]) -> None:
    told = {"narrative": f"Alex{HIDDEN}2J\nZo\u00eb \u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"}

    echo_json(told)
    as_json = capsys.readouterr().out
    echo_result([told["narrative"]], {}, as_json=False)
    line = capsys.readouterr().out

    assert json.loads(as_json) == told
    for printed in (as_json, line):
        assert not set(HIDDEN) & set(printed)
        assert "\\u009b" in printed
        assert "Zo\u00eb \u0646\u0645\u06cc\u200c\u062e" in printed  # a joiner is part of the spelling
