"""Saved forms: unfinished forms that the server can decrypt only with a code that the author of the form has.

HKDF (RFC 5869) derives the form's id and its encryption key (AES-256-GCM) from the code. Neither the code nor the key
is stored. The text is padded, so that its length reveals little.
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
from sqlalchemy import ColumnElement, Engine, delete, func, update
from sqlmodel import Session, col, select

from app.db.writer import Writer
from app.errors import NoSuchSavedForm, SavedFormsFull, TooManySavedForms
from app.models.concerns.saved_forms import SavedFormRow
from app.models.concerns.status_tokens import new_status_token, standard_token
from app.services.audit.clock import require_clock
from app.services.audit.remnants import purge_remnants
from app.services.concerns.idempotency import NONCE_LENGTH

LIFETIME = dt.timedelta(hours=24)
SHARE = 20
"""Maximum number of saved forms that people in the same network have together, so that no network fills the store."""
SHARE_BYTES = 2_000_000
"""Maximum total size of the saved forms that people in the same network have together, in bytes."""
MAX_BYTES = 256_000_000
"""Maximum total size of all saved forms, in bytes."""
NEARLY_FULL = 0.8
"""Share of `MAX_BYTES` that saved forms must use before the readiness check warns."""
BLOCK = 4096
OPENING = re.compile(r"[0-9a-f]{64}\.[0-9a-f]{64}")
Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class SavedForm:
    """The code of a saved form, which only the author of the form has.

    From the time `expires_at`, the code opens nothing.
    """

    code: str
    expires_at: dt.datetime


@dataclass(frozen=True)
class OpenedForm:
    """A saved form, decrypted: the path of the page, the fields, and an identifier of this opening.

    The page sends the identifier `opening` back with the form, so that the saved form can be ended when the form is
    sent. The identifier reveals neither the code nor the key.
    """

    path: str
    fields: dict[str, list[str]]
    opening: str


@dataclass(frozen=True)
class SavedForms:
    """The store of saved forms. A form is kept for a day, or until it is sent or saved again.

    Several pages may open the same saved form. If one of them saves the form again, the form gets a new code. The saved
    form with the old code then ends only if no other page has opened it since. If any of the pages sends the form, the
    saved form ends.
    """

    engine: Engine
    writer: Writer

    def save(self, path: str, fields: Fields, *, source: str = "", opening: str = "", at: dt.datetime) -> SavedForm:
        """Encrypt and store `fields`, the fields of the form at `path`. Return the new code and the time of expiry.

        `source` is the pseudonym of the author's network, or empty if the forms of the network are not counted.
        `opening` is empty for a form that was not saved before. Otherwise `opening` is the identifier that `open`
        returned with the saved form: this saved form expires now, unless a later page has opened it. `at` is the
        current time.

        Raise `TooManySavedForms` if `source` has its maximum number or size of forms, `SavedFormsFull` if all forms
        together have their maximum size, or `StoreBusy` if the form could not be stored in time.
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
        """Raise `NoSuchSavedForm` if no saved form has the code `typed_code`, or if it has expired at the time `at`.

        This method only reads, so a request with a wrong code never waits for the writer.
        """
        form_id, _ = _derive(standard_token(typed_code))
        found = select(SavedFormRow.form_id).where(
            col(SavedFormRow.form_id) == form_id, col(SavedFormRow.expires_at) > at
        )
        with Session(self.engine) as session:
            if session.exec(found).first() is None:
                raise NoSuchSavedForm

    def open(self, typed_code: str, *, page: str, at: dt.datetime) -> OpenedForm:
        """Return the form with the code `typed_code`, decrypted. Store that `page` was the last page to open the form.

        `page` is an identifier of the page, which is stored as a digest. Raise `NoSuchSavedForm` if no saved form has
        this code or the form has expired at the time `at`, or `StoreBusy` if `page` could not be stored in time.
        """
        form_id, key = _derive(standard_token(typed_code))
        sealed = self.writer.run(_claim, form_id, _page_digest(page), at)
        if sealed is None:
            raise NoSuchSavedForm
        text = AESGCM(key).decrypt(sealed[:NONCE_LENGTH], sealed[NONCE_LENGTH:], form_id)
        saved: dict[str, Any] = orjson.loads(text)
        return OpenedForm(saved["path"], saved["fields"], f"{form_id.hex()}.{_page_digest(page).hex()}")

    def end(self, opening: str, *, at: dt.datetime) -> None:
        """Let the saved form with the identifier `opening` expire at the time `at`, because the form was sent.

        Do nothing if `opening` is not an identifier that `open` returned. The form is erased later by `erase_expired`.
        Raise `StoreBusy` if the time of expiry could not be stored in time.
        """
        ended = _of_opening(opening)
        if ended is not None:
            self.writer.run(_end, ended, at)

    def erase_expired(self, *, at: dt.datetime) -> int:
        """Erase the saved forms that have expired at the time `at`, and purge their bytes from the database files.

        Return the number of erased forms. Raise `ClockInDoubt`, and erase nothing, if the clock disagrees with the last
        known time. If the clock is ahead, forms only seem expired, and can be opened again once the clock is right.
        Raise `StoreBusy` if the erasure could not be stored in time.
        """
        with Session(self.engine) as session:
            require_clock(session, at=at)
        erased = self.writer.run(_erase, at)
        if erased:
            purge_remnants(self.engine)
        return erased


def measure_saved(session: Session, *of: ColumnElement[bool]) -> tuple[int, int]:
    """Return the number of saved forms that meet all of the conditions `of`, and their total size in bytes.

    Without a condition, measure all saved forms, expired ones too.
    """
    return session.exec(select(func.count(), func.coalesce(func.sum(col(SavedFormRow.size)), 0)).where(*of)).one()


def are_nearly_full(session: Session) -> bool:
    """Return True if all saved forms together use the share `NEARLY_FULL` of `MAX_BYTES`, or more."""
    return measure_saved(session)[1] >= NEARLY_FULL * MAX_BYTES


def group_of(typed_code: str) -> str:
    """Return the first four characters of the code `typed_code`.

    Tries with wrong codes are counted by these characters.
    """
    return standard_token(typed_code)[:4]


def _derive(code: str) -> tuple[bytes, bytes]:
    """Return the id and the encryption key of the saved form with the code `code`.

    The code has 80 random bits, so a slow derivation would add nothing.
    """
    derived = HKDF(SHA256(), length=64, salt=None, info=b"saved draft").derive(code.encode())
    return derived[:32], derived[32:]


def _page_digest(page: str) -> bytes:
    return hashlib.sha256(page.encode()).digest()


def _of_opening(opening: str, *, newest_only: bool = False) -> ColumnElement[bool] | None:
    """Return the SQL condition that finds the saved form with the identifier `opening`.

    Return None if `opening` is not a valid identifier. If `newest_only` is True, the form is found only if no later
    page has opened it.
    """
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


def _end(session: Session, ended: ColumnElement[bool], at: dt.datetime) -> None:
    _expire(session, ended, at)


def _expire(session: Session, ended: ColumnElement[bool], at: dt.datetime) -> None:
    session.connection().execute(
        update(SavedFormRow).where(ended, col(SavedFormRow.expires_at) > at).values(expires_at=at)
    )


def _claim(session: Session, form_id: bytes, page_sha256: bytes, at: dt.datetime) -> bytes | None:
    """Store the page as the last that opened the form. Return the encrypted form, or None if there is no such form."""
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
