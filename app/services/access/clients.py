"""Clients and their keys: adding, rotating, revoking and authenticating them."""

import datetime as dt
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import Engine
from sqlmodel import Session

from app.errors import NoSuchClient, SetupError, TokenInvalid
from app.models.base import SLUG_PATTERN
from app.models.clients import ClientKeyRow, ClientRow, Scope
from app.models.recordable_names import is_recordable
from app.services.access.key_uses import KeyUses
from app.services.access.principals import Principal, check_person
from app.store.clients import find_key, insert_client, list_keys
from app.store.writer import Writer, write_operation

KEY_BYTES = 32
KEY_PREFIX = "omg_"


class Provider(Protocol):
    """Another service that issues tokens, for example an OpenID provider."""

    def read_token(self, token: str) -> Principal:
        """Return the client, with the person that acts. Raises `TokenInvalid` and `ProviderUnavailable`."""


@dataclass(frozen=True)
class Authenticator:
    """Authenticates clients by their keys and, where an OpenID provider is configured, by its tokens."""

    engine: Engine
    provider: Provider | None
    key_uses: KeyUses = field(default_factory=KeyUses)

    def authenticate(self, token: str, *, at: dt.datetime) -> Principal:
        """Return the client that holds that token. Raises `TokenInvalid`, with the reason."""
        if self.provider is not None and token.count(".") == 2:  # noqa: PLR2004  # a JWS has three parts
            return self.provider.read_token(token)
        key_sha256 = _sha256(token)
        with Session(self.engine) as session:
            found = find_key(session, key_sha256=key_sha256)
        if found is None or not hmac.compare_digest(found[0].key_sha256, key_sha256):
            raise TokenInvalid("no client has that key")
        key, client = found
        if client.revoked_at is not None:
            raise TokenInvalid("the client was revoked")
        if not key.is_valid(at):
            raise TokenInvalid("the key has ended")
        self.key_uses.note(key_sha256, last_used_at=key.last_used_at, at=at)
        return Principal(client.name, frozenset(client.scopes), client.person, for_tests=client.test)


def add_client(
    writer: Writer,
    *,
    name: str,
    scopes: Iterable[Scope],
    at: dt.datetime,
    person: str | None = None,
    expires_at: dt.datetime | None = None,
    test: bool = False,
) -> str:
    """Add a client and return its key, of which only a hash is stored. Raises `ClientExists`.

    A client for tests may submit, and nothing else: raises `SetupError`.
    """
    if not re.fullmatch(SLUG_PATTERN, name) or not is_recordable(name):
        raise SetupError("a client's name is lower-case words joined by hyphens")
    if person is not None:
        check_person(person)
    key = _draw_key()
    granted = sorted({scope.value for scope in scopes})
    if not granted or (test and granted != [Scope.SUBMIT]):
        raise SetupError(f"a client has one scope or more; one for tests has {Scope.SUBMIT} alone")

    def write(session: Session) -> None:
        insert_client(session, ClientRow(name=name, scopes=granted, added_at=at, person=person, test=test))
        session.add(ClientKeyRow(key_sha256=_sha256(key), client=name, added_at=at, expires_at=expires_at))

    writer.run(write)
    return key


def rotate_key(
    writer: Writer, *, name: str, overlap: dt.timedelta, at: dt.datetime, expires_at: dt.datetime | None = None
) -> tuple[str, dt.datetime | None]:
    """Give the client another key, and return it with its end. Its older keys end after the overlap, if not before.

    Without `expires_at` the new key is valid for as long as the newest one was to be. Raises `NoSuchClient`, also if
    the client is revoked.
    """
    key = _draw_key()

    def write(session: Session) -> dt.datetime | None:
        client = session.get(ClientRow, name)
        if client is None or client.revoked_at is not None:
            raise NoSuchClient("No client of that name may be given a key.")
        older = list_keys(session, name)
        ends = expires_at or _end_of_another(older[-1], at)
        for each in older:
            if each.is_valid(at + overlap):
                each.expires_at = at + overlap
        session.add(ClientKeyRow(key_sha256=_sha256(key), client=name, added_at=at, expires_at=ends))
        return ends

    return key, writer.run(write)


@write_operation
def revoke_client(session: Session, name: str, *, at: dt.datetime) -> None:
    """Revoke a client, unless it already is: none of its keys is valid any more. Raises `NoSuchClient`."""
    client = session.get(ClientRow, name)
    if client is None:
        raise NoSuchClient
    client.revoked_at = client.revoked_at or at


def _end_of_another(key: ClientKeyRow, at: dt.datetime) -> dt.datetime | None:
    return None if key.expires_at is None else at + (key.expires_at - key.added_at)


def _draw_key() -> str:
    return KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)


def _sha256(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
