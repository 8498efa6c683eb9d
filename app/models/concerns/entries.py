"""Sealed entries of a concern: their table, requests and responses."""

import base64
import binascii
import datetime as dt
from collections.abc import Callable
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from sqlalchemy import JSON, LargeBinary
from sqlmodel import Field as TableField
from sqlmodel import SQLModel

from app.errors import CodedValueError, FaultCode
from app.models.audit.entry_kinds import EntryKind, EntryPlace
from app.models.base import NextCursor, RequestModel, ResponseModel, Text, UtcDateTime, UtcDateTimeType, partial_index
from app.models.concerns.channels import CAME_AT, CHANNEL, RECEIVED_BY, Channel
from app.models.concerns.receipts import READ_AT, MessageStatus
from app.models.links import Links, PageLinks, desk_concern_path
from app.models.references import EXAMPLE_REFERENCE

ENTRY_WAITS = "acknowledge_by IS NOT NULL AND acknowledged_at IS NULL AND sealed IS NOT NULL"
"""Only additions have `acknowledge_by`."""
PADDED = "followed by spaces to 1,024, 2,048 or a multiple of 4,096 bytes, so that its length says little"
AGE_HEADER = b"age-encryption.org/v1\n"
EXAMPLE_SEALED = base64.b64encode(AGE_HEADER + b"-> X25519 ...").decode()
MAX_MESSAGE_FILE_BYTES = 32_768
MAX_NOTE_LENGTH = 10_000
MAX_NOTE_FILE_BYTES = 65_536
"""Enough for the longest note, even if JSON escapes every character."""
MAX_RECIPIENTS = 20
RECIPIENT = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
MAX_LABEL_LENGTH = 40
MAX_LABEL_FILE_BYTES = 8192
WORDS_OF_A_LABEL = "Alex, Example Academy, Year 9"
WORDS_OF_A_NOTE = "Spoke to the school. Call again on Monday."
WORDS_OF_AN_ADDITION = {"immediate_danger": "no", "concern": {"narrative": "Alex Example came home at six."}}
AgeRecipient = Annotated[str, StringConstraints(pattern=r"^age1[0-9a-z]{58}$", max_length=62)]


class EntryRow(SQLModel, table=True):
    """A sealed entry of a concern. Each kind is numbered in order of arrival. `sealed` is null after erasure.

    `recipients` are fingerprints of the desk's keys. A message has none: it is sealed to the key of the reporter's
    status token. `read_at` is their first reading of it, and `answered_by` their first addition after that.

    Only an addition has `acknowledge_by`, `channel`, `immediate_danger`, and `came_at`, which is earlier than
    `received_at` if a worker wrote it down afterwards.
    """

    __tablename__ = "entries"
    __table_args__ = (
        partial_index("ix_entries_waiting", "acknowledge_by", sqlite=ENTRY_WAITS, postgresql=ENTRY_WAITS),
    )

    reference: str = TableField(primary_key=True, foreign_key="concerns.reference")
    kind: str = TableField(primary_key=True)
    number: int = TableField(primary_key=True)
    received_at: dt.datetime = TableField(sa_type=UtcDateTimeType)
    author: str
    recipients: list[str] = TableField(sa_type=JSON)
    sealed: bytes | None = TableField(default=None, sa_type=LargeBinary)
    acknowledge_by: dt.datetime | None = TableField(default=None, sa_type=UtcDateTimeType)
    immediate_danger: str | None = None
    channel: str | None = None
    came_at: dt.datetime | None = TableField(default=None, sa_type=UtcDateTimeType)
    acknowledged_at: dt.datetime | None = TableField(default=None, sa_type=UtcDateTimeType)
    overdue_announced: bool = False
    due_soon_announced: bool = False
    read_at: dt.datetime | None = TableField(default=None, sa_type=UtcDateTimeType)
    answered_by: int | None = None

    @property
    def place(self) -> EntryPlace:
        return EntryPlace(EntryKind(self.kind), self.number)


def base64_length(size: int) -> int:
    """Return an upper limit of the length in base64."""
    return size * 4 // 3 + 4


def age_file_within(max_bytes: int) -> Callable[[str], str]:
    """Return a validator, which checks only the first line of the header and raises `CodedValueError`."""

    def check(text: str) -> str:
        try:
            sealed = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            sealed = b""
        if not sealed.startswith(AGE_HEADER) or len(sealed) > max_bytes:
            raise CodedValueError(FaultCode.WRONG_FORM, "must be a file of the age format, in base64")
        return text

    return check


def _check_words(text: str) -> str:
    if not text.strip():
        raise CodedValueError(FaultCode.BLANK, "must contain text")
    return text


NoteWords = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NOTE_LENGTH), AfterValidator(_check_words)]

SealedNote = Annotated[
    str,
    StringConstraints(max_length=base64_length(MAX_NOTE_FILE_BYTES)),
    AfterValidator(age_file_within(MAX_NOTE_FILE_BYTES)),
]

SealedMessage = Annotated[
    str,
    StringConstraints(max_length=base64_length(MAX_MESSAGE_FILE_BYTES)),
    AfterValidator(age_file_within(MAX_MESSAGE_FILE_BYTES)),
]


class AdditionEntry(ResponseModel):
    """An addition by the reporter, or written down by a worker, with its own acknowledgement."""

    number: int = Field(description="Number, from 1.", examples=[1])
    received_at: UtcDateTime = Field(description="Time when the addition was stored.")
    channel: Channel = Field(description=CHANNEL, examples=["call"])
    came_at: UtcDateTime | None = Field(default=None, description=CAME_AT)
    received_by: str | None = Field(default=None, description=RECEIVED_BY, examples=[None])
    immediate_danger: str | None = Field(
        description="The reporter's answer about immediate danger: yes, no or not_sure; null if not answered.",
        examples=["no"],
    )
    acknowledge_by: UtcDateTime = Field(
        description="Latest time by which the addition should be acknowledged.", examples=["2026-11-25T09:30:00Z"]
    )
    acknowledged_at: UtcDateTime | None = Field(
        description="When a social worker acknowledged the addition; null until then.", examples=[None]
    )
    overdue: bool = Field(description="True if still unacknowledged after `acknowledge_by`.", examples=[False])
    addition: dict[str, Any] | None = Field(
        description="The addition as sent; null if this service holds no identity.",
        examples=[WORDS_OF_AN_ADDITION],
    )
    links: Links = Field(examples=[{"self": desk_concern_path(EXAMPLE_REFERENCE, "additions", 1)}])


class OpenedAddition(AdditionEntry):
    """A decrypted addition."""

    addition: dict[str, Any] = Field(description="The addition, as sent.", examples=[WORDS_OF_AN_ADDITION])


class AdditionsResponse(ResponseModel):
    """A page of additions, in order of arrival."""

    additions: tuple[AdditionEntry, ...] = Field(description="The additions.")
    next_cursor: NextCursor
    links: PageLinks = Field(examples=[{"self": desk_concern_path(EXAMPLE_REFERENCE, "additions")}])


class AdditionAcknowledgement(RequestModel):
    """Records that a social worker has read an addition and decided the next step. The body is optional."""


def expect_one_text(sealed: str | None, recipients: object, text: object, name: str = "text") -> None:
    """Raise `CodedValueError` unless there is either a text, the field `name`, or a file with its recipients."""
    if (text is None) == (sealed is None):
        raise CodedValueError(FaultCode.REQUIRED, f"give either `{name}` or `sealed`")
    if (sealed is None) != (recipients is None):
        raise CodedValueError(FaultCode.REQUIRED, "give `recipients` if, and only if, you give `sealed`")


class _WrittenByDesk(RequestModel):
    text: str | None = None
    sealed: str | None = None
    recipients: tuple[AgeRecipient, ...] | None = Field(
        default=None,
        description="With `sealed`: the keys that the file is encrypted to. They must be those of this service.",
        max_length=MAX_RECIPIENTS,
        examples=[[RECIPIENT]],
    )

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        expect_one_text(self.sealed, self.recipients, self.text)
        return self


class NewNote(_WrittenByDesk):
    """A note, as text or as a file encrypted on the worker's computer. Notes cannot be edited."""

    text: NoteWords | None = Field(
        default=None,
        description="Text of the note. It is encrypted here, like the concern.",
        examples=[WORDS_OF_A_NOTE],
    )
    sealed: SealedNote | None = Field(
        default=None,
        description="Instead of `text`: a base64 age file encrypted to every key of `GET /v1/desk/recipients`, so "
        "that this "
        "service never has the text. It contains JSON: `reference`, and `note` with `text`, "
        f"{PADDED}.",
        examples=[EXAMPLE_SEALED],
    )


def _check_line(text: str) -> str:
    if not text.isprintable():
        raise CodedValueError(FaultCode.WRONG_FORM, "must be one line of text")
    return text.strip()


class NewLabel(_WrittenByDesk):
    """A label, as text or as a file encrypted on the worker's computer. It replaces the former label."""

    text: Annotated[str, StringConstraints(max_length=MAX_LABEL_LENGTH), AfterValidator(_check_line)] | None = Field(
        default=None,
        description="The label, encrypted here like a note. An empty text removes the label.",
        examples=[WORDS_OF_A_LABEL],
    )
    sealed: (
        Annotated[
            str,
            StringConstraints(max_length=base64_length(MAX_LABEL_FILE_BYTES)),
            AfterValidator(age_file_within(MAX_LABEL_FILE_BYTES)),
        ]
        | None
    ) = Field(
        default=None,
        description="Instead of `text`: a base64 age file encrypted to every key of `GET /v1/desk/recipients`, so that "
        "this service never has the text. It contains JSON: `reference`, and `label` with `text`, followed by spaces "
        "to 512 bytes, so that its length says nothing.",
        examples=[EXAMPLE_SEALED],
    )


class RecipientsResponse(ResponseModel):
    """The public keys to which notes and labels are encrypted."""

    recipients: tuple[str, ...] = Field(
        description="Age recipients. Everything for the desk is encrypted to each of them.",
        examples=[[RECIPIENT]],
    )
    links: Links = Field(examples=[{"self": "/v1/desk/recipients"}])


class NoteEntry(ResponseModel):
    """A note: its author, time and text."""

    number: int = Field(description="Number, from 1.", examples=[1])
    written_at: UtcDateTime = Field(description="Time of writing.")
    by: str = Field(description="Author, as named in the audit log.", examples=["example-desk/Robin Example"])
    text: str | None = Field(
        description="Text; null if this service holds no identity, and in the response to adding the note.",
        examples=[WORDS_OF_A_NOTE],
    )
    links: Links = Field(examples=[{"self": desk_concern_path(EXAMPLE_REFERENCE, "notes", 1)}])


class LabelEntry(ResponseModel):
    """A label: its author, time and text."""

    number: int = Field(description="Number, from 1. The label with the highest number counts.", examples=[1])
    written_at: UtcDateTime = Field(description="Time of writing.")
    by: str = Field(description="Author, as named in the audit log.", examples=["example-desk/Robin Example"])
    text: str | None = Field(
        description="Text; null if this service holds no identity, and in the response to setting the label.",
        examples=[None],
    )
    links: Links = Field(examples=[{"self": desk_concern_path(EXAMPLE_REFERENCE, "label")}])


class NotesResponse(ResponseModel):
    """A page of notes, oldest first."""

    notes: tuple[NoteEntry, ...] = Field(description="The notes.")
    next_cursor: NextCursor
    links: PageLinks = Field(examples=[{"self": desk_concern_path(EXAMPLE_REFERENCE, "notes")}])


class Message(RequestModel):
    """A message to the reporter, as text or as a file encrypted to `recipient` on the worker's computer."""

    text: Text | None = Field(
        default=None,
        description="Text of the message. It is encrypted here, and this service cannot read it again.",
        examples=["Which school does Alex Example go to?"],
    )
    sealed: SealedMessage | None = Field(
        default=None,
        description="Instead of `text`: a base64 age file encrypted to `recipient`, so that this service never has "
        "the text. It contains JSON: `reference`, `sent_at`, and `message` with the text, "
        f"{PADDED}.",
        examples=[EXAMPLE_SEALED],
    )

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if (self.text is None) == (self.sealed is None):
            raise CodedValueError(FaultCode.REQUIRED, "give either `text` or `sealed`")
        return self


class MessageEntry(ResponseModel):
    """A sent message, without its text."""

    number: int = Field(description="Number, from 1.", examples=[1])
    sent_at: UtcDateTime = Field(description="Time of storage.")
    read_at: UtcDateTime | None = Field(description=READ_AT, examples=[None])
    answered_by: int | None = Field(
        description="Number of the first addition after the reporter read the message; null until there is one.",
        examples=[None],
    )


class MessagesResponse(ResponseModel):
    """Messages to the reporter of a concern, in order, and the key that encrypts further messages."""

    messages: tuple[MessageEntry, ...] = Field(description="The messages, without their text.")
    recipient: str = Field(
        description="Age recipient derived from the reporter's status token; empty if the reporter has no token. Then "
        "no message can be sent.",
        examples=[RECIPIENT],
    )
    links: Links = Field(examples=[{"self": desk_concern_path(EXAMPLE_REFERENCE, "messages")}])


class ReceivedMessage(MessageStatus):
    """A message from the duty team, decrypted with the status token."""

    message: str | None = Field(
        description="Text of the message; null if it cannot be decrypted. Then phone, and give the reference.",
        examples=["Which school does Alex Example go to?"],
    )


class ReceivedMessages(ResponseModel):
    """Messages from the duty team to the reporter, in order. The reporter replies with an addition."""

    reference: str = Field(description="The concern's reference.", examples=[EXAMPLE_REFERENCE])
    messages: tuple[ReceivedMessage, ...] = Field(description="The messages.")
