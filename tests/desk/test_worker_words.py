"""A worker reads a concern in the third person; the public form keeps its own words."""

import re
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from app.config import SEED_DIR
from app.models.concerns.examples import FULL_EXAMPLE
from app.models.guides.edition_files import read_edition_file
from app.models.guides.editions import EditionContent
from app.pages.concerns.form_builder import FormBuilder
from app.pages.concerns.form_layout import ENTRY_NAMES, ConcernForm, QuestionKind
from app.pages.concerns.worker_words import ANSWERS, FOR_THE_WORKER, LABELS, SECTION_TITLES
from app.services.guides.reference_data import ReferenceData, read_reference_data
from tests.support.concerns import raise_concern
from tests.support.desk import text_of
from tests.support.people import sign_in_as

TO_THE_REPORTER = re.compile(r"\b(I|me|my|you|your|we|us|our)\b|\?", re.IGNORECASE)
OF_AN_ENTRY = re.compile(r"\.\d+\b")


@pytest.fixture(scope="module")
def seed() -> tuple[EditionContent, ReferenceData]:
    return read_edition_file(next((SEED_DIR / "guides").glob("*/1.yaml"))).content, read_reference_data(SEED_DIR)


@pytest.fixture
def form(seed: tuple[EditionContent, ReferenceData]) -> ConcernForm:
    """The form as a worker reads it, with one entry of each group."""
    return FormBuilder(*seed, dict.fromkeys(ENTRY_NAMES, 1), FOR_THE_WORKER).make()


def test_every_question_of_the_form_has_a_label_for_the_worker(form: ConcernForm) -> None:
    paths = {OF_AN_ENTRY.sub("", question.name) for section in form for question in section.questions}

    assert paths == set(LABELS)
    assert set(ANSWERS) <= paths
    assert set(SECTION_TITLES) <= {section.id for section in form}


def test_no_label_or_answer_for_the_worker_speaks_to_the_reporter(form: ConcernForm) -> None:
    assert [words for words in words_of(form) if TO_THE_REPORTER.search(words)] == []


def words_of(form: ConcernForm) -> Iterator[str]:
    """Yield each title, label and answer. The signs are the words of the guide."""
    for section in form:
        yield section.title
        for question in section.questions:
            yield question.label
            if question.kind is not QuestionKind.OBSERVATIONS:
                yield from (choice.label for choice in question.choices)


TICK = "concern.people_of_concern.0.works_with_children"
"""What the public is asked once before the details of a person, and a worker with them."""


def test_the_worker_s_form_asks_what_the_public_form_asks(
    form: ConcernForm, seed: tuple[EditionContent, ReferenceData]
) -> None:
    public = FormBuilder(*seed, dict.fromkeys(ENTRY_NAMES, 1)).make()

    for section, of_public in zip(form, public, strict=True):
        names, of_public_names = (
            [each.name for each in it.questions if each.name != TICK] for it in (section, of_public)
        )
        assert (section.id, names) == (of_public.id, of_public_names)
    assert any(TO_THE_REPORTER.search(words) for words in words_of(public))


@pytest.mark.slow
def test_page_and_export_say_it_for_the_worker(service: object, client: TestClient) -> None:
    sign_in_as(service, client)  # type: ignore[arg-type]  # the service of the fixture
    friend = FULL_EXAMPLE | {"reporter": {"kind": "friend"}}

    page = text_of(client.get(f"/desk/concerns/{raise_concern(client, **friend)['reference']}"))

    assert "About the reporter Who is reporting Under 18, worried about a friend" in page
    assert "About you" not in page
    assert "Guide ‘One Minute Guide’ to Child Sexual Exploitation (CSE), edition 1" in page
