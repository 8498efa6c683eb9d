"""The check of a file: every mistake in an editor's words, with the line and what to do."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlmodel import Session
from starlette.testclient import TestClient

from app.errors import SeedError, SeedFileError
from app.http.context import AppContext
from app.models.base import digest_of
from app.models.guides.edition_files import edition_yaml
from app.services.guides.validation import CheckedFile, check_file
from tests.support.loops import for_each
from tests.support.planted_mistakes import MISTAKES, WRONG_FOLDER
from tests.support.publishing import SLUG, an_edition

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

TODAY = dt.date(2026, 11, 24)
Check = Callable[..., CheckedFile]


@pytest.fixture
def check(client: TestClient, service: FastAPI, tmp_path: Path) -> Check:  # noqa: ARG001  # the service is started
    """Check a file with the words of the first edition, after replacements, against what is published."""
    context: AppContext = service.state.context

    def check(*replaced: tuple[str, str], name: str = f"{SLUG}/2.yaml", text: str = "") -> CheckedFile:
        text = text or edition_yaml(an_edition())
        for old, new in replaced:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        with Session(context.engine) as session:
            return check_file(path, context.reference_data, session, today=TODAY)

    return check


def faults_of(
    check: Check, *replaced: tuple[str, str], name: str = f"{SLUG}/2.yaml", text: str = ""
) -> tuple[SeedError, ...]:
    with pytest.raises(SeedFileError) as refused:
        check(*replaced, name=name, text=text)
    return refused.value.faults


def warnings_of(check: Check, *replaced: tuple[str, str], name: str = f"{SLUG}/2.yaml") -> str:
    return "\n".join(warning.reason for warning in check(*replaced, name=name).warnings)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_gives_one_fault_with_advice_and_its_line(check: Check, tmp_path: Path, mistake: str) -> None:
    planted = MISTAKES[mistake]

    (fault,) = faults_of(check, planted.replaced, name=planted.name)

    lines = (tmp_path / planted.name).read_text(encoding="utf-8").splitlines()
    assert fault.reason == planted.sentence
    assert (lines[fault.line - 1] if fault.line else "") == planted.line


def test_every_mistake_is_found_at_once(check: Check) -> None:
    replaced = [planted.replaced for planted in MISTAKES.values()]

    faults = faults_of(check, *replaced, name=WRONG_FOLDER)

    assert {fault.reason for fault in faults} == {planted.sentence for planted in MISTAKES.values()}


def test_a_missing_caution_is_told_with_every_other_fault(check: Check) -> None:
    section = edition_yaml(an_edition()).partition("indicators:\n")[2].partition("linked_risks:\n")[0]
    faults = faults_of(
        check,
        ("linked_risks:\n", f"indicators:\n{section}linked_risks:\n"),
        ("gss_code:", "gss_cod:"),
        ("name: Early Support", "name: ''"),
        text=edition_yaml(an_edition(cautions=(), factors=(), indicators=())),
    )

    assert [fault.reason for fault in faults] == [
        "`cautions` needs an entry, since there are factors or indicators",
        "`publisher` has the key `gss_cod`, which is not known here. Did you mean `gss_code`?",
        "Responsibility 2 needs a name",
    ]


def test_a_missing_caution_gives_one_fault(check: Check) -> None:
    words = edition_yaml(an_edition())
    cautions = f"cautions:{words.partition('cautions:')[2].partition('definitions:')[0]}"

    (fault,) = faults_of(check, (cautions, ""))

    assert fault.reason == "`cautions` needs an entry, since there are factors or indicators"


def test_a_misspelt_list_of_cautions_is_told_as_that_only(check: Check) -> None:
    (fault,) = faults_of(check, ("cautions:", "cautoins:"))

    assert fault.reason == "the file has the key `cautoins`, which is not known here. Did you mean `cautions`?"


@for_each(
    ("wrong_key", "wrong_rule", "sentence"),
    [
        (("gss_code:", "gss_cod:"), ("code: 11A", "code: 99Z"), "Related code 1: This is not a code of the list"),
        (
            ("kind: web", "knd: web"),
            ("    url: https://www.bathnes", "    when: https://www.bathnes"),
            "Contact 2: a web",
        ),
    ],
)
def test_codes_and_rules_of_an_entry_follow_once_each_key_is_right(
    check: Check, wrong_key: tuple[str, str], wrong_rule: tuple[str, str], sentence: str
) -> None:
    (first,) = faults_of(check, wrong_key, wrong_rule)
    (second,) = faults_of(check, wrong_rule)

    assert "is not known here. Did you mean" in first.reason
    assert second.reason.startswith(sentence)


def test_warnings_come_with_the_faults_but_for_entries_that_cannot_be_read(check: Check) -> None:
    with pytest.raises(SeedFileError) as refused:
        check(("+441225396312", "01225 396312"), ("change_note:", "review_by: 2026-11-23\nchange_note:"))

    warnings = [warning.reason.removeprefix("warning: ") for warning in refused.value.warnings]
    assert "`review_by`: the day of the review has passed" in warnings
    assert any(warning.startswith("Contact 2: nobody has checked it") for warning in warnings)
    assert not any(warning.startswith("Contact 1") for warning in warnings)


def test_a_faulty_file_with_a_published_number_is_told_the_next(check: Check) -> None:
    faults = [fault.reason for fault in faults_of(check, ("name: Early Support", "name: ''"), name=f"{SLUG}/1.yaml")]

    assert faults == [
        f"edition 1 of `{SLUG}` is published, and never changes: name the file `2.yaml`",
        "Responsibility 2 needs a name",
    ]


@for_each(
    ("old", "new", "sentence"),
    [
        (
            "  - id: child-trafficking\n    text",
            "  - text",
            "Linked risk 1 needs an id, such as `id: child-trafficking`",
        ),
        ("name: Early Support", "name: ''", "Responsibility 2 needs a name"),
        ("kind: telephone", "kind: address", "Contact 1: a contact to visit or write to needs an `address`"),
        ("kind: telephone", "kind: fax", "Contact 1: `kind` must be 'telephone', 'web', 'email' or 'address'"),
        ("+441225396312", "01225 396312", "Contact 1, phone 1: `number` cannot be read: a number is in the"),
        ("'+441225396312'", "'+4412253963'", "Contact 1, phone 1: `number` has too few or too many digits"),
        ("id: secrecy", "id: Secrecy of the child", "Indicator 2: `id` cannot be read: an id is lower-case words"),
        ("code: 11A", "code: 99Z", "Related code 1: This is not a code of the list"),
    ],
)
def test_a_fault_names_the_entry_as_an_editor_counts_it(check: Check, old: str, new: str, sentence: str) -> None:
    assert any(fault.reason.startswith(sentence) for fault in faults_of(check, (old, new)))


@for_each(
    ("old", "new", "sentence"),
    [
        (
            "First edition, transcribed",
            "First edition, transcribed",
            "`change_note`: it is the same as in the current edition",
        ),
        ("change_note:", "review_by: 2026-11-23\nchange_note:", "`review_by`: the day of the review has passed"),
        ("change_note:", "change_note:", "`review_by`: it is not set"),
        ("kind: web", "kind: web", "Contact 2: nobody has checked it"),
        ("kind: web", "kind: web", "Contact 1: it has a number and no `opening_hours`"),
        ("kind: web", "verified_on: 2025-01-01\n    kind: web", "Contact 2: it was last checked more than a year ago"),
        ("id: secrecy", "id: secret", "Indicator 2: its words are published under the id `secrecy`"),
    ],
)
def test_an_entry_that_is_rarely_meant_gives_a_warning(check: Check, old: str, new: str, sentence: str) -> None:
    assert sentence in warnings_of(check, (old, new))


def test_a_new_guide_gets_a_warning_with_the_most_similar_name(check: Check) -> None:
    assert "If you mean `child-sexual-exploitation`" in warnings_of(check, name="child-sexual-explotation/1.yaml")


def test_a_number_that_is_published_names_the_next_one(check: Check) -> None:
    (fault,) = faults_of(check, ("child trafficking", "trafficking of children"), name=f"{SLUG}/1.yaml")

    assert fault.reason == f"edition 1 of `{SLUG}` is published, and never changes: name the file `2.yaml`"


def test_positions_may_be_left_out_and_change_no_digest(check: Check) -> None:
    checked = check()

    assert "position:" not in checked.file.path.read_text(encoding="utf-8")
    assert checked.digest == digest_of(an_edition())
