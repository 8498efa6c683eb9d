"""The answers in the form for a concern: conversion between the posted form and the JSON of the API, and display."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from app.errors import FaultCode, FieldError, Location
from app.pages.concerns.form_layout import (
    ConcernForm,
    FormEntry,
    FormSection,
    Question,
    QuestionKind,
    RepeatableGroup,
    labelled,
)
from app.pages.languages import gettext, marked_english, to_translate
from app.pages.posted_forms import COUNT, Answers, SubmittedForm, value_at
from app.pages.text_format import partial_date

NOTE = ":note"
DATE_PARTS = (":year", ":month", ":day")
NOT_A_DATE = to_translate("must be a real date, for example 24 11 2026. If you do not know it, leave this blank")
NOT_A_CHOICE = to_translate("choose one of the answers.")
TOO_MANY_LETTERS = to_translate("use at most %(limit)s letters. You have written %(count)s.")
OF_CHOICES = (FaultCode.NOT_LISTED, FaultCode.UNKNOWN_CODE, FaultCode.UNKNOWN_ITEM)
Faults = dict[str, str]


def read_answers(form: ConcernForm, posted: SubmittedForm) -> Answers:
    """Drop empty entries unless required, and move an earlier section's answers about a first entry into that entry."""
    answers: Answers = {}
    for section in form:
        for element in section.elements:
            if isinstance(element, RepeatableGroup):
                asked_first = value_at(answers, f"{element.name}.0") or {}
                entries = [_read_entry(entry, posted) for entry in element.entries] or [{}] * bool(asked_first)
                if entries:
                    entries[0] = asked_first | entries[0]
                used = entries if element.min_entries else [entry for entry in entries if entry]
                if used:
                    _put(answers, element.name, used)
            else:
                _put_answers(answers, element, posted, prefix="")
    return answers


def repeated_answers(answers: Answers, prefix: str = "") -> list[tuple[str, list[Any]]]:
    """Return the repeatable entries by path, without those nested in other entries."""
    found: list[tuple[str, list[Any]]] = []
    for name, value in answers.items():
        if isinstance(value, dict):
            found += repeated_answers(value, f"{prefix}{name}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            found.append((f"{prefix}{name}", value))
    return found


def hidden_fields(form: ConcernForm, answers: Answers) -> Iterator[tuple[str, str]]:
    """Yield name and value of each hidden field that posts `answers` again."""
    for section in form:
        for element in section.elements:
            if isinstance(element, RepeatableGroup):
                yield COUNT + element.name, str(len(element.entries))
        for question in section.questions:
            yield from _fields_of(question, value_at(answers, question.name))


def _read_entry(entry: FormEntry, posted: SubmittedForm) -> Answers:
    answers: Answers = {}
    for question in entry.questions:
        _put_answers(answers, question, posted, prefix=f"{entry.name}.")
    return answers


def _put_answers(answers: Answers, question: Question, posted: SubmittedForm, *, prefix: str) -> None:
    for each in question.with_follow_ups():
        answer = _read_answer(each, posted)
        if answer or answer == 0:
            _put(answers, each.name.removeprefix(prefix), answer)
        elif each.is_required:  # validation names a missing field only if the object with the field is present
            _parent_of(answers, each.name.removeprefix(prefix))


def _put(answers: Answers, name: str, answer: Any) -> None:
    _parent_of(answers, name)[name.rpartition(".")[2]] = answer


def _parent_of(answers: Answers, name: str) -> Answers:
    """Create missing objects on the way."""
    for step in name.split(".")[:-1]:
        answers = answers.setdefault(step, {})
    return answers


def _read_answer(question: Question, posted: SubmittedForm) -> Any:
    match question.kind:
        case QuestionKind.DATE:
            return _join_date(*(posted.one(question.name + part).strip() for part in DATE_PARTS))
        case QuestionKind.ANY_OF:
            return posted.many(question.name)
        case QuestionKind.LINES:
            return posted.lines(question.name)
        case QuestionKind.OBSERVATIONS:
            return list(_observations(question, posted))
    typed = posted.one(question.name)
    if not typed.strip():
        return None
    is_integer = question.is_number and typed.strip().isdecimal() and typed.isascii()
    return int(typed) if is_integer and len(typed) < len("1000000") else typed


def _observations(question: Question, posted: SubmittedForm) -> Iterator[Answers]:
    """Yield each item that is ticked or has a note: a note without a tick is not lost."""
    ticked = set(posted.many(question.name))
    for choice in question.choices:
        note = posted.one(f"{question.name}.{choice.value}{NOTE}")
        if choice.value in ticked or note.strip():
            yield {"id": choice.value} | ({"note": note} if note.strip() else {})


def _join_date(year: str, month: str, day: str) -> str:
    """Return `2026-11-24` or `2026-11`. Text that is not a date stays as typed, and validation refuses it."""
    parts = [year, *(part.zfill(2) if part else "" for part in (month, day))]
    return "-".join(parts).rstrip("-")


def _fields_of(question: Question, value: Any) -> Iterator[tuple[str, str]]:
    if not value and value != 0:
        return
    match question.kind:
        case QuestionKind.DATE:
            parts = [*value.split("-", 2), "", ""]  # a date may have no day, or neither month nor day
            yield from ((question.name + part, typed) for part, typed in zip(DATE_PARTS, parts, strict=False))
        case QuestionKind.ANY_OF:
            yield from ((question.name, each) for each in value)
        case QuestionKind.LINES:
            yield question.name, "\n".join(value)
        case QuestionKind.OBSERVATIONS:
            for item in value:
                yield question.name, item["id"]
                yield f"{question.name}.{item['id']}{NOTE}", item.get("note", "")
        case _:
            yield question.name, str(value)


@dataclass(frozen=True)
class AnsweredQuestion:
    """A question with its answer. `name` is like `children.0.given_names`, and empty for text without a question."""

    label: str
    lines: tuple[str, ...]
    name: str = ""


@dataclass(frozen=True)
class AnsweredSection:
    """A group of questions. `title` is the entry's, or empty."""

    id: str
    title: str
    groups: tuple[tuple[str, tuple[AnsweredQuestion, ...]], ...]


def printed_section(section: AnsweredSection) -> dict[str, Any]:
    """Return the section without empty entries, for the template of the PDF."""
    groups = [
        {"heading": heading, "answers": [{"label": each.label, "text": "\n".join(each.lines)} for each in answers]}
        for heading, answers in section.groups
        if answers
    ]
    return {"title": section.title, "groups": groups}


def named_faults(form: ConcernForm, faults: Sequence[FieldError], answers: Answers) -> Faults:
    """Return the first message for each question, in order. The key `""` has the first message of no question."""
    questions = {question.name: question for section in form for question in section.questions}
    groups = (each for section in form for each in section.elements if isinstance(each, RepeatableGroup))
    entries = {entry.name: entry.title for group in groups for entry in group.entries}
    messages: Faults = {}
    for fault in faults:
        name = _nearest_question(fault.at, questions)
        message = _message(fault, questions[name], _entry_title(name, entries), answers) if name else _detail(fault)
        messages.setdefault(name, message)
    return {name: messages[name] for name in (*questions, "") if name in messages}


def answered_sections(
    form: ConcernForm, answers: Answers, nothing: tuple[AnsweredQuestion, ...] = ()
) -> list[AnsweredSection]:
    """Return the sections. An entry without answers shows `nothing`, or goes unless required."""
    sections = [AnsweredSection(each.id, each.title, tuple(_answer_groups(each, answers, nothing))) for each in form]
    return [section for section in sections if section.groups]


def _answer_groups(
    section: FormSection, answers: Answers, nothing: tuple[AnsweredQuestion, ...]
) -> Iterator[tuple[str, tuple[AnsweredQuestion, ...]]]:
    own_questions = [element for element in section.elements if isinstance(element, Question)]
    answered = tuple(_answered_questions(own_questions, answers))
    if answered:
        yield "", answered
    for element in section.elements:
        if isinstance(element, RepeatableGroup):
            for entry in element.entries:
                entry_answers = tuple(_answered_questions(entry.questions, answers)) or nothing
                if entry_answers or element.min_entries:
                    yield entry.title, entry_answers


def _answered_questions(questions: Sequence[Question], answers: Answers) -> Iterator[AnsweredQuestion]:
    for question in questions:
        for each in question.with_follow_ups():
            value = value_at(answers, each.name)
            if value or value == 0:
                yield AnsweredQuestion(each.label, tuple(_lines(each, value)), each.name)


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


def _nearest_question(at: Location, questions: dict[str, Question]) -> str:
    """Return an empty name if no question contains the location."""
    for length in range(len(at), 0, -1):
        name = ".".join(map(str, at[:length]))
        if name in questions:
            return name
    return ""


def _entry_title(name: str, titles: dict[str, str]) -> str:
    """Return an empty title for the only entry."""
    entry = next((entry for entry in titles if name.startswith(f"{entry}.")), "")
    group = entry.rpartition(".")[0]
    return f"{titles[entry]}: " if sum(each.rpartition(".")[0] == group for each in titles if entry) > 1 else ""


def _message(fault: FieldError, question: Question, entry: str, answers: Answers) -> str:
    if fault.code is FaultCode.REQUIRED:
        return question.if_missing or entry + labelled(question.label, gettext("write an answer."))
    if question.kind is QuestionKind.DATE:
        return f"{entry}{question.label} {gettext(NOT_A_DATE)}."
    answer = value_at(answers, question.name)
    if fault.code is FaultCode.TOO_LONG and isinstance(answer, str):
        letters = {"limit": f"{question.max_letters:,}", "count": f"{len(answer):,}"}
        return entry + labelled(question.label, gettext(TOO_MANY_LETTERS) % letters)
    goes_on = not question.label.endswith("?")
    detail = gettext(NOT_A_CHOICE) if fault.code in OF_CHOICES else _detail(fault, goes_on=goes_on)
    return Markup("{}{}").format(entry, labelled(question.label, detail))


def _detail(fault: FieldError, *, goes_on: bool = False) -> str:
    """Mark the detail as English if it has no translation. If `goes_on`, it follows a label in lower case."""
    template = gettext(fault.template)
    words = fault.fill_in(template)
    words = words[:1].lower() + words[1:] if goes_on else words
    return marked_english(words) if template == fault.template else words
