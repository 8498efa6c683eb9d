"""`guidance desk find`: a worker finds a child's concerns on her own computer, and the service learns no name."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from app.cli.commands import app
from app.config import Settings
from app.extensions.terminal import find as find_command
from app.services.concerns.keys import DEVELOPMENT_IDENTITY
from tests.support.canaries import forms_of
from tests.support.command import guidance
from tests.support.concerns import a_concern
from tests.support.unsealing import RecordingProxy, need_script

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

ALEX = {"given_names": "Alexander", "family_name": "Exampleby", "school_or_setting": "Exampleton Primary School"}
ALEX_AGAIN = {"given_names": "Alex", "family_name": "Exampelby", "school_or_setting": "Exampleton Primary"}
SOMEONE_ELSE = {"given_names": "Robin", "family_name": "Testwick", "home_address": {"postcode": "XX1 1XX"}}
BORN = {"date_of_birth": "2014-05-06", "school_or_setting": "Sample Academy"}
IN_URDU = {"given_names": "فاطمہ", "family_name": "مثال", "home_address": {"text": "14 Sample Terrace"}} | BORN
IN_LATIN = {"given_names": "Fatima", "family_name": "Sampleby"} | BORN
VEHICLE = {"narrative": "A van waits at the gate.", "vehicles_of_concern": [{"registration": "EX12 AMP"}]}
Find = Callable[..., Result]


@pytest.fixture
def references(url: str) -> list[str]:
    """Return the references: two concerns about one child, one about another, two about a third, one of a vehicle."""
    children = (ALEX, ALEX_AGAIN, SOMEONE_ELSE, IN_URDU, IN_LATIN)
    concerns = [*(a_concern(children=[child]) for child in children), a_concern(concern=VEHICLE)]
    return [httpx.post(f"{url}/v1/concerns", json=each, trust_env=False).json()["reference"] for each in concerns]


@pytest.fixture
def find(settings: Settings, references: list[str]) -> Find:
    need_script()
    assert references
    made = guidance(
        "clients", "add", "robin", "--role", "worker", "--person", "Robin Example", "--data-dir", settings.data_dir
    )

    def run(*words: str, address: str, typed: str | None = None) -> Result:
        environment = {"GUIDANCE_DESK_URL": address, "GUIDANCE_DESK_KEY": made.stdout.strip()}
        identity = str(settings.data_dir / DEVELOPMENT_IDENTITY)
        return CliRunner().invoke(app, ["desk", "find", *words, "--identity", identity], input=typed, env=environment)

    return run


def found_in(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    concerns: list[dict[str, Any]] = json.loads(result.stdout)["concerns"]
    return concerns


def test_a_short_form_and_a_wrong_letter_find_both_concerns(url: str, find: Find, references: list[str]) -> None:
    found = found_in(find("alex", "exampleby", "--json", address=url))

    assert {each["reference"] for each in found} == set(references[:2])
    assert {each["whom"].split(",")[0] for each in found} == {"Alexander Exampleby", "Alex Exampelby"}


def test_a_concern_finds_those_about_the_same_child_with_reasons(url: str, find: Find, references: list[str]) -> None:
    (found,) = found_in(find("--like", references[0], "--json", address=url))

    assert found["reference"] == references[1]
    assert found["reasons"] == "same school, name one letter different"


def test_nothing_found_never_reads_as_not_known(url: str, find: Find) -> None:
    result = find("nobody", address=url)

    assert result.stdout.strip() == "No match found by name, birth, school, address, number or vehicle"


def test_words_can_be_typed_where_no_process_list_shows_them(url: str, find: Find, references: list[str]) -> None:
    result = find(address=url, typed="testwick\n")

    assert references[2] in result.stdout


def test_no_name_is_sent_to_the_service_or_received_in_clear(url: str, find: Find) -> None:
    proxy = RecordingProxy(int(url.rpartition(":")[2]))

    result = find("exampleby", address=f"http://127.0.0.1:{proxy.port}")
    proxy.close()

    assert "Exampleby" in result.stdout
    passed = bytes(proxy.sent + proxy.received)
    assert b"/v1/desk/cards" in passed
    assert b"exampleby" not in passed.lower()
    assert [form for word in ("exampleby", "Exampleby") for form in forms_of(word) if form in passed] == []


@pytest.mark.parametrize(
    ("words", "place"),
    [("فاطمۃ", 3), ("14 sample terrace", 3), ("ex12amp", 5), ("EX12 AMP", 5), ("sample academy fatima", 4)],
)
def test_other_scripts_addresses_and_registrations_are_found(
    url: str, find: Find, references: list[str], words: str, place: int
) -> None:
    assert [each["reference"] for each in found_in(find(words, "--json", address=url))] == [references[place]]


def test_names_in_two_scripts_are_offered_by_the_day_of_birth_and_the_school(
    url: str, find: Find, references: list[str]
) -> None:
    (found,) = found_in(find("--like", references[3], "--json", address=url))

    assert found["reference"] == references[4]
    assert found["reasons"] == "same day of birth, same school, names in different scripts"


def test_words_without_a_letter_or_digit_are_refused_before_anything_is_fetched(url: str, find: Find) -> None:
    proxy = RecordingProxy(int(url.rpartition(":")[2]))

    result = find("?! \u200f", address=f"http://127.0.0.1:{proxy.port}")
    proxy.close()

    assert result.exit_code == 2
    assert "no letter or digit" in result.output
    assert bytes(proxy.sent) == b""


@pytest.mark.parametrize("lacks", ["node", "program"])
def test_without_its_program_the_command_says_what_to_do_and_fetches_nothing(
    url: str, find: Find, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lacks: str
) -> None:
    if lacks == "node":
        monkeypatch.setenv("PATH", str(tmp_path))
    else:
        monkeypatch.setattr(find_command, "PROGRAM", tmp_path / "find.cjs")
    proxy = RecordingProxy(int(url.rpartition(":")[2]))

    result = find("exampleby", address=f"http://127.0.0.1:{proxy.port}")
    proxy.close()

    assert result.exit_code != 0
    assert {"node": find_command.NO_NODE, "program": find_command.NOT_BUILT}[lacks] in str(result.exception)
    assert bytes(proxy.sent) == b""


def test_a_node_that_fails_is_told_as_one_that_is_missing(
    url: str, find: Find, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    result = find("exampleby", address=url)

    assert find_command.NO_NODE in str(result.exception)
