"""The sentences of models, code lists and layouts, which no `gettext` marks, for `make catalogue`."""

from collections.abc import Iterator
from typing import Any

from app.config import SEED_DIR
from app.http.field_errors import FAULTS
from app.models.guides.edition_files import read_edition_file
from app.models.guides.sections import Section
from app.models.guides.signposts import CALL_999_FIRST, CHILDLINE
from app.pages.concerns.form_builder import FormBuilder
from app.pages.concerns.form_layout import (
    ABOUT_A_CHILD,
    ABOUT_A_FRIEND,
    ABOUT_YOURSELF,
    ENTRY_NAMES,
    ConcernForm,
    QuestionKind,
    RepeatableGroup,
)
from app.pages.text_format import page_words
from app.services.concerns.receipts import (
    ADDITION_STORED,
    BY_THE_CONCERN,
    CLOSED_TEXT,
    CONCERN_STORED,
    HOW_TO_FOLLOW,
    NEW_WORRY,
    TEST,
    UNDER_DUTY,
)
from app.services.guides.reference_data import read_reference_data

FAULTS_OF_FORMS = ("string_too_long", "too_long", "int_type", "less_than_equal")
"""Errors that an answer can cause, whose sentences the form shows."""
SENTENCES_OF_LOWER_LAYERS = (
    CALL_999_FIRST,
    *map(page_words, (CONCERN_STORED, ADDITION_STORED, HOW_TO_FOLLOW, TEST, *BY_THE_CONCERN)),
    UNDER_DUTY,
    CLOSED_TEXT,
    NEW_WORRY,
)
"""Shown by pages, and so translated."""


def extract_sentences(*_: Any, **_options: Any) -> Iterator[tuple[int, None, str, list[str]]]:
    """For Babel: sentences of models, code lists and layouts, which no `gettext` marks."""
    for sentence in dict.fromkeys(filter(None, _sentences_of_forms())):
        yield 1, None, sentence, []


def _sentences_of_forms() -> Iterator[str]:
    reference_data = read_reference_data(SEED_DIR)
    content = read_edition_file(next((SEED_DIR / "guides").glob("*/1.yaml"))).content
    yield from SENTENCES_OF_LOWER_LAYERS
    yield from (FAULTS[kind][1] for kind in FAULTS_OF_FORMS)
    yield from (section.entry.heading for section in Section)
    yield from (each.sentence for each in reference_data.statements if each.sentence)
    yield from (each.when for each in reference_data.all_signposts if each.id == CHILDLINE and each.when)
    yield from (each.name for each in reference_data.all_signposts if each.without_speech)
    yield from (code.for_reporter or code.label for code in reference_data.get_code_list("outcome").codes)
    counts = dict.fromkeys(ENTRY_NAMES, 2)
    for variant in (ABOUT_A_CHILD, ABOUT_YOURSELF, ABOUT_A_FRIEND):
        yield from (variant.title, *variant.steps.values())
        yield from _words_of(FormBuilder(content, reference_data, counts, variant).make())


def _words_of(form: ConcernForm) -> Iterator[str]:
    for section in form:
        yield from (section.title, section.hint, section.group)
        for element in section.elements:
            if isinstance(element, RepeatableGroup):
                yield from (element.title, element.hint, element.entry_name)
        for question in section.questions:
            yield from (question.label, question.hint, question.if_missing, question.part)
            if question.kind is not QuestionKind.OBSERVATIONS:
                yield from (words for choice in question.choices for words in (choice.label, choice.note))
