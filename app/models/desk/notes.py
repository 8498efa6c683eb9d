"""Requests and responses of the desk about its own notes. No reporter ever sees one."""

import datetime as dt
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from app.faults import CodedValueError, FaultCode
from app.models.base import RequestModel, ResponseModel, UtcDateTime
from app.models.concerns.receipts import EXAMPLE_REFERENCE
from app.models.desk.hand_overs import RECIPIENT
from app.models.desk.sealed_files import EXAMPLE_SEALED, age_file_within, base64_length
from app.models.links import Links, desk_concern_path, note_path

MAX_NOTE_LENGTH = 10_000
MAX_SEALED_NOTE_BYTES = 65_536
"""The longest note takes less, however its characters are written in JSON."""
MAX_RECIPIENTS = 20
WORDS_OF_A_NOTE = "Spoke to the school. Call again on Monday."


def _check_words(text: str) -> str:
    if not text.strip():
        raise CodedValueError(FaultCode.BLANK, "must have words")
    return text


NoteWords = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NOTE_LENGTH), AfterValidator(_check_words)]
SealedNote = Annotated[
    str,
    StringConstraints(max_length=base64_length(MAX_SEALED_NOTE_BYTES)),
    AfterValidator(age_file_within(MAX_SEALED_NOTE_BYTES)),
]
AgeRecipient = Annotated[str, StringConstraints(pattern=r"^age1[0-9a-z]{58}$", max_length=62)]


class NewNote(RequestModel):
    """A note of the desk: its words, or a file that the worker's own machine sealed. It never changes."""

    text: NoteWords | None = Field(
        default=None,
        description="The words. They are sealed here, like the concern.",
        examples=[WORDS_OF_A_NOTE],
    )
    sealed: SealedNote | None = Field(
        default=None,
        description="Instead of `text`: an age file sealed to every key of `GET /v1/desk/recipients`, in base64, so "
        "that this service never has the words. Inside is JSON: `reference`, and `note` with its `text`.",
        examples=[EXAMPLE_SEALED],
    )
    recipients: tuple[AgeRecipient, ...] | None = Field(
        default=None,
        description="With `sealed`: the keys that it is sealed to, which must be those of this service.",
        max_length=MAX_RECIPIENTS,
        examples=[[RECIPIENT]],
    )

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if (self.text is None) == (self.sealed is None):
            raise CodedValueError(FaultCode.REQUIRED, "give either `text` or `sealed`")
        if (self.sealed is None) != (self.recipients is None):
            raise CodedValueError(FaultCode.REQUIRED, "give `recipients` with `sealed`, and only then")
        return self


class RecipientsResponse(ResponseModel):
    """The keys that everything is sealed to."""

    recipients: tuple[str, ...] = Field(
        description="The age recipients. Whatever is sealed for the desk is sealed to each of them.",
        examples=[[RECIPIENT]],
    )
    links: Links = Field(description="Paths of this API, by relation.", examples=[{"self": "/v1/desk/recipients"}])


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
