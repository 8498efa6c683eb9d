"""Clients: other systems that may use this service, and their scopes."""

import datetime as dt
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import JSON, LargeBinary
from sqlmodel import Field

from app.models.access.rows import AccessRow
from app.models.base import UtcDateTimeType


class Scope(StrEnum):
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
"""A person with all of these scopes counts as a lead."""


class ClientRow(AccessRow, table=True):
    """A client of the API. `person` uses its keys, None for a program. A `test` client may send only test concerns."""

    __tablename__ = "clients"

    name: str = Field(primary_key=True)
    scopes: list[str] = Field(sa_type=JSON)
    added_at: dt.datetime = Field(sa_type=UtcDateTimeType)
    revoked_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTimeType)
    person: str | None = None
    test: bool = False

    @property
    def is_over(self) -> bool:
        return self.revoked_at is not None


class ClientKeyRow(AccessRow, table=True):
    """A key. Only its SHA-256 is stored, which is enough: the key has 256 random bits, and is shown once."""

    __tablename__ = "client_keys"
    unsigned: ClassVar[frozenset[str]] = AccessRow.unsigned | {"last_used_at"}

    key_sha256: bytes = Field(primary_key=True, sa_type=LargeBinary)
    client: str = Field(foreign_key="clients.name")
    added_at: dt.datetime = Field(sa_type=UtcDateTimeType)
    expires_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTimeType)
    last_used_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTimeType)

    def is_valid(self, at: dt.datetime) -> bool:
        return self.expires_at is None or at < self.expires_at
