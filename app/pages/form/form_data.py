"""Answers: from what a browser posts to what the API takes, and back into the form, so that nothing typed is lost."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from app.pages.form.elements import ConcernForm, FormEntry, Question, QuestionKind, RepeatableGroup
from app.web.json_body import CANNOT_BE_KEPT, InvalidBody
from app.web.problem_types import BAD_REQUEST, UNSUPPORTED_MEDIA_TYPE

COUNT = "count:"
NOTE = ":note"
DATE_PARTS = (":year", ":month", ":day")
URLENCODED = "application/x-www-form-urlencoded"
MOST_FIELDS = 20_000

Answers = dict[str, Any]


@dataclass(frozen=True)
class SubmittedForm:
    """What a browser posted: each name with its values, in order."""

    fields: Mapping[str, list[str]] = field(default_factory=dict)

    def one(self, name: str) -> str:
        """The last value of that name, as typed; empty where there is none."""
        return self.fields.get(name, [""])[-1]

    def many(self, name: str) -> list[str]:
        """Every value of that name."""
        return self.fields.get(name, [])

    @property
    def counts(self) -> dict[str, int]:
        """How many entries the form had where there may be several."""
        counted = {name.removeprefix(COUNT): self.one(name) for name in self.fields if name.startswith(COUNT)}
        return {name: int(told) for name, told in counted.items() if told.isdecimal() and len(told) <= len("000")}


async def parse_form(request: Request) -> SubmittedForm:
    """What was posted; raises `InvalidBody` where it is no form."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != URLENCODED:
        raise InvalidBody(UNSUPPORTED_MEDIA_TYPE, UNSUPPORTED_MEDIA_TYPE.meaning)
    body = await request.body()  # whole, and no larger than any body may be (see `app.web.middleware.request_body`)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:  # not ASCII, not UTF-8 beneath the escapes, or too many fields
        raise InvalidBody(BAD_REQUEST, BAD_REQUEST.meaning) from None
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        if CANNOT_BE_KEPT.search(value):
            raise InvalidBody(BAD_REQUEST, BAD_REQUEST.meaning)
        fields.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return SubmittedForm(fields)


SubmittedFormDep = Annotated[SubmittedForm, Depends(parse_form)]


def read_answers(form: ConcernForm, posted: SubmittedForm) -> Answers:
    """What was answered, as the API takes it. Entries in which nothing was answered are left out where they may be."""
    told: Answers = {}
    for section in form:
        for part in section.parts:
            if isinstance(part, RepeatableGroup):
                entries = [_entry(entry, posted) for entry in part.entries]
                kept = entries if part.least else [entry for entry in entries if entry]
                if kept:
                    _put(told, part.name, kept)
            else:
                _put_answers(told, part, posted, beneath="")
    return told


def value_at(told: Answers, name: str) -> Any:
    """The answer that stands at that name, or None."""
    value: Any = told
    for step in name.split("."):
        if isinstance(value, list):
            value = value[int(step)] if int(step) < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def date_parts(value: str | None) -> tuple[str, str, str]:
    """Year, month and day, as far as they were given, of a date as the API takes it."""
    parts = (value or "").split("-", 2)
    year, month, day = parts + [""] * (3 - len(parts))
    return year, month, day


def hidden_fields(form: ConcernForm, told: Answers) -> Iterator[tuple[str, str]]:
    """The names and values that make the same answers again."""
    for section in form:
        for part in section.parts:
            if isinstance(part, RepeatableGroup):
                yield COUNT + part.name, str(len(part.entries))
        for question in section.questions:
            yield from _fields_of(question, value_at(told, question.name))


def _entry(entry: FormEntry, posted: SubmittedForm) -> Answers:
    told: Answers = {}
    for question in entry.questions:
        _put_answers(told, question, posted, beneath=f"{entry.name}.")
    return told


def _put_answers(told: Answers, question: Question, posted: SubmittedForm, *, beneath: str) -> None:
    for each in question.with_those_that_follow():
        answer = _answer(each, posted)
        if answer or answer == 0:
            _put(told, each.name.removeprefix(beneath), answer)
        elif each.is_required:  # so that its absence is told of the question itself
            _part_of(told, each.name.removeprefix(beneath))


def _put(told: Answers, name: str, answer: Any) -> None:
    _part_of(told, name)[name.rpartition(".")[2]] = answer


def _part_of(told: Answers, name: str) -> Answers:
    """The part that the answer of that name stands in."""
    for step in name.split(".")[:-1]:
        told = told.setdefault(step, {})
    return told


def _answer(question: Question, posted: SubmittedForm) -> Any:
    match question.kind:
        case QuestionKind.DATE:
            return _date(*(posted.one(question.name + part).strip() for part in DATE_PARTS))
        case QuestionKind.ANY_OF:
            return [value for value in posted.many(question.name) if value]
        case QuestionKind.LINES:
            return [line.strip() for line in posted.one(question.name).split("\n") if line.strip()]
        case QuestionKind.SEEN:
            return list(_seen(question, posted))
    typed = posted.one(question.name)
    if not typed.strip():
        return None
    is_whole = question.is_number and typed.strip().isdecimal() and typed.isascii()
    return int(typed) if is_whole and len(typed) < len("1000000") else typed


def _seen(question: Question, posted: SubmittedForm) -> Iterator[Answers]:
    """Each item that was ticked, or of which something was noted: no word is lost because a tick is missing."""
    ticked = set(posted.many(question.name))
    for choice in question.choices:
        note = posted.one(f"{question.name}.{choice.value}{NOTE}")
        if choice.value in ticked or note.strip():
            yield {"id": choice.value} | ({"note": note} if note.strip() else {})


def _date(year: str, month: str, day: str) -> str:
    """As the API takes it, as far as it was given: what is no date stays as it was typed, and is refused there."""
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
        case QuestionKind.SEEN:
            for item in value:
                yield question.name, item["id"]
                yield f"{question.name}.{item['id']}{NOTE}", item.get("note", "")
        case _:
            yield question.name, str(value)
