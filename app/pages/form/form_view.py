"""What the form shows of answers: faults beside the questions, and the answers as they are read before sending."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from app.errors import FieldError, Location
from app.pages.form.elements import ConcernForm, FormSection, Question, QuestionKind, RepeatableGroup
from app.pages.form.form_data import Answers, date_parts, value_at
from app.web.validation_messages import SENTENCES, drop_consequent_errors, to_field_error

NO_DATE = "must be a real date, such as 24 11 2026. If you do not know it, leave it empty and say it in other words"
NO_ANSWER = "needs an answer"

Faults = dict[str, str]


@dataclass(frozen=True)
class AnsweredQuestion:
    """An answered question, as it is read before sending."""

    words: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class AnsweredSection:
    """The answers of a section; of entries, each with its heading."""

    id: str
    words: str
    groups: tuple[tuple[str, tuple[AnsweredQuestion, ...]], ...]


def faults_of(error: ValidationError) -> list[FieldError]:
    """What the models of the API say is wrong."""
    return [
        to_field_error(each, root=0)
        for each in drop_consequent_errors(error.errors(include_url=False, include_input=False))
    ]


def named_faults(form: ConcernForm, faults: Sequence[FieldError]) -> Faults:
    """Each fault under the name of its question, in the order of the form; under no name where it is of none."""
    questions = {question.name: question for section in form for question in section.questions}
    entries = {entry.name: entry.words for _, part in _several(form) for entry in part.entries}
    told: Faults = {}
    for fault in faults:
        name = _nearest(fault.at, questions)
        told.setdefault(name, _sentence(fault, questions[name], _entry_of(name, entries)) if name else fault.detail)
    return {name: told[name] for name in (*questions, "") if name in told}


def shown_answers(form: ConcernForm, told: Answers) -> list[AnsweredSection]:
    """The sections in which anything was answered."""
    sections = [AnsweredSection(each.id, each.words, tuple(_groups(each, told))) for each in form]
    return [section for section in sections if section.groups]


def _groups(section: FormSection, told: Answers) -> Iterator[tuple[str, tuple[AnsweredQuestion, ...]]]:
    own = [part for part in section.parts if isinstance(part, Question)]
    answers = tuple(_answered(own, told))
    if answers:
        yield "", answers
    for part in section.parts:
        if isinstance(part, RepeatableGroup):
            for entry in part.entries:
                nothing = (AnsweredQuestion("Known so far", ("Nothing",)),)
                yield entry.words, tuple(_answered(entry.questions, told)) or nothing


def _answered(questions: Sequence[Question], told: Answers) -> Iterator[AnsweredQuestion]:
    for question in questions:
        for each in question.with_those_that_follow():
            value = value_at(told, each.name)
            if value or value == 0:
                yield AnsweredQuestion(each.words, tuple(_lines(each, value)))


def _lines(question: Question, value: Any) -> Iterator[str]:
    words = {choice.value: choice.words for choice in question.choices}
    match question.kind:
        case QuestionKind.DATE:
            yield " ".join(part for part in reversed(date_parts(value)) if part)
        case QuestionKind.SEEN:
            for item in value:
                yield words[item["id"]] + (f": {item['note']}" if "note" in item else "")
        case QuestionKind.ANY_OF | QuestionKind.LINES:
            yield from (words.get(each, each) for each in value)
        case _:
            yield words.get(value, str(value))


def _several(form: ConcernForm) -> Iterator[tuple[FormSection, RepeatableGroup]]:
    return ((section, part) for section in form for part in section.parts if isinstance(part, RepeatableGroup))


def _nearest(at: Location, questions: dict[str, Question]) -> str:
    """The question whose answer, or a part of it, stands there."""
    for length in range(len(at), 0, -1):
        name = ".".join(map(str, at[:length]))
        if name in questions:
            return name
    return ""


def _entry_of(name: str, entries: dict[str, str]) -> str:
    return next((f"{words}, " for entry, words in entries.items() if name.startswith(f"{entry}.")), "")


def _sentence(fault: FieldError, question: Question, entry: str) -> str:
    asked = f"‘{entry}{question.words}’"
    if fault.detail == SENTENCES["missing"]:
        return f"{asked} {NO_ANSWER}."
    if question.kind is QuestionKind.DATE:
        return f"{asked} {NO_DATE}."
    return f"{asked}: {fault.detail[:1].lower()}{fault.detail[1:]}"
