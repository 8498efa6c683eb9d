"""Access as the audit log records it, to compare with the rows that grant access.

Each change of access adds an entry to the chain `people`. A process replays that chain from its first entry once, and
then reads only new entries. So checking a row costs one short query. The check finds an older version of a row that
someone put back in the database: such a row grants no access.
"""

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
from app.models.audit.audit_log import PEOPLE, AuditEntryRow, DeskAct
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
from app.models.base import OnStep, show_no_progress
from app.services.audit.audit_log import Actor, record_action
from app.services.audit.chains import BEFORE_THE_FIRST, End
from app.services.audit.replay import Change, Replayed

by_operator = partial(Actor, "operator", "command line")
"""The actor of audit entries for commands that change access. Call this with the time of the command."""
LONGEST_SESSION = dt.timedelta(hours=LONGEST_SESSION_HOURS)
ROWS_AT_ONCE = 1000
_ACTS = table_of(AuditEntryRow).c
_OF_PEOPLE = (
    select_columns(_ACTS.number, _ACTS.sha256, _ACTS.act, _ACTS.client, _ACTS.at, _ACTS.detail)
    .where(_ACTS.chain == PEOPLE)
    .order_by(_ACTS.number)
)
_SINCE = _OF_PEOPLE.where(_ACTS.number >= bindparam("number"))
"""The query for the entry of the chain `people` whose number is the parameter `number`, and for all later entries."""


def fingerprint(*parts: bytes) -> str:
    """Return the first 16 hex digits of the SHA-256 of `parts`, joined without a separator.

    The audit log names a key, passkey, invitation or session by this fingerprint. `parts` are the stored hash of the
    secret or, for a passkey, the credential ID and the public key.
    """
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]


def name_on_record(row: AccessRow) -> str:
    """Return the name of `row` in the audit log: the name of a client or a person, otherwise a fingerprint.

    A locked copy of the team's identity has the fingerprint of its passkey.
    """
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
    """Append an entry with `details` to the chain `people` for `act`, an action on access by `actor`.

    Actions on access are, for example, a grant, a sign-in or a departure.
    """
    record_action(session, PEOPLE, act, actor, details)


@dataclass
class RecordedAccess(Replayed):
    """The clients, people and their credentials that should exist, replayed from the chain `people`."""

    clients: dict[str, tuple[tuple[str, ...], str | None, bool]] = field(default_factory=dict)
    """Maps the name of each client that was not revoked to its scopes, its person or None, and its test flag."""
    revoked: set[str] = field(default_factory=set)
    """The names of revoked clients."""
    keys: dict[str, tuple[str, dt.datetime | None]] = field(default_factory=dict)
    """Maps the fingerprint of each key to the name of its client, and its expiry time or None.

    Expired keys, and keys of revoked clients, are included.
    """
    people: dict[str, tuple[str, bool, str | None]] = field(default_factory=dict)
    """Maps the name of each person who has not left to their role, a flag, and an id.

    The flag is True if an OpenID provider gave the role. The id identifies the person at the provider, or is None.
    """
    subjects: dict[str, str] = field(default_factory=dict)
    """Maps the id of each person at an OpenID provider to their name at the desk, also after they left.

    An invitation removes the person's entry, because an invited person signs in with a passkey.
    """
    left: dict[str, bool] = field(default_factory=dict)
    """Maps the name of each person who left to True if they had a role at the desk, False if they only had a client."""
    links: dict[str, str] = field(default_factory=dict)
    """Maps the fingerprint of each unused invitation link, expired or not, to the name of the invited person."""
    passkeys: dict[str, str] = field(default_factory=dict)
    """Maps the fingerprint of each passkey to the name of its person."""
    copies: dict[str, tuple[str, str, tuple[str, ...]]] = field(default_factory=dict)
    """Maps the fingerprint of each passkey that has a locked copy of the team's identity to three values of that copy.

    The values are the name of the person, the SHA-256 of the copy, and the fingerprints of the keys in the copy.
    """
    held: dict[str, frozenset[str]] = field(default_factory=dict)
    """Maps the name of each person who ever had a locked copy to the fingerprints of all keys in their copies.

    People who have left are included.
    """
    sessions: dict[str, str] = field(default_factory=dict)
    """Maps the fingerprint of each session to the name of its person.

    Each sign-in of anybody drops the sessions that are then older than `LONGEST_SESSION`. A session that ended without
    a sign-out stays until then.
    """
    begun: deque[tuple[dt.datetime, str]] = field(default_factory=deque)
    """The start time and the fingerprint of each session, oldest first, until it is older than `LONGEST_SESSION`."""

    def copy(self) -> "RecordedAccess":
        """Return a copy. Entries that are later applied to the copy do not change this object."""
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
        """Maps each table to the rows that it should have according to the audit log.

        Each row is given by its name (see `name_on_record`), with the values that `_stated_by` returns for it.
        """
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
        """Return True if the values of `row` are those that the audit log records for it.

        For a client that is revoked or a person who has left, return True if the audit log says so too.
        """
        name = name_on_record(row)
        if row.is_over:
            return name in (self.revoked if isinstance(row, ClientRow) else self.left)
        return bool(self.by_table[type(row)].get(name) == _stated_by(row))


def _person_of(act: Any) -> str:
    """Return the name of the person in the entry's `client`, or an empty string if the entry names no person."""
    return str(act.client).partition("/")[2]


def _drop_those_of(person: str, held: dict[str, str]) -> None:
    for each in [each for each, holder in held.items() if holder == person]:
        del held[each]


def _stated_by(row: AccessRow) -> Any:
    """Return the values of `row` in the format in which `RecordedAccess` stores them."""
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
    """The state of access after the entries of the chain `people` up to `end`.

    `end` is the number and the hash of the last of these entries. This object is never changed, so threads may share
    it.
    """

    end: End
    recorded: RecordedAccess


NOTHING_KNOWN = KnownAccess(BEFORE_THE_FIRST, RecordedAccess())


def replay_people(session: Session, on_step: OnStep = show_no_progress) -> KnownAccess:
    """Return the state of access after every entry of the chain `people` that `session` sees.

    Call `on_step` at the first entry, and then at every `ROWS_AT_ONCE`th, with the number of entries before it. The
    total that `on_step` gets is 0, because it is unknown.
    """
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
    """A cache of the state of access in this process. Each use reads only the new audit entries."""

    def __init__(self) -> None:
        self._known = NOTHING_KNOWN
        self._lock = Lock()

    def as_of(self, session: Session) -> RecordedAccess:
        """Return the state of access after all entries that `session` sees, including its own uncommitted entries.

        Read only the entries that are newer than the cached state. Replay the whole chain if nothing is cached yet, or
        if the database was replaced. Cache the result, unless `session` is in a write transaction. The caller must not
        change the result, which threads share.
        """
        known = _continued(session, self._known)
        if known is None:
            with self._lock:  # threads that wait here reuse the state that the first one has read
                known = _continued(session, self._known) or replay_people(session)
                self._keep(session, known)
        self._keep(session, known)
        return known.recorded

    def _keep(self, session: Session, known: KnownAccess) -> None:
        """Cache `known` for the next use, unless `session` writes: `known` may then have uncommitted entries."""
        if WRITES not in session.connection().get_execution_options():
            self._known = known


def _continued(session: Session, known: KnownAccess) -> KnownAccess | None:
    """Return the state of access after the entries in `known` and all later entries that `session` sees.

    Return None if `known` is empty, or if its last entry is not in the database, which shows that the database was
    replaced.
    """
    if known.end == BEFORE_THE_FIRST:
        return None
    acts = session.connection().execute(_SINCE, {"number": known.end.number}).all()
    if not acts or (acts[0].number, acts[0].sha256) != known.end:
        return None
    later = acts[1:]
    return _with_acts(known, later) if later else known
