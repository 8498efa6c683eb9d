"""Cursors over numbers that also count what a caller may not see, sealed under the access key of all nodes."""

import base64
import hmac
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from sqlalchemy import Connection, Engine

from app.errors import InvalidCursor
from app.models.base import base64url
from app.services.access.row_signing import AccessKeys, need_access_keys
from app.services.cursors import NOT_OURS, decode_key

HALF = 8
SEALED_LENGTH = 43
"""The length of every sealed cursor: no plain number is as long."""


class Place(NamedTuple):
    """A place in a list: the number of the row before it, and the start of that row's hash. The list begins at 0."""

    number: int
    mark: bytes = bytes(HALF)


def seal_cursor(bind: Engine | Connection, purpose: str, place: Place) -> str:
    """Return the cursor of `place` in the list `purpose`. The same place always has the same cursor."""
    keys = need_access_keys(bind)
    keys.require(bind)
    return base64url(_ciphers(keys)[0].encrypt(place.number.to_bytes(HALF, "big") + place.mark, [purpose.encode()]))


def open_cursor(bind: Engine | Connection, purpose: str, cursor: str, *, parameter: str = "cursor") -> Place | None:
    """Return the place. A plain number of an earlier version, which tells of hidden rows, gives None.

    Raise `InvalidCursor`.
    """
    if len(cursor) != SEALED_LENGTH:
        number = decode_key(cursor, otherwise=0, parameter=parameter)
        return None if number else Place(0)
    keys = need_access_keys(bind)
    opened = keys.look_twice(lambda: _opened(keys, purpose, cursor))
    if opened is None:
        raise InvalidCursor(NOT_OURS, parameter=parameter)
    return Place(int.from_bytes(opened[:HALF], "big"), opened[HALF:])


def seal_number(bind: Engine | Connection, purpose: str, number: int | None) -> str | None:
    return None if number is None else seal_cursor(bind, purpose, Place(number))


def open_number(bind: Engine | Connection, purpose: str, cursor: str | None) -> int | None:
    """Return the number of the row before the page. The first page, and a plain number, give None."""
    place = None if cursor is None else open_cursor(bind, purpose, cursor)
    return None if place is None else place.number or None


def _ciphers(keys: AccessKeys) -> list[AESSIV]:
    return [AESSIV(hmac.digest(key.value, b"cursors", "sha512")) for key in keys.keys]


def _opened(keys: AccessKeys, purpose: str, cursor: str) -> bytes | None:
    for cipher in _ciphers(keys):
        try:
            return cipher.decrypt(base64.b64decode(cursor + "=", altchars=b"-_", validate=True), [purpose.encode()])
        except (ValueError, InvalidTag):
            continue
    return None
