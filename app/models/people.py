"""The people who work at the desk's pages: their roles, invitations, passkeys and sessions."""

import datetime as dt
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, StringConstraints
from pydantic import Field as pydantic_Field
from sqlalchemy import BigInteger, LargeBinary
from sqlmodel import Field, SQLModel

from app.errors import CodedValueError, FaultCode
from app.models.access import AccessRow
from app.models.base import UtcDateTimeType
from app.models.clients import Scope


class PersonRow(AccessRow, table=True):
    """A person who was invited, or who signed in by a provider. The name is the one on the record."""

    __tablename__ = "people"

    name: str = Field(primary_key=True)
    role: str
    provider: str | None = None
    """The issuer that says who the person is and what their role is, or None for a person with passkeys."""
    handle: bytes = Field(sa_type=LargeBinary)
    """Random bytes by which a passkey knows the person (WebAuthn's user handle)."""
    added_at: dt.datetime = Field(sa_type=UtcDateTimeType)
    left_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTimeType)

    @property
    def is_over(self) -> bool:
        """Whether the person left."""
        return self.left_at is not None


class InvitationRow(AccessRow, table=True):
    """A link for one use that registers a passkey. Only the SHA-256 of its token is stored."""

    __tablename__ = "invitations"

    token_sha256: bytes = Field(primary_key=True, sa_type=LargeBinary)
    person: str = Field(foreign_key="people.name")
    expires_at: dt.datetime = Field(sa_type=UtcDateTimeType)


class ChallengeRow(SQLModel, table=True):
    """A challenge that a passkey has signed, until it ends by itself: so it is signed once."""

    __tablename__ = "passkey_challenges"

    challenge: bytes = Field(primary_key=True, sa_type=LargeBinary)
    expires_at: dt.datetime = Field(sa_type=UtcDateTimeType)


class PasskeyRow(AccessRow, table=True):
    """A passkey: the public key with which a person's device signs challenges."""

    __tablename__ = "passkeys"

    credential_id: bytes = Field(primary_key=True, sa_type=LargeBinary)
    person: str = Field(foreign_key="people.name")
    public_key: bytes = Field(sa_type=LargeBinary)
    sign_count: int = Field(sa_type=BigInteger)
    added_at: dt.datetime = Field(sa_type=UtcDateTimeType)


class SessionRow(AccessRow, table=True):
    """A session of a person. Only the SHA-256 of its token is stored; what ended is deleted."""

    __tablename__ = "desk_sessions"

    token_sha256: bytes = Field(primary_key=True, sa_type=LargeBinary)
    person: str = Field(foreign_key="people.name")
    client: str
    """What the record names before the person: how they signed in."""
    started_at: dt.datetime = Field(sa_type=UtcDateTimeType)
    confirmed_at: dt.datetime = Field(sa_type=UtcDateTimeType)
    """When the provider last said who the person is, and their role; with a passkey, when the session was started."""
    last_used_at: dt.datetime = Field(sa_type=UtcDateTimeType)


# Names that can stand on the record: of clients, and of people.


MAX_NAME_LENGTH = 96  # with a prefix and a slash, two of them fit the 200 characters by which the record is searched


def is_recordable(name: object) -> bool:
    """Whether the name can stand on the record: it prints, and nothing has to be cut off."""
    return isinstance(name, str) and 0 < len(name) <= MAX_NAME_LENGTH and name.isprintable() and name == name.strip()


def _check_name(name: str) -> str:
    if not is_recordable(name):
        raise CodedValueError(FaultCode.WRONG_FORM, "must be printable text without leading or trailing spaces")
    return name


PersonName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_NAME_LENGTH),
    AfterValidator(_check_name),
    pydantic_Field(description="The person's name, as in the audit log.", examples=["Robin Example"]),
]


# Roles of the desk: names for sets of scopes.


NO_ROLE = "no role"
"""In place of the role of a person from whom a provider took it."""


class Role(StrEnum):
    """What a person does at the desk."""

    READER = "reader"
    WORKER = "worker"
    LEAD = "lead"
    AUDITOR = "auditor"
    PUBLISHER = "publisher"
    EDITOR = "editor"


SCOPES_OF: Mapping[Role, frozenset[Scope]] = {
    Role.LEAD: frozenset({Scope.READ, Scope.WRITE, Scope.AUDIT, Scope.METRICS}),
    Role.WORKER: frozenset({Scope.READ, Scope.WRITE}),
    Role.READER: frozenset({Scope.READ}),
    Role.AUDITOR: frozenset({Scope.AUDIT}),
    Role.PUBLISHER: frozenset({Scope.DRAFT, Scope.PUBLISH}),
    Role.EDITOR: frozenset({Scope.DRAFT}),
}
"""The scopes of each role, those with more first. An auditor reads the record and no concern; a lead reads both.

An editor writes guides and a publisher publishes them too: neither sees a concern.
"""
FOR_PROGRAMS = frozenset({Scope.METRICS})
"""The scopes that no page needs."""


def role_with(scopes: Collection[str]) -> Role | None:
    """Return the first role of which every scope that pages need is among these, or None."""
    return next((role for role, needed in SCOPES_OF.items() if needed - FOR_PROGRAMS <= set(scopes)), None)
