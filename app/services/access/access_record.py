"""Access as replayed from the chain `people`: it contradicts an older version of a row that someone put back."""

import datetime as dt
import hashlib
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any, ClassVar

from sqlalchemy import bindparam
from sqlalchemy import select as select_columns
from sqlmodel import Session

from app.config import LONGEST_SESSION_HOURS
from app.db.database import WRITES
from app.db.tables import table_of
from app.models.access.clients import ClientKeyRow, ClientRow
from app.models.access.people import InvitationRow, KeyCopyRow, PasskeyRow, PersonRow, SessionRow
from app.models.access.roles import NO_ROLE
from app.models.access.rows import AccessRow
from app.models.audit.details import (
    ClientAddedDetails,
    ClientDetails,
    Details,
    InvitedDetails,
    KeyAddedDetails,
    KeyCopyDetails,
    KeyDetails,
    PasskeyDetails,
    PasskeyRemovedDetails,
    PersonDetails,
    RoleDetails,
    SessionDetails,
)
from app.models.audit.rows import PEOPLE, AuditEntryRow, DeskAct
from app.models.base import OnStep, show_no_progress
from app.services.audit.audit_log import Actor, record_action
from app.services.audit.chains import BEFORE_THE_FIRST, End
from app.services.audit.replay import Change, Replayed

by_operator = partial(Actor, "operator", "command line")
LONGEST_SESSION = dt.timedelta(hours=LONGEST_SESSION_HOURS)
ROWS_AT_ONCE = 1000
_ACTS = table_of(AuditEntryRow).c
_OF_PEOPLE = (
    select_columns(_ACTS.number, _ACTS.sha256, _ACTS.act, _ACTS.client, _ACTS.at, _ACTS.detail)
    .where(_ACTS.chain == PEOPLE)
    .order_by(_ACTS.number)
)
_SINCE = _OF_PEOPLE.where(_ACTS.number >= bindparam("number"))


def fingerprint(*parts: bytes) -> str:
    """Return 16 hex digits of the SHA-256 of a secret's stored hash or, for a passkey, of its ID and public key."""
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]


def name_on_record(row: AccessRow) -> str:
    """Return the name of a client or person, the passkey of a locked copy, and the fingerprint of any other row."""
    match row:
        case ClientKeyRow():
            return fingerprint(row.key_sha256)
        case PasskeyRow():
            return fingerprint(row.credential_id, row.public_key)
        case InvitationRow() | SessionRow():
            return fingerprint(row.token_sha256)
        case KeyCopyRow():
            return row.passkey
        case ClientRow() | PersonRow():
            return row.name
    raise TypeError(row)


def record_person(session: Session, act: DeskAct, actor: Actor, details: Details) -> None:
    record_action(session, PEOPLE, act, actor, details)


@dataclass
class RecordedAccess(Replayed):
    """The clients, people and credentials that should exist, replayed from the chain `people`."""

    clients: dict[str, tuple[tuple[str, ...], str | None, bool]] = field(default_factory=dict)
    """Scopes, person and test flag of each client that is not revoked, by name."""
    revoked: set[str] = field(default_factory=set)
    keys: dict[str, tuple[str, dt.datetime | None]] = field(default_factory=dict)
    """Client and expiry by fingerprint, including expired keys and those of revoked clients."""
    people: dict[str, tuple[str, bool, str | None]] = field(default_factory=dict)
    """Role, whether an OpenID provider gave it, and id at the provider, by name. People who left are not included."""
    subjects: dict[str, str] = field(default_factory=dict)
    """Name at the desk by id at an OpenID provider. A person who left stays here until invited again."""
    left: dict[str, bool] = field(default_factory=dict)
    """Former people by name: True if they had a role at the desk, False if they were only a client's person."""
    links: dict[str, str] = field(default_factory=dict)
    """Invited person by fingerprint of an unused invitation, expired or not."""
    passkeys: dict[str, str] = field(default_factory=dict)
    """Person by fingerprint of the passkey."""
    copies: dict[str, tuple[str, str, tuple[str, ...]]] = field(default_factory=dict)
    """Person, SHA-256 of the locked copy of the team's identity, and fingerprints of its keys, by passkey."""
    held: dict[str, frozenset[str]] = field(default_factory=dict)
    """All keys that ever were in a person's copies, by person, including people who left."""
    sessions: dict[str, str] = field(default_factory=dict)
    """Person by fingerprint of the session. Each sign-in drops sessions older than `LONGEST_SESSION`."""
    begun: deque[tuple[dt.datetime, str]] = field(default_factory=deque)
    """Start and fingerprint of each session, oldest first, until `LONGEST_SESSION`."""

    def copy(self) -> "RecordedAccess":
        return RecordedAccess(**{name: value.copy() for name, value in vars(self).items()})

    def _add_client(self, details: ClientAddedDetails, _act: Any) -> None:
        self.clients[details.client] = (details.scopes, details.person, details.test)
        self._put_key(details)

    def _add_key(self, details: KeyAddedDetails, _act: Any) -> None:
        older = details.older_keys_end
        for key, (client, ends) in self.keys.items():
            if client == details.client and (ends is None or ends > older):
                self.keys[key] = (client, older)
        self._put_key(details)

    def _revoke(self, details: ClientDetails, _act: Any) -> None:
        self.clients.pop(details.client, None)
        self.revoked.add(details.client)

    def _invite(self, details: InvitedDetails, _act: Any) -> None:
        self.people[details.person] = (details.role, False, None)
        self.left.pop(details.person, None)
        _drop_those_of(details.person, self.subjects)
        self.links[details.link] = details.person

    def _add_passkey(self, details: PasskeyDetails, act: Any) -> None:
        person = _person_of(act)
        if self.links.get(details.link) == person:  # a link registers a passkey only once
            del self.links[details.link]
            self.passkeys[details.passkey] = person

    def _remove_passkey(self, details: PasskeyRemovedDetails, _act: Any) -> None:
        self.passkeys.pop(details.passkey, None)

    def _store_copy(self, details: KeyCopyDetails, _act: Any) -> None:
        self.copies[details.passkey] = (details.person, details.sha256, details.keys)
        self.held[details.person] = self.held.get(details.person, frozenset()) | set(details.keys)

    def _delete_copy(self, details: KeyCopyDetails, _act: Any) -> None:
        self.copies.pop(details.passkey, None)

    def _change_role(self, details: RoleDetails, act: Any) -> None:
        # The person is the actor only if an OpenID provider gave the role, at that person's sign-in.
        self.people[details.person] = (details.role, _person_of(act) == details.person, details.subject)
        if details.subject is not None:
            self.subjects[details.subject] = details.person
        if details.role == NO_ROLE:
            _drop_those_of(details.person, self.sessions)

    def _sign_in(self, details: SessionDetails, act: Any) -> None:
        person = _person_of(act)
        if person in self.people and details.session is not None:
            self.sessions[details.session] = person
            self.begun.append((act.at, details.session))
        while self.begun and self.begun[0][0] < act.at - LONGEST_SESSION:
            self.sessions.pop(self.begun.popleft()[1], None)

    def _sign_out(self, details: SessionDetails, act: Any) -> None:
        if details.session is None:
            _drop_those_of(details.person or _person_of(act), self.sessions)
        else:
            self.sessions.pop(details.session, None)

    def _leave(self, details: PersonDetails, _act: Any) -> None:
        name = details.person
        self.left[name] = self.people.pop(name, None) is not None or self.left.get(name, False)
        _drop_those_of(name, self.sessions)
        _drop_those_of(name, self.links)
        _drop_those_of(name, self.passkeys)

    def _put_key(self, details: KeyDetails) -> None:
        self.keys[details.key] = (details.client, details.ends)

    changes: ClassVar[Mapping[str, Change]] = {
        DeskAct.CLIENT_ADDED: _add_client,
        DeskAct.KEY_ADDED: _add_key,
        DeskAct.CLIENT_REVOKED: _revoke,
        DeskAct.INVITED: _invite,
        DeskAct.PASSKEY_ADDED: _add_passkey,
        DeskAct.PASSKEY_REMOVED: _remove_passkey,
        DeskAct.KEY_COPY_STORED: _store_copy,
        DeskAct.KEY_COPY_DELETED: _delete_copy,
        DeskAct.ROLE_CHANGED: _change_role,
        DeskAct.SIGNED_IN: _sign_in,
        DeskAct.SIGNED_OUT: _sign_out,
        DeskAct.LEFT: _leave,
    }

    @property
    def by_table(self) -> Mapping[type[AccessRow], Mapping[str, Any]]:
        return {
            ClientRow: self.clients,
            ClientKeyRow: self.keys,
            PersonRow: self.people,
            PasskeyRow: self.passkeys,
            KeyCopyRow: self.copies,
            InvitationRow: self.links,
            SessionRow: self.sessions,
        }

    def agrees_with(self, row: AccessRow) -> bool:
        """Return True also for a revoked client or a person who left, if the audit log says so."""
        name = name_on_record(row)
        if row.is_over:
            return name in (self.revoked if isinstance(row, ClientRow) else self.left)
        return bool(self.by_table[type(row)].get(name) == _stated_by(row))


def _person_of(act: Any) -> str:
    return str(act.client).partition("/")[2]


def _drop_those_of(person: str, held: dict[str, str]) -> None:
    for each in [each for each, holder in held.items() if holder == person]:
        del held[each]


def _stated_by(row: AccessRow) -> Any:
    match row:
        case ClientRow():
            return (tuple(row.scopes), row.person, row.test)
        case ClientKeyRow():
            return (row.client, row.expires_at)
        case PersonRow():
            return (row.role, row.provider is not None, row.subject)
        case KeyCopyRow():
            return (row.person, hashlib.sha256(row.sealed).hexdigest(), tuple(row.keys))
        case PasskeyRow() | InvitationRow() | SessionRow():
            return row.person
    raise TypeError(row)


@dataclass(frozen=True)
class KnownAccess:
    """The state after the entries up to `end`, their last number and hash. Never changed: threads share it."""

    end: End
    recorded: RecordedAccess


NOTHING_KNOWN = KnownAccess(BEFORE_THE_FIRST, RecordedAccess())


def replay_people(session: Session, on_step: OnStep = show_no_progress) -> KnownAccess:
    """Return the state after every entry that `session` sees. `on_step` gets 0 as the total, which is unknown."""
    with session.connection().execute(_OF_PEOPLE, execution_options={"yield_per": ROWS_AT_ONCE}) as acts:
        return _with_acts(NOTHING_KNOWN, acts, on_step)


def _with_acts(known: KnownAccess, acts: Iterable[Any], on_step: OnStep = show_no_progress) -> KnownAccess:
    end, recorded = known.end, known.recorded.copy()
    for done, act in enumerate(acts):
        recorded.apply(act)
        end = End(act.number, act.sha256)
        if done % ROWS_AT_ONCE == 0:
            on_step(done, 0)
    return KnownAccess(end, recorded)


class AccessRecord:
    """A cache of the state of access in a process: each use reads only the new entries."""

    def __init__(self) -> None:
        self._known = NOTHING_KNOWN
        self._lock = Lock()

    def as_of(self, session: Session) -> RecordedAccess:
        """Return the state as `session` sees it, with its own uncommitted entries. Do not change it: it is shared."""
        known = _continued(session, self._known)
        if known is None:
            with self._lock:  # threads that wait here reuse the state that the first one has read
                known = _continued(session, self._known) or replay_people(session)
                self._keep(session, known)
        self._keep(session, known)
        return known.recorded

    def _keep(self, session: Session, known: KnownAccess) -> None:
        """Do not keep the state if `session` writes: it may have uncommitted entries."""
        if WRITES not in session.connection().get_execution_options():
            self._known = known


def _continued(session: Session, known: KnownAccess) -> KnownAccess | None:
    if known.end == BEFORE_THE_FIRST:
        return None
    acts = session.connection().execute(_SINCE, {"number": known.end.number}).all()
    if not acts or (acts[0].number, acts[0].sha256) != known.end:
        return None
    later = acts[1:]
    return _with_acts(known, later) if later else known
