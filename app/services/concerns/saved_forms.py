"""Saved forms: unfinished forms that the server can decrypt only with a code that the author of the form has.

HKDF (RFC 5869) derives id and key (AES-256-GCM) from the code; neither code nor key is stored. Padding hides the
length.
"""

import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import ColumnElement, delete, func, update
from sqlmodel import Session, col, select

from app.db.writer import Writer
from app.errors import NoSuchSavedForm, SavedFormsFull, TooManySavedForms
from app.models.concerns.saved_forms import SavedFormRow
from app.models.concerns.status_tokens import new_status_token, standard_token
from app.services.audit.known_time import require_clock
from app.services.audit.remnants import purge_remnants
from app.services.concerns.idempotency import NONCE_LENGTH

LIFETIME = dt.timedelta(hours=24)
SHARE = 20
"""Limit for people in one network together, so that none fills the store."""
SHARE_BYTES = 2_000_000
MAX_BYTES = 256_000_000
"""Limit for all saved forms."""
NEARLY_FULL = 0.8
"""Share of `MAX_BYTES` from which readiness warns."""
BLOCK = 4096
OPENING = re.compile(r"[0-9a-f]{64}\.[0-9a-f]{64}")
Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class SavedForm:
    """A saved form. Its code, which only the author has, opens nothing from `expires_at`."""

    code: str
    expires_at: dt.datetime


@dataclass(frozen=True)
class OpenedForm:
    """A form that was opened. `opening` comes back with the form and ends it once sent.

    It reveals neither code nor key.
    """

    path: str
    fields: dict[str, list[str]]
    opening: str


@dataclass(frozen=True)
class SavedForms:
    """A form is kept for a day, or until it is sent from any page, or saved again.

    Saving again gives a new code; the old one ends only if no other page has opened it since.
    """

    writer: Writer

    def save(self, path: str, fields: Fields, *, source: str = "", opening: str = "", at: dt.datetime) -> SavedForm:
        """Return the new code. `source` is the network's pseudonym, empty if not counted; `opening` that of `open`.

        Raise `TooManySavedForms`, `SavedFormsFull` or `StoreBusy`.
        """
        code, expires_at = new_status_token(), at + LIFETIME
        form_id, key = _derive(code)
        nonce = secrets.token_bytes(NONCE_LENGTH)
        text = orjson.dumps({"path": path, "fields": fields})
        padded = text.ljust(-(-len(text) // BLOCK) * BLOCK)
        sealed = nonce + AESGCM(key).encrypt(nonce, padded, form_id)
        columns = {"form_id": form_id, "sealed": sealed, "size": len(sealed), "source": source}
        self.writer.run(_insert, columns | {"expires_at": expires_at}, _of_opening(opening, newest_only=True), at)
        return SavedForm(code, expires_at)

    def expect(self, typed_code: str, *, at: dt.datetime) -> None:
        """Raise `NoSuchSavedForm` if the code opens nothing. A wrong code never waits for the writer."""
        form_id, _ = _derive(standard_token(typed_code))
        found = select(SavedFormRow.form_id).where(
            col(SavedFormRow.form_id) == form_id, col(SavedFormRow.expires_at) > at
        )
        with Session(self.writer.engine) as session:
            if session.exec(found).first() is None:
                raise NoSuchSavedForm

    def open(self, typed_code: str, *, page: str, at: dt.datetime) -> OpenedForm:
        """Note that `page`, stored as a digest, was the last to open it. Raise `NoSuchSavedForm` or `StoreBusy`."""
        form_id, key = _derive(standard_token(typed_code))
        sealed = self.writer.run(_claim, form_id, _page_digest(page), at)
        if sealed is None:
            raise NoSuchSavedForm
        text = AESGCM(key).decrypt(sealed[:NONCE_LENGTH], sealed[NONCE_LENGTH:], form_id)
        saved: dict[str, Any] = orjson.loads(text)
        return OpenedForm(saved["path"], saved["fields"], f"{form_id.hex()}.{_page_digest(page).hex()}")

    def end(self, opening: str, *, at: dt.datetime) -> None:
        """Let the form that was sent expire. Ignore an unknown `opening`. Raise `StoreBusy`."""
        ended = _of_opening(opening)
        if ended is not None:
            self.writer.run(_expire, ended, at)

    def erase_expired(self, *, at: dt.datetime) -> int:
        """Erase and purge, and return the number. Raise `StoreBusy`.

        Raise `ClockInDoubt` if the clock disagrees with the last known time: forms may only seem expired.
        """
        with Session(self.writer.engine) as session:
            require_clock(session, at=at)
        erased = self.writer.run(_erase, at)
        if erased:
            purge_remnants(self.writer.engine)
        return erased


def measure_saved(session: Session, *of: ColumnElement[bool]) -> tuple[int, int]:
    """Return the number and bytes of saved forms, including expired ones."""
    return session.exec(select(func.count(), func.coalesce(func.sum(col(SavedFormRow.size)), 0)).where(*of)).one()


def _derive(code: str) -> tuple[bytes, bytes]:
    """Id and key. The code has 80 random bits, so a slow derivation would add nothing."""
    derived = HKDF(SHA256(), length=64, salt=None, info=b"saved draft").derive(code.encode())
    return derived[:32], derived[32:]


def _page_digest(page: str) -> bytes:
    return hashlib.sha256(page.encode()).digest()


def _of_opening(opening: str, *, newest_only: bool = False) -> ColumnElement[bool] | None:
    if not OPENING.fullmatch(opening):
        return None
    form_id, page_sha256 = map(bytes.fromhex, opening.split("."))
    found = col(SavedFormRow.form_id) == form_id
    return found & (col(SavedFormRow.opened_by_sha256) == page_sha256) if newest_only else found


def _insert(
    session: Session, columns: Mapping[str, Any], replaced: ColumnElement[bool] | None, at: dt.datetime
) -> None:
    if replaced is not None:
        _expire(session, replaced, at)
    if columns["source"]:
        own = (col(SavedFormRow.source) == columns["source"], col(SavedFormRow.expires_at) > at)
        number, size = measure_saved(session, *own)
        if number >= SHARE or size + columns["size"] > SHARE_BYTES:
            raise TooManySavedForms
    if measure_saved(session)[1] + columns["size"] > MAX_BYTES:
        raise SavedFormsFull
    session.add(SavedFormRow(**columns))


def _expire(session: Session, ended: ColumnElement[bool], at: dt.datetime) -> None:
    session.connection().execute(
        update(SavedFormRow).where(ended, col(SavedFormRow.expires_at) > at).values(expires_at=at)
    )


def _claim(session: Session, form_id: bytes, page_sha256: bytes, at: dt.datetime) -> bytes | None:
    claimed = (
        update(SavedFormRow)
        .where(col(SavedFormRow.form_id) == form_id, col(SavedFormRow.expires_at) > at)
        .values(opened_by_sha256=page_sha256)
        .returning(col(SavedFormRow.sealed))
    )
    sealed: bytes | None = session.connection().execute(claimed).scalar_one_or_none()
    return sealed


def _erase(session: Session, at: dt.datetime) -> int:
    return session.connection().execute(delete(SavedFormRow).where(col(SavedFormRow.expires_at) <= at)).rowcount
