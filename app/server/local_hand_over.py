"""Handing a concern over at the desk on a worker's own machine: opened and sealed here, before the form goes on.

The service is not trusted with the words, so it does not name the key either: the keys of the bodies are given to this
program, and the service refuses a hand-over to another key than the one that it has for that body.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from app.errors import NoKeyOfBody
from app.pages.desk.inbox import CONCERN_PAGES
from app.services.concerns.hand_over_package import package_of, parse_recipient, seal_package, sha256_of

HAND_OVER_ACT = "hand-over"
OpenWhole = Callable[[str], tuple[dict[str, Any], list[dict[str, Any]]]]
"""Returns the concern of a reference and its additions, opened."""


class SealedForm(NamedTuple):
    """The form as it goes to the service, with the digest of the file, and the file itself, which stays here."""

    body: bytes
    package: bytes


class LocalHandOvers:
    """Makes the files of hand-overs. A form that is sent twice has the same file."""

    def __init__(self, bodies: Mapping[str, str], open_whole: OpenWhole, clock: Callable[[], dt.datetime]) -> None:
        self._bodies = bodies
        self._open_whole = open_whole
        self._clock = clock
        self._lock = Lock()
        self._last: tuple[dict[str, str], SealedForm] | None = None

    def seal(self, reference: str, body: bytes) -> SealedForm:
        """Return the form with the digest of the file that was made.

        Raises `NoKeyOfBody`, and what opening a concern raises.
        """
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
        with self._lock:
            if self._last is None or self._last[0] != fields:
                self._last = (fields, self._make(reference, fields))
            return self._last[1]

    def _make(self, reference: str, fields: dict[str, str]) -> SealedForm:
        name, reason = fields.get("body", ""), fields.get("reason", "").strip()
        if name not in self._bodies:
            raise NoKeyOfBody
        concern, additions = self._open_whole(reference)
        recipient = self._bodies[name]
        package = package_of(concern, additions, body=name, reason=reason, at=self._clock())
        sealed = seal_package(package, parse_recipient(recipient))
        made = {"recipient": recipient, "package_sha256": sha256_of(sealed), "additions": str(len(additions))}
        return SealedForm(urlencode(fields | made).encode(), sealed)


def is_hand_over(method: str, path: str) -> bool:
    """Return whether the request is the form of a hand-over."""
    return method == "POST" and path.startswith(f"{CONCERN_PAGES}/") and path.endswith(f"/{HAND_OVER_ACT}")
