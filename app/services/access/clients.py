"""Clients: adding, revoking and authenticating them."""

import datetime as dt
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Engine
from sqlmodel import Session

from app.errors import NoSuchClient, SetupError, TokenInvalid
from app.models.base import SLUG_PATTERN
from app.models.clients import ClientRow, Scope
from app.store.clients import find_client, insert_client
from app.store.writer import Writer, write_operation

KEY_BYTES = 32
KEY_PREFIX = "omg_"


@dataclass(frozen=True)
class Principal:
    """The client that a request acts for, and its scopes."""

    name: str
    scopes: frozenset[str]


class Provider(Protocol):
    """Another service that issues tokens, for example an OpenID provider."""

    def read_token(self, token: str) -> tuple[str, frozenset[str]]:
        """Return the client's name and scopes. Raises `TokenInvalid` and `ProviderUnavailable`."""


@dataclass(frozen=True)
class Authenticator:
    """Authenticates clients by their keys and, where an OpenID provider is configured, by its tokens."""

    engine: Engine
    provider: Provider | None

    def authenticate(self, token: str) -> Principal:
        """Return the client that holds that token. Raises `TokenInvalid`."""
        if self.provider is not None and token.count(".") == 2:  # noqa: PLR2004  # a JWS has three parts
            name, scopes = self.provider.read_token(token)
            return Principal(name, scopes)
        key_sha256 = _sha256(token)
        with Session(self.engine) as session:
            client = find_client(session, key_sha256=key_sha256)
            if client is None or not hmac.compare_digest(client.key_sha256, key_sha256):
                raise TokenInvalid
            return Principal(client.name, frozenset(client.scopes))


def add_client(writer: Writer, *, name: str, scopes: Iterable[Scope], at: dt.datetime) -> str:
    """Add a client and return its key, of which only a hash is stored. Raises `ClientExists`."""
    if not re.fullmatch(SLUG_PATTERN, name):
        raise SetupError("a client's name is lower-case words joined by hyphens")
    key = KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)
    granted = sorted({scope.value for scope in scopes})

    def write(session: Session) -> None:
        insert_client(session, ClientRow(name=name, key_sha256=_sha256(key), scopes=granted, added_at=at))

    writer.run(write)
    return key


@write_operation
def revoke_client(session: Session, name: str, *, at: dt.datetime) -> None:
    """Revoke a client, unless it already is: its key is no longer valid. Raises `NoSuchClient`."""
    client = session.get(ClientRow, name)
    if client is None:
        raise NoSuchClient
    client.revoked_at = client.revoked_at or at


def _sha256(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
