"""A cache of public guidance on the disk, to read guidance while the service cannot be reached."""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

LONGEST_AGE = timedelta(days=7)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class CachedAnswer:
    """A cached response: its content, its ETag, and when the service last confirmed it."""

    etag: str
    confirmed_at: datetime
    content: Any


@dataclass(frozen=True)
class EditionCache:
    """A folder with one file for each URL. Its files contain only public guidance, and nothing about concerns.

    Responses older than `longest_age` are not used. Several processes may share the folder.
    """

    folder: Path
    longest_age: timedelta = LONGEST_AGE
    now: Callable[[], datetime] = _utc_now

    def find(self, address: str) -> CachedAnswer | None:
        """Return the cached response for the URL `address`.

        Return None if there is none, if it is too old, or if its file is damaged.
        """
        try:
            stored = json.loads(self._file_of(address).read_bytes())
            answer = CachedAnswer(stored["etag"], datetime.fromisoformat(stored["confirmed_at"]), stored["content"])
            if stored["address"] != address or not timedelta(0) <= self.now() - answer.confirmed_at <= self.longest_age:
                return None
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return answer

    def store(self, address: str, etag: str, content: Any) -> datetime:
        """Store the response for the URL `address` as confirmed now, and return the time.

        If the disk is full, the response is not cached, and no error is raised.
        """
        now = self.now()
        fields = {"address": address, "etag": etag, "confirmed_at": now.isoformat(), "content": content}
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            file, name = tempfile.mkstemp(dir=self.folder, suffix=".part")
            with os.fdopen(file, "w", encoding="utf-8") as opened:
                json.dump(fields, opened)
            Path(name).replace(self._file_of(address))
        return now

    def _file_of(self, address: str) -> Path:
        return self.folder / f"{hashlib.sha256(address.encode()).hexdigest()}.json"
