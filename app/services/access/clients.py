"""Clients, the programs that call this API: adding and revoking them, rotating their keys, and authentication."""

import datetime as dt
import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

from sqlalchemy import Engine, or_, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlmodel import Session, col, select

from app.db.writer import Writer
from app.errors import ClientExists, GuidanceError, NoSuchClient, SetupError, TokenInvalid
from app.logs import Log
from app.models.access.clients import OF_A_LEAD, ClientKeyRow, ClientRow, Scope
from app.models.access.names import MAX_NAME_LENGTH, find_name_refusal, is_recordable
from app.models.audit.details import ClientAddedDetails, ClientDetails, KeyAddedDetails
from app.models.audit.rows import DeskAct
from app.models.base import SLUG_PATTERN
from app.services.access.access_record import by_operator, name_on_record, record_person
from app.services.access.row_signing import find_name_of, require_current_rows, require_ours
from app.services.audit.audit_log import Actor

TOKEN_BYTES = 32
KEY_PREFIX = "omg_"
DOCS_CLIENT = "docs-page"
ACCURACY = dt.timedelta(minutes=5)
"""A use is stored only if it is at least so much later than the stored one."""
log = Log(__name__)


def check_new_person(name: str) -> str:
    """Return a new person's name in NFC. Raise `SetupError` if it is invalid, or could be mistaken for another."""
    if not is_recordable(name):
        raise SetupError(f"a person's name is 1 to {MAX_NAME_LENGTH} characters that print, without spaces around it")
    if (reason := find_name_refusal(name)) is not None:
        raise SetupError(f"a person's name {reason}")
    return unicodedata.normalize("NFC", name)


@dataclass(frozen=True)
class Principal:
    """The authenticated caller. If `for_tests` is True, it may send test concerns only."""

    name: str
    scopes: frozenset[str]
    person: str | None = None
    for_tests: bool = False

    @property
    def is_lead(self) -> bool:
        """Return True also for any caller with the scope for restricted concerns."""
        of_a_person = self.person is not None and self.scopes >= OF_A_LEAD
        return of_a_person or Scope.RESTRICTED in self.scopes

    @property
    def name_on_record(self) -> str:
        """Return the client, a slash, and the person if known. A slash in the client's name is percent-encoded."""
        client = self.name.replace("%", "%25").replace("/", "%2F")
        return client if self.person is None else f"{client}/{self.person}"


def draw_token(prefix: str = "") -> str:
    return prefix + secrets.token_urlsafe(TOKEN_BYTES)


def token_digest(token: str) -> bytes:
    """Return the SHA-256 of a token, which the database stores in place of the token."""
    return hashlib.sha256(token.encode()).digest()


def _list_keys(session: Session, client: str) -> list[ClientKeyRow]:
    """Return the oldest key first, including expired keys."""
    statement = select(ClientKeyRow).where(ClientKeyRow.client == client)
    return list(session.exec(statement.order_by(col(ClientKeyRow.added_at), col(ClientKeyRow.key_sha256))))


def list_clients(session: Session) -> list[tuple[ClientRow, list[ClientKeyRow]]]:
    """Return the clients by name, including revoked ones."""
    return [
        (client, _list_keys(session, client.name))
        for client in session.exec(select(ClientRow).order_by(ClientRow.name))
    ]


def revoke_clients_of(session: Session, person: str, *, actor: Actor) -> list[str]:
    """Revoke all clients that act for `person`. Return their names, with those that were revoked before."""
    clients = session.exec(select(ClientRow).where(ClientRow.person == person).order_by(ClientRow.name)).all()
    for client in clients:
        _revoke(session, client, actor)
    return [client.name for client in clients]


def _revoke(session: Session, client: ClientRow, actor: Actor) -> None:
    if client.revoked_at is None:
        client.revoked_at = actor.at
        record_person(session, DeskAct.CLIENT_REVOKED, actor, ClientDetails(client=client.name))


class KeyUses:
    """Buffers the last use of each key, so that authentication does not write."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._noted: dict[bytes, dt.datetime] = {}

    def note(self, key_sha256: bytes, *, last_used_at: dt.datetime | None, at: dt.datetime) -> None:
        """Note the use unless the stored `last_used_at` is less than `ACCURACY` before `at`."""
        if last_used_at is None or at - last_used_at >= ACCURACY:
            with self._lock:
                self._noted[key_sha256] = at

    def store(self, writer: Writer) -> None:
        """Store the uses. If the database cannot be written, log it and keep them for the next call."""
        with self._lock:
            noted, self._noted = self._noted, {}
        if not noted:
            return
        try:
            writer.run(_store_uses, uses=noted)
        except (SQLAlchemyError, GuidanceError) as failure:
            log.warning("key_uses_not_stored", error=type(failure).__name__)
            with self._lock:
                self._noted = noted | self._noted


def _store_uses(session: Session, *, uses: Mapping[bytes, dt.datetime]) -> None:
    for key_sha256, used_at in sorted(uses.items()):  # all nodes update rows in the same order
        last = col(ClientKeyRow.last_used_at)
        session.connection().execute(
            update(ClientKeyRow)
            .where(col(ClientKeyRow.key_sha256) == key_sha256, or_(last.is_(None), last < used_at))
            .values(last_used_at=used_at)
        )


@dataclass(frozen=True)
class Authenticator:
    engine: Engine
    read_token: Callable[[str], Principal] | None
    """Of the OpenID provider."""
    key_uses: KeyUses = field(default_factory=KeyUses)

    def authenticate(self, token: str, *, at: dt.datetime) -> Principal:
        """Return the caller with this token, and note the use.

        Raise `TokenInvalid`, `RowNotOurs` or `ProviderUnavailable`.
        """
        if self.read_token is not None and token.count(".") == 2:  # noqa: PLR2004  # a JWS has three parts
            return self._named(self.read_token(token))
        key_sha256 = token_digest(token)
        with Session(self.engine) as session:
            key_of_client = select(ClientKeyRow, ClientRow).join(ClientRow)
            found = session.exec(key_of_client.where(ClientKeyRow.key_sha256 == key_sha256)).one_or_none()
            if found is None or not hmac.compare_digest(found[0].key_sha256, key_sha256):
                raise TokenInvalid("no client has that key")
            key, client = found
            require_current_rows(session, key, client)
        if client.revoked_at is not None:
            raise TokenInvalid("the client was revoked")
        if not key.is_valid(at):
            raise TokenInvalid("the key has ended")
        self.key_uses.note(key_sha256, last_used_at=key.last_used_at, at=at)
        return Principal(client.name, frozenset(client.scopes), client.person, for_tests=client.test)

    def _named(self, caller: Principal) -> Principal:
        """Use the name that the person has on the desk's pages, if they have signed in there."""
        if caller.person is None:
            return caller
        with Session(self.engine) as session:
            name = find_name_of(session, caller.person)
        return caller if name is None else replace(caller, person=name)


def add_client(
    writer: Writer,
    name: str,
    scopes: Iterable[Scope],
    person: str | None = None,
    *,
    test: bool = False,
    at: dt.datetime,
    expires_at: dt.datetime | None = None,
) -> str:
    """Add a client, and return its first key, of which only a hash is stored.

    `person` is None for a program. A `test` client may only send test concerns. Raise `ClientExists`, also for the name
    of a revoked client; `SetupError` for an invalid name, no scope, or a test client with more than `submit`;
    `StoreBusy`.
    """
    if name == DOCS_CLIENT:
        raise SetupError(f"a client's name is not {DOCS_CLIENT}: the page of the API documentation has it")
    return _add_client(writer, name, scopes, person, test=test, at=at, expires_at=expires_at)


def _add_client(
    writer: Writer,
    name: str,
    scopes: Iterable[Scope],
    person: str | None = None,
    *,
    test: bool,
    at: dt.datetime,
    expires_at: dt.datetime | None,
) -> str:
    if not re.fullmatch(SLUG_PATTERN, name) or not is_recordable(name):
        raise SetupError("a client's name is lower-case words joined by hyphens")
    if (reason := find_name_refusal(name)) is not None:
        raise SetupError(f"a client's name {reason}")
    person = check_new_person(person) if person is not None else None
    key = draw_token(KEY_PREFIX)
    granted = sorted({scope.value for scope in scopes})
    if not granted or (test and granted != [Scope.SUBMIT]):
        raise SetupError(f"a client has one scope or more; one for tests has {Scope.SUBMIT} alone")

    def write(session: Session) -> None:
        row = ClientRow(name=name, scopes=granted, added_at=at, person=person, test=test)
        session.add(row)
        try:
            session.flush()
        except IntegrityError:
            raise ClientExists from None
        first = ClientKeyRow(key_sha256=token_digest(key), client=name, added_at=at, expires_at=expires_at)
        session.add(first)
        own = _key_fields(first) | {"scopes": tuple(row.scopes), "test": row.test, "person": row.person}
        record_person(session, DeskAct.CLIENT_ADDED, by_operator(at), ClientAddedDetails(**own))

    writer.run(write)
    return key


def rotate_key(
    writer: Writer, *, name: str, overlap: dt.timedelta, at: dt.datetime, expires_at: dt.datetime | None = None
) -> tuple[str, dt.datetime | None]:
    """Return a new key and its expiry. Older keys expire `overlap` after `at` at the latest.

    Without `expires_at`, the new key lives as long as the newest key did. Raise `NoSuchClient`, also for a revoked
    client, `RowNotOurs` or `StoreBusy`.
    """
    key = draw_token(KEY_PREFIX)

    def write(session: Session) -> dt.datetime | None:
        client = session.get(ClientRow, name)
        if client is None or client.revoked_at is not None:
            raise NoSuchClient("There is no active client with this name.")
        older = _list_keys(session, name)
        require_ours(session, client, *older)
        newest = older[-1]
        ends = expires_at or (newest.expires_at and at + (newest.expires_at - newest.added_at))
        for each in older:
            if each.is_valid(at + overlap):
                each.expires_at = at + overlap
        row = ClientKeyRow(key_sha256=token_digest(key), client=name, added_at=at, expires_at=ends)
        session.add(row)
        details = KeyAddedDetails(**_key_fields(row), older_keys_end=at + overlap)
        record_person(session, DeskAct.KEY_ADDED, by_operator(at), details)
        return ends

    return key, writer.run(write)


def _key_fields(key: ClientKeyRow) -> dict[str, Any]:
    return {"client": key.client, "key": name_on_record(key), "ends": key.expires_at}


def draw_docs_key(writer: Writer, *, at: dt.datetime, life: dt.timedelta) -> str:
    """Return a key of `DOCS_CLIENT` that expires after `life`, like all older ones. Raise as `rotate_key`."""
    try:
        return _add_client(writer, name=DOCS_CLIENT, scopes=[Scope.SUBMIT], test=True, at=at, expires_at=at + life)
    except ClientExists:
        return rotate_key(writer, name=DOCS_CLIENT, overlap=life, at=at, expires_at=at + life)[0]


def revoke_client(session: Session, name: str, *, at: dt.datetime) -> None:
    """Revoke the client, unless that was done before. Raise `NoSuchClient`."""
    client = session.get(ClientRow, name)
    if client is None:
        raise NoSuchClient
    _revoke(session, client, by_operator(at))
