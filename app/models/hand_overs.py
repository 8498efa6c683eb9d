"""The table of hand-overs to other bodies. What was handed over is not in it, but its digest."""

import datetime as dt
from typing import Annotated

import sqlalchemy
from pydantic import Field, StringConstraints
from sqlmodel import Field as TableField
from sqlmodel import SQLModel

from app.models.base import MAX_NUMBER, RequestModel, ResponseModel, Text, UtcDateTime, UtcDateTimeType
from app.models.entries import RECIPIENT
from app.models.links import Links, desk_concern_path
from app.models.receipts import EXAMPLE_REFERENCE


class HandOverRow(SQLModel, table=True):
    """One hand-over: to which body, why, and the receipts of both sides. Theirs comes later, once."""

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


# Requests and responses about handing a concern over to another body.


Sentence = Annotated[str, StringConstraints(min_length=1, max_length=300)]
SHA256 = r"^[0-9a-f]{64}$"
JWS = "eyJhbGciOiJFZERTQSJ9.eyJqdGkiOiI0RjdLIn0.c2lnbmF0dXJl"


class HandOver(RequestModel):
    """To which body the concern goes, to which key, and why."""

    recipient: Annotated[str, StringConstraints(max_length=100)] = Field(
        description="The body's age recipient. Compare it with the body by telephone.", examples=[RECIPIENT]
    )
    body: Sentence = Field(description="The body's name.", examples=["Example Council"])
    reason: Sentence = Field(
        description="Why, for the record of disclosures. Name nobody here.", examples=["The child lives there."]
    )
    package_sha256: Annotated[str, StringConstraints(pattern=SHA256, max_length=64)] | None = Field(
        default=None,
        description="SHA-256 of the file that was sealed to `recipient` on the worker's machine. Without it this "
        "service makes the file, where it holds an identity.",
        examples=["0" * 64],
    )
    additions: int = Field(
        default=0,
        ge=0,
        le=MAX_NUMBER,
        description="How many additions are in that file. Where this service makes it, all are.",
        examples=[1],
    )


class HandOverReceipt(RequestModel):
    """What the other body sent back: its receipt."""

    receipt: Text = Field(
        description="The receipt: a JWS where the body uses this service, else its own words. Name nobody here.",
        examples=[JWS],
    )


class HandOverEntry(ResponseModel):
    """One hand-over."""

    number: int = Field(description="Its place, from 1.", examples=[1])
    at: UtcDateTime = Field(description="When it was recorded, before the file left.")
    body: str = Field(description="The body.", examples=["Example Council"])
    reason: str = Field(description="Why.", examples=["It lives there."])
    recipient: str = Field(description="The age recipient that the file is sealed to.", examples=[RECIPIENT])
    package_sha256: str = Field(description="SHA-256 of the file.", examples=["0" * 64])
    additions: int = Field(description="How many additions are in it.", examples=[1])
    receipt: str = Field(
        description="Our receipt: a JWS (EdDSA) of this entry, to be sent with the file.", examples=[JWS]
    )
    their_receipt: str | None = Field(description="The receipt of the body; null until it came.", examples=[None])
    confirmed_at: UtcDateTime | None = Field(description="When it came.", examples=[None])


class HandedOver(HandOverEntry):
    """A hand-over that was recorded just now."""

    package: str | None = Field(
        description="The file for the body, in base64, where this service made it. It is not stored.", examples=[None]
    )


class HandOversResponse(ResponseModel):
    """The hand-overs of a concern, in order."""

    hand_overs: tuple[HandOverEntry, ...] = Field(description="The hand-overs.")
    links: Links = Field(examples=[{"self": desk_concern_path(EXAMPLE_REFERENCE, "hand-over")}])
