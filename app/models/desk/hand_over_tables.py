"""The table of hand-overs to other bodies. What was handed over is not in it, but its digest."""

import datetime as dt

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from app.models.columns import UtcDateTimeType


class HandOverRow(SQLModel, table=True):
    """One hand-over: to which body, why, and the receipts of both sides. Theirs comes later, once."""

    __tablename__ = "hand_overs"

    reference: str = Field(primary_key=True, foreign_key="concerns.reference")
    number: int = Field(primary_key=True)
    at: dt.datetime = Field(sa_type=UtcDateTimeType)
    body: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    recipient: str
    package_sha256: str
    additions: int
    receipt: str = Field(sa_type=Text)
    their_receipt: str | None = Field(default=None, sa_type=Text)
    confirmed_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTimeType)
