"""The file key of a sealed text, which opens that text and no other (age-encryption.org/v1).

Each age file is encrypted under a key of its own, and that key is wrapped for every recipient. The header's MAC is made
with the key too, so a file has one key and one text: who has the file and its key sees that the words are those that
were sealed, without any identity.
"""

import base64
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pyrage import x25519

from app.errors import SealedTextMisplaced, UnsealingUnavailable
from app.services.concerns.bech32 import decode_bech32

VERSION_LINE = b"age-encryption.org/v1\n"
X25519_STANZA = "X25519"
WRAP_INFO = b"age-encryption.org/v1/X25519"
NO_NONCE = bytes(12)
DERIVED_BYTES = 32
FILE_NONCE_BYTES = 16
CHUNK_BYTES = 65536 + 16
COUNTER_BYTES = 11


@dataclass(frozen=True)
class AgeFile:
    """An age file: its stanzas (arguments and body), the header that its MAC covers, the MAC, and the payload."""

    stanzas: tuple[tuple[list[str], bytes], ...]
    header: bytes
    mac: bytes
    payload: bytes


def find_file_key(sealed: bytes, identities: Sequence[x25519.Identity]) -> bytes:
    """Return the key of the file. Raises `UnsealingUnavailable` if no identity unwraps it."""
    wrapped = [(arguments[1], body) for arguments, body in _parse(sealed).stanzas if arguments[0] == X25519_STANZA]
    for identity in identities:
        for share, body in wrapped:
            try:
                return _unwrap(X25519PrivateKey.from_private_bytes(_secret_of(identity)), share, body)
            except (InvalidTag, ValueError):
                continue
    raise UnsealingUnavailable


def count_keys(sealed: bytes) -> int:
    """Return how many X25519 keys the file is sealed to. Raises `SealedTextMisplaced` if it is no age file."""
    return sum(arguments[0] == X25519_STANZA for arguments, _ in _parse(sealed).stanzas)


def open_with_file_key(sealed: bytes, file_key: bytes) -> bytes:
    """Return the words that were sealed. Raises `SealedTextMisplaced` if the key is not that of the file."""
    file = _parse(sealed)
    if not hmac.compare_digest(hmac.digest(derive(file_key, b"header"), file.header, "sha256"), file.mac):
        raise SealedTextMisplaced
    nonce, chunks = file.payload[:FILE_NONCE_BYTES], file.payload[FILE_NONCE_BYTES:]
    try:
        return b"".join(_chunks(ChaCha20Poly1305(derive(file_key, b"payload", salt=nonce)), chunks))
    except InvalidTag:
        raise SealedTextMisplaced from None


def _chunks(cipher: ChaCha20Poly1305, chunks: bytes) -> Iterator[bytes]:
    count = max(1, -(-len(chunks) // CHUNK_BYTES))
    for number in range(count):
        nonce = number.to_bytes(COUNTER_BYTES) + bytes([number == count - 1])
        yield cipher.decrypt(nonce, chunks[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES], None)


def _parse(sealed: bytes) -> AgeFile:
    """Return the members of the file. Raises `SealedTextMisplaced` if it is no age file."""
    head, found, rest = sealed.partition(b"\n--- ")
    mac, _, payload = rest.partition(b"\n")
    if not found or not sealed.startswith(VERSION_LINE):
        raise SealedTextMisplaced
    try:
        stanzas = [each.split("\n") for each in f"\n{head[len(VERSION_LINE) :].decode()}".split("\n-> ")[1:]]
        parsed = tuple((lines[0].split(" "), _base64("".join(lines[1:]))) for lines in stanzas)
        return AgeFile(parsed, head + b"\n---", _base64(mac.decode()), payload)
    except ValueError:
        raise SealedTextMisplaced from None


def _unwrap(secret: X25519PrivateKey, share: str, body: bytes) -> bytes:
    theirs, ours = _base64(share), secret.public_key().public_bytes_raw()
    key = wrapping_key(secret.exchange(X25519PublicKey.from_public_bytes(theirs)), share=theirs, recipient=ours)
    return ChaCha20Poly1305(key).decrypt(NO_NONCE, body, None)


def wrapping_key(shared: bytes, *, share: bytes, recipient: bytes) -> bytes:
    """Return the key by which a file key is wrapped for one recipient."""
    return HKDF(SHA256(), length=DERIVED_BYTES, salt=share + recipient, info=WRAP_INFO).derive(shared)


def derive(file_key: bytes, info: bytes, *, salt: bytes | None = None) -> bytes:
    """Return the key of the header's MAC (`header`) or of the payload (`payload`), derived from the file key."""
    return HKDF(SHA256(), length=DERIVED_BYTES, salt=salt, info=info).derive(file_key)


def _secret_of(identity: x25519.Identity) -> bytes:
    return decode_bech32(str(identity).lower())


def _base64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
