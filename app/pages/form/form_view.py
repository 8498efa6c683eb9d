"""Views of a filled-in form: errors beside their questions, and the answers to check before sending."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from pydantic import ValidationError

from app.faults import FaultCode, FieldError, Location
from app.pages.form.elements import ConcernForm, FormSection, Question, QuestionKind, RepeatableGroup
from app.pages.form.form_data import Answers, value_at
from app.pages.languages import gettext, marked_english, to_translate
from app.pages.text_format import partial_date
from app.web.validation_messages import drop_consequent_errors, to_field_error

NOT_A_DATE = to_translate("must be a real date, for example 24 11 2026. If you do not know it, leave it empty")
KNOWN_SO_FAR, NOTHING_KNOWN = to_translate("Known so far"), to_translate("Nothing")
NOT_A_CHOICE = to_translate("choose one of the answers.")
OF_CHOICES = (FaultCode.NOT_LISTED, FaultCode.UNKNOWN_CODE, FaultCode.UNKNOWN_ITEM)

Faults = dict[str, str]


@dataclass(frozen=True)
class AnsweredQuestion:
    """An answered question, to check before sending."""

    label: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class AnsweredSection:
    """The answers of a section, in groups. The group of an entry has its title as heading."""

    id: str
    title: str
    groups: tuple[tuple[str, tuple[AnsweredQuestion, ...]], ...]


def faults_of(error: ValidationError) -> list[FieldError]:
    """Return the errors that the models of the API found."""
    return [
        to_field_error(each, root=0)
        for each in drop_consequent_errors(error.errors(include_url=False, include_input=False))
    ]


def named_faults(form: ConcernForm, faults: Sequence[FieldError]) -> Faults:
    """Return one message for each question with an error, in the order of the form; `""` is for all other errors."""
    questions = {question.name: question for section in form for question in section.questions}
    entries = {entry.name: entry.title for group in _groups_of(form) for entry in group.entries}
    messages: Faults = {}
    for fault in faults:
        name = _nearest_question(fault.at, questions)
        message = _message(fault, questions[name], _entry_title(name, entries)) if name else _detail(fault)
        messages.setdefault(name, message)
    return {name: messages[name] for name in (*questions, "") if name in messages}


def answered_sections(form: ConcernForm, answers: Answers) -> list[AnsweredSection]:
    """Return the sections that have answers."""
    sections = [AnsweredSection(each.id, each.title, tuple(_answer_groups(each, answers))) for each in form]
    return [section for section in sections if section.groups]


def _answer_groups(section: FormSection, answers: Answers) -> Iterator[tuple[str, tuple[AnsweredQuestion, ...]]]:
    own_questions = [element for element in section.elements if isinstance(element, Question)]
    answered = tuple(_answered_questions(own_questions, answers))
    if answered:
        yield "", answered
    for element in section.elements:
        if isinstance(element, RepeatableGroup):
            for entry in element.entries:
                nothing = (AnsweredQuestion(gettext(KNOWN_SO_FAR), (gettext(NOTHING_KNOWN),)),)
                yield entry.title, tuple(_answered_questions(entry.questions, answers)) or nothing


def _answered_questions(questions: Sequence[Question], answers: Answers) -> Iterator[AnsweredQuestion]:
    for question in questions:
        for each in question.with_follow_ups():
            value = value_at(answers, each.name)
            if value or value == 0:
                yield AnsweredQuestion(each.label, tuple(_lines(each, value)))


def _lines(question: Question, value: Any) -> Iterator[str]:
    labels = {choice.value: choice.label for choice in question.choices}
    match question.kind:
        case QuestionKind.DATE:
            yield partial_date(value)
        case QuestionKind.OBSERVATIONS:
            for item in value:
                yield labels[item["id"]] + (f": {item['note']}" if "note" in item else "")
        case QuestionKind.ANY_OF | QuestionKind.LINES:
            yield from (labels.get(each, each) for each in value)
        case _:
            yield labels.get(value, str(value))


def _groups_of(form: ConcernForm) -> Iterator[RepeatableGroup]:
    return (element for section in form for element in section.elements if isinstance(element, RepeatableGroup))


def _nearest_question(at: Location, questions: dict[str, Question]) -> str:
    """Return the name of the question at that location or around it, or an empty string."""
    for length in range(len(at), 0, -1):
        name = ".".join(map(str, at[:length]))
        if name in questions:
            return name
    return ""


def _entry_title(name: str, titles: dict[str, str]) -> str:
    """Return the title of the question's entry, where its group has more than one."""
    entry = next((entry for entry in titles if name.startswith(f"{entry}.")), "")
    group = entry.rpartition(".")[0]
    return f"{titles[entry]}: " if sum(each.rpartition(".")[0] == group for each in titles if entry) > 1 else ""


def _message(fault: FieldError, question: Question, entry: str) -> str:
    if fault.code is FaultCode.REQUIRED:
        return question.if_missing or f"{entry}{question.label}: " + gettext("write an answer.")
    if question.kind is QuestionKind.DATE:
        return f"{entry}{question.label} {gettext(NOT_A_DATE)}."
    detail = gettext(NOT_A_CHOICE) if fault.code in OF_CHOICES else _detail(fault, goes_on=True)
    return Markup("{}{}: {}").format(entry, question.label, detail)


def _detail(fault: FieldError, *, goes_on: bool = False) -> str:
    """Return the sentence in the language of the page, or marked as English; with a small letter where it goes on."""
    template = gettext(fault.template)
    words = fault.fill_in(template)
    words = words[:1].lower() + words[1:] if goes_on else words
    return marked_english(words) if template == fault.template else words
