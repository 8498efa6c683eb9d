"""The people who work at the desk's pages: their roles, invitations, passkeys and sessions."""

import datetime as dt
import unicodedata
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


MAX_NAME_LENGTH = 96  # with a prefix and a slash, two of them fit the 200 characters by which the record is searched


OWN_ACTORS = frozenset({"operator", "retention", "service", "keyholder", "passkey", "passkeydesk", "openid", "norole"})
"""What the audit log names where no person or client acted, or before a person, without blanks and marks."""
SEPARATORS = frozenset("/\\<>:;|")
LETTERS = ("Lu", "Ll", "Lt", "Lo")
"""The categories of letters that belong to one script. Marks and modifiers, such as an okina, belong to any."""
WRITTEN_TOGETHER = (
    frozenset({"CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"CJK", "HANGUL"}),
    frozenset({"CJK", "BOPOMOFO"}),
)
"""Scripts in which one name is written (Unicode Technical Standard 39, section 5.1)."""


def is_recordable(name: object) -> bool:
    """Whether the name can stand on the record: it prints, and nothing has to be cut off."""
    return isinstance(name, str) and 0 < len(name) <= MAX_NAME_LENGTH and name.isprintable() and name == name.strip()


def find_look_alike(name: str) -> str | None:
    """Return why the audit log could show the name as another one, or None: for new people and clients.

    Names that are stored already, and those that a provider gives, are taken as they are.
    """
    plain = "".join(each for each in name.casefold() if each.isalnum())
    if plain in OWN_ACTORS:
        return "is one by which the audit log names this service itself"
    if set(name) & SEPARATORS:
        return f"has no {' '.join(sorted(SEPARATORS))}: the audit log separates names with them"
    if unicodedata.normalize("NFKC", name) != unicodedata.normalize("NFC", name):
        return "has no letters that are other letters in another form"
    scripts = {_script_of(each) for each in unicodedata.normalize("NFC", name) if unicodedata.category(each) in LETTERS}
    if len(scripts) > 1 and not any(scripts <= each for each in WRITTEN_TOGETHER):
        return f"is in one script, not in several ({', '.join(sorted(map(str.title, scripts)))})"
    return None


def _script_of(letter: str) -> str:
    """Return the script, by which Unicode begins the name of each letter."""
    return unicodedata.name(letter, "UNNAMED").split()[0]


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
