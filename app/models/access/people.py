"""Tables of the people at the desk: invitations, passkeys, sessions and their locked copies of the team's key."""

import datetime as dt

from sqlalchemy import JSON, BigInteger, LargeBinary
from sqlmodel import Field, SQLModel

from app.models.access.rows import AccessRow
from app.models.base import UtcDateTimeType


class PersonRow(AccessRow, table=True):
    """A person. `name` is the one in the audit log. It never changes, even if the provider later has another."""

    __tablename__ = "people"

    name: str = Field(primary_key=True)
    role: str
    provider: str | None = None
    """The OpenID Connect issuer that identifies the person and gives their role. None if they use passkeys."""
    subject: str | None = None
    """The id by which the provider identifies the person. None if they use passkeys."""
    handle: bytes = Field(sa_type=LargeBinary)
    """Random bytes that identify the person to a passkey (WebAuthn's user handle)."""
    added_at: dt.datetime = Field(sa_type=UtcDateTimeType)
    left_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTimeType)

    @property
    def is_over(self) -> bool:
        return self.left_at is not None


class InvitationRow(AccessRow, table=True):
    """A single-use link that registers a passkey. Only the SHA-256 of its token is stored."""

    __tablename__ = "invitations"

    token_sha256: bytes = Field(primary_key=True, sa_type=LargeBinary)
    person: str = Field(foreign_key="people.name")
    expires_at: dt.datetime = Field(sa_type=UtcDateTimeType)


class ChallengeRow(SQLModel, table=True):
    """A challenge that a passkey has signed, stored until it expires, so that it cannot be used twice."""

    __tablename__ = "passkey_challenges"

    challenge: bytes = Field(primary_key=True, sa_type=LargeBinary)
    expires_at: dt.datetime = Field(sa_type=UtcDateTimeType)


class PasskeyRow(AccessRow, table=True):
    """A passkey. `name` is the device's, as typed. `recipient` is an age public key, None if the device has no PRF.

    The browser derives the private key from a secret of the passkey, so a copy of the team's key can be encrypted to it
    only.
    """

    __tablename__ = "passkeys"

    credential_id: bytes = Field(primary_key=True, sa_type=LargeBinary)
    person: str = Field(foreign_key="people.name")
    public_key: bytes = Field(sa_type=LargeBinary)
    sign_count: int = Field(sa_type=BigInteger)
    added_at: dt.datetime = Field(sa_type=UtcDateTimeType)
    name: str
    recipient: str | None = None


class KeyCopyRow(AccessRow, table=True):
    """A copy of the team's identity that one passkey opens, and this service cannot.

    `passkey` and `keys` are fingerprints. `keys` is as stated by the browser that encrypted the copy, and `given_by`
    the person who used that browser.
    """

    __tablename__ = "key_copies"

    passkey: str = Field(primary_key=True)
    person: str = Field(foreign_key="people.name")
    sealed: bytes = Field(sa_type=LargeBinary)
    keys: list[str] = Field(sa_type=JSON)
    given_by: str
    stored_at: dt.datetime = Field(sa_type=UtcDateTimeType)


class SessionRow(AccessRow, table=True):
    """A session. Only the SHA-256 of its token is stored.

    One that timed out stays until the next sign-in of any person.
    """

    __tablename__ = "desk_sessions"

    token_sha256: bytes = Field(primary_key=True, sa_type=LargeBinary)
    person: str = Field(foreign_key="people.name")
    client: str
    """Prefix of the person's name in the audit log, which says how they signed in."""
    started_at: dt.datetime = Field(sa_type=UtcDateTimeType)
    confirmed_at: dt.datetime = Field(sa_type=UtcDateTimeType)
    """When the identity provider last confirmed person and role; for a passkey the start of the session."""
    last_used_at: dt.datetime = Field(sa_type=UtcDateTimeType)
