"""Answers: from a posted form to the JSON of the API, and back into the form, so that nothing typed is lost."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from app.errors import BadRequest, UnsupportedMediaType
from app.pages.form.elements import ConcernForm, FormEntry, Question, QuestionKind, RepeatableGroup
from app.web.json_body import NOT_STORABLE, InvalidBody

COUNT = "count:"
NOTE = ":note"
DATE_PARTS = (":year", ":month", ":day")
URLENCODED = "application/x-www-form-urlencoded"
MAX_FIELDS = 20_000
PLACE = re.compile("[0-9]{1,3}")  # of an entry in a list

Answers = dict[str, Any]


@dataclass(frozen=True)
class SubmittedForm:
    """The fields of a posted form: each name with its values, in order."""

    fields: Mapping[str, list[str]] = field(default_factory=dict)

    def one(self, name: str) -> str:
        """Return the last value of a name, as typed, or an empty string."""
        return self.fields.get(name, [""])[-1]

    def many(self, name: str) -> list[str]:
        """Return every value of a name."""
        return self.fields.get(name, [])

    @property
    def counts(self) -> dict[str, int]:
        """The number of entries of each repeatable group in the form."""
        counted = {name.removeprefix(COUNT): self.one(name) for name in self.fields if name.startswith(COUNT)}
        return {name: int(count) for name, count in counted.items() if count.isdecimal() and len(count) <= len("000")}


async def parse_form(request: Request) -> SubmittedForm:
    """Return the posted form. Raise `InvalidBody` if the body is not a form."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != URLENCODED:
        raise InvalidBody(UnsupportedMediaType, UnsupportedMediaType.meaning)
    body = await request.body()  # complete, and within the size limit (see `app.web.middleware.request_body`)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:  # not ASCII, escapes that are not UTF-8, or too many fields
        raise InvalidBody(BadRequest, BadRequest.meaning) from None
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        if NOT_STORABLE.search(value):
            raise InvalidBody(BadRequest, BadRequest.meaning)
        fields.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return SubmittedForm(fields)


SubmittedFormDep = Annotated[SubmittedForm, Depends(parse_form)]


def read_answers(form: ConcernForm, posted: SubmittedForm) -> Answers:
    """Return the answers as the JSON of the API. Empty entries are left out where the schema allows it."""
    answers: Answers = {}
    for section in form:
        for element in section.elements:
            if isinstance(element, RepeatableGroup):
                entries = [_read_entry(entry, posted) for entry in element.entries]
                used = entries if element.min_entries else [entry for entry in entries if entry]
                if used:
                    _put(answers, element.name, used)
            else:
                _put_answers(answers, element, posted, prefix="")
    return answers


def value_at(answers: Answers, name: str) -> Any:
    """Return the answer with that name, or None."""
    value: Any = answers
    for step in name.split("."):
        if isinstance(value, list):
            value = value[int(step)] if PLACE.fullmatch(step) and int(step) < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def date_parts(value: str | None) -> tuple[str, str, str]:
    """Return year, month and day of a date of the API; those that it lacks are empty."""
    parts = (value or "").split("-", 2)
    year, month, day = parts + [""] * (3 - len(parts))
    return year, month, day


def hidden_fields(form: ConcernForm, answers: Answers) -> Iterator[tuple[str, str]]:
    """Yield the names and values of the form fields that give the same answers again."""
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
        elif each.is_required:  # with its object present, the error names the missing field itself
            _parent_of(answers, each.name.removeprefix(prefix))


def _put(answers: Answers, name: str, answer: Any) -> None:
    _parent_of(answers, name)[name.rpartition(".")[2]] = answer


def _parent_of(answers: Answers, name: str) -> Answers:
    """Return the object that contains the answer with that name; create it if it is missing."""
    for step in name.split(".")[:-1]:
        answers = answers.setdefault(step, {})
    return answers


def _read_answer(question: Question, posted: SubmittedForm) -> Any:
    match question.kind:
        case QuestionKind.DATE:
            return _join_date(*(posted.one(question.name + part).strip() for part in DATE_PARTS))
        case QuestionKind.ANY_OF:
            return [value for value in posted.many(question.name) if value]
        case QuestionKind.LINES:
            return [line.strip() for line in posted.one(question.name).split("\n") if line.strip()]
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
    """Return the date in the format of the API. Text that is not a date stays as typed, and validation refuses it."""
    parts = [year, *(part.zfill(2) if part else "" for part in (month, day))]
    return "-".join(parts).rstrip("-")


def _fields_of(question: Question, value: Any) -> Iterator[tuple[str, str]]:
    if not value and value != 0:
        return
    match question.kind:
        case QuestionKind.DATE:
            yield from zip((question.name + part for part in DATE_PARTS), date_parts(value), strict=True)
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
