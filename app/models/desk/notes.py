"""Requests and responses of the desk about its own notes. No reporter ever sees one."""

import datetime as dt
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from app.faults import CodedValueError, FaultCode
from app.models.base import RequestModel, ResponseModel, UtcDateTime
from app.models.concerns.receipts import EXAMPLE_REFERENCE
from app.models.links import Links, desk_concern_path, note_path

MAX_NOTE_LENGTH = 10_000
WORDS_OF_A_NOTE = "Spoke to the school. Call again on Monday."


def _check_words(text: str) -> str:
    if not text.strip():
        raise CodedValueError(FaultCode.BLANK, "must have words")
    return text


class NewNote(RequestModel):
    """A note of the desk. It is sealed like the concern itself, and never changes."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=MAX_NOTE_LENGTH), AfterValidator(_check_words)] = (
        Field(description="The words.", examples=[WORDS_OF_A_NOTE])
    )


class NoteEntry(ResponseModel):
    """A note: who wrote it and when, and its words."""

    number: int = Field(description="Its place, from 1.", examples=[1])
    written_at: UtcDateTime = Field(description="When it was written.")
    by: str = Field(description="Who wrote it, as the record names them.", examples=["example-desk/Robin Example"])
    text: str | None = Field(
        description="The words; null where this service holds no identity, and in the answer to writing them.",
        examples=[WORDS_OF_A_NOTE],
    )
    links: Links = Field(
        description="Paths of this API, by relation.", examples=[{"self": note_path(EXAMPLE_REFERENCE, 1)}]
    )


def note_entry(reference: str, number: int, *, written_at: dt.datetime, by: str, text: str | None = None) -> NoteEntry:
    """Return the entry of a note, with its words if they are given."""
    links = {"self": note_path(reference, number), "concern": desk_concern_path(reference)}
    return NoteEntry(number=number, written_at=written_at, by=by, text=text, links=links)


class NotesResponse(ResponseModel):
    """One page of notes, in the order in which they were written."""

    notes: tuple[NoteEntry, ...] = Field(description="The notes.")
    next_cursor: str | None = Field(description="Where the next page begins; null on the last.", examples=[None])
