"""Requests and responses for exports of a concern."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StrictBool, StringConstraints

from app.models.audit.responses import DisclosureEntry
from app.models.base import FullDate, RequestModel, ResponseModel, Text, UtcDateTime
from app.models.desk.actions import MAX_TOGETHER
from app.models.desk.hand_overs import JWS, SHA256, HandOverEntry
from app.models.desk.inbox import InboxEntry
from app.models.references import EXAMPLE_REFERENCE

NOT_SIGNED = {"overdue", "links"}
"""Fields that change with time or with the version of the service."""


class ExportStatement(ResponseModel):
    """The unencrypted data of a concern and its history, signed."""

    concern: InboxEntry = Field(description="The unencrypted data of the concern at that time.")
    additions: int = Field(description="Number of additions.", examples=[1])
    notes: int = Field(description="Number of notes.", examples=[1])
    history: tuple[DisclosureEntry, ...] = Field(
        description="Every audit log entry of the concern, including this request."
    )
    hand_overs: tuple[HandOverEntry, ...] = Field(description="Hand-overs, with both receipts of each.")
    by: str = Field(description="Who requested it, as named in the audit log.", examples=["example-desk"])
    at: UtcDateTime = Field(description="Time of signing.")
    statement: str = Field(
        description="Signature (JWS, EdDSA) over the concern, both numbers, the requester and the end of the history.",
        examples=[JWS],
    )


class NewExport(RequestModel):
    """A file made on the worker's computer, to be recorded and signed before it is sent."""

    file_sha256: Annotated[str, StringConstraints(pattern=SHA256, max_length=64)] = Field(
        description="SHA-256 of the file without the signature.", examples=["0" * 64]
    )
    notes: StrictBool = Field(description="True if the export includes the desk's notes.", examples=[False])


class PersonFilePurpose(StrEnum):
    """`person`: for that person, without the passages that name others. `court`: for a court, with the whole text."""

    PERSON = "person"
    COURT = "court"


class NewPersonFile(NewExport):
    references: tuple[Annotated[str, StringConstraints(max_length=40)], ...] = Field(
        min_length=1, max_length=MAX_TOGETHER, description="The concerns in the file.", examples=[[EXAMPLE_REFERENCE]]
    )


class FileAsker(StrEnum):
    """Who asks for the file of one person."""

    PERSON = "person"
    ON_BEHALF = "on_behalf"
    COURT = "court"


class NewFileRequest(RequestModel):
    """A request for the file of one person. `due` is a court's day, or a later day that the person was told."""

    asker: FileAsker
    about: Annotated[Text, StringConstraints(max_length=200)]
    came_on: FullDate
    due: FullDate | None = None


class ExportEntry(ResponseModel):
    """A recorded export."""

    at: UtcDateTime = Field(description="Time of the record.")
    by: str = Field(description="Who exported it, as named in the audit log.", examples=["example-desk"])
    file_sha256: str = Field(description="SHA-256 of the file without the signature.", examples=["0" * 64])
    notes: bool = Field(description="True if the export includes the desk's notes.", examples=[False])
    signature: str = Field(description="Signature (JWS, EdDSA), to be added to the file.", examples=[JWS])
