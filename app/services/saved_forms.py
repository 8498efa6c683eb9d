"""Drafts: a form that is finished later. The server cannot read it without the code that it gives to its writer.

HKDF (RFC 5869) derives from the code the id under which the draft is found, and the key under which it is encrypted
(AES-256-GCM). Neither the code nor the key is stored. The text is padded, so that its length says little.
"""

import datetime as dt
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Engine, delete, func, or_, update
from sqlmodel import Session, col, select

from app.db.writer import Writer, write_operation
from app.errors import NoSuchDraft, SavedFormsFull, TooManySavedForms
from app.models.receipts import new_status_token, standard_token
from app.models.saved_forms import DraftRow
from app.services.receipts import NONCE_LENGTH
from app.services.record import purge_remnants, require_clock

LIFETIME = dt.timedelta(hours=24)
OPENED_LIFETIME = dt.timedelta(minutes=10)
"""How long the page that opened a draft may open it again: an answer to a telephone can be lost on its way."""
SHARE = 20
"""How many forms of one network may be saved at the same time."""
MAX_BYTES = 256_000_000
"""How large all saved forms together may be."""
BLOCK = 4096

Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class SavedDraft:
    """The code of a draft, which only its writer has from now on, and when the draft is erased."""

    code: str
    expires_at: dt.datetime


@dataclass(frozen=True)
class Drafts:
    """Saves drafts, opens each of them once, and erases them."""

    engine: Engine
    writer: Writer

    def save(self, path: str, fields: Fields, *, source: str = "", at: dt.datetime) -> SavedDraft:
        """Store the fields of the form at that path, for the source of that mark, if it has one.

        Raises `TooManySavedForms` where the source has its share, `SavedFormsFull`, or `StoreBusy`.
        """
        code, expires_at = new_status_token(), at + LIFETIME
        draft_id, key = _derive(code)
        nonce = secrets.token_bytes(NONCE_LENGTH)
        text = orjson.dumps({"path": path, "fields": fields})
        padded = text.ljust(-(-len(text) // BLOCK) * BLOCK)
        sealed = nonce + AESGCM(key).encrypt(nonce, padded, draft_id)
        columns = {"draft_id": draft_id, "sealed": sealed, "size": len(sealed), "source": source}
        _insert(self.writer, columns | {"expires_at": expires_at}, at)
        return SavedDraft(code, expires_at)

    def open(self, typed_code: str, *, page: str, at: dt.datetime) -> tuple[str, dict[str, list[str]]]:
        """Return path and fields of the draft, to the first `page` that opens it. Raises `NoSuchDraft`."""
        draft_id, key = _derive(standard_token(typed_code))
        page_sha256 = hashlib.sha256(page.encode()).digest()
        sealed = _claim(self.writer, draft_id, page_sha256, at)
        if sealed is None:
            raise NoSuchDraft
        text = AESGCM(key).decrypt(sealed[:NONCE_LENGTH], sealed[NONCE_LENGTH:], draft_id)
        draft: dict[str, Any] = orjson.loads(text)
        return draft["path"], draft["fields"]

    def erase_expired(self, *, at: dt.datetime) -> int:
        """Erase every draft whose time is over, and what is left of it in the files. Return how many there were.

        Raises `ClockInDoubt`: what a wrong clock would erase can be opened when it is right again.
        """
        with Session(self.engine) as session:
            require_clock(session, at=at)
        erased = _erase(self.writer, at)
        if erased:
            purge_remnants(self.engine)
        return erased


def measure_saved(session: Session) -> tuple[int, int]:
    """Return how many forms are saved, and how many bytes they have."""
    return session.exec(select(func.count(), func.coalesce(func.sum(col(DraftRow.size)), 0))).one()


def group_of(typed_code: str) -> str:
    """Return the first group of a code, by which wrong codes are counted: each draft's code has one."""
    return standard_token(typed_code)[:4]


def _derive(code: str) -> tuple[bytes, bytes]:
    """Return the id and the key. The code has 80 random bits, so a slow derivation would add nothing."""
    derived = HKDF(SHA256(), length=64, salt=None, info=b"saved draft").derive(code.encode())
    return derived[:32], derived[32:]


@write_operation
def _insert(session: Session, columns: Mapping[str, Any], at: dt.datetime) -> None:
    own = select(func.count()).where(col(DraftRow.source) == columns["source"], col(DraftRow.expires_at) > at)
    if columns["source"] and session.exec(own).one() >= SHARE:
        raise TooManySavedForms
    if measure_saved(session)[1] + columns["size"] > MAX_BYTES:
        raise SavedFormsFull
    session.add(DraftRow(**columns))


@write_operation
def _claim(session: Session, draft_id: bytes, page_sha256: bytes, at: dt.datetime) -> bytes | None:
    """Return the encrypted draft to the first page that opens it, and to that page alone for a while; else None."""
    until, its_own = at + OPENED_LIFETIME, col(DraftRow.draft_id) == draft_id
    claimed = (
        update(DraftRow)
        .where(
            its_own,
            col(DraftRow.expires_at) > at,
            or_(col(DraftRow.opened_by_sha256).is_(None), col(DraftRow.opened_by_sha256) == page_sha256),
        )
        .values(opened_by_sha256=page_sha256)
        .returning(col(DraftRow.sealed))
    )
    sealed: bytes | None = session.connection().execute(claimed).scalar_one_or_none()
    if sealed is not None:
        soon = update(DraftRow).where(its_own, col(DraftRow.expires_at) > until).values(expires_at=until)
        session.connection().execute(soon)
    return sealed


@write_operation
def _erase(session: Session, at: dt.datetime) -> int:
    return session.connection().execute(delete(DraftRow).where(col(DraftRow.expires_at) <= at)).rowcount
