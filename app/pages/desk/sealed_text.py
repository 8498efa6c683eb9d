"""Sealed texts in the pages of the desk, where this service cannot open them: for whatever opens them on the way.

The page's own script does, or a local program that passes the page on. Each element names the place of its text, which
is compared with what the text says of itself.
"""

import base64
import datetime as dt
from dataclasses import dataclass

from app.models.base import format_utc

CONCERN = "concern"
"""The kind of text that a concern has once. Others have the kinds of `AddedKind`."""
LINE = 64


@dataclass(frozen=True)
class SealedText:
    """One sealed text with its place. The concern itself has number 0, and a note its author."""

    kind: str
    reference: str
    number: int
    received_at: dt.datetime
    sealed: bytes
    author: str = ""

    @property
    def received(self) -> str:
        """When it was received, as the sealed text says it too."""
        return format_utc(self.received_at)

    @property
    def armored(self) -> str:
        """The sealed text in the letters of age's own armor, which the `age` program reads as well."""
        letters = base64.b64encode(self.sealed).decode()
        lines = [letters[start : start + LINE] for start in range(0, len(letters), LINE)]
        return "\n".join(("-----BEGIN AGE ENCRYPTED FILE-----", *lines, "-----END AGE ENCRYPTED FILE-----", ""))
