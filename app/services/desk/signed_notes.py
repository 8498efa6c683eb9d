"""Checkpoints as signed notes, in the formats of C2SP (c2sp.org/tlog-checkpoint, c2sp.org/signed-note)."""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.errors import CheckpointNotGenuine, SetupError

ED25519 = b"\x01"
KEY_ID_BYTES = 4
HASH_BYTES = 32
NAME_OF_HOST = re.compile(r"[^\s+]+")
SIGNATURE_LINE = re.compile("— ([^ +]+) ([A-Za-z0-9+/]+={0,2})")
TREE_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")
MAX_NOTE_BYTES = 100_000


@dataclass(frozen=True)
class Checkpoint:
    """The statement of a checkpoint: which log, how many entries, and their Merkle root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True)
class Verifier:
    """A public key of a log; without a name it verifies signatures under any name."""

    key: Ed25519PublicKey
    name: str | None = None

    def matches(self, name: str, key_id: bytes) -> bool:
        """Return whether a signature line with that name and key ID is one of this key."""
        return self.name in (None, name) and key_id == key_id_of(name, self.key)


@dataclass(frozen=True)
class NoteSigner:
    """Signs checkpoints. The origin of the log is the name of the key too."""

    origin: str
    key: Ed25519PrivateKey

    def sign(self, size: int, root: bytes) -> str:
        """Return the signed note of the checkpoint."""
        text = Checkpoint(self.origin, size, root).text
        signature = key_id_of(self.origin, self.key.public_key()) + self.key.sign(text.encode())
        return f"{text}\n— {self.origin} {base64.b64encode(signature).decode()}\n"

    @property
    def verifier_key(self) -> str:
        """The public key in the text form that verifiers of signed notes read."""
        public = self.key.public_key()
        encoded = base64.b64encode(ED25519 + public.public_bytes_raw()).decode()
        return f"{self.origin}+{key_id_of(self.origin, public).hex()}+{encoded}"


def origin_at(public_url: str) -> str:
    """Return the origin of the record of the service at that address. Raises `SetupError` if it cannot be a name."""
    host = urlsplit(public_url).netloc
    if not NAME_OF_HOST.fullmatch(host):
        raise SetupError("the host of GUIDANCE_PUBLIC_URL cannot be in the name of a checkpoint")
    return f"{host}/disclosures"


def parse_verifier_key(text: str) -> Verifier:
    """Return the verifier of a key like `council.example/record+c74f20a3+AeS3...`. Raises `SetupError`."""
    try:
        name, key_id, encoded = text.strip().split("+", 2)
        decoded = base64.b64decode(encoded, validate=True)
        key = Ed25519PublicKey.from_public_bytes(decoded[1:])
        if decoded[:1] != ED25519 or key_id_of(name, key).hex() != key_id:
            raise ValueError
    except ValueError:
        raise SetupError("that is not the public key of a signed note (name+hash+key)") from None
    return Verifier(key, name)


def open_checkpoint(note: str, verifiers: Iterable[Verifier]) -> Checkpoint:
    """Return what the note states, if one of the keys signed it. Raises `CheckpointNotGenuine`.

    Signatures of other keys are ignored, as the format demands.
    """
    text, separator, signatures = note.rpartition("\n\n")
    if not separator or len(note) > MAX_NOTE_BYTES or not _is_signed(f"{text}\n", signatures, list(verifiers)):
        raise CheckpointNotGenuine
    return _parse(text)


def key_id_of(name: str, key: Ed25519PublicKey) -> bytes:
    """Return the four bytes that name the key in a signature line."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + key.public_bytes_raw()).digest()[:KEY_ID_BYTES]


def _is_signed(text: str, signatures: str, verifiers: list[Verifier]) -> bool:
    verified = False
    for line in signatures.splitlines():
        found = SIGNATURE_LINE.fullmatch(line)
        if found is None:
            return False
        try:
            signature = base64.b64decode(found[2], validate=True)
            for each in verifiers:
                if each.matches(found[1], signature[:KEY_ID_BYTES]):
                    each.key.verify(signature[KEY_ID_BYTES:], text.encode())
                    verified = True
        except (binascii.Error, InvalidSignature):  # a wrong signature of a known key is no note at all
            return False
    return verified


def _parse(text: str) -> Checkpoint:
    origin, size, encoded, *_ = [*text.split("\n"), "", ""]
    try:
        root = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise CheckpointNotGenuine from None
    if not origin or not TREE_SIZE.fullmatch(size) or len(root) != HASH_BYTES:
        raise CheckpointNotGenuine
    return Checkpoint(origin, int(size), root)
