"""Signing of rows that grant access. Such a row counts only if its MAC is valid and the audit log agrees with it.

The MAC needs a key that is on the host and not in the database, so whoever can only write to the database cannot forge
a row. An older version of a row, put back, has a valid MAC, but a later entry of the audit log contradicts it. A check
or a write raises `SetupError` if the key file cannot be read, or if a write needs a key and none may be made.
"""

import datetime as dt
import hmac
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event, exists, inspect, update
from sqlalchemy import select as select_columns
from sqlmodel import Session, select

from app.config import Settings
from app.db.tables import table_of
from app.errors import RowNotOurs, SetupError
from app.logs import Log
from app.models.access.clients import ClientKeyRow, ClientRow
from app.models.access.people import InvitationRow, KeyCopyRow, PasskeyRow, PersonRow, SessionRow
from app.models.access.roles import NO_ROLE
from app.models.access.rows import AccessRow
from app.models.base import OnStep, canonical_json, format_utc, show_no_progress
from app.services.access.access_record import AccessRecord, RecordedAccess, name_on_record, replay_people
from app.services.key_files import KeyFile

ACCESS_KEY = "access-key.txt"
KEYS_OF_ENGINE = "access_keys"
ACCESS_ROWS: tuple[type[AccessRow], ...] = (
    ClientRow,
    ClientKeyRow,
    PersonRow,
    PasskeyRow,
    KeyCopyRow,
    InvitationRow,
    SessionRow,
)
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
REVOKE = "run guidance clients revoke {0.%s}, and give the system a client of another name"
INVITE_AGAIN = "run guidance desk leave '{0.%s}', and let the person in again"
NAMES: Mapping[type[AccessRow], tuple[str, str]] = {
    ClientRow: ("client {0.name}", REVOKE % "name"),
    ClientKeyRow: ("a key of client {0.client}", REVOKE % "client"),
    PersonRow: ("person {0.name}", INVITE_AGAIN % "name"),
    PasskeyRow: ("a passkey of {0.person}", INVITE_AGAIN % "person"),
    KeyCopyRow: ("a locked key of {0.person}", INVITE_AGAIN % "person"),
    InvitationRow: ("an invitation of {0.person}", INVITE_AGAIN % "person"),
    SessionRow: ("a session of {0.person}", INVITE_AGAIN % "person"),
}
"""Templates by table: the name of a row, and what an operator does if it is not valid."""
MAX_VERIFIED = 1000
log = Log(__name__)


class AccessKeys(KeyFile):
    """The keys that sign rows that grant access. The first key signs, and a MAC made with any of them is valid."""

    purpose = "rows that let somebody in are signed with"
    command = "guidance keys rotate-access"
    may_be_made = True
    """False if a setting names the file, or nodes may share the database: PostgreSQL, except in a trial."""
    on_refused: Callable[[str], None] = staticmethod(lambda _table: None)
    """Gets the table of each refused row."""
    has_refused = False

    def __init__(self, path: Path, *, is_configured: bool) -> None:
        super().__init__(path, is_configured=is_configured)
        self.record = AccessRecord()
        self.verified: dict[Any, tuple[Any, Any, RecordedAccess | None]] = {}
        """Rows found valid, by their MACs: their columns, the keys, and the recorded access at the time."""

    def require(self, bind: Engine | Connection) -> None:
        """Read the key file, or create it for the first row.

        Raise `SetupError` if it is missing and must not be created.
        """
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
        """Sign a row. Call `require` first, so that there is a key."""
        return _mac(self.keys[0].value, _signed_text(row, _columns(row)))

    def has_signed(self, row: AccessRow, columns: Mapping[str, Any] | None = None) -> bool:
        """Check a row's MAC. Before returning False, read the key file again. `columns` replace values of the row."""
        return self.look_twice(lambda: self.has_signed_so_far(row, columns))

    def has_signed_so_far(self, row: AccessRow, columns: Mapping[str, Any] | None = None) -> bool:
        stated = columns or _columns(row)
        try:
            signed = _signed_text(row, stated)
            return any(hmac.compare_digest(_mac(key.value, signed), stated["mac"]) for key in self.keys)
        except (ValueError, TypeError):  # a value that this service never writes
            return False

    def is_newest(self, row: AccessRow) -> bool:
        return bool(self.keys) and hmac.compare_digest(self.sign(row), row.mac)

    def refuse(self, row: AccessRow) -> None:
        table = str(row.__tablename__)
        log.error("row_refused", reason=table)
        self.has_refused = True
        self.on_refused(table)
        raise RowNotOurs(table)


def _mac(key: bytes, signed: bytes) -> bytes:
    return hmac.digest(key, signed, "sha256")


def _signed_text(row: AccessRow, columns: Mapping[str, Any]) -> bytes:
    signed = {name: _plain(value) for name, value in columns.items() if name not in row.unsigned}
    return f"{row.__tablename__}\n".encode() + canonical_json(signed)


def _columns(row: AccessRow) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in table_of(type(row)).c}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return format_utc(value) if isinstance(value, dt.datetime) else value


def open_access_keys(settings: Settings, engine: Engine) -> AccessKeys:
    """Sign and check the rows of `engine` from now on. The key file is read later."""
    configured = settings.access_key_file
    keys = AccessKeys(configured or settings.data_dir / ACCESS_KEY, is_configured=configured is not None)
    keys.may_be_made = configured is None and (settings.database_url is None or not settings.seal_to)
    engine.update_execution_options(**{KEYS_OF_ENGINE: keys})
    return keys


def access_keys_of(bind: Engine | Connection) -> AccessKeys | None:
    """Return None for a database that was opened without them, such as a copy that is only inspected."""
    keys: AccessKeys | None = bind.get_execution_options().get(KEYS_OF_ENGINE)
    return keys


def require_access_keys(engine: Engine, *, is_used: bool) -> AccessKeys:
    """Raise `SetupError` if no key signed any of the rows, or if `is_used` and there is no key. Nothing is written."""
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
    """Raise `RowNotOurs`, and log it, if a row was not signed with a key of this host."""
    keys = need_access_keys(session.get_bind())
    for row in rows:
        if not keys.has_signed(row):
            keys.refuse(row)


def require_current_rows(session: Session, *rows: AccessRow) -> None:
    """Refuse also a row that the audit log contradicts. Read the rows in the same `session`. Raise `RowNotOurs`."""
    keys = need_access_keys(session.get_bind())
    stated = [_columns(row) for row in rows]
    place = tuple(each["mac"] for each in stated)
    *same, of_record = keys.verified.get(place, (None, None, None))
    if same != [stated, keys.keys]:
        of_record = None
        require_ours(session, *rows)
    recorded = keys.record.as_of(session)
    if recorded is of_record:
        return
    for row in rows:
        if not recorded.agrees_with(row):
            keys.refuse(row)
    if len(keys.verified) >= MAX_VERIFIED:
        keys.verified.clear()
    keys.verified[place] = (stated, keys.keys, recorded)


def read_access_record(engine: Engine) -> None:
    """Read the access record in the background, so that no request after a start waits for the whole chain."""
    with Session(engine) as session:
        need_access_keys(engine).record.as_of(session)


def recorded_role(session: Session, name: str) -> str | None:
    """Return a person's role in the audit log: `NO_ROLE` if none is recorded, None if they left."""
    recorded = need_access_keys(session.get_bind()).record.as_of(session)
    role, *_ = recorded.people.get(name, (NO_ROLE, False, None))
    return None if recorded.left.get(name) else role


def find_name_of(session: Session, subject: str) -> str | None:
    """Return a person's name in the audit log. Return None without such a person or without access keys."""
    keys = access_keys_of(session.get_bind())
    return None if keys is None else keys.record.as_of(session).subjects.get(subject)


def need_access_keys(bind: Engine | Connection) -> AccessKeys:
    """Return the access keys. Raise `SetupError` if the database was opened without them."""
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
    """Raise `RowNotOurs` if the former MAC is not valid: signing would validate a forgery. A revocation is signed."""
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


def sign_again(session: Session, *, keys: AccessKeys, with_new_key: bool, accept: bool) -> tuple[int, list[str]]:
    """Sign every row with the newest key, after adding a key if `with_new_key`.

    Return the number of signed rows, and the names of rows that were left because no key had signed them. With `accept`
    these are signed too. Call in a write transaction: it keeps two processes from changing the key file. Raise
    `SetupError` without a key.
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
            left.append(NAMES[type(row)][0].format(row))
            continue
        table = table_of(type(row))
        its_own = [column == getattr(row, column.name) for column in table.primary_key.columns]
        session.connection().execute(update(table).where(*its_own).values(mac=keys.sign(row)))
        count += 1
    return count, left


def drop_old_access_keys(session: Session, *, keys: AccessKeys) -> None:
    """Keep only the newest key. Raise `SetupError` if a readable row still has the MAC of an older one."""
    keys.read()
    if any(keys.has_signed_so_far(row) and not keys.is_newest(row) for row in _every_row(session)[0]):
        raise SetupError("a row is still signed with a former key: run `guidance keys rotate-access` first")
    keys.drop_old()


def verify_access(engine: Engine, on_step: OnStep = show_no_progress) -> Iterator[tuple[str, str]]:
    """Yield each row that is invalid or missing, and each table that cannot be read, with its fault.

    All are read in one snapshot. Sessions may be missing, because an expired one is deleted without an entry. Without
    access keys no signature is checked. Raise `SetupError`.
    """
    keys = access_keys_of(engine)
    with Session(engine) as session:
        recorded = replay_people(session, on_step).recorded
        rows, unreadable = _every_row(session)
    for table in unreadable:
        yield table, "it has a row that cannot be read"
    if keys is not None and not all(map(keys.has_signed_so_far, rows)):
        keys.read()  # there may be a new key
    for row in rows:
        if isinstance(row, ClientKeyRow) and row.client in recorded.revoked:
            continue
        about, remedy = (text.format(row) for text in NAMES[type(row)])
        if keys is not None and not keys.has_signed_so_far(row):
            yield (
                about,
                f"no key of this machine signed it: somebody else wrote or altered it, and it lets nobody in; {remedy}",
            )
        elif not recorded.agrees_with(row):
            yield about, f"it is not as the record of people says, and it lets nobody in; {remedy}"
    yield from _missing_rows(recorded, rows, unreadable)


def _missing_rows(
    recorded: RecordedAccess, rows: Collection[AccessRow], unreadable: Collection[str]
) -> Iterator[tuple[str, str]]:
    there = {(type(row), name_on_record(row)) for row in rows}
    keys = {key: client for key, (client, _) in recorded.keys.items() if client not in recorded.revoked}
    expected: list[tuple[type[AccessRow], str, Mapping[str, str]]] = [
        (ClientRow, "client", {name: name for name in recorded.clients.keys() | recorded.revoked}),
        (ClientKeyRow, "a key of client", keys),
        (
            PersonRow,
            "person",
            {name: name for name in {**recorded.people, **recorded.left} if recorded.left.get(name, True)},
        ),
        (PasskeyRow, "a passkey of", recorded.passkeys),
        (KeyCopyRow, "a locked key of", {name: person for name, (person, *_) in recorded.copies.items()}),
        (InvitationRow, "an invitation of", recorded.links),
    ]
    for table, what, owners in expected:
        if str(table.__tablename__) not in unreadable:
            for owner in sorted(owner for name, owner in owners.items() if (table, name) not in there):
                yield f"{what} {owner}", "it is on record, and its row is gone"
