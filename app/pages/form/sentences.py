"""The sentences of the form, and of what the pages show from below, as an extraction method of Babel.

They come from the models, the code lists and the layouts, so no marks in a file can name them.
"""

from collections.abc import Iterator
from typing import Any

from app.config import SEED_DIR
from app.models.guidance.edition_files import read_edition_file
from app.models.guidance.sections import Section
from app.models.guidance.signposts import CALL_999_FIRST
from app.pages.form.elements import ConcernForm, QuestionKind, RepeatableGroup
from app.pages.form.form_builder import FormBuilder
from app.pages.form.layout import ENTRY_NAMES
from app.pages.form.variants import ABOUT_A_CHILD, ABOUT_YOURSELF
from app.pages.text_format import page_words
from app.services.concerns.receipt_builder import ADDITION_STORED, CONCERN_STORED, HOW_TO_FOLLOW, TEST
from app.services.guidance.reference_data import read_reference_data
from app.web.validation_messages import FAULTS

FAULTS_OF_FORMS = ("string_too_long", "too_long", "int_type", "less_than_equal")
"""What the models can find in an answer to the form, beside what the form says in its own words."""
FROM_BELOW = (CALL_999_FIRST, *map(page_words, (CONCERN_STORED, ADDITION_STORED, HOW_TO_FOLLOW, TEST)))


def extract(*_: Any, **_options: Any) -> Iterator[tuple[int, None, str, list[str]]]:
    """Yield each sentence as Babel takes it. The words of the guide are not among them."""
    for sentence in dict.fromkeys(filter(None, _sentences())):
        yield 1, None, sentence, []


def _sentences() -> Iterator[str]:
    reference_data = read_reference_data(SEED_DIR)
    content = read_edition_file(next((SEED_DIR / "guides").glob("*/1.yaml"))).content
    yield from FROM_BELOW
    yield from (FAULTS[kind][1] for kind in FAULTS_OF_FORMS)
    yield from (section.entry.heading for section in Section)
    yield from (code.label for code in reference_data.get_code_list("outcome").codes)
    counts = dict.fromkeys(ENTRY_NAMES, 1)
    for variant in (ABOUT_A_CHILD, ABOUT_YOURSELF):
        yield from (variant.title, *variant.steps.values())
        yield from _of_form(FormBuilder(content, reference_data, counts, variant.sections, variant.wording).make())


def _of_form(form: ConcernForm) -> Iterator[str]:
    for section in form:
        yield from (section.title, section.hint)
        for element in section.elements:
            if isinstance(element, RepeatableGroup):
                yield from (element.title, element.hint, element.entry_name)
        for question in section.questions:
            yield from (question.label, question.hint, question.if_missing, question.part)
            if question.kind is not QuestionKind.OBSERVATIONS:
                yield from (words for choice in question.choices for words in (choice.label, choice.note))
