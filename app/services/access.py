"""What lets somebody in: rows that count only with a MAC under a key of this machine, compared with the record.

Whoever can write the database cannot make such a MAC, so what they put in opens nothing. An older row that they put
back has one: that it is no longer what the record says is found by the check of all rows.
"""

import datetime as dt
import hashlib
import hmac
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, event, exists, inspect, update
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from app.config import Settings
from app.db.tables import table_of
from app.db.writer import write_operation
from app.errors import RowNotOurs, SetupError
from app.logs import Log
from app.models.access import AccessRow
from app.models.base import OnStep, canonical_json, format_utc, show_no_progress
from app.models.clients import ClientKeyRow, ClientRow
from app.models.people import NO_ROLE, InvitationRow, PasskeyRow, PersonRow, SessionRow
from app.models.record import PEOPLE, DeskAct, DisclosureRow
from app.services.keys import KeyFile
from app.services.record import Actor, record_disclosure

ACCESS_KEY = "access-key.txt"
KEYS_OF_ENGINE = "access_keys"
"""The execution option of an engine that holds the keys."""
ACCESS_ROWS: tuple[type[AccessRow], ...] = (ClientRow, ClientKeyRow, PersonRow, PasskeyRow, InvitationRow, SessionRow)
LOST = (
    "{path} is not there: its key signed the clients and people of this database. Put it back from its store, or "
    "name it by GUIDANCE_ACCESS_KEY_FILE. If it is lost, read `guidance keys rotate-access --help`"
)
OF_ANOTHER = (
    "no key of {path} signed any client or person of this database, so nobody could come in. Put the right file back, "
    "or name it by GUIDANCE_ACCESS_KEY_FILE. If it is lost, read `guidance keys rotate-access --help`"
)
NEEDED = (
    "set GUIDANCE_ACCESS_KEY_FILE, to the same file on every node: its key signs the clients and people that nodes "
    "share in the database (guidance keys rotate-access makes it)"
)
ROWS_AT_ONCE = 1000

log = Log(__name__)


class AccessKeys(KeyFile):
    """The keys under which rows have their MAC: a new MAC is made with the first, and one made with any of them counts.

    A file that is not configured is made when the first row is written, unless nodes share the database.
    """

    purpose = "rows that let somebody in are signed with"
    command = "guidance keys rotate-access"
    may_be_made = True
    """Whether the file is made by itself."""
    on_refused: Callable[[str], None] = staticmethod(lambda _table: None)
    """Is told the table of each row that was refused."""
    has_refused = False
    """Whether this process has refused a row."""

    def require(self, bind: Engine | Connection) -> None:
        """Raise `SetupError` if there is no key, and none can be made, since rows are there or nodes share them."""
        if not self.keys:
            self.read()
        if self.keys:
            return
        if _has_rows(bind):
            raise SetupError(LOST.format(path=self.path))
        if not self.may_be_made:
            raise SetupError(NEEDED)
        self.make()

    def sign(self, row: AccessRow) -> bytes:
        """Return the MAC of the row, under the newest key."""
        return _mac(self.keys[0].value, _signed_text(row, _columns(row)))

    def has_signed(self, row: AccessRow, columns: Mapping[str, Any] | None = None) -> bool:
        """Return whether the MAC of the row, or of these columns of it, is right. There may be a new key."""
        if self.has_signed_so_far(row, columns):
            return True
        self.read()
        return self.has_signed_so_far(row, columns)

    def has_signed_so_far(self, row: AccessRow, columns: Mapping[str, Any] | None = None) -> bool:
        """Return whether the MAC of the row, or of these columns of it, is right by a key that was read already."""
        stated = columns or _columns(row)
        try:
            signed = _signed_text(row, stated)
            return any(hmac.compare_digest(_mac(key.value, signed), stated["mac"]) for key in self.keys)
        except (ValueError, TypeError):  # somebody put there what no row of ours has
            return False

    def is_newest(self, row: AccessRow) -> bool:
        """Return whether the MAC of the row is under the newest key."""
        return bool(self.keys) and hmac.compare_digest(self.sign(row), row.mac)

    def refuse(self, row: AccessRow) -> None:
        """Raise the alarm, and `RowNotOurs`."""
        table = str(row.__tablename__)
        log.error("row_refused", reason=table)
        self.has_refused = True
        self.on_refused(table)
        raise RowNotOurs(table)


def _mac(key: bytes, signed: bytes) -> bytes:
    return hmac.digest(key, signed, "sha256")


def _signed_text(row: AccessRow, columns: Mapping[str, Any]) -> bytes:
    """Return the table's name and the canonical JSON (RFC 8785) of the columns that are signed."""
    signed = {name: _plain(value) for name, value in columns.items() if name not in row.unsigned}
    return f"{row.__tablename__}\n".encode() + canonical_json(signed)


def _columns(row: AccessRow) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in table_of(type(row)).c}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return format_utc(value) if isinstance(value, dt.datetime) else value


def open_access_keys(settings: Settings, engine: Engine) -> AccessKeys:
    """Return the keys that the settings name, with which rows of the engine are signed and checked from now on."""
    configured = settings.access_key_file
    keys = AccessKeys(configured or settings.data_dir / ACCESS_KEY, is_configured=configured is not None)
    keys.may_be_made = configured is None and (settings.database_url is None or not settings.seal_to)
    engine.update_execution_options(**{KEYS_OF_ENGINE: keys})
    return keys


def access_keys_of(bind: Engine | Connection) -> AccessKeys | None:
    """Return the keys with which rows of the engine are signed, or None for a copy that is only looked at."""
    keys: AccessKeys | None = bind.get_execution_options().get(KEYS_OF_ENGINE)
    return keys


def require_access_keys(engine: Engine, *, is_used: bool) -> AccessKeys:
    """Raise `SetupError` unless a key of this machine signed rows of the database, or there are none. Return the keys.

    `is_used` says that rows will come by themselves, since people sign in by a provider. Nothing is written.
    """
    keys = need_access_keys(engine)
    keys.load()
    with Session(engine) as session:
        rows, unreadable = _every_row(session)
    if not keys.keys and (rows or unreadable):
        raise SetupError(LOST.format(path=keys.path))
    if not keys.keys and is_used and not keys.may_be_made:
        raise SetupError(NEEDED)
    if rows and not any(map(keys.has_signed_so_far, rows)):
        raise SetupError(OF_ANOTHER.format(path=keys.path))
    return keys


def require_ours(session: Session, *rows: AccessRow) -> None:
    """Raise `RowNotOurs`, and the alarm, for a row that was not signed with a key of this machine."""
    keys = need_access_keys(session.get_bind())
    for row in rows:
        if not keys.has_signed(row):
            keys.refuse(row)


def need_access_keys(bind: Engine | Connection) -> AccessKeys:
    """Return the keys with which rows of the engine are signed. Raises `SetupError` if it was opened without them."""
    keys = access_keys_of(bind)
    if keys is None:
        raise SetupError("the database was opened without the access key")
    return keys


def _has_rows(bind: Engine | Connection) -> bool:
    any_of_each = [select_columns(exists(select_columns(1).select_from(table_of(row)))) for row in ACCESS_ROWS]
    if isinstance(bind, Engine):
        with bind.connect() as connection:
            return any(connection.scalar(each) for each in any_of_each)
    return any(bind.scalar(each) for each in any_of_each)


def _every_row(session: Session) -> tuple[list[AccessRow], list[str]]:
    """Return every row that can be read, and the tables in which somebody put one that cannot."""
    rows: list[AccessRow] = []
    unreadable = []
    for each in ACCESS_ROWS:
        try:
            rows += session.exec(select(each)).all()
        except (ValueError, TypeError, LookupError):
            unreadable.append(str(each.__tablename__))
    return rows, unreadable


def _sign_new(_mapper: Any, connection: Connection, row: AccessRow) -> None:
    keys = need_access_keys(connection)
    keys.require(connection)
    row.mac = keys.sign(row)


def _sign_changed(_mapper: Any, connection: Connection, row: AccessRow) -> None:
    """Sign the row as it is now, if it was ours before: no change of ours makes a row count that somebody put there.

    A row that lets nobody in any more is signed in any case: so whatever was put there can be taken back.
    """
    keys = need_access_keys(connection)
    keys.require(connection)
    state = inspect(row)
    before = {name: _before(state, name) for name in _columns(row)}
    if not row.is_over and not keys.has_signed(row, before):
        keys.refuse(row)
    row.mac = keys.sign(row)


def _before(state: Any, name: str) -> Any:
    attribute = state.attrs[name]
    return attribute.history.deleted[0] if attribute.history.deleted else attribute.value


for _row in ACCESS_ROWS:
    event.listen(_row, "before_insert", _sign_new)
    event.listen(_row, "before_update", _sign_changed)


@dataclass(frozen=True)
class Resigned:
    """How many rows are signed with the newest key, and which were left as they are, since no key signed them."""

    count: int
    left: list[str]


@write_operation
def sign_again(session: Session, *, keys: AccessKeys, with_new_key: bool, accept: bool) -> Resigned:
    """Sign every row with the newest key. A row that no key signed is left as it is, unless it is accepted.

    The transaction admits one writer at a time, so that no two processes change the file at once.
    """
    if with_new_key:
        keys.add()
    else:
        keys.read()
    rows, _ = _every_row(session)
    if rows and not keys.keys:
        raise SetupError(LOST.format(path=keys.path))
    count, left = 0, []
    for row in rows:
        if not accept and not keys.has_signed_so_far(row):
            left.append(name_of(row))
            continue
        table = table_of(type(row))
        its_own = [column == getattr(row, column.name) for column in table.primary_key.columns]
        session.connection().execute(update(table).where(*its_own).values(mac=keys.sign(row)))
        count += 1
    return Resigned(count, left)


@write_operation
def drop_old_access_keys(session: Session, *, keys: AccessKeys) -> None:
    """Drop every key but the newest from the file. Raises `SetupError` if a row still needs another."""
    keys.read()
    if any(keys.has_signed_so_far(row) and not keys.is_newest(row) for row in _every_row(session)[0]):
        raise SetupError("a row is still signed with a former key: run `guidance keys rotate-access` first")
    keys.drop_old()


# What the record says of who was let in: in a chain of its own, written with each change and compared with the rows.


by_operator = partial(Actor, "operator", "command line")
"""Who adds clients, invites people, and says that they left."""
EVERY_SESSION = "every session"
NEVER = "never"
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


def fingerprint(*parts: bytes) -> str:
    """Return what the record calls a key, a passkey, a link or a session, by its hash or its public key."""
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]


def fingerprint_of_passkey(row: PasskeyRow) -> str:
    """Return what the record calls the passkey."""
    return fingerprint(row.credential_id, row.public_key)


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
    return f"key {fingerprint(key.key_sha256)}, ends {ends}"


def record_person(session: Session, act: DeskAct, actor: Actor, detail: str = "") -> None:
    """Record which client or person was let in, who signed in or out, and who left, in a chain of its own."""
    record_disclosure(session, PEOPLE, act, actor, detail)


NAMES: Mapping[type[AccessRow], str] = {
    ClientRow: "client {0.name}",
    ClientKeyRow: "a key of client {0.client}",
    PersonRow: "person {0.name}",
    PasskeyRow: "a passkey of {0.person}",
    InvitationRow: "an invitation of {0.person}",
    SessionRow: "a session of {0.person}",
}


def name_of(row: AccessRow) -> str:
    """Return what the row is about, for an operator."""
    return NAMES[type(row)].format(row)


@dataclass
class RecordedAccess:
    """Who may come in, and how, by the acts of the chain."""

    clients: dict[str, tuple[tuple[str, ...], str | None, bool]] = field(default_factory=dict)
    """The scopes of each client, its person, and whether it is for tests."""
    revoked: set[str] = field(default_factory=set)
    keys: dict[str, tuple[str, dt.datetime | None]] = field(default_factory=dict)
    """The client of each key, by fingerprint, and the key's end."""
    people: dict[str, tuple[str, bool]] = field(default_factory=dict)
    """The role of each person, and whether a provider gave it. Those who left are not among them."""
    left: set[str] = field(default_factory=set)
    held: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The fingerprints of the passkeys, links and sessions of each person."""
    sessions: set[str] = field(default_factory=set)
    """Which of these are sessions."""

    def apply(self, act: str, actor: str, detail: str) -> None:
        """Take the next act of the chain into account."""
        pattern, change = CHANGES.get(act, (None, None))
        found = pattern.fullmatch(detail) if pattern is not None else None
        if found is not None and change is not None:
            change(self, found, actor.partition("/")[2])

    def add_client(self, found: re.Match[str], _person: str) -> None:
        """Add a client with its first key."""
        self.clients[found["client"]] = (tuple(found["scopes"].split()), found["person"], found["kind"] != "may")
        self._add_key(found)

    def add_key(self, found: re.Match[str], _person: str) -> None:
        """Add a key. The client's older keys end."""
        older = dt.datetime.fromisoformat(found["older"])
        for key, (client, ends) in self.keys.items():
            if client == found["client"] and (ends is None or ends > older):
                self.keys[key] = (client, older)
        self._add_key(found)

    def revoke(self, found: re.Match[str], _person: str) -> None:
        """Revoke a client."""
        self.revoked.add(found["name"])

    def invite(self, found: re.Match[str], _person: str) -> None:
        """Let a person in, in that role, who has a link from now on."""
        self.people[found["name"]] = (found["role"], False)
        self.left.discard(found["name"])
        self.held[found["name"]].add(found["link"])

    def add_passkey(self, found: re.Match[str], person: str) -> None:
        """Exchange a link of the person for a passkey."""
        self.held[person].discard(found["link"])
        self.held[person].add(found["passkey"])

    def change_role(self, found: re.Match[str], person: str) -> None:
        """Give a person another role. A provider does so as the person signs in; without a role, sessions end."""
        self.people[found["name"]] = (found["role"], bool(person))
        if found["role"] == NO_ROLE:
            self._end_sessions(found["name"])

    def sign_in(self, found: re.Match[str], person: str) -> None:
        """Begin a session."""
        self.held[person].add(found["session"])
        self.sessions.add(found["session"])

    def sign_out(self, found: re.Match[str], person: str) -> None:
        """End a session, or every one of the person."""
        if found["session"] is None:
            self._end_sessions(person)
        else:
            self.held[person].discard(found["session"])
            self.sessions.discard(found["session"])

    def leave(self, found: re.Match[str], _person: str) -> None:
        """End everything of a person."""
        self.people.pop(found["name"], None)
        self.left.add(found["name"])
        self._end_sessions(found["name"])
        self.held.pop(found["name"], None)

    def _add_key(self, found: re.Match[str]) -> None:
        ends = None if found["ends"] == NEVER else dt.datetime.fromisoformat(found["ends"])
        self.keys[found["key"]] = (found["client"], ends)

    def _end_sessions(self, person: str) -> None:
        ended = self.held[person] & self.sessions  # as long as the shorter of both
        self.held[person] -= ended
        self.sessions -= ended

    def agrees_with(self, row: AccessRow) -> bool:
        """Return whether the row is as the acts left it."""
        match row:
            case ClientRow():
                recorded = (self.clients.get(row.name), row.name in self.revoked)
                return recorded == ((tuple(row.scopes), row.person, row.test), row.is_over)
            case ClientKeyRow():
                return self.keys.get(fingerprint(row.key_sha256)) == (row.client, row.expires_at)
            case PersonRow():
                recorded_role = self.people.get(row.name)
                return row.name in self.left if row.is_over else recorded_role == (row.role, row.provider is not None)
            case PasskeyRow():
                return fingerprint_of_passkey(row) in self.held.get(row.person, ())
            case InvitationRow() | SessionRow():
                return fingerprint(row.token_sha256) in self.held.get(row.person, ())
        return False


CHANGES: Mapping[str, tuple[re.Pattern[str], Callable[[RecordedAccess, re.Match[str], str], None]]] = {
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


def verify_access(engine: Engine, on_step: OnStep = show_no_progress) -> Iterator[tuple[str, str]]:
    """Yield each row that lets somebody in and is not ours, or not as the record says: what it is about, and the fault.

    Rows and record are read as of one moment. The MACs of a copy that was opened without the key are not compared.
    """
    keys, recorded = access_keys_of(engine), RecordedAccess()
    with Session(engine) as session:
        of_people = select(DisclosureRow.act, DisclosureRow.client, DisclosureRow.detail).where(
            DisclosureRow.chain == PEOPLE
        )
        acts = session.exec(of_people.order_by(col(DisclosureRow.number)).execution_options(yield_per=ROWS_AT_ONCE))
        for done, act in enumerate(acts):
            recorded.apply(*act)
            if done % ROWS_AT_ONCE == 0:
                on_step(done, 0)
        rows, unreadable = _every_row(session)
    for table in unreadable:
        yield table, "it has a row that cannot be read"
    if keys is not None and not all(map(keys.has_signed_so_far, rows)):
        keys.read()  # there may be a new key
    for row in rows:
        if keys is not None and not keys.has_signed_so_far(row):
            yield (
                name_of(row),
                "no key of this machine signed it: somebody else wrote or altered it, and it lets nobody in",
            )
        elif not recorded.agrees_with(row):
            yield name_of(row), "it is not as the record of people says"
    yield from _gone(recorded, rows)


def _gone(recorded: RecordedAccess, rows: Collection[AccessRow]) -> Iterator[tuple[str, str]]:
    names = {name_of(row) for row in rows}
    expected = [*(f"client {name}" for name in recorded.clients), *(f"person {name}" for name in recorded.people)]
    for name in sorted(each for each in expected if each not in names):
        yield name, "it is on record, and its row is gone"
