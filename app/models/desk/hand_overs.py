"""The table, requests and responses of hand-overs. The table has the digest of the file, not its content."""

import datetime as dt
from typing import Annotated

import sqlalchemy
from pydantic import Field, StringConstraints
from sqlmodel import Field as TableField
from sqlmodel import SQLModel

from app.models.base import MAX_NUMBER, RequestModel, ResponseModel, Text, UtcDateTime, UtcDateTimeType
from app.models.concerns.entries import RECIPIENT
from app.models.links import Links, desk_concern_path
from app.models.references import EXAMPLE_REFERENCE

Sentence = Annotated[str, StringConstraints(min_length=1, max_length=300)]
SHA256 = r"^[0-9a-f]{64}$"
JWS = "eyJhbGciOiJFZERTQSJ9.eyJqdGkiOiI0RjdLIn0.c2lnbmF0dXJl"


class HandOverRow(SQLModel, table=True):
    """A hand-over. `body` is the organisation. Its receipt, `their_receipt`, is added later, once."""

    __tablename__ = "hand_overs"

    reference: str = TableField(primary_key=True, foreign_key="concerns.reference")
    number: int = TableField(primary_key=True)
    at: dt.datetime = TableField(sa_type=UtcDateTimeType)
    body: str = TableField(sa_type=sqlalchemy.Text)
    reason: str = TableField(sa_type=sqlalchemy.Text)
    recipient: str
    package_sha256: str
    additions: int
    receipt: str = TableField(sa_type=sqlalchemy.Text)
    their_receipt: str | None = TableField(default=None, sa_type=sqlalchemy.Text)
    confirmed_at: dt.datetime | None = TableField(default=None, sa_type=UtcDateTimeType)


class HandOver(RequestModel):
    """The receiving organisation, its key, and the reason."""

    recipient: Annotated[str, StringConstraints(max_length=100)] = Field(
        description="The organisation's age recipient. Confirm it by phone.", examples=[RECIPIENT]
    )
    body: Sentence = Field(description="Name of the organisation.", examples=["Example Council"])
    reason: Sentence = Field(
        description="Reason, for the audit log. Do not name anyone.", examples=["The child lives there."]
    )
    package_sha256: Annotated[str, StringConstraints(pattern=SHA256, max_length=64)] | None = Field(
        default=None,
        description="SHA-256 of the file encrypted to `recipient` on the worker's computer. If omitted, this service "
        "makes "
        "the file, if it holds an identity.",
        examples=["0" * 64],
    )
    additions: int = Field(
        default=0,
        ge=0,
        le=MAX_NUMBER,
        description="Number of additions in the file. A file made by this service has all of them.",
        examples=[1],
    )


class HandOverReceipt(RequestModel):
    """The receipt that the other organisation sent back."""

    receipt: Text = Field(
        description="The receipt: a JWS if the organisation uses this service, otherwise text. Do not name anyone.",
        examples=[JWS],
    )


class HandOverEntry(ResponseModel):
    """A recorded hand-over."""

    number: int = Field(description="Number, from 1.", examples=[1])
    at: UtcDateTime = Field(description="When the hand-over was recorded, before the file was sent.")
    body: str = Field(description="Name of the organisation.", examples=["Example Council"])
    reason: str = Field(description="Reason for the hand-over.", examples=["The child lives there."])
    recipient: str = Field(description="Age recipient that the file is encrypted to.", examples=[RECIPIENT])
    package_sha256: str = Field(description="SHA-256 of the file.", examples=["0" * 64])
    additions: int = Field(description="Number of additions in the file.", examples=[1])
    receipt: str = Field(description="Our receipt for this entry (JWS, EdDSA), to send with the file.", examples=[JWS])
    their_receipt: str | None = Field(description="The organisation's receipt; null until received.", examples=[None])
    confirmed_at: UtcDateTime | None = Field(description="Time of receipt.", examples=[None])


class HandedOver(HandOverEntry):
    """The recorded hand-over."""

    package: str | None = Field(
        description="The file for the organisation, in base64, if made by this service. It is not stored.",
        examples=[None],
    )


class HandOversResponse(ResponseModel):
    """The hand-overs of a concern, in order."""

    hand_overs: tuple[HandOverEntry, ...] = Field(description="The hand-overs.")
    links: Links = Field(examples=[{"self": desk_concern_path(EXAMPLE_REFERENCE, "hand-over")}])
