"""Signing of rows that grant access. Such a row counts only if its MAC is valid and the audit log agrees with it.

The MAC needs a key that is on the host and not in the database. So someone who can only write to the database cannot
forge a row. If someone puts an older version of a row back, the MAC of the old row is still valid. But the old row
grants no access, because the audit log has a later entry that contradicts the row.

If no known key signed a row, a check reads the key file again. A check or a write of such a row raises `SetupError` if
the key file cannot be read, or if one of its lines is not a key. A write also does so if there is no key and none may
be made (see `AccessKeys.require`).
"""

import datetime as dt
import hmac
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
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
"""The name of the engine's execution option that holds the `AccessKeys`."""
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
"""For each table: the name of a row in messages, and the operator's action if the row is not valid (as templates)."""
log = Log(__name__)


class AccessKeys(KeyFile):
    """The keys that sign rows which grant access. New rows are signed with the first key. A MAC of any key is valid.

    If the key file is missing and `may_be_made` is True, the file is created when the first row is written.
    """

    purpose = "rows that let somebody in are signed with"
    command = "guidance keys rotate-access"
    may_be_made = True
    """True if `require` may create the key file.

    False if a setting names the file, or if nodes may share the database: PostgreSQL, except in a trial.
    """
    on_refused: Callable[[str], None] = staticmethod(lambda _table: None)
    """Called with the name of the table for each refused row."""
    has_refused = False
    """True if this process has refused a row."""

    def __init__(self, path: Path, *, is_configured: bool) -> None:
        super().__init__(path, is_configured=is_configured)
        self.record = AccessRecord()
        """The state of access according to the audit log, cached in this process."""

    def require(self, bind: Engine | Connection) -> None:
        """Ensure that there is a key: read the key file if necessary, or create the file for the first row.

        `bind` is the engine or connection of the database. If there is no key, raise `SetupError` in two cases: the
        database already has rows that grant access, or `may_be_made` is False.
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
        """Return the MAC of `row` under the newest key. There must be a key: see `require`."""
        return _mac(self.keys[0].value, _signed_text(row, _columns(row)))

    def has_signed(self, row: AccessRow, columns: Mapping[str, Any] | None = None) -> bool:
        """Return True if the MAC of `row` is valid under a key. Read the key file again before returning False.

        The file may have a new key. If `columns` is given, check these values, which include the MAC, instead of the
        current values of the row.
        """
        if self.has_signed_so_far(row, columns):
            return True
        self.read()
        return self.has_signed_so_far(row, columns)

    def has_signed_so_far(self, row: AccessRow, columns: Mapping[str, Any] | None = None) -> bool:
        """Return True if the MAC of `row` is valid under a key that was already read.

        If `columns` is given, check these values, which include the MAC, instead of the current values of the row.
        """
        stated = columns or _columns(row)
        try:
            signed = _signed_text(row, stated)
            return any(hmac.compare_digest(_mac(key.value, signed), stated["mac"]) for key in self.keys)
        except (ValueError, TypeError):  # a value that this service never writes
            return False

    def is_newest(self, row: AccessRow) -> bool:
        """Return True if `row` is signed with the newest key."""
        return bool(self.keys) and hmac.compare_digest(self.sign(row), row.mac)

    def refuse(self, row: AccessRow) -> None:
        """Log an error for `row`, set `has_refused`, call `on_refused`, and raise `RowNotOurs`."""
        table = str(row.__tablename__)
        log.error("row_refused", reason=table)
        self.has_refused = True
        self.on_refused(table)
        raise RowNotOurs(table)


def _mac(key: bytes, signed: bytes) -> bytes:
    return hmac.digest(key, signed, "sha256")


def _signed_text(row: AccessRow, columns: Mapping[str, Any]) -> bytes:
    """Return the bytes to sign for `row`: the table's name, and the canonical JSON (RFC 8785) of the signed columns."""
    signed = {name: _plain(value) for name, value in columns.items() if name not in row.unsigned}
    return f"{row.__tablename__}\n".encode() + canonical_json(signed)


def _columns(row: AccessRow) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in table_of(type(row)).c}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return format_utc(value) if isinstance(value, dt.datetime) else value


def open_access_keys(settings: Settings, engine: Engine) -> AccessKeys:
    """Return the access keys that `settings` configure, and use them from now on to sign and check rows of `engine`.

    The key file is not read yet.
    """
    configured = settings.access_key_file
    keys = AccessKeys(configured or settings.data_dir / ACCESS_KEY, is_configured=configured is not None)
    keys.may_be_made = configured is None and (settings.database_url is None or not settings.seal_to)
    engine.update_execution_options(**{KEYS_OF_ENGINE: keys})
    return keys


def access_keys_of(bind: Engine | Connection) -> AccessKeys | None:
    """Return the access keys of the engine or connection `bind`.

    Return None if the database was opened without access keys, for example a copy that is only inspected.
    """
    keys: AccessKeys | None = bind.get_execution_options().get(KEYS_OF_ENGINE)
    return keys


def require_access_keys(engine: Engine, *, is_used: bool) -> AccessKeys:
    """Read and return the access keys of `engine`. Write nothing.

    Raise `SetupError` if `KeyFile.load` refuses the key file, or if the database has rows that grant access and no key
    signed any of them. If `is_used` is True, also raise `SetupError` if there is no key and `require` may not create
    one. `is_used` means that people sign in through an OpenID provider: such a sign-in writes rows without a command of
    the operator.
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
    """Raise `RowNotOurs` if one of `rows` was not signed with a key of this host. Log that row first."""
    keys = need_access_keys(session.get_bind())
    for row in rows:
        if not keys.has_signed(row):
            keys.refuse(row)


def require_current_rows(session: Session, *rows: AccessRow) -> None:
    """Raise `RowNotOurs` if one of `rows` was not signed with a key of this host, or the audit log contradicts it.

    Log the refused row first (see `AccessKeys.refuse`). The caller must read the rows in the same `session`, so that
    rows and audit log come from one snapshot.
    """
    require_ours(session, *rows)
    keys = need_access_keys(session.get_bind())
    recorded = keys.record.as_of(session)
    for row in rows:
        if not recorded.agrees_with(row):
            keys.refuse(row)


def read_access_record(engine: Engine) -> None:
    """Read the new audit entries of the chain `people` into the cache.

    Run in the background, so that no request after a start waits until the whole chain is read.
    """
    with Session(engine) as session:
        need_access_keys(engine).record.as_of(session)


def recorded_role(session: Session, name: str) -> str | None:
    """Return the role of the person `name` according to the audit log only, without reading their row.

    Return `NO_ROLE` if no role is recorded, or None if the person left the desk.
    """
    recorded = need_access_keys(session.get_bind()).record.as_of(session)
    role, *_ = recorded.people.get(name, (NO_ROLE, False, None))
    return None if recorded.left.get(name) else role


def find_name_of(session: Session, subject: str) -> str | None:
    """Return the recorded name of the person whom an OpenID provider identifies by `subject`.

    Return None if the audit log has no such person, or if the database was opened without access keys.
    """
    keys = access_keys_of(session.get_bind())
    return None if keys is None else keys.record.as_of(session).subjects.get(subject)


def need_access_keys(bind: Engine | Connection) -> AccessKeys:
    """Return the access keys of the engine or connection `bind`.

    Raise `SetupError` if the database was opened without access keys.
    """
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
    """Return all rows that grant access, and the names of the tables that cannot be read.

    A table with one unreadable row contributes no rows.
    """
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
    """Sign a changed row, if its MAC was valid before the change.

    Otherwise refuse the change and raise `RowNotOurs`, because signing would make a forged row valid. A row that no
    longer grants access is always signed, so that a forged row can be revoked.
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
class SignedAgain:
    """The result of signing rows again.

    `count` is the number of rows signed with the newest key. `left` has the names of the rows that were skipped because
    no key had signed them.
    """

    count: int
    left: list[str]


def sign_again(session: Session, *, keys: AccessKeys, with_new_key: bool, accept: bool) -> SignedAgain:
    """Sign every row that grants access with the newest key. If `with_new_key`, first add a new key to the key file.

    Skip a row that no key signed, unless `accept` is True. Skip every row of a table that has an unreadable row. Raise
    `SetupError` if there are rows but no key. The caller must run this in a write transaction. Only one process at a
    time has a write transaction, so no two processes change the key file simultaneously.
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
            left.append(describe_row(row))
            continue
        table = table_of(type(row))
        its_own = [column == getattr(row, column.name) for column in table.primary_key.columns]
        session.connection().execute(update(table).where(*its_own).values(mac=keys.sign(row)))
        count += 1
    return SignedAgain(count, left)


def drop_old_access_keys(session: Session, *, keys: AccessKeys) -> None:
    """Remove all keys except the newest from the key file.

    Raise `SetupError`, and remove nothing, if a row that grants access still has the MAC of an older key. A table with
    an unreadable row is not checked.
    """
    keys.read()
    if any(keys.has_signed_so_far(row) and not keys.is_newest(row) for row in _every_row(session)[0]):
        raise SetupError("a row is still signed with a former key: run `guidance keys rotate-access` first")
    keys.drop_old()


def describe_row(row: AccessRow) -> str:
    """Return a name of `row` for an operator, for example 'a passkey of Ann'."""
    return NAMES[type(row)][0].format(row)


def verify_access(engine: Engine, on_step: OnStep = show_no_progress) -> Iterator[tuple[str, str]]:
    """Yield a name and the fault of each row that is invalid or missing, and of each table that cannot be read.

    A row that grants access is invalid if no key signed it, or if it contradicts the audit log. A row is missing if the
    audit log expects it and the database lacks it. A missing session is not reported. Signatures are not checked in a
    database that was opened without access keys. Keys of a revoked client grant no access, and are skipped. Rows and
    audit log are read from one snapshot. `on_step` gets the number of audit entries read so far.

    If a signature is not valid with the keys read so far, read the key file again. Raise `SetupError` if the file
    cannot be read, or if one of its lines is not a key.
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
    """Yield a name and the fault of each row that the audit log expects but `rows` lacks. Skip the tables `unreadable`.

    `recorded` is the state of access according to the audit log. Sessions are not checked, because an expired session
    is deleted without an audit entry.
    """
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
