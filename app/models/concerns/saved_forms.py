"""The table of saved forms: concerns that have not been sent yet."""

import datetime as dt

from sqlalchemy import Index, LargeBinary
from sqlmodel import Field, SQLModel

from app.models.base import UtcDateTimeType


class SavedFormRow(SQLModel, table=True):
    """A partly filled-in form, encrypted with a key derived from its code, which is not stored.

    `opened_by_sha256` is of the page that opened it last. `source` is a keyed digest of the network: it reveals no
    address, and is empty for the local host. `size` is of `sealed`, in bytes.
    """

    __tablename__ = "saved_forms"
    __table_args__ = (Index("ix_saved_forms_share", "source", "expires_at", "size"),)

    form_id: bytes = Field(primary_key=True, sa_type=LargeBinary)
    sealed: bytes = Field(sa_type=LargeBinary)
    expires_at: dt.datetime = Field(sa_type=UtcDateTimeType, index=True)
    opened_by_sha256: bytes | None = Field(default=None, sa_type=LargeBinary)
    source: str
    size: int
