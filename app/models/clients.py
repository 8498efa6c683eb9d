"""Clients: the other systems that may use this service, and what each may do."""

import datetime as dt
from enum import StrEnum

from sqlalchemy import JSON, LargeBinary
from sqlmodel import Field, SQLModel

from app.models.columns import UtcDateTimeType


class Scope(StrEnum):
    """What a client may do."""

    PUBLISH = "guidance:publish"
    SUBMIT = "concerns:submit"
    READ = "concerns:read"
    WRITE = "concerns:write"
    AUDIT = "audit:read"
    EVENTS = "events:read"


class ClientRow(SQLModel, table=True):
    """A client. Its key was shown once; only the SHA-256 is stored, which is enough for a key of 256 random bits."""

    __tablename__ = "clients"

    name: str = Field(primary_key=True)
    key_sha256: bytes = Field(sa_type=LargeBinary, unique=True)
    scopes: list[str] = Field(sa_type=JSON)
    added_at: dt.datetime = Field(sa_type=UtcDateTimeType)
    revoked_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTimeType)
