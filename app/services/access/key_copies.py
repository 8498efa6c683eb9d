"""Locked copies of the team's identity: at most one for each passkey of a person who may read concerns.

The team's identity is the private key that decrypts concerns. A passkey with the extension PRF gives the browser a
secret that never leaves the browser. The browser derives an age identity from the secret, and the passkey's row stores
the recipient of that identity. A browser that holds the team's identity encrypts a copy to that recipient. So this
service stores only copies that it cannot decrypt. Decryption needs the passkey, so someone who steals the database
cannot decrypt a copy either.

A function that checks or writes a row that grants access also raises the `SetupError` of `row_signing`.
"""

import base64
import binascii
import datetime as dt
import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlmodel import Session, col, func, select

from app.age.files import count_keys
from app.age.keys import AgeError, NotAKey, fingerprint_of, parse_recipient
from app.errors import BadRequest, NoSuchItem, RateLimited, RoleNotYours, RowNotOurs
from app.models.access.clients import Scope
from app.models.access.people import KeyCopyRow, PasskeyRow, PersonRow
from app.models.access.roles import roles_with
from app.models.access.rows import AccessRow
from app.models.audit.audit_log import PEOPLE, AuditEntryRow, DeskAct
from app.models.audit.details import KeyCopyDetails, KeyCopyReadDetails
from app.services.access.access_record import name_on_record, record_person
from app.services.access.row_signing import need_access_keys, require_current_rows
from app.services.audit.audit_log import Actor

PRF_INPUT = b"council guidance: key of the desk, 1"
"""The input of the extension PRF, by which a passkey gives the browser the secret that locks a copy of the team's key.

The input never changes, because with another input no stored copy could be decrypted. All people have the same input,
because a sign-in begins before the service knows who signs in. The secret differs for each passkey.
"""
MAX_COPY_BYTES = 8_000
MAX_KEYS = 20
"""The maximum number of identities in one copy: the current one, and older ones for texts not yet re-encrypted."""
MAX_PER_MINUTE = 20
"""The maximum number of times in a minute that one person may store or read copies, counted together."""
MAX_DEVICE_NAME = 40
A_MINUTE = dt.timedelta(minutes=1)
COUNTED_ACTS = (DeskAct.KEY_COPY_STORED, DeskAct.KEY_COPY_READ)
NO_PASSKEY = "This person has no such passkey, or it cannot lock a key."
WRONG_COPY = "This is not a copy that is locked by one passkey."


@dataclass(frozen=True)
class Device:
    """The device of a new passkey: its name, and the age recipient that the browser made from the passkey's secret.

    `recipient` is empty if the device does not have the WebAuthn extension PRF, which gives the secret.
    """

    name: str
    recipient: str = ""

    @classmethod
    def named(cls, name: str, recipient: str) -> "Device":
        """Return the device with the typed `name`, cut to `MAX_DEVICE_NAME` characters.

        If `name` is empty, or has characters that do not print, the device is named `A device`.
        """
        plain = name.strip()[:MAX_DEVICE_NAME].strip()
        return cls(plain if plain and plain.isprintable() else "A device", recipient)


@dataclass(frozen=True)
class NewCopy:
    """A copy of the team's identities that a browser encrypted for a passkey.

    `passkey` is the fingerprint of the passkey, `sealed` the age file, and `keys` are the fingerprints of the keys in
    the copy.
    """

    passkey: str
    sealed: bytes
    keys: tuple[str, ...]

    @classmethod
    def read(cls, passkey: str, sealed: str, recipients: str) -> "NewCopy":
        """Return the copy `sealed`, an age file in base64 for the passkey with the fingerprint `passkey`.

        `recipients` are the recipients of the team's identities in the copy, separated by spaces. Raise `BadRequest` if
        `sealed` is not an age file for exactly one recipient, or is longer than `MAX_COPY_BYTES`. Also raise
        `BadRequest` if `recipients` is empty, has more than `MAX_KEYS` recipients, or has an invalid one.
        """
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
    """A passkey of a person, its fingerprint, and its locked copy of the team's identity, if there is one.

    `is_current` is True if the copy has an identity for a key to which new concerns are encrypted.
    """

    row: PasskeyRow
    fingerprint: str
    copy: KeyCopyRow | None
    is_current: bool

    @property
    def code(self) -> str | None:
        """The fingerprint of the passkey's recipient, which two people can compare. None if there is no recipient."""
        if self.row.recipient is None:
            return None
        digits = fingerprint_of(self.row.recipient).upper()
        return " ".join(digits[place : place + 4] for place in range(0, len(digits), 4))


def valid_recipient(recipient: str) -> str | None:
    """Return `recipient`, or None if `recipient` is not a valid age recipient.

    An invalid recipient must not prevent a sign-in, so it raises no error.
    """
    try:
        parse_recipient(recipient)
    except NotAKey:
        return None
    return recipient


def may_hold_key(person: PersonRow) -> bool:
    """Return True if `person` may hold the team's key: they have not left, and their role may read concerns."""
    return not person.is_over and person.role in roles_with(Scope.READ)


def list_passkeys(session: Session, name: str, current: Collection[str]) -> list[PasskeyLine]:
    """Return the passkeys of the person `name`, oldest first, each with its locked copy of the team's identity, if any.

    `current` has the fingerprints of the keys to which new concerns are encrypted. `is_current` of a passkey is True if
    its copy has one of these keys. Leave out, and log, each passkey or copy that this service did not write, or that
    the audit log contradicts.
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
    """Return the passkeys of the person `name` that have a copy. If there are any, record the reading in the audit log.

    `actor` is that person. Raise `RateLimited` if the person stored or read copies too often in the last minute.
    """
    _expect_seldom(session, actor)
    lines = [line for line in list_passkeys(session, name, ()) if line.copy is not None]
    if lines:
        details = KeyCopyReadDetails(passkeys=tuple(line.fingerprint for line in lines))
        record_person(session, DeskAct.KEY_COPY_READ, actor, details)
    return lines


def store_copy(session: Session, name: str, copy: NewCopy, current: Collection[str], *, actor: Actor) -> None:
    """Store `copy` for a passkey of the person `name`, replacing an earlier copy. Record this in the audit log.

    `current` has the fingerprints of the keys to which new concerns are encrypted. Raise `NoSuchItem` if the person has
    no such passkey, if the passkey has no recipient, or if the person's role may not read concerns. Raise
    `RoleNotYours` if `actor` is another person, and the passkey already has a copy with one of the keys in `current`.
    Raise `RateLimited` if `actor` stored or read copies too often in the last minute.
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
    """Delete the person's copy of the team's key for one passkey, or all their copies. Record each deletion.

    `name` is the person, and `passkey` the fingerprint of the passkey, or None for all copies. The deletions are
    recorded in the audit log as acts of `actor`. A copy that this service did not write is deleted too. Without a copy,
    do nothing.
    """
    copies = select(KeyCopyRow).where(KeyCopyRow.person == name)
    for row in session.exec(copies.order_by(KeyCopyRow.passkey)).all():
        if passkey in (None, row.passkey):
            record_person(session, DeskAct.KEY_COPY_DELETED, actor, _details_of(row))
            session.delete(row)


def keys_ever_held(session: Session) -> dict[str, frozenset[str]]:
    """Return the fingerprints of all keys that each person ever had in their locked copies, by the person's name.

    People who have left are included. The source is the audit log.
    """
    return need_access_keys(session.get_bind()).record.as_of(session).held


def list_holders(session: Session, current: Collection[str]) -> Iterator[tuple[PersonRow, list[PasskeyLine]]]:
    """Yield each person who may hold the team's key, in order of names, with their passkeys and copies.

    `current` has the fingerprints of the keys to which new concerns are encrypted. Passkeys and copies are as
    `list_passkeys` returns them. A person without a passkey or copy is included.
    """
    for person in session.exec(select(PersonRow).order_by(PersonRow.name)).all():
        if may_hold_key(person):
            yield person, list_passkeys(session, person.name, current)


def list_exposed(session: Session, current: Collection[str]) -> list[tuple[PersonRow, list[str]]]:
    """Return the people who had a current key of the team but may no longer hold it, each with the keys' fingerprints.

    `current` has the fingerprints of the keys to which new concerns are encrypted. Such a person may have kept the key,
    so these keys must be replaced. The order is by name.
    """
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
    """Raise `RateLimited` if `actor` stored or read copies `MAX_PER_MINUTE` times in the last minute."""
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
