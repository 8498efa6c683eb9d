"""Clients: other systems that may use this service, and their scopes."""

import datetime as dt
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import JSON, LargeBinary
from sqlmodel import Field

from app.models.access.rows import AccessRow
from app.models.base import UtcDateTimeType


class Scope(StrEnum):
    """A permission of a client or a person. The value is the name of the scope in requests and settings."""

    PUBLISH = "guidance:publish"
    DRAFT = "guidance:draft"
    SUBMIT = "concerns:submit"
    READ = "concerns:read"
    WRITE = "concerns:write"
    AUDIT = "audit:read"
    EVENTS = "events:read"
    METRICS = "metrics:read"
    RESTRICTED = "concerns:restricted"


OF_A_LEAD = frozenset({Scope.READ, Scope.WRITE, Scope.AUDIT})
"""The scopes that make a person a lead: only a person with all of these scopes counts as a lead."""


class ClientRow(AccessRow, table=True):
    """A client of the API. `person` is the person who uses the client's keys, or None for a program.

    If `test` is True, the client has only the scope `SUBMIT`, and may send only test concerns.
    """

    __tablename__ = "clients"

    name: str = Field(primary_key=True)
    scopes: list[str] = Field(sa_type=JSON)
    added_at: dt.datetime = Field(sa_type=UtcDateTimeType)
    revoked_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTimeType)
    person: str | None = None
    test: bool = False

    @property
    def is_over(self) -> bool:
        """True if the client was revoked."""
        return self.revoked_at is not None


class ClientKeyRow(AccessRow, table=True):
    """A client's key. Only the SHA-256 of the key is stored: the key itself is shown once.

    A SHA-256 is enough to protect the key, because the key has 256 random bits.
    """

    __tablename__ = "client_keys"
    unsigned: ClassVar[frozenset[str]] = AccessRow.unsigned | {"last_used_at"}

    key_sha256: bytes = Field(primary_key=True, sa_type=LargeBinary)
    client: str = Field(foreign_key="clients.name")
    added_at: dt.datetime = Field(sa_type=UtcDateTimeType)
    expires_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTimeType)
    last_used_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTimeType)

    def is_valid(self, at: dt.datetime) -> bool:
        """Return True if the key has not expired at the time `at`."""
        return self.expires_at is None or at < self.expires_at
