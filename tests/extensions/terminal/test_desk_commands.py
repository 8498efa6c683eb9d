"""`guidance desk`: a day's work on the command line, against a running server, with a key that names the person."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from app.cli.commands import app
from app.config import Settings
from app.errors import DeskRequestFailed, KeysNotKnown, ReporterHasNoCode
from app.models.access.clients import Scope
from app.models.access.roles import SCOPES_OF, Role
from app.models.references import new_reference
from app.services.concerns.keys import create_identity
from app.services.concerns.sealing import read_identities
from tests.support.canaries import forms_of
from tests.support.clock import A_TUESDAY
from tests.support.command import guidance
from tests.support.concerns import raise_concern
from tests.support.loops import for_each
from tests.support.unsealing import RecordingProxy

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

Run = Callable[..., Result]


@pytest.fixture
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, trust_env=False) as http:
        yield http


@pytest.fixture
def data_dir(settings: Settings) -> Path:
    return settings.data_dir


@pytest.fixture
def reference(http: httpx.Client) -> str:
    return str(raise_concern(http)["reference"])


@pytest.fixture
def key_file(data_dir: Path, tmp_path: Path) -> Path:
    made = guidance("clients", "add", "robin", "--role", "worker", "--person", "Robin Example", "--data-dir", data_dir)
    path = tmp_path / "key"
    path.write_text(made.stdout)
    return path


@pytest.fixture
def run(url: str, key_file: Path) -> Run:
    """Run a command of the desk as that person."""

    def run(*words: str, words_of_note: str | None = None) -> Result:
        environment = {"GUIDANCE_DESK_URL": url, "GUIDANCE_DESK_KEY": key_file.read_text().strip()}
        return CliRunner().invoke(app, ["desk", *words], input=words_of_note, env=environment)

    return run


def answer(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_concern_is_listed_taken_noted_acknowledged_held_released_closed_and_erased(
    data_dir: Path, run: Run, reference: str, key_file: Path
) -> None:
    listed = run("list", "--key-file", str(key_file))
    taken = run("assign", reference.lower())
    given = run("assign", reference, "Sam Example")
    noted = run("note", reference, words_of_note="Spoke to the school.\n")
    done = [
        run("acknowledge", reference),
        run("hold", reference, "--reason", "A made-up reason."),
        run("release", reference, "--reason", "A made-up reason."),
        run("close", reference, "Early help"),
        run("reopen", reference, "--reason", "Closed by mistake."),
        run("close", reference, "Early help", "--shared"),
    ]
    opened = run("open", reference, "--identity", str(data_dir / "development-identity.txt"))
    erased = run("erase", reference, "--reason", "A made-up reason.")

    headings, line = listed.stdout.splitlines()
    assert headings.split()[:3] == ["REFERENCE", "STATE", "DANGER"]
    assert line.split()[:3] == [reference, "received", "no"]
    assert taken.stdout == f"{reference}: assigned to Robin Example\nbefore: nobody\n"
    assert given.stdout == f"{reference}: assigned to Sam Example\nbefore: Robin Example, by robin/Robin Example\n"
    assert noted.stdout == f"{reference}: note 1\n"
    assert [each.stdout for each in done] == [
        f"{reference}: acknowledged\n",
        f"{reference}: acknowledged, on hold\n",
        f"{reference}: acknowledged\n",
        f"{reference}: closed, early_help\n",
        f"{reference}: acknowledged\n",
        f"{reference}: closed, early_help\n",
    ]
    assert answer(opened)["notes"][0]["note"] == {"text": "Spoke to the school."}
    assert erased.stdout == f"{reference}: closed, early_help, erased\n"


def test_with_json_each_command_prints_what_the_service_answers(run: Run, reference: str) -> None:
    assert [each["reference"] for each in answer(run("list", "--json", "--state", "received"))["concerns"]] == [
        reference
    ]
    assert answer(run("list", "--json", "--overdue"))["concerns"] == []
    assert answer(run("summary", "--json"))["received"] == 1
    assert answer(run("save-view", "own", "mine=true", "--json"))["filters"] == {"mine": True}
    assert answer(run("assign", reference, "--json"))["assigned_to"] == "Robin Example"
    assert answer(run("assign", reference, "--nobody", "--json"))["replaced"]["assigned_to"] == "Robin Example"
    assert answer(run("note", reference, "--json", words_of_note="Words."))["number"] == 1
    assert answer(run("acknowledge", reference, "--json"))["state"] == "acknowledged"
    assert answer(run("hold", reference, "--reason", "Made up.", "--json"))["held"] is True
    assert answer(run("release", reference, "--reason", "Made up.", "--json"))["held"] is False
    assert answer(run("close", reference, "early_help", "--json"))["outcome"] == "early_help"
    assert answer(run("reopen", reference, "--reason", "Made up.", "--json"))["reopened_at"] is not None
    assert answer(run("erase", reference, "--reason", "Made up.", "--json"))["erased_at"] is not None


def test_options_and_a_saved_view_filter_the_inbox(run: Run, reference: str) -> None:
    run("assign", reference)
    saved = run("save-view", "own", "mine=true", "danger=no")

    assert saved.stdout == "own: /v1/desk/concerns?danger=no&mine=true\n"
    for options, count in (
        (["--mine"], 1),
        (["--unassigned"], 0),
        (["--assigned-to", "Robin Example", "--danger", "no"], 1),
        (["--danger", "yes"], 0),
        (["--reference", reference[:4]], 1),
        (["--changed-since", "2026-01-01T00:00:00Z"], 1),
        (["--view", "own"], 1),
        (["--view", "own", "--guide", "another-guide"], 0),
    ):
        assert len(answer(run("list", "--json", *options))["concerns"]) == count
    assert run("list", "--view", "absent").exit_code == 2


def test_an_unknown_outcome_lists_the_known_ones_and_closes_nothing(run: Run, reference: str) -> None:
    run("acknowledge", reference)

    refused = run("close", reference, "early_hope")

    assert refused.exit_code == 2
    for code, label in (("early_help", "Early help"), ("no_further_action", "No further action")):
        assert any(code in line and label in line for line in refused.output.splitlines())
    assert answer(run("list", "--json"))["concerns"][0]["state"] == "acknowledged"


def test_a_service_refusal_is_one_sentence_and_a_bad_argument_is_misuse(run: Run, reference: str) -> None:
    unacknowledged, absent = run("close", reference, "other"), run("acknowledge", new_reference())

    assert isinstance(unacknowledged.exception, DeskRequestFailed)
    assert str(unacknowledged.exception).startswith("The service returned 409. ")
    assert isinstance(absent.exception, DeskRequestFailed)
    assert (run("acknowledge", "0000").exit_code, run("assign", reference, "Sam", "--nobody").exit_code) == (2, 2)
    assert "control" not in run("assign", reference, "Sam\x1b[2J").output


def test_the_words_of_a_note_and_the_key_are_in_no_argument(
    url: str, run: Run, reference: str, key_file: Path, tmp_path: Path
) -> None:
    words = tmp_path / "words.txt"
    words.write_text("From a file.\n")

    noted = run("note", reference, "--file", str(words))
    listing = ["desk", "list", "--url", url]
    with_key = CliRunner().invoke(app, [*listing, "--key-file", "-"], input=key_file.read_text())
    without = CliRunner().invoke(app, listing)

    assert noted.exit_code == 0
    assert run("note", reference, "Words as an argument").exit_code == 2
    assert (with_key.exit_code, without.exit_code) == (0, 2)
    assert reference in with_key.stdout
    assert "--key-file" in without.stderr


def test_a_label_is_sealed_before_sending_and_only_to_given_keys(
    url: str, run: Run, reference: str, tmp_path: Path
) -> None:
    proxy = RecordingProxy(int(url.rpartition(":")[2]))
    label = ("label", reference, "--url", f"http://127.0.0.1:{proxy.port}")
    another = create_identity(tmp_path / "another.txt", at=A_TUESDAY)

    refused = run(*label, "--seal-to", another, words_of_note="ZymurgyLabel")
    too_long = run(*label, words_of_note="x" * 41)
    of_two_lines = run(*label, words_of_note="Zymurgy\nLabel")
    written = [run(*label, words_of_note=words) for words in ("ZymurgyLabel\n", "")]
    proxy.close()

    assert isinstance(refused.exception, KeysNotKnown)
    assert (too_long.exit_code, of_two_lines.exit_code) == (2, 2)
    assert [each.stdout for each in written] == [f"{reference}: label 1\n", f"{reference}: label 2\n"]
    assert bytes(proxy.sent).count(b"PUT ") == 2
    assert [form for form in (b"ZymurgyLabel", *forms_of("ZymurgyLabel")) if form in proxy.sent] == []


def test_a_note_is_sealed_before_sending_and_only_to_given_keys(
    url: str, data_dir: Path, run: Run, reference: str, tmp_path: Path
) -> None:
    proxy = RecordingProxy(int(url.rpartition(":")[2]))
    note = ("note", reference, "--url", f"http://127.0.0.1:{proxy.port}")
    own = read_identities(data_dir / "development-identity.txt").identities[0].to_public()
    another = create_identity(tmp_path / "another.txt", at=A_TUESDAY)

    refused = run(*note, "--seal-to", another, words_of_note="ZymurgyNote.")
    too_long = run(*note, words_of_note="x" * 10_001)
    empty = run(*note, words_of_note=" \n")
    written = [run(*note, *known, words_of_note="ZymurgyNote.") for known in ((), ("--seal-to", f"{another}, {own}"))]
    proxy.close()

    assert isinstance(refused.exception, KeysNotKnown)
    assert (too_long.exit_code, empty.exit_code) == (2, 2)
    assert [each.stdout for each in written] == [f"{reference}: note 1\n", f"{reference}: note 2\n"]
    assert bytes(proxy.sent).count(b"POST ") == 2
    assert [form for form in (b"ZymurgyNote", *forms_of("ZymurgyNote")) if form in proxy.sent] == []
    opened = run("open", reference, "--identity", str(data_dir / "development-identity.txt"))
    assert [each["note"]["text"] for each in answer(opened)["notes"]] == ["ZymurgyNote."] * 2


@for_each("role", Role)
def test_a_client_of_a_role_may_use_only_the_role_s_scopes(http: httpx.Client, data_dir: Path, role: Role) -> None:
    key = guidance("clients", "add", f"a-{role}", "--role", role, "--data-dir", data_dir).stdout.strip()
    listed = json.loads(guidance("clients", "list", "--json", "--data-dir", data_dir).stdout)
    scopes = {each["name"]: set(each["scopes"]) for each in listed}
    calls = {
        Scope.READ: ("GET", "/v1/desk/concerns"),
        Scope.WRITE: ("DELETE", "/v1/desk/concerns/0000-0000-0000/assignment"),
        Scope.AUDIT: ("GET", "/v1/desk/disclosures"),
        Scope.EVENTS: ("GET", "/v1/events"),
        Scope.METRICS: ("GET", "/v1/desk/metrics"),
    }
    http.headers["Authorization"] = f"Bearer {key}"
    allowed = {scope for scope, call in calls.items() if http.request(*call).status_code != httpx.codes.FORBIDDEN}

    assert scopes[f"a-{role}"] == {scope.value for scope in SCOPES_OF[role]}
    assert allowed == SCOPES_OF[role] & calls.keys()


def test_a_call_is_written_down_sealed_and_with_a_code(
    run: Run, http: httpx.Client, url: str, data_dir: Path, tmp_path: Path
) -> None:
    proxy = RecordingProxy(int(url.rpartition(":")[2]))
    said = tmp_path / "call.txt"
    said.write_text("ZymurgyCall rang.\n")
    call = ("write-down", str(said), "--danger", "not_sure", "--came-at", "2026-11-24T08:05", "--with-code")

    written = answer(run(*call, "--json", "--url", f"http://127.0.0.1:{proxy.port}"))
    in_words = run(*call, "--channel", "letter").stdout.splitlines()
    status = http.get(
        f"/v1/concerns/{written['reference']}", headers={"Authorization": f"Bearer {written['status_token']}"}
    )
    opened = answer(run("open", written["reference"], "--identity", str(data_dir / "development-identity.txt")))

    proxy.close()
    assert (written["channel"], written["came_at"]) == ("call", "2026-11-24T08:05:00Z")
    assert status.status_code == 200
    assert opened["submission"]["concern"] == {"narrative": "ZymurgyCall rang."}
    assert [line.partition(": ")[0] for line in in_words][1:] == ["code for the caller"]
    assert not any(form in bytes(proxy.sent) for form in forms_of("ZymurgyCall"))


def test_a_call_written_by_command_is_found_and_opened_with_its_label(run: Run, data_dir: Path) -> None:
    identity = ("--identity", str(data_dir / "development-identity.txt"))
    call = ("write-down", "-", "--danger", "no", "--came-at", "2026-11-24T08:05Z", "--json")
    reference = answer(run(*call, words_of_note="ZymurgyCall rang."))["reference"]
    assert answer(run("open", reference, *identity))["label"] is None
    run("label", reference, words_of_note="ZymurgyLabel")

    found = run("find", "zymurgycall", *identity)

    assert reference in found.stdout
    assert answer(run("open", reference, *identity))["label"] == "ZymurgyLabel"


def test_a_command_adds_a_call_to_a_concern_for_known_keys_only(run: Run, reference: str, tmp_path: Path) -> None:
    call = ("write-down", "-", "--danger", "no", "--came-at", "2026-11-24T08:05Z", "--to", reference.lower())
    another = create_identity(tmp_path / "another.txt", at=A_TUESDAY)

    refused = run(*call, "--seal-to", another, words_of_note="Rang again.")
    empty, untimed = run(*call, words_of_note=" "), run(*call[:4], "--came-at", "soon", words_of_note="Rang.")
    added = run(*call, words_of_note="Rang again.")

    assert isinstance(refused.exception, KeysNotKnown)
    assert (empty.exit_code, untimed.exit_code) == (2, 2)
    assert added.stdout == f"{reference}: addition 1, acknowledge by 2026-11-25T08:05:00Z\n"


def test_a_time_of_today_keeps_its_time_zone(run: Run, reference: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.extensions.terminal.write_down.utc_now", lambda: A_TUESDAY)
    call = ("write-down", "-", "--danger", "no", "--to", reference, "--came-at")

    in_london, elsewhere, behind = (
        run(*call, each, words_of_note="Rang.") for each in ("08:05", "08:05+01:00", "06:05-01:00")
    )

    assert in_london.stdout == f"{reference}: addition 1, acknowledge by 2026-11-25T08:05:00Z\n"
    assert elsewhere.stdout == f"{reference}: addition 2, acknowledge by 2026-11-25T07:05:00Z\n"
    assert behind.stdout == f"{reference}: addition 3, acknowledge by 2026-11-25T07:05:00Z\n"


def test_a_day_without_a_time_is_refused(run: Run, reference: str) -> None:
    refused = run(
        "write-down", "-", "--danger", "no", "--to", reference, "--came-at", "2026-11-24", words_of_note="Rang."
    )

    assert refused.exit_code == 2
    assert "give a time such as 08:05" in refused.stderr


def test_no_message_is_sent_to_a_caller_without_a_code(run: Run) -> None:
    call = ("write-down", "-", "--danger", "no", "--came-at", "2026-11-24T08:05Z", "--json")
    reference = answer(run(*call, words_of_note="Rang."))["reference"]

    asked = run("ask", reference, "--message-file", "-", words_of_note="Which school?")

    assert isinstance(asked.exception, ReporterHasNoCode)
