"""Requests and responses of the desk about exports: one concern as one file that can be proved."""

from typing import Annotated

from pydantic import Field, StrictBool, StringConstraints

from app.models.base import RequestModel, ResponseModel, UtcDateTime
from app.models.hand_overs import JWS, SHA256, HandOverEntry
from app.models.inbox import InboxEntry
from app.models.record import DisclosureEntry

NOT_SIGNED = {"overdue", "links"}
"""The fields of an entry that depend on the time and on the paths of this version."""


class ExportStatement(ResponseModel):
    """What this service knows of a concern in clear, with the history of it, signed."""

    concern: InboxEntry = Field(description="The concern without its words, at that time.")
    additions: int = Field(description="How many additions it has.", examples=[1])
    notes: int = Field(description="How many notes of the desk it has.", examples=[1])
    history: tuple[DisclosureEntry, ...] = Field(description="Every row of the concern's chain, this request included.")
    hand_overs: tuple[HandOverEntry, ...] = Field(description="Its hand-overs, with both receipts of each.")
    by: str = Field(description="Who requested it, as the record names them.", examples=["example-desk"])
    at: UtcDateTime = Field(description="When this was signed.")
    statement: str = Field(
        description="The same, signed (JWS, EdDSA): the concern, both numbers, who, and the end of the history.",
        examples=[JWS],
    )


class NewExport(RequestModel):
    """A file that was made on the worker's machine, and is to be recorded and signed before it leaves."""

    file_sha256: Annotated[str, StringConstraints(pattern=SHA256, max_length=64)] = Field(
        description="SHA-256 of the file, as it is before the signature is added.", examples=["0" * 64]
    )
    notes: StrictBool = Field(description="Whether the desk's notes are in it.", examples=[False])


class ExportEntry(ResponseModel):
    """An export on the record."""

    at: UtcDateTime = Field(description="When it was recorded.")
    by: str = Field(description="Who exported it, as the record names them.", examples=["example-desk"])
    file_sha256: str = Field(description="SHA-256 of the file before the signature.", examples=["0" * 64])
    notes: bool = Field(description="Whether the desk's notes are in it.", examples=[False])
    signature: str = Field(description="The same, signed (JWS, EdDSA). It is added to the file.", examples=[JWS])
