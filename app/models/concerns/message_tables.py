"""The table of messages from the desk to a reporter."""

import datetime as dt

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel

from app.models.columns import UtcDateTimeType


class MessageRow(SQLModel, table=True):
    """A message to the reporter of a concern, sealed to the key of the status token, and numbered in order.

    `read_at` is when the reporter first read it, `answered_by` the number of the first addition after that. `sealed` is
    null after erasure.
    """

    __tablename__ = "messages"

    reference: str = Field(primary_key=True, foreign_key="concerns.reference")
    number: int = Field(primary_key=True)
    sent_at: dt.datetime = Field(sa_type=UtcDateTimeType)
    sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    read_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTimeType)
    answered_by: int | None = None
