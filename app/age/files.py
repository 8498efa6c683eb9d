"""Age files: decryption with the file key, and encryption from a seed.

Only one file key, and only one plaintext, fits a file. Anyone with the file and its file key can decrypt it, and can
check that the plaintext is the one that was encrypted, without an identity.

A seed is random and belongs to one file. The same seed, plaintext and recipient give the same file, byte for byte;
without the plaintext it cannot be made again. A seed contains the file key.
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

from app.age.bech32 import decode_bech32
from app.age.keys import NotOpened, NotThatFile

VERSION_LINE = b"age-encryption.org/v1\n"
X25519_STANZA = "X25519"
WRAP_INFO = b"age-encryption.org/v1/X25519"
NO_NONCE = bytes(12)
DERIVED_BYTES = 32
FILE_NONCE_BYTES = 16
TAG_BYTES = 16
CHUNK_BYTES = 65536 + TAG_BYTES
COUNTER_BYTES = 11
FILE_KEY_BYTES = 16
SHARE_BYTES = 32
SEED_BYTES = FILE_KEY_BYTES + SHARE_BYTES + FILE_NONCE_BYTES


@dataclass(frozen=True)
class AgeFile:
    """`header` reaches up to `---`; `payload` is the nonce, then the chunks."""

    stanzas: tuple[tuple[list[str], bytes], ...]
    header: bytes
    mac: bytes
    payload: bytes


def find_file_key(sealed: bytes, identities: Sequence[x25519.Identity]) -> bytes:
    """Raise `NotOpened` if no identity unwraps it, `NotThatFile` if `sealed` is no age file."""
    stanzas = [(arguments, body) for arguments, body in _parse(sealed).stanzas if arguments[0] == X25519_STANZA]
    if any(len(arguments) < 2 for arguments, _ in stanzas):  # noqa: PLR2004  # the kind, and the sender's share
        raise NotThatFile
    wrapped = [(arguments[1], body) for arguments, body in stanzas]
    for identity in identities:
        for share, body in wrapped:
            try:
                return _unwrap(X25519PrivateKey.from_private_bytes(decode_bech32(str(identity).lower())), share, body)
            except (InvalidTag, ValueError):
                continue
    raise NotOpened


def count_keys(sealed: bytes) -> int:
    """X25519 keys. Raise `NotThatFile`."""
    return sum(arguments[0] == X25519_STANZA for arguments, _ in _parse(sealed).stanzas)


def open_with_file_key(sealed: bytes, file_key: bytes) -> bytes:
    """Raise `NotThatFile` if `sealed` was altered or has another file key."""
    file = _parse(sealed)
    if not hmac.compare_digest(_mac(file_key, file.header), file.mac):
        raise NotThatFile
    nonce, chunks = file.payload[:FILE_NONCE_BYTES], file.payload[FILE_NONCE_BYTES:]
    cipher = _payload_cipher(file_key, nonce)
    try:
        return b"".join(cipher.decrypt(place, chunk, None) for place, chunk in _chunks(chunks, CHUNK_BYTES))
    except InvalidTag:
        raise NotThatFile from None


def seal_by_seed(plaintext: bytes, recipient: str, seed: bytes) -> bytes:
    """Encrypt to a file that is always the same for the same `seed` (`SEED_BYTES` random bytes)."""
    file_key, nonce = seed[:FILE_KEY_BYTES], seed[-FILE_NONCE_BYTES:]
    secret = X25519PrivateKey.from_private_bytes(seed[FILE_KEY_BYTES : FILE_KEY_BYTES + SHARE_BYTES])
    theirs, share = decode_bech32(recipient), secret.public_key().public_bytes_raw()
    key = _wrapping_key(secret.exchange(X25519PublicKey.from_public_bytes(theirs)), share=share, recipient=theirs)
    wrapped = ChaCha20Poly1305(key).encrypt(NO_NONCE, file_key, None)
    stanza = b"-> " + X25519_STANZA.encode() + b" " + _letters(share) + b"\n" + _letters(wrapped)
    header = VERSION_LINE + stanza + b"\n---"
    cipher = _payload_cipher(file_key, nonce)
    chunks = _chunks(plaintext, CHUNK_BYTES - TAG_BYTES)
    payload = b"".join(cipher.encrypt(place, chunk, None) for place, chunk in chunks)
    return header + b" " + _letters(_mac(file_key, header)) + b"\n" + nonce + payload


def _chunks(content: bytes, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield each after its nonce: its number, then a byte that is 1 only for the last. Empty content has one chunk."""
    count = max(1, -(-len(content) // size))
    for number in range(count):
        nonce = number.to_bytes(COUNTER_BYTES) + bytes([number == count - 1])
        yield nonce, content[number * size : (number + 1) * size]


def _parse(sealed: bytes) -> AgeFile:
    head, found, rest = sealed.partition(b"\n--- ")
    mac, _, payload = rest.partition(b"\n")
    if not found or not sealed.startswith(VERSION_LINE):
        raise NotThatFile
    try:
        stanzas = [each.split("\n") for each in f"\n{head[len(VERSION_LINE) :].decode()}".split("\n-> ")[1:]]
        parsed = tuple((lines[0].split(" "), _base64("".join(lines[1:]))) for lines in stanzas)
        return AgeFile(parsed, head + b"\n---", _base64(mac.decode()), payload)
    except ValueError:
        raise NotThatFile from None


def _unwrap(secret: X25519PrivateKey, share: str, body: bytes) -> bytes:
    theirs, ours = _base64(share), secret.public_key().public_bytes_raw()
    key = _wrapping_key(secret.exchange(X25519PublicKey.from_public_bytes(theirs)), share=theirs, recipient=ours)
    return ChaCha20Poly1305(key).decrypt(NO_NONCE, body, None)


def _wrapping_key(shared: bytes, *, share: bytes, recipient: bytes) -> bytes:
    """`shared` is the X25519 secret, `share` the ephemeral public key, `recipient` the recipient's."""
    return HKDF(SHA256(), length=DERIVED_BYTES, salt=share + recipient, info=WRAP_INFO).derive(shared)


def _mac(file_key: bytes, header: bytes) -> bytes:
    return hmac.digest(_derive(file_key, b"header"), header, "sha256")


def _payload_cipher(file_key: bytes, nonce: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(_derive(file_key, b"payload", salt=nonce))


def _derive(file_key: bytes, info: bytes, *, salt: bytes | None = None) -> bytes:
    return HKDF(SHA256(), length=DERIVED_BYTES, salt=salt, info=info).derive(file_key)


def _letters(content: bytes) -> bytes:
    return base64.b64encode(content).rstrip(b"=")


def _base64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
