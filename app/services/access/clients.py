"""Clients: adding, revoking, and knowing who calls."""

import datetime as dt
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection, Engine
from sqlmodel import Session

from app.errors import SetupError, TokenInvalid
from app.models.base import SLUG_PATTERN
from app.models.clients import ClientRow, Scope
from app.store.clients import find_client, insert_client

KEY_BYTES = 32
KEY_PREFIX = "omg_"


@dataclass(frozen=True)
class Principal:
    """Who calls, and what they may do."""

    name: str
    scopes: frozenset[str]


class Provider(Protocol):
    """Whoever else tells who holds a token, and what they may do."""

    def read_token(self, token: str) -> tuple[str, frozenset[str]]:
        """The client's name and scopes. Raises `TokenInvalid` and `ProviderUnavailable`."""


@dataclass(frozen=True)
class Authenticator:
    """Knows clients by their keys and, where an OpenID provider is configured, by its tokens."""

    engine: Engine
    provider: Provider | None

    def admit(self, token: str) -> Principal:
        """Who holds that token. Raises `TokenInvalid`."""
        if self.provider is not None and token.count(".") == 2:  # noqa: PLR2004  # a JWS has three parts
            name, scopes = self.provider.read_token(token)
            return Principal(name, scopes)
        key_sha256 = _sha256(token)
        with Session(self.engine) as session:
            client = find_client(session, key_sha256=key_sha256)
            if client is None or not hmac.compare_digest(client.key_sha256, key_sha256):
                raise TokenInvalid
            return Principal(client.name, frozenset(client.scopes))


def add_client(connection: Connection, *, name: str, scopes: Iterable[Scope], at: dt.datetime) -> str:
    """Add a client and give its key, which is told here once and kept nowhere. Raises `ClientExists`."""
    if not re.fullmatch(SLUG_PATTERN, name):
        raise SetupError("a client's name is lower-case words joined by hyphens")
    key = KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)
    row = ClientRow(name=name, key_sha256=_sha256(key), scopes=sorted(set(scopes)), added_at=at)
    insert_client(connection, row)
    return key


def _sha256(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
