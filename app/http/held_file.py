"""The file with the held responses, from which a start during an outage serves guidance."""

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Lock
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ConfigDict

from app.build import VERSION
from app.clock import Clock
from app.config import HELD_FILE, Settings
from app.http.responses import STALE_IF_ERROR_SECONDS
from app.logs import Log
from app.models.guides.contacts import Contact
from app.models.guides.editions import Publisher
from app.services.key_files import write_key_file

MAX_BYTES = 16_000_000
RENEW_SECONDS = 3_600.0
"""After this time equal responses are saved again, with the new time."""
CLOCK_SECONDS = 300.0
"""The file's time may be so far ahead of the clock."""
MAC_BYTES = hashlib.sha256().digest_size

log = Log(__name__)


class Numbers(NamedTuple):
    contacts: tuple[Contact, ...] = ()
    publisher: Publisher | None = None


class HeldResponse(NamedTuple):
    """`template` is the path of its route, for the log, and `body` compressed."""

    path: str
    template: str | None
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Held(BaseModel):
    """The responses that are held. `at` is a time at which they were current, in seconds."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    at: float
    numbers: Numbers
    responses: list[HeldResponse]


class HeldFile:
    """A file in the data folder, authenticated with a key that is derived from the receipt key. Thread-safe.

    It only counts for the release, the database, the public address and the council for which it was written.
    """

    def __init__(self, settings: Settings, key: Ed25519PrivateKey, clock: Clock) -> None:
        about = json.dumps([VERSION, settings.commit, settings.public_url, settings.database_address, settings.council])
        self._key = hmac.digest(key.private_bytes_raw(), f"held guidance {about}".encode(), "sha256")
        self._path = settings.data_dir / HELD_FILE
        self.clock = clock
        self._lock = Lock()
        self._saved: tuple[object, dt.datetime] | None = None

    def save(
        self, responses: Sequence[HeldResponse], numbers: Numbers, at: dt.datetime, is_current: Callable[[], bool]
    ) -> None:
        """Save the responses. Those that are too large, saved lately (`RENEW_SECONDS`) or not current are not saved."""
        held = Held(at=at.timestamp(), numbers=numbers, responses=[*responses])
        known = [(each.path, dict(each.headers)[b"etag"]) for each in responses]
        if self._saved and self._saved[0] == known and (at - self._saved[1]).total_seconds() < RENEW_SECONDS:
            return
        content = held.model_dump_json().encode()
        with self._lock:
            if not is_current():
                return
            self._saved = known, at
            try:
                if len(content) > MAX_BYTES:
                    self._path.unlink(missing_ok=True)
                    log.warning("held_file_not_written", reason="too large", count=len(content))
                else:
                    write_key_file(self._path, self._mac(content) + content, replace=True)
            except OSError as failure:
                log.warning("held_file_not_written", error=type(failure).__name__)

    def forget(self) -> None:
        with self._lock:
            self._saved = None
            try:
                self._path.unlink(missing_ok=True)
            except OSError as failure:
                log.warning("held_file_not_deleted", error=type(failure).__name__)

    def read(self) -> tuple[float, Held] | None:
        """Return the age in seconds and the content, or None if the file is absent, changed, foreign or too old."""
        with suppress(OSError, ValueError):
            if self._path.stat().st_size <= MAC_BYTES + MAX_BYTES:
                found = self._path.read_bytes()
                mac, content = found[:MAC_BYTES], found[MAC_BYTES:]
                if hmac.compare_digest(mac, self._mac(content)):
                    held = Held.model_validate_json(content)
                    age = self.clock().timestamp() - held.at
                    return (age, held) if -CLOCK_SECONDS <= age <= STALE_IF_ERROR_SECONDS else None
        return None

    def _mac(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, "sha256")
