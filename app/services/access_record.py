"""Who may come in, by the record: the chain `people` of the audit log, which is written with each change of access.

The chain is replayed from its first act, and each process then reads only the acts that are new to it. So the record
costs one short query at each use of a row, and an older row that somebody puts back grants no access.
"""

import datetime as dt
import hashlib
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any

from sqlalchemy import Row, bindparam
from sqlalchemy import select as select_columns
from sqlmodel import Session

from app.config import LONGEST_SESSION_HOURS
from app.db.database import WRITES
from app.db.tables import table_of
from app.models.access import AccessRow
from app.models.base import OnStep, format_utc, show_no_progress
from app.models.clients import ClientKeyRow, ClientRow
from app.models.people import NO_ROLE, InvitationRow, PasskeyRow, PersonRow, SessionRow
from app.models.record import PEOPLE, DeskAct, DisclosureRow
from app.services.record import BEFORE_THE_FIRST, Actor, End, record_disclosure

by_operator = partial(Actor, "operator", "command line")
"""Who adds clients, invites people, and says that they left."""
EVERY_SESSION = "every session"
NEVER = "never"
LONGEST_SESSION = dt.timedelta(hours=LONGEST_SESSION_HOURS)
ROWS_AT_ONCE = 1000
_FINGERPRINT = r"[0-9a-f]{16}"
_KEY = rf"(?P<client>[a-z0-9-]+): key (?P<key>{_FINGERPRINT}), ends (?P<ends>[^ ,;]+)"
INVITED = re.compile(rf"(?P<name>.+) as (?P<role>[a-z]+); link (?P<link>{_FINGERPRINT})")
PASSKEY_ADDED = re.compile(rf"passkey (?P<passkey>{_FINGERPRINT}) by link (?P<link>{_FINGERPRINT})")
ROLE_CHANGED = re.compile(rf"(?P<name>.+) from (?:{NO_ROLE}|[a-z]+) to (?P<role>{NO_ROLE}|[a-z]+)")
SESSIONS = re.compile(rf"session (?P<session>{_FINGERPRINT})|{EVERY_SESSION}")
NAMED = re.compile(r"(?P<name>.+)")
CLIENT_ADDED = re.compile(rf"{_KEY}, (?P<kind>may|for tests may) (?P<scopes>[a-z: ]+)(?:; person (?P<person>.+))?")
KEY_ADDED = re.compile(
    rf"(?P<client>\S+): key (?P<key>{_FINGERPRINT}), ends (?P<ends>\S+); older keys end (?P<older>\S+)"
)
_ACTS = table_of(DisclosureRow).c
_OF_PEOPLE = (
    select_columns(_ACTS.number, _ACTS.sha256, _ACTS.act, _ACTS.client, _ACTS.at, _ACTS.detail)
    .where(_ACTS.chain == PEOPLE)
    .order_by(_ACTS.number)
)
_SINCE = _OF_PEOPLE.where(_ACTS.number >= bindparam("number"))
"""The act of that number, and those after it."""


def fingerprint(*parts: bytes) -> str:
    """Return what the record calls a key, a passkey, a link or a session, by its hash or its public key."""
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]


def name_on_record(row: AccessRow) -> str:
    """Return what the record calls the row: a name, or a fingerprint."""
    match row:
        case ClientKeyRow():
            return fingerprint(row.key_sha256)
        case PasskeyRow():
            return fingerprint(row.credential_id, row.public_key)
        case InvitationRow() | SessionRow():
            return fingerprint(row.token_sha256)
        case ClientRow() | PersonRow():
            return row.name
    raise TypeError(row)


def added_detail(client: ClientRow, key: ClientKeyRow) -> str:
    """Return the detail of the act that added the client with its first key."""
    kind = "for tests may" if client.test else "may"
    person = f"; person {client.person}" if client.person is not None else ""
    return f"{client.name}: {_key_words(key)}, {kind} {' '.join(client.scopes)}{person}"


def key_detail(key: ClientKeyRow, *, older_end: dt.datetime) -> str:
    """Return the detail of the act that gave the client another key."""
    return f"{key.client}: {_key_words(key)}; older keys end {format_utc(older_end)}"


def _key_words(key: ClientKeyRow) -> str:
    ends = NEVER if key.expires_at is None else format_utc(key.expires_at)
    return f"key {name_on_record(key)}, ends {ends}"


def record_person(session: Session, act: DeskAct, actor: Actor, detail: str = "") -> None:
    """Record which client or person was let in, who signed in or out, and who left, in a chain of its own."""
    record_disclosure(session, PEOPLE, act, actor, detail)


@dataclass
class RecordedAccess:
    """Who may come in, and how, by the acts of the chain."""

    clients: dict[str, tuple[tuple[str, ...], str | None, bool]] = field(default_factory=dict)
    """The scopes of each client that was not revoked, its person, and whether it is for tests."""
    revoked: set[str] = field(default_factory=set)
    keys: dict[str, tuple[str, dt.datetime | None]] = field(default_factory=dict)
    """The client of each key, by fingerprint, and the key's end."""
    people: dict[str, tuple[str, bool]] = field(default_factory=dict)
    """The role of each person, and whether a provider gave it. Those who left are not among them."""
    left: dict[str, bool] = field(default_factory=dict)
    """Who left, and whether they worked at the desk, and not through a client alone."""
    links: dict[str, str] = field(default_factory=dict)
    """The person of each link, by fingerprint."""
    passkeys: dict[str, str] = field(default_factory=dict)
    """The person of each passkey, by fingerprint."""
    sessions: dict[str, str] = field(default_factory=dict)
    """The person of each session, by fingerprint. One that is over for certain is not among them."""
    begun: deque[tuple[dt.datetime, str]] = field(default_factory=deque)
    """When each session of the last days began, and its fingerprint."""

    def copy(self) -> "RecordedAccess":
        """Return a copy, to which more acts can be applied."""
        return RecordedAccess(**{name: value.copy() for name, value in vars(self).items()})

    def apply(self, act: Row[Any]) -> None:
        """Take the next act of the chain into account."""
        pattern, change = CHANGES.get(act.act, (None, None))
        found = pattern.fullmatch(act.detail) if pattern is not None else None
        if found is not None and change is not None:
            with suppress(ValueError):  # somebody altered the act: `verify` says so, and others still come in
                change(self, found, act.client.partition("/")[2], act.at)

    def add_client(self, found: re.Match[str], *_by: Any) -> None:
        """Add a client with its first key."""
        self.clients[found["client"]] = (tuple(found["scopes"].split()), found["person"], found["kind"] != "may")
        self._add_key(found)

    def add_key(self, found: re.Match[str], *_by: Any) -> None:
        """Add a key. The client's older keys end."""
        older = dt.datetime.fromisoformat(found["older"])
        for key, (client, ends) in self.keys.items():
            if client == found["client"] and (ends is None or ends > older):
                self.keys[key] = (client, older)
        self._add_key(found)

    def revoke(self, found: re.Match[str], *_by: Any) -> None:
        """Revoke a client."""
        self.clients.pop(found["name"], None)
        self.revoked.add(found["name"])

    def invite(self, found: re.Match[str], *_by: Any) -> None:
        """Let a person in, in that role, who has a link from now on."""
        self.people[found["name"]] = (found["role"], False)
        self.left.pop(found["name"], None)
        self.links[found["link"]] = found["name"]

    def add_passkey(self, found: re.Match[str], person: str, _at: dt.datetime) -> None:
        """Exchange a link of the person for a passkey. A link that was used before gives none."""
        if self.links.get(found["link"]) == person:
            del self.links[found["link"]]
            self.passkeys[found["passkey"]] = person

    def change_role(self, found: re.Match[str], person: str, _at: dt.datetime) -> None:
        """Give a person another role. A provider does so as the person signs in; without a role, sessions end."""
        self.people[found["name"]] = (found["role"], bool(person))
        if found["role"] == NO_ROLE:
            _drop_those_of(found["name"], self.sessions)

    def sign_in(self, found: re.Match[str], person: str, at: dt.datetime) -> None:
        """Begin a session of a person who has not left."""
        if person in self.people:
            self.sessions[found["session"]] = person
            self.begun.append((at, found["session"]))
        while self.begun and self.begun[0][0] < at - LONGEST_SESSION:
            self.sessions.pop(self.begun.popleft()[1], None)

    def sign_out(self, found: re.Match[str], person: str, _at: dt.datetime) -> None:
        """End a session, or every one of the person."""
        if found["session"] is None:
            _drop_those_of(person, self.sessions)
        else:
            self.sessions.pop(found["session"], None)

    def leave(self, found: re.Match[str], *_by: Any) -> None:
        """End everything of a person."""
        name = found["name"]
        self.left[name] = self.people.pop(name, None) is not None or self.left.get(name, False)
        _drop_those_of(name, self.sessions)
        _drop_those_of(name, self.links)
        _drop_those_of(name, self.passkeys)

    def _add_key(self, found: re.Match[str]) -> None:
        ends = None if found["ends"] == NEVER else dt.datetime.fromisoformat(found["ends"])
        self.keys[found["key"]] = (found["client"], ends)

    @property
    def by_table(self) -> Mapping[type[AccessRow], Mapping[str, Any]]:
        """What each row says by the acts, by its name on the record."""
        return {
            ClientRow: self.clients,
            ClientKeyRow: self.keys,
            PersonRow: self.people,
            PasskeyRow: self.passkeys,
            InvitationRow: self.links,
            SessionRow: self.sessions,
        }

    def agrees_with(self, row: AccessRow) -> bool:
        """Return whether the row is as the acts left it."""
        name = name_on_record(row)
        if row.is_over:
            return name in (self.revoked if isinstance(row, ClientRow) else self.left)
        return bool(self.by_table[type(row)].get(name) == _stated_by(row))


def _drop_those_of(person: str, held: dict[str, str]) -> None:
    for each in [each for each, holder in held.items() if holder == person]:
        del held[each]


def _stated_by(row: AccessRow) -> Any:
    """Return what the row says, as `RecordedAccess` has it."""
    match row:
        case ClientRow():
            return (tuple(row.scopes), row.person, row.test)
        case ClientKeyRow():
            return (row.client, row.expires_at)
        case PersonRow():
            return (row.role, row.provider is not None)
        case PasskeyRow() | InvitationRow() | SessionRow():
            return row.person
    raise TypeError(row)


Change = Callable[[RecordedAccess, re.Match[str], str, dt.datetime], None]
CHANGES: Mapping[str, tuple[re.Pattern[str], Change]] = {
    DeskAct.CLIENT_ADDED: (CLIENT_ADDED, RecordedAccess.add_client),
    DeskAct.KEY_ADDED: (KEY_ADDED, RecordedAccess.add_key),
    DeskAct.CLIENT_REVOKED: (NAMED, RecordedAccess.revoke),
    DeskAct.INVITED: (INVITED, RecordedAccess.invite),
    DeskAct.PASSKEY_ADDED: (PASSKEY_ADDED, RecordedAccess.add_passkey),
    DeskAct.ROLE_CHANGED: (ROLE_CHANGED, RecordedAccess.change_role),
    DeskAct.SIGNED_IN: (SESSIONS, RecordedAccess.sign_in),
    DeskAct.SIGNED_OUT: (SESSIONS, RecordedAccess.sign_out),
    DeskAct.LEFT: (NAMED, RecordedAccess.leave),
}
"""The form of the detail of each act of the chain, and what the act changes."""


@dataclass(frozen=True)
class KnownAccess:
    """Who may come in by the acts up to the last one that is known. It never changes."""

    end: End
    recorded: RecordedAccess


NOTHING_KNOWN = KnownAccess(BEFORE_THE_FIRST, RecordedAccess())


def replay_people(session: Session, on_step: OnStep = show_no_progress) -> KnownAccess:
    """Return who may come in by every act that the session sees. A step is some acts."""
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
    """Who may come in, as this process knows it. Each use of a row reads the acts that came since."""

    def __init__(self) -> None:
        self._known = NOTHING_KNOWN
        self._lock = Lock()

    def as_of(self, session: Session) -> RecordedAccess:
        """Return who may come in by the acts that the session sees, with those of its own transaction."""
        known = _continued(session, self._known)
        if known is None:
            with self._lock:  # those who wait here find what the first one has read
                known = _continued(session, self._known) or replay_people(session)
                self._keep(session, known)
        self._keep(session, known)
        return known.recorded

    def _keep(self, session: Session, known: KnownAccess) -> None:
        """Keep it for the next use, unless its last acts may not be committed yet."""
        if WRITES not in session.connection().get_execution_options():
            self._known = known


def _continued(session: Session, known: KnownAccess) -> KnownAccess | None:
    """Return what is known with the acts that came since.

    Return None if nothing is known, or if the last known act is not there: another database was put in its place.
    """
    if known.end == BEFORE_THE_FIRST:
        return None
    acts = session.connection().execute(_SINCE, {"number": known.end.number}).all()
    if not acts or (acts[0].number, acts[0].sha256) != known.end:
        return None
    later = acts[1:]
    return _with_acts(known, later) if later else known
