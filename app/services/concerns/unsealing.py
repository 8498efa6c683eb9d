"""Unsealing concerns, if this process holds an identity. Most servers need none."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrage
from pyrage import x25519

from app.errors import SetupError, UnsealingUnavailable


@dataclass(frozen=True)
class Unsealer:
    """Opens sealed texts with the identities of one file. Without an identity it opens nothing."""

    identities: tuple[x25519.Identity, ...] = ()

    @property
    def can_unseal(self) -> bool:
        """Whether this process holds an identity."""
        return bool(self.identities)

    def open(self, sealed: bytes) -> dict[str, Any]:
        """Return the JSON document that was sealed. Raises `UnsealingUnavailable` if no identity opens it."""
        document: dict[str, Any] = json.loads(self.decrypt(sealed))
        return document

    def decrypt(self, sealed: bytes) -> bytes:
        """Return the bytes that were sealed. Raises `UnsealingUnavailable` if no identity opens them."""
        if not self.identities:
            raise UnsealingUnavailable
        try:
            opened: bytes = pyrage.decrypt(sealed, list(self.identities))
        except pyrage.DecryptError:
            raise UnsealingUnavailable from None
        return opened


def read_identities(path: Path) -> Unsealer:
    """Return an unsealer with every identity of the file (as `guidance keys new` or `age-keygen` wrote it)."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        found = tuple(x25519.Identity.from_str(line.strip()) for line in lines if line.startswith("AGE-SECRET-KEY-"))
    except (OSError, UnicodeDecodeError, pyrage.IdentityError):
        raise SetupError(f"{path} cannot be read as a file of age identities") from None
    if not found:
        raise SetupError(f"{path} holds no age identity")
    return Unsealer(found)
