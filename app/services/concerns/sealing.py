"""Encryption and decryption of texts, as JSON documents that name the concern they belong to.

Concerns, additions, notes, labels and cards are sealed (encrypted with age) to the duty team's public keys. The holder
of the identity of any recipient can decrypt them with this service or with the plain `age` program. This service needs
no identity to receive concerns. Every document is padded with spaces before it is sealed, so that the length of the
file says little. Readers of JSON ignore the spaces, and read older documents without them.

A message is sealed to the key of its reporter's status token, and only the token decrypts it. HKDF (RFC 5869) derives
an X25519 key from the token, with the reference as its salt. The public half is stored with the concern. The private
half is not stored, and the token only in receipts that are encrypted for retries. So nothing in the database can
decrypt a message.
"""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pyrage import x25519

from app.age.files import find_file_key
from app.age.keys import AgeError, NotAKey, NotOpened, Sealer, decrypt, fingerprint_of, identity_of, parse_identities
from app.errors import SealedTextMisplaced, SetupError, UnsealingUnavailable
from app.models.base import format_utc
from app.models.concerns.additions import Addition
from app.models.concerns.concern import FORM_VERSION
from app.models.concerns.status_tokens import standard_token
from app.models.guides.edition_keys import EditionKey

TOKEN_KEY_INFO = b"guidance: key of messages to a reporter, version 1"
TOKEN_KEY_BYTES = 32
LEAST_TEXT = 1024
LEAST_CARD = 512
"""`LEAST_TEXT` is the length of the shortest padded text, in bytes.

`LEAST_CARD` is the length of the shortest padded card or label, in bytes.
"""
LARGEST_STEP = 4096
"""The length of a padded document, in bytes, is a power of two up to this length, then a multiple of this length."""


def make_sealer(recipients: Sequence[str]) -> Sealer:
    """Return a `Sealer`, which encrypts a text to all of `recipients`. A recipient is an age public key (age1...).

    Raise `SetupError` if `recipients` is empty, or one of them is not a public key. In the second case, the error names
    the setting `GUIDANCE_SEAL_TO`.
    """
    if not recipients:
        raise SetupError("no recipient to seal concerns to")
    try:
        return Sealer.to(*recipients)
    except NotAKey:
        raise SetupError("GUIDANCE_SEAL_TO holds something that is not an age recipient (age1...)") from None


@dataclass(frozen=True)
class Unsealer:
    """A decrypter of sealed texts, with the identities (private keys) in one file.

    Most servers hold no identity and cannot decrypt.
    """

    identities: tuple[x25519.Identity, ...] = ()

    @property
    def can_unseal(self) -> bool:
        """True if this process holds an identity."""
        return bool(self.identities)

    @cached_property
    def fingerprints(self) -> frozenset[str]:
        """Fingerprints of the public keys that belong to `identities`. Rows store their recipients in the same form."""
        return frozenset(fingerprint_of(str(identity.to_public())) for identity in self.identities)

    def has_one_of(self, fingerprints: Iterable[str]) -> bool:
        """Return True if this process holds the identity of at least one key in `fingerprints`."""
        return not self.fingerprints.isdisjoint(fingerprints)

    def open(self, sealed: bytes, *, reference: str, received_at: dt.datetime | None = None) -> dict[str, Any]:
        """Return the JSON document in the age file `sealed`, decrypted.

        `reference` identifies the concern that the document must name. Raise `UnsealingUnavailable` if no identity
        decrypts `sealed`. Raise `SealedTextMisplaced` if the document is not a text of this service, or if it names
        another reference.

        If `received_at` is given, also raise `SealedTextMisplaced` if the document names another time of receipt. A
        text that was encrypted before this service received it names no time: its time is in its row and in the audit
        log.
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
        """Return the field `member` of the JSON document in the age file `sealed`, decrypted.

        Raise `UnsealingUnavailable` if no identity decrypts `sealed`. Raise `SealedTextMisplaced` if the field is
        missing, or if the document is not a text of this service. Also raise `SealedTextMisplaced` if the document
        names another reference or time of receipt. A document without a time of receipt is accepted.
        """
        document = self.open(sealed, reference=reference, received_at=received_at)
        if member not in document:
            raise SealedTextMisplaced
        return document[member]

    def find_file_key(self, sealed: bytes) -> bytes:
        """Return the file key of the age file `sealed`, a symmetric key that decrypts this file and no other.

        Raise `UnsealingUnavailable` if no identity unwraps the key, or `NotThatFile` if `sealed` is not an age file.
        """
        try:
            return find_file_key(sealed, self.identities)
        except NotOpened:
            raise UnsealingUnavailable from None

    def decrypt(self, sealed: bytes) -> bytes:
        """Return the bytes in the age file `sealed`, decrypted.

        Raise `UnsealingUnavailable` if no identity decrypts `sealed`.
        """
        if not self.identities:
            raise UnsealingUnavailable
        try:
            return decrypt(sealed, self.identities)
        except NotOpened:
            raise UnsealingUnavailable from None


def read_identities(path: Path) -> Unsealer:
    """Return an unsealer with every identity in the file at `path`, which `guidance keys new` or `age-keygen` wrote.

    Raise `SetupError` if the file cannot be read or has no identity.
    """
    try:
        found = parse_identities(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, NotAKey):
        raise SetupError(f"{path} cannot be read as a file of age identities") from None
    if not found:
        raise SetupError(f"{path} holds no age identity")
    return Unsealer(found)


def concern_plaintext(submission: bytes, reference: str, pinned: EditionKey, *, test: bool, at: dt.datetime) -> bytes:
    """Return the text of a concern before encryption, as padded JSON.

    The JSON has `submission` (the concern as JSON), `reference`, the edition `pinned`, the time of receipt `at`, and
    the form version. If `test` is True, the JSON also says that the concern is a test. The age format cannot bind other
    data to a file. With these fields inside, a sealed file that was moved to another row still names its own concern.
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
    """Return the text of an addition before encryption, as padded JSON.

    The JSON has the content of `addition`, the concern's `reference`, the time of receipt `at`, and the form version.
    """
    document = {
        "reference": reference,
        "received_at": format_utc(at),
        "form_version": FORM_VERSION,
        "addition": addition.model_dump(mode="json", exclude_unset=True),
    }
    return pad(orjson.dumps(document))


def note_plaintext(text: str, reference: str, **written: str) -> bytes:
    """Return the note `text` before encryption, as padded JSON with the concern's `reference`.

    `written` has `received_at` and `author` if this service encrypts the note. `written` is empty if the author's
    program encrypts the note: the time and the author are then only in the row of the note and in the audit log.
    """
    return pad(orjson.dumps({"reference": reference, **written, "note": {"text": text}}))


def label_plaintext(text: str, reference: str, **written: str) -> bytes:
    """Return the label `text` before encryption, as JSON with the concern's `reference`, padded to hide the length.

    `written` has `received_at` and `author` if this service encrypts the label, and is empty if the author's program
    does.
    """
    return pad(orjson.dumps({"reference": reference, **written, "label": {"text": text}}), LEAST_CARD)


def seal_label(text: str, reference: str, recipients: Sequence[str]) -> bytes:
    """Return the label `text` as an age file encrypted to `recipients`, without a time or an author.

    Commands of `guidance desk` use this to encrypt the label before they send it to the service. Raise `SetupError` if
    `recipients` is empty, or one of them is not an age public key.
    """
    return make_sealer(recipients).seal(label_plaintext(text, reference))


def pad(document: bytes, least: int = LEAST_TEXT) -> bytes:
    """Return the JSON `document` with spaces at its end, so that its length says little about the text.

    The new length in bytes is at least `least`. Up to `LARGEST_STEP`, the length is a power of two, and above that a
    multiple of `LARGEST_STEP`. A document that already has such a length is returned unchanged.
    """
    step = min(max(least, 1 << (len(document) - 1).bit_length()), LARGEST_STEP)
    return document + b" " * (-len(document) % step)


def seal_note(text: str, reference: str, recipients: Sequence[str]) -> bytes:
    """Return the note `text` as an age file encrypted to `recipients`, without a time or an author.

    Commands of `guidance desk` use this to encrypt the note before they send it to the service. Raise `SetupError` if
    `recipients` is empty, or one of them is not an age public key.
    """
    return make_sealer(recipients).seal(note_plaintext(text, reference))


def open_note(
    unsealer: Unsealer,
    sealed: bytes,
    *,
    reference: str,
    received_at: dt.datetime | None,
    author: str | None,
    member: str = "note",
) -> dict[str, Any]:
    """Return the JSON document of the note in the age file `sealed`, or of the label if `member` is `label`, decrypted.

    Raise `UnsealingUnavailable` if no identity decrypts `sealed`. Raise `SealedTextMisplaced` if the document has no
    text in the field `member`, or names another reference than `reference`. Also raise `SealedTextMisplaced` if the
    document names another time than `received_at` or another author than `author`. If one of these two arguments is
    None, or the document lacks the field, the field is not compared.
    """
    document = unsealer.open(sealed, reference=reference)
    known = {"received_at": received_at and format_utc(received_at), "author": author}
    note = document.get(member)
    if not isinstance(note, dict) or not isinstance(note.get("text"), str):
        raise SealedTextMisplaced
    if any(value is not None and document.get(name, value) != value for name, value in known.items()):
        raise SealedTextMisplaced
    return document


def derive_public_key(status_token: str, reference: str) -> bytes:
    """Return the public key that belongs to `status_token`, to be stored with the concern `reference`.

    The key pair is derived from both arguments. Messages to the reporter are encrypted to this public key.
    """
    key = X25519PrivateKey.from_private_bytes(_derive_secret_key(status_token, reference))
    return key.public_key().public_bytes_raw()


def token_identity(status_token: str, reference: str) -> x25519.Identity:
    """Return the private key derived from `status_token` and `reference`, as an age identity.

    Messages to the reporter of the concern `reference` are decrypted with this identity.
    """
    return identity_of(_derive_secret_key(status_token, reference))


def seal_message(text: str, reference: str, recipient: str, *, at: dt.datetime) -> bytes:
    """Return the message `text` as an age file encrypted to `recipient`, with `reference` and the time `at` inside.

    `at` is the time of sending. `recipient` is the public key that belongs to the reporter's status token, so only the
    token decrypts the message.
    """
    document = {"reference": reference, "sent_at": format_utc(at), "message": text}
    return Sealer.to(recipient).seal(pad(orjson.dumps(document)))


def find_message(sealed: bytes | None, identity: x25519.Identity, reference: str) -> str | None:
    """Return the text of the message in the age file `sealed`, decrypted with `identity`.

    Return None if `sealed` is None because the message was erased, if `identity` does not decrypt the file, or if the
    file has no message that names `reference`.
    """
    try:
        document = json.loads(decrypt(sealed or b"", [identity]))
        return str(document["message"]) if document["reference"] == reference else None
    except (AgeError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _derive_secret_key(status_token: str, reference: str) -> bytes:
    derivation = HKDF(SHA256(), length=TOKEN_KEY_BYTES, salt=reference.encode(), info=TOKEN_KEY_INFO)
    return derivation.derive(standard_token(status_token).encode())
