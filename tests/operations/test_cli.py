"""The `guidance` command: what it says, what it leaves, and how it ends."""

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any
from unittest.mock import Mock

import pyrage
import pytest
import typer
from starlette.testclient import TestClient
from typer.main import get_command
from typer.testing import CliRunner

from app.cli import main
from app.cli.commands import ACCESS, COMMANDS, DUTY, OPERATE, OTHERS, WRITE, app
from app.cli.lazy_commands import Commands
from app.cli.option_groups import OptionGroup
from app.config import Settings
from app.errors import NoSuchGuide
from app.extensions import installed
from app.main import create_app
from app.models.base import digest_of
from app.models.guides.edition_files import read_edition_file
from tests.support.command import every_command, guidance, guidance_process
from tests.support.concerns import a_concern, raise_concern
from tests.support.databases import raw_connection
from tests.support.live import LiveServer
from tests.support.loops import for_each
from tests.support.named import shell_faults
from tests.support.publishing import FIRST_EDITION, GUIDE, SLUG

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

ROOT = Path(__file__).parents[2]
PUBLISHED = re.compile(
    rf"{SLUG}, edition (\d+): (published|already published; nothing changed) \((sha256:[0-9a-f]{{64}})\)"
)


A_RECIPIENT = str(pyrage.x25519.Identity.generate().to_public())


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the first edition is published."""
    folder = tmp_path_factory.mktemp("published")
    assert guidance("publish", FIRST_EDITION, "--data-dir", folder).returncode == 0
    return folder


@pytest.fixture
def edition_file(tmp_path: Path) -> Callable[..., Path]:
    """A file with the words of the first edition, under another number, with one word of it replaced."""

    def write(name: str, old: str, new: str) -> Path:
        path = tmp_path / SLUG / name
        path.parent.mkdir(exist_ok=True)
        text = FIRST_EDITION.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return path

    return write


def test_publishing_tells_each_edition_and_its_digest(tmp_path: Path, edition_file: Callable[..., Path]) -> None:
    second = edition_file("2.yaml", "First edition", "A made-up second edition")

    agreed = digest_of(read_edition_file(second).content)

    first = guidance("publish", FIRST_EDITION, "--data-dir", tmp_path)
    both = guidance("publish", FIRST_EDITION, second, "--digest", agreed, "--data-dir", tmp_path)

    assert (first.returncode, both.returncode) == (0, 0)
    ((number, what, digest),) = PUBLISHED.findall(first.stdout)
    again, new = PUBLISHED.findall(both.stdout)
    assert (number, what) == ("1", "published")
    assert again == ("1", "already published; nothing changed", digest)
    assert new[:2] == ("2", "published")


@pytest.mark.parametrize(
    ("name", "old", "new", "fault"),
    [
        (
            "1.yaml",
            "First edition",
            "A made-up edition",
            ": edition 1 of `child-sexual-exploitation` is published, and never changes",
        ),
        (
            "3.yaml",
            "First edition",
            "A made-up edition",
            ": the next edition of `child-sexual-exploitation` is 2: name the file `2.yaml`",
        ),
        ("first.yaml", "First edition", "A made-up edition", ": the file must be named after the edition's number"),
        ("2.yaml", 'code: "11A"', 'code: "99Z"', ", line {line}: Related code 1: This is not a code of the"),
        ("2.yaml", "kind: statutory", "kind: made-up", ", line {line}: Definition 2: `kind` must be"),
        ("2.yaml", "review_by: null", "review_by: &made-up null", ", line {line}: anchors and aliases"),
    ],
)
def test_a_faulty_file_is_refused_with_name_line_and_reason(
    data_dir: Path, edition_file: Callable[..., Path], name: str, old: str, new: str, fault: str
) -> None:
    path = edition_file(name, old, new)
    line = path.read_text(encoding="utf-8").partition(new)[0].count("\n") + 1

    told = guidance("publish", path, "--data-dir", data_dir)

    assert (told.returncode, told.stdout) == (1, "")
    assert f"{path}{fault.format(line=line)}" in told.stderr
    assert "Traceback" not in told.stderr


def test_every_fault_of_a_file_is_told_at_once(data_dir: Path, edition_file: Callable[..., Path]) -> None:
    path = edition_file("2.yaml", "gss_code: E06000022", "gss_cod: E06000022\nchange_nota: A made-up key.")

    told = guidance("publish", path, "--data-dir", data_dir)

    faults = re.findall(rf"^{re.escape(str(path))}, line \d+: .* the key `([^`]+)`", told.stderr, re.MULTILINE)
    assert sorted(faults) == ["change_nota", "gss_cod"]


def test_a_file_that_is_not_there_is_named(data_dir: Path, tmp_path: Path) -> None:
    told = guidance("publish", tmp_path / SLUG / "2.yaml", "--data-dir", data_dir)

    assert told.returncode == 1
    assert told.stderr.endswith(f"{tmp_path / SLUG / '2.yaml'}: there is no such file\n")


def test_a_setting_that_cannot_be_used_is_named_in_a_sentence(tmp_path: Path) -> None:
    told = guidance("publish", FIRST_EDITION, "--data-dir", tmp_path, LOG_LEVEL="shouting")

    assert told.returncode == 1
    assert told.stderr.startswith("GUIDANCE_LOG_LEVEL: ")
    assert "shouting" not in told.stderr
    assert "Traceback" not in told.stderr


def test_an_error_without_its_own_words_is_told_by_its_meaning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("app.cli.commands.app", Mock(side_effect=NoSuchGuide))

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 1
    assert capsys.readouterr().err == "There is no guide with this name.\n"


def test_a_new_identity_is_private_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "identity.txt"

    made = guidance("keys", "new", path)
    words = path.read_text()
    again = guidance("keys", "new", path)

    assert re.fullmatch(r"age1[0-9a-z]{58}\n", made.stdout)
    assert mode_of(path) == 0o600
    assert (again.returncode, again.stdout) == (2, "")
    assert "the file exists" in again.stderr
    assert path.read_text() == words
    assert os.listdir(tmp_path) == ["identity.txt"]


def test_the_identity_opens_a_concern_that_was_sealed_to_its_recipient(tmp_path: Path) -> None:
    identity = tmp_path / "identity.txt"
    recipient = guidance("keys", "new", identity).stdout.strip()
    with TestClient(create_app(Settings(data_dir=tmp_path / "data", seal_to=(recipient,)))) as client:
        reference = raise_concern(client)["reference"]
    with raw_connection(tmp_path / "data") as connection:
        ((sealed,),) = connection.execute("SELECT sealed FROM concerns").fetchall()
    (secret,) = (line for line in identity.read_text().splitlines() if line.startswith("AGE-SECRET-KEY-"))

    opened = pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(secret)]).decode()

    assert reference in opened
    assert a_concern()["concern"]["narrative"] in opened
    assert not (tmp_path / "data" / "development-identity.txt").exists()
    if shutil.which("age"):
        by_age = subprocess.run(["age", "-d", "-i", str(identity)], input=sealed, capture_output=True, check=True)
        assert by_age.stdout.decode() == opened


def test_only_the_first_start_publishes_the_seed_and_makes_keys(tmp_path: Path) -> None:
    live = LiveServer(tmp_path / "data")

    def standing() -> tuple[Any, dict[str, bytes]]:
        with live.client() as client:
            editions = client.get(f"{GUIDE}/editions").json()
        return editions, {path.name: path.read_bytes() for path in keys}

    keys = [live.data_dir / name for name in ("development-identity.txt", "receipt-key.pem")]
    live.start()
    try:
        first = standing()
        said = live.log.read_text()
        live.stop()
        live.start()
        second = standing()
    finally:
        live.stop()

    assert second == first
    assert [edition["number"] for edition in first[0]["editions"]] == [1]
    assert [mode_of(path) for path in keys] == [0o600, 0o600]
    assert said.startswith(f"This is a trial: concerns are encrypted to a development identity in {live.data_dir}")
    assert "AGE-SECRET-KEY" not in said


def test_a_faulty_seed_stops_the_start_with_file_line_and_reason(tmp_path: Path) -> None:
    seed = shutil.copytree(ROOT / "seed", tmp_path / "seed")
    faulty = seed / "guides" / SLUG / "1.yaml"
    words = faulty.read_text(encoding="utf-8")
    faulty.write_text(words.replace("change_note:", "change_nota:"), encoding="utf-8")
    line = words.partition("change_note:")[0].count("\n") + 1

    told = guidance_process("serve", "--trial", "--port", "0", "--data-dir", tmp_path / "data", SEED_DIR=str(seed))

    assert told.returncode == 1
    assert f"{faulty}, line {line}: the file has the key `change_nota`" in told.stderr


def test_a_taken_port_gives_one_sentence_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        told = guidance_process("serve", "--port", str(port), "--data-dir", tmp_path / "data", SEAL_TO=A_RECIPIENT)

    assert told.returncode == 1
    assert told.stderr == (
        f'Port {port} is in use by another program: choose another with --port (make serve ARGS="--port 9000").\n'
    )


def test_a_trial_takes_another_port_if_nobody_named_one(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        program = f"from app.cli import main; from app.cli.operations import serve; serve.PORT = {taken}; main()"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GUIDANCE_")}
        command = [sys.executable, "-c", program, "serve", "--data-dir", str(tmp_path / "data")]
        with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as server:
            assert server.stderr is not None
            said = list(takewhile(lambda line: not line.startswith("Serving on"), server.stderr))
            server.terminate()

    assert said[-1] == f"Port {taken} is in use by another program, so this trial has another.\n"
    assert server.returncode in (0, -signal.SIGTERM)


def test_a_server_prints_the_three_addresses_to_open(live: LiveServer) -> None:
    said = [line.split()[-1] for line in live.log.read_text().splitlines() if live.url in line]

    assert said == [live.url, f"{live.url}/", f"{live.url}/docs", f"{live.url}/v1"]
    with live.client() as client:
        assert [client.get(url).status_code for url in said[1:]] == [200, 200, 200]


def test_every_group_of_commands_has_help() -> None:
    root: Any = get_command(app)
    groups = [root, *(each for each in root.commands.values() if hasattr(each, "commands"))]

    assert len(groups) > 5
    assert [each.name for each in groups if not each.help] == []


@for_each("name", ["", *(name for name, _ in every_command())])
def test_every_command_explains_itself(name: str) -> None:
    told = guidance(*name.split(), "--help")

    assert (told.returncode, f"Usage: guidance {name}".rstrip() in told.stdout) == (0, True)
    assert f"Example: guidance {name}" in told.stdout or not name


def test_every_example_of_the_help_names_what_is_there() -> None:
    tables = [COMMANDS, *(each.commands for each in installed().values())]
    examples = [example for table in tables for places in table.values() for _, example in places.values()]

    assert len(examples) > 60
    assert [fault for example in examples for fault in shell_faults(example)] == []


def test_a_command_without_an_example_runs() -> None:
    unlisted = Commands(name="guidance")
    unlisted.declare({"unlisted": ("app.cli.operations.health:health", "")}, None, "")

    told = CliRunner().invoke(unlisted, ["--help"])

    assert (told.exit_code, "Example" in told.output) == (0, False)


def test_the_help_lists_commands_under_roles() -> None:
    shown = guidance("--help").stdout

    places = [shown.index(f"\n{each}:\n") for each in (OPERATE, WRITE, DUTY, ACCESS, OTHERS)]
    assert places == sorted(places)
    assert "\nCommands:\n" not in shown


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["due", "--within", "abc"], "Invalid value for '--within': must be a whole number."),
        (["desk", "invite", "Jo", "--role", "king"], "Invalid value for '--role': 'king' is not one of 'reader',"),
        (["keys", "new", "."], "Error: the file exists; choose another name."),
        (["clients", "add", "Bad"], "A client's name is lower-case words joined by hyphens."),
        (["publish", "seed/2.yaml"], "seed/2.yaml: there is no such file"),
    ],
)
def test_wrong_use_is_told_in_sentences_of_one_style(tmp_path: Path, words: list[str], told: str) -> None:
    ended = guidance(*words, DATA_DIR=str(tmp_path))

    assert ended.returncode in (1, 2)
    assert told in ended.stderr


@contextmanager
def opened_door(name: Annotated[str, typer.Option()], locked: bool = False) -> Iterator[StringIO]:
    """Yield where the command writes what happens, and print it at the end."""
    if locked:
        raise typer.BadParameter("the door is locked")
    happened = StringIO()
    yield happened
    typer.echo(f"{name} opens, {happened.getvalue()}, it closes")


doors = Commands(add_completion=False, rich_markup_mode=None)


@doors.command("pass")
def pass_door(
    door: Annotated[StringIO, OptionGroup(opened_door)], people: Annotated[int, typer.Argument()] = 1
) -> None:
    """Pass a door."""
    door.write(f"{people} pass")


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["2", "--name", "one"], 0, "one opens, 2 pass, it closes\n"),
        (["--name", "one"], 0, "one opens, 1 pass, it closes\n"),
        (["2"], 2, "Missing option '--name'"),
        (["--name", "one", "--locked"], 2, "Usage: pass [OPTIONS] [people]"),
        (["--name", "one", "--locked"], 2, "the door is locked"),
    ],
)
def test_a_group_of_options_is_one_parameter_of_its_command(words: list[str], status: int, told: str) -> None:
    ended = CliRunner().invoke(doors, words)

    assert (ended.exit_code, told in ended.output) == (status, True), ended.output
