"""Every sentence that the catalogue must have: of the templates, of the form, and of the code of the pages."""

from collections.abc import Iterator

from jinja2 import Environment
from jinja2.ext import extract_from_ast

from app.models.guidance.editions import EditionContent
from app.models.guidance.sections import Section
from app.models.guidance.signposts import CALL_999_FIRST
from app.pages.error_pages import ERROR_TEXTS
from app.pages.form import raise_concern, saved_drafts
from app.pages.form.elements import ConcernForm, QuestionKind, RepeatableGroup
from app.pages.form.form_builder import FormBuilder
from app.pages.form.form_view import NOT_A_CHOICE, NOT_A_DATE
from app.pages.form.layout import ENTRY_NAMES
from app.pages.form.variants import ABOUT_A_CHILD, ABOUT_YOURSELF
from app.pages.guide import search_page
from app.pages.guide.rendition_links import FORM_LABELS
from app.pages.language.markup import SCRIPT_SENTENCES
from app.pages.language.template_text import DEVELOPERS
from app.pages.status import concern_status
from app.pages.text_format import CONTACT_LABELS, page_words
from app.services.concerns import receipt_builder
from app.services.guidance.reference_data import ReferenceData
from app.web.validation_messages import FAULTS

FAULTS_OF_FORMS = ("string_too_long", "too_long", "int_type", "less_than_equal")
"""What the models can find in an answer to the form, beside what the form says in its own words."""
FUNCTIONS = ("_", "gettext", "ngettext")
IN_CODE = (
    "at",
    "option",
    "Known so far",
    "Nothing",
    "write an answer.",
    NOT_A_DATE,
    NOT_A_CHOICE,
    *(FAULTS[kind][1] for kind in FAULTS_OF_FORMS),
    CALL_999_FIRST,
    *CONTACT_LABELS.values(),
    *FORM_LABELS.values(),
    raise_concern.ALREADY_SENT,
    raise_concern.NOT_STORED,
    saved_drafts.NO_DRAFT,
    saved_drafts.NOT_FOR_THE_YOUNG,
    saved_drafts.NOT_SAVED,
    concern_status.NO_MATCH,
    concern_status.NOT_ADDED,
    concern_status.CANNOT_BE_ADDED,
    concern_status.ALREADY_ADDED,
    concern_status.EMPTY,
    concern_status.TOO_LONG,
    search_page.NO_WORDS,
    search_page.QUERY_TOO_LONG,
    *map(
        page_words,
        (
            receipt_builder.CONCERN_STORED,
            receipt_builder.ADDITION_STORED,
            receipt_builder.HOW_TO_FOLLOW,
            receipt_builder.TEST,
        ),
    ),
)


def sentences(templates: Environment, reference_data: ReferenceData, content: EditionContent) -> list[str]:
    """Return each sentence once. `content` is any edition: its words are not among them."""
    found = [
        *_of_templates(templates),
        *SCRIPT_SENTENCES,
        *IN_CODE,
        *(text for texts in ERROR_TEXTS.values() for text in texts),
        *(section.entry.heading for section in Section),
        *(code.label for code in reference_data.get_code_list("outcome").codes),
    ]
    counts = dict.fromkeys(ENTRY_NAMES, 1)
    for variant in (ABOUT_A_CHILD, ABOUT_YOURSELF):
        found += [variant.title, *variant.steps.values()]
        found += _of_form(FormBuilder(content, reference_data, counts, variant.sections, variant.wording).make())
    return [each for each in dict.fromkeys(found) if each]


def _of_templates(templates: Environment) -> Iterator[str]:
    if templates.loader is None:
        return
    for name in templates.list_templates():
        if name not in DEVELOPERS:
            source, _, _ = templates.loader.get_source(templates, name)
            for _, _, message in extract_from_ast(templates.parse(source, name=name), FUNCTIONS):
                yield str(message if isinstance(message, str) else (message or ("",))[0])


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
