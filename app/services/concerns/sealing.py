"""Encryption and decryption of texts, as JSON documents that name the concern they belong to.

Texts for the desk are sealed (encrypted with age) to the duty team's public keys: the holder of any identity decrypts
them, also with the plain `age` program. This service needs none to receive concerns. Documents are padded with spaces,
which readers of JSON ignore, so that the length says little; older ones have none. A message is sealed to the key of
its reporter's status token, and only the token decrypts it: HKDF (RFC 5869) derives an X25519 key from token and
reference. The public half is stored with the concern, the private half never, and the token only in receipts that are
encrypted for retries. So nothing in the database can decrypt a message.
"""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pyrage import x25519

from app.age.files import count_keys, find_file_key
from app.age.keys import (
    AgeError,
    NotAKey,
    NotOpened,
    NotThatFile,
    Sealer,
    decrypt,
    fingerprint_of,
    identity_of,
    parse_identities,
)
from app.errors import FaultCode, FieldError, SealedTextMisplaced, SetupError, UnsealingUnavailable
from app.models.audit.entry_kinds import EntryKind
from app.models.base import format_utc
from app.models.concerns.additions import Addition
from app.models.concerns.concern import FORM_VERSION
from app.models.concerns.status_tokens import standard_token
from app.models.guides.edition_keys import EditionKey

TOKEN_KEY_INFO = b"guidance: key of messages to a reporter, version 1"
TOKEN_KEY_BYTES = 32
NOT_OUR_KEYS = "these are not the current keys of this service: encrypt it again to the current keys"
LEAST_TEXT = 1024
LEAST_CARD = 512
"""Bytes of the shortest padded card or label; `LEAST_TEXT` of the shortest text."""
LARGEST_STEP = 4096
"""Padded lengths are powers of two up to this one, and then multiples of it."""


def make_sealer(recipients: Sequence[str]) -> Sealer:
    """Return the sealer.

    Raise `SetupError` (it names `GUIDANCE_SEAL_TO`) if a recipient is missing or no age public key.
    """
    if not recipients:
        raise SetupError("no recipient to seal concerns to")
    try:
        return Sealer.to(*recipients)
    except NotAKey:
        raise SetupError("GUIDANCE_SEAL_TO holds something that is not an age recipient (age1...)") from None


@dataclass(frozen=True)
class Unsealer:
    """Decrypts with the identities in one file. Most servers hold none."""

    identities: tuple[x25519.Identity, ...] = ()

    @property
    def can_unseal(self) -> bool:
        return bool(self.identities)

    @cached_property
    def fingerprints(self) -> frozenset[str]:
        return frozenset(fingerprint_of(str(identity.to_public())) for identity in self.identities)

    def has_one_of(self, fingerprints: Iterable[str]) -> bool:
        return not self.fingerprints.isdisjoint(fingerprints)

    def open(self, sealed: bytes, *, reference: str, received_at: dt.datetime | None = None) -> dict[str, Any]:
        """Raise `UnsealingUnavailable`; `SealedTextMisplaced` for another reference or time, or no text of ours.

        A text encrypted before this service received it names no time.
        """
        try:
            document: dict[str, Any] = json.loads(self.decrypt(sealed))
            is_at_its_place = document["reference"] == reference and (
                received_at is None or document.get("received_at") in (None, format_utc(received_at))
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):  # anyone can encrypt to a public key
            raise SealedTextMisplaced from None
        if not is_at_its_place:
            raise SealedTextMisplaced
        return document

    def open_member(self, member: str, sealed: bytes, *, reference: str, received_at: dt.datetime) -> Any:
        document = self.open(sealed, reference=reference, received_at=received_at)
        if member not in document:
            raise SealedTextMisplaced
        return document[member]

    def find_file_key(self, sealed: bytes) -> bytes:
        """Return a key that decrypts this file and no other. Raise `UnsealingUnavailable` or `NotThatFile`."""
        try:
            return find_file_key(sealed, self.identities)
        except NotOpened:
            raise UnsealingUnavailable from None

    def decrypt(self, sealed: bytes) -> bytes:
        if not self.identities:
            raise UnsealingUnavailable
        try:
            return decrypt(sealed, self.identities)
        except NotOpened:
            raise UnsealingUnavailable from None


def read_identities(path: Path) -> Unsealer:
    """Read a file that `guidance keys new` or `age-keygen` wrote. Raise `SetupError`."""
    try:
        found = parse_identities(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, NotAKey):
        raise SetupError(f"{path} cannot be read as a file of age identities") from None
    if not found:
        raise SetupError(f"{path} holds no age identity")
    return Unsealer(found)


def concern_plaintext(submission: bytes, reference: str, pinned: EditionKey, *, test: bool, at: dt.datetime) -> bytes:
    """Pad the JSON of `submission`, reference, edition, time of receipt, form version, and whether it is a test.

    The age format cannot bind other data, so a file moved to another row still names its own concern.
    """
    document = ({"test": True} if test else {}) | {
        "reference": reference,
        "guide": pinned.guide,
        "edition": pinned.number,
        "received_at": format_utc(at),
        "form_version": FORM_VERSION,
        "submission": orjson.Fragment(submission),
    }
    return pad(orjson.dumps(document))


def addition_plaintext(addition: Addition, reference: str, *, at: dt.datetime) -> bytes:
    document = {
        "reference": reference,
        "received_at": format_utc(at),
        "form_version": FORM_VERSION,
        "addition": addition.model_dump(mode="json", exclude_unset=True),
    }
    return pad(orjson.dumps(document))


def written_plaintext(kind: EntryKind, text: str, reference: str, **written: str) -> bytes:
    """Return the padded JSON of a note or label. It has time and author only if this service encrypts it."""
    return pad_entry(kind, orjson.dumps({"reference": reference, **written, kind.value: {"text": text}}))


def pad_entry(kind: EntryKind | None, document: bytes) -> bytes:
    return pad(document, LEAST_CARD if kind is EntryKind.LABEL else LEAST_TEXT)


def seal_written(kind: EntryKind, text: str, reference: str, recipients: Sequence[str]) -> bytes:
    """Encrypt a note or label without time and author, for commands, which encrypt first. Raise `SetupError`."""
    return make_sealer(recipients).seal(written_plaintext(kind, text, reference))


def pad(document: bytes, least: int = LEAST_TEXT) -> bytes:
    """Pad with spaces to `least`, a power of two up to `LARGEST_STEP`, or a multiple of that.

    The length then says little.
    """
    step = min(max(least, 1 << (len(document) - 1).bit_length()), LARGEST_STEP)
    return document + b" " * (-len(document) % step)


def open_note(
    unsealer: Unsealer,
    sealed: bytes,
    *,
    reference: str,
    received_at: dt.datetime | None,
    author: str | None,
    member: str = "note",
) -> dict[str, Any]:
    """Return the document of a note or label. Raise `UnsealingUnavailable`.

    Raise `SealedTextMisplaced` if the document lacks `member`, or names another reference, time or author. A fact that
    either side lacks is not compared.
    """
    document = unsealer.open(sealed, reference=reference)
    known = {"received_at": received_at and format_utc(received_at), "author": author}
    note = document.get(member)
    if not isinstance(note, dict) or not isinstance(note.get("text"), str):
        raise SealedTextMisplaced
    if any(value is not None and document.get(name, value) != value for name, value in known.items()):
        raise SealedTextMisplaced
    return document


def faults_in_keys(
    recipients: Sequence[str] | None, files: Mapping[str, bytes], sealer: Sealer, wrong: str
) -> list[FieldError]:
    """Return the faults by field in files that a client says it encrypted to `recipients`."""
    if sorted(recipients or ()) != sorted(map(str, sealer.recipients)):
        return [FieldError(("recipients",), NOT_OUR_KEYS, FaultCode.NOT_LISTED)]
    return [FieldError((name,), wrong) for name, file in files.items() if not _has_keys(file, sealer)]


def _has_keys(file: bytes, sealer: Sealer) -> bool:
    try:
        return count_keys(file) == len(sealer.recipients)
    except NotThatFile:
        return False


def derive_public_key(status_token: str, reference: str) -> bytes:
    key = X25519PrivateKey.from_private_bytes(_derive_secret_key(status_token, reference))
    return key.public_key().public_bytes_raw()


def token_identity(status_token: str, reference: str) -> x25519.Identity:
    """Return the identity that decrypts messages to the reporter."""
    return identity_of(_derive_secret_key(status_token, reference))


def seal_message(text: str, reference: str, recipient: str, *, at: dt.datetime) -> bytes:
    """Encrypt a message for the reporter's status token. `reference` and the time of sending are inside."""
    document = {"reference": reference, "sent_at": format_utc(at), "message": text}
    return Sealer.to(recipient).seal(pad(orjson.dumps(document)))


def find_message(sealed: bytes | None, identity: x25519.Identity, reference: str) -> str | None:
    """Return None if the message is erased, of another identity, or does not name `reference`."""
    try:
        document = json.loads(decrypt(sealed or b"", [identity]))
        return str(document["message"]) if document["reference"] == reference else None
    except (AgeError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _derive_secret_key(status_token: str, reference: str) -> bytes:
    derivation = HKDF(SHA256(), length=TOKEN_KEY_BYTES, salt=reference.encode(), info=TOKEN_KEY_INFO)
    return derivation.derive(standard_token(status_token).encode())
