"""Locked copies of the team's identity: at most one for each passkey of a person who may read concerns.

The browser derives an age identity from a secret of the passkey (extension PRF), and encrypts the team's identity to
its recipient. Without the passkey nobody can decrypt a copy, not even this service.
"""

import base64
import binascii
import datetime as dt
import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.age.files import count_keys
from app.age.keys import AgeError, NotAKey, fingerprint_of, parse_recipient
from app.errors import BadRequest, NoSuchItem, RateLimited, RoleNotYours, RowNotOurs
from app.models.access.clients import Scope
from app.models.access.people import KeyCopyRow, PasskeyRow, PersonRow
from app.models.access.roles import roles_with
from app.models.access.rows import AccessRow
from app.models.audit.details import KeyCopyDetails, KeyCopyReadDetails
from app.models.audit.rows import PEOPLE, AuditEntryRow, DeskAct
from app.services.access.access_record import name_on_record, record_person
from app.services.access.row_signing import need_access_keys, require_current_rows
from app.services.audit.audit_log import Actor

PRF_INPUT = b"council guidance: key of the desk, 1"
"""Input of the WebAuthn extension PRF. A change would make all stored copies useless. The secret differs by passkey."""
MAX_COPY_BYTES = 8_000
MAX_KEYS = 20
"""Identities in one copy: the current one, and older ones for texts not yet re-encrypted."""
MAX_PER_MINUTE = 20
"""Storing and reading of copies by one person, counted together."""
MAX_DEVICE_NAME = 40
A_MINUTE = dt.timedelta(minutes=1)
COUNTED_ACTS = (DeskAct.KEY_COPY_STORED, DeskAct.KEY_COPY_READ)
NO_PASSKEY = "This person has no such passkey, or it cannot lock a key."
WRONG_COPY = "This is not a copy that is locked by one passkey."


@dataclass(frozen=True)
class Device:
    """The device of a new passkey. `recipient` is made from its secret, and empty without the extension PRF."""

    name: str
    recipient: str = ""

    @classmethod
    def named(cls, name: str, recipient: str) -> "Device":
        """Cut `name` to `MAX_DEVICE_NAME`. An empty or unprintable name becomes `A device`."""
        plain = name.strip()[:MAX_DEVICE_NAME].strip()
        return cls(plain if plain and plain.isprintable() else "A device", recipient)


@dataclass(frozen=True)
class NewCopy:
    """The team's identities, encrypted by a browser for one passkey. `keys` are the identities' fingerprints."""

    passkey: str
    sealed: bytes
    keys: tuple[str, ...]

    @classmethod
    def read(cls, passkey: str, sealed: str, recipients: str) -> "NewCopy":
        """Read an age file in base64, and the recipients of its identities, separated by spaces. Raise `BadRequest`."""
        keys = recipients.split()
        try:
            file = base64.b64decode(sealed, validate=True)
            if len(file) > MAX_COPY_BYTES or count_keys(file) != 1 or not 0 < len(keys) <= MAX_KEYS:
                raise BadRequest(WRONG_COPY)
            for each in keys:
                parse_recipient(each)
        except (binascii.Error, ValueError, AgeError):
            raise BadRequest(WRONG_COPY) from None
        return cls(passkey, file, tuple(map(fingerprint_of, keys)))


@dataclass(frozen=True)
class PasskeyLine:
    """A passkey and its locked copy, if any. `is_current` says that the copy has a key that encrypts new concerns."""

    row: PasskeyRow
    fingerprint: str
    copy: KeyCopyRow | None
    is_current: bool

    @property
    def code(self) -> str | None:
        """Return the fingerprint of the recipient, which two people can compare."""
        if self.row.recipient is None:
            return None
        digits = fingerprint_of(self.row.recipient).upper()
        return " ".join(digits[place : place + 4] for place in range(0, len(digits), 4))


def valid_recipient(recipient: str) -> str | None:
    """Return None if the recipient is invalid, because that must not prevent a sign-in."""
    try:
        parse_recipient(recipient)
    except NotAKey:
        return None
    return recipient


def may_hold_key(person: PersonRow) -> bool:
    return not person.is_over and person.role in roles_with(Scope.READ)


def has_copy(session: Session, name: str) -> bool:
    """For a page that offers a touch: the copy is checked when it is read."""
    return session.exec(select(KeyCopyRow.passkey).where(KeyCopyRow.person == name).limit(1)).first() is not None


def list_passkeys(session: Session, name: str, current: Collection[str]) -> list[PasskeyLine]:
    """Return the passkeys, oldest first, without rows that this service did not write.

    `current` keys encrypt new concerns.
    """
    rows = session.exec(select(KeyCopyRow).where(KeyCopyRow.person == name)).all()
    copies = {row.passkey: row for row in rows if _is_ours(session, row)}
    lines = []
    for row in session.exec(select(PasskeyRow).where(PasskeyRow.person == name).order_by(col(PasskeyRow.added_at))):
        if _is_ours(session, row):
            copy = copies.get(name_on_record(row))
            is_current = copy is not None and not set(copy.keys).isdisjoint(current)
            lines.append(PasskeyLine(row, name_on_record(row), copy, is_current))
    return lines


def read_own_copies(session: Session, name: str, *, actor: Actor) -> list[PasskeyLine]:
    """Return the passkeys with a copy, and record the reading if there is one. Raise `RateLimited`."""
    _expect_seldom(session, actor)
    lines = [line for line in list_passkeys(session, name, ()) if line.copy is not None]
    if lines:
        details = KeyCopyReadDetails(passkeys=tuple(line.fingerprint for line in lines))
        record_person(session, DeskAct.KEY_COPY_READ, actor, details)
    return lines


def store_copy(session: Session, name: str, copy: NewCopy, current: Collection[str], *, actor: Actor) -> None:
    """Store `copy` in place of an earlier one.

    Raise `NoSuchItem` if the person has no such passkey or may not read concerns, `RoleNotYours` if another person's
    copy is already current, or `RateLimited`.
    """
    _expect_seldom(session, actor)
    person = session.get(PersonRow, name)
    line = next((each for each in list_passkeys(session, name, current) if each.fingerprint == copy.passkey), None)
    if person is None or not may_hold_key(person) or line is None or line.row.recipient is None:
        raise NoSuchItem(NO_PASSKEY)
    if line.is_current and actor.person != name:
        raise RoleNotYours(name)
    former = session.get(KeyCopyRow, copy.passkey)
    if former is not None:
        session.delete(former)
        session.flush()
    row = KeyCopyRow(
        passkey=copy.passkey,
        person=name,
        sealed=copy.sealed,
        keys=list(copy.keys),
        given_by=actor.person,
        stored_at=actor.at,
    )
    session.add(row)
    details = _details_of(row).model_copy(update={"replaces": former is not None})
    record_person(session, DeskAct.KEY_COPY_STORED, actor, details)


def delete_copies(session: Session, name: str, *, actor: Actor, passkey: str | None = None) -> None:
    """Delete the copy for `passkey`, or all copies, and record each. Copies that this service did not write go too."""
    copies = select(KeyCopyRow).where(KeyCopyRow.person == name)
    for row in session.exec(copies.order_by(KeyCopyRow.passkey)).all():
        if passkey in (None, row.passkey):
            record_person(session, DeskAct.KEY_COPY_DELETED, actor, _details_of(row))
            session.delete(row)


def keys_ever_held(session: Session) -> dict[str, frozenset[str]]:
    """Return by person the keys that the audit log says they held. People who left are included."""
    return need_access_keys(session.get_bind()).record.as_of(session).held


def list_holders(session: Session, current: Collection[str]) -> Iterator[tuple[PersonRow, list[PasskeyLine]]]:
    """Yield by name who may hold the team's key. A person without a passkey or a copy is included."""
    for person in session.exec(select(PersonRow).order_by(PersonRow.name)).all():
        if may_hold_key(person):
            yield person, list_passkeys(session, person.name, current)


def list_exposed_keys(session: Session, current: Collection[str]) -> list[tuple[PersonRow, list[str]]]:
    """Return who may no longer hold the team's key but had a current one, with the keys. They may have kept it."""
    exposed = []
    for name, keys in sorted(keys_ever_held(session).items()):
        person, still_used = session.get(PersonRow, name), sorted(keys & set(current))
        if person is not None and still_used and not may_hold_key(person):
            exposed.append((person, still_used))
    return exposed


def _is_ours(session: Session, row: AccessRow) -> bool:
    try:
        require_current_rows(session, row)
    except RowNotOurs:
        return False
    return True


def _details_of(row: KeyCopyRow) -> KeyCopyDetails:
    digest = hashlib.sha256(row.sealed).hexdigest()
    return KeyCopyDetails(person=row.person, passkey=row.passkey, keys=tuple(row.keys), sha256=digest)


def _expect_seldom(session: Session, actor: Actor) -> None:
    recent = (
        select(func.count())
        .select_from(AuditEntryRow)
        .where(
            AuditEntryRow.client == actor.client,
            col(AuditEntryRow.at) > actor.at - A_MINUTE,
            AuditEntryRow.chain == PEOPLE,
            col(AuditEntryRow.act).in_(COUNTED_ACTS),
        )
    )
    if session.exec(recent).one() >= MAX_PER_MINUTE:
        raise RateLimited(int(A_MINUTE.total_seconds()))
