"""Unsealing concerns, if this process holds an identity. Most servers need none."""

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyrage
from pyrage import x25519

from app.errors import SealedTextMisplaced, SetupError, UnsealingUnavailable
from app.models.base import format_utc
from app.services.concerns.sealing import fingerprint_of


@dataclass(frozen=True)
class Unsealer:
    """Opens sealed texts with the identities of one file. Without an identity it opens nothing."""

    identities: tuple[x25519.Identity, ...] = ()

    @property
    def can_unseal(self) -> bool:
        """Whether this process holds an identity."""
        return bool(self.identities)

    @cached_property
    def fingerprints(self) -> frozenset[str]:
        """The names of the keys that this process has the identities of, as rows name their recipients."""
        return frozenset(fingerprint_of(str(identity.to_public())) for identity in self.identities)

    def has_one_of(self, fingerprints: Iterable[str]) -> bool:
        """Return whether this process has the identity of one of these keys at least."""
        return not self.fingerprints.isdisjoint(fingerprints)

    def open(self, sealed: bytes, *, reference: str, received_at: dt.datetime | None = None) -> dict[str, Any]:
        """Return the JSON document that was sealed, which says itself to which concern it belongs.

        Raises `UnsealingUnavailable` if no identity opens it, and `SealedTextMisplaced` if it says another reference
        or, where `received_at` is given, another time.
        """
        try:
            document: dict[str, Any] = json.loads(self.decrypt(sealed))
            is_at_its_place = document["reference"] == reference and (
                received_at is None or document["received_at"] == format_utc(received_at)
            )
        except (ValueError, KeyError, TypeError):  # it is no text of this service: anybody can seal to a public key
            raise SealedTextMisplaced from None
        if not is_at_its_place:
            raise SealedTextMisplaced
        return document

    def open_member(self, member: str, sealed: bytes, *, reference: str, received_at: dt.datetime) -> Any:
        """Return that member of the document. Raises as `open` does, also if the document is of another kind."""
        document = self.open(sealed, reference=reference, received_at=received_at)
        if member not in document:
            raise SealedTextMisplaced
        return document[member]

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
