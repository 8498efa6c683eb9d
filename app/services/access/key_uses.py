"""When clients' keys were last used: noted in memory, and stored later, so that no request waits for it."""

import datetime as dt
from threading import Lock

from sqlalchemy.exc import SQLAlchemyError

from app.errors import GuidanceError
from app.logs import Log
from app.store.clients import store_uses
from app.store.writer import Writer

ACCURACY = dt.timedelta(minutes=5)
"""A use is stored only if the one that is stored is older than that."""

log = Log(__name__)


class KeyUses:
    """The uses that are not stored yet."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._noted: dict[bytes, dt.datetime] = {}

    def note(self, key_sha256: bytes, *, last_used_at: dt.datetime | None, at: dt.datetime) -> None:
        """Note a use of the key, unless the one that is stored is recent."""
        if last_used_at is None or at - last_used_at >= ACCURACY:
            with self._lock:
                self._noted[key_sha256] = at

    def store(self, writer: Writer) -> None:
        """Store what was noted. Where that fails, it stays noted."""
        with self._lock:
            noted, self._noted = self._noted, {}
        if not noted:
            return
        try:
            writer.run(lambda session: store_uses(session, noted))
        except (SQLAlchemyError, GuidanceError) as failure:
            log.warning("key_uses_not_stored", error=type(failure).__name__)
            with self._lock:
                self._noted = noted | self._noted
