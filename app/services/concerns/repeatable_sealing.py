"""Sealing by a seed (age-encryption.org/v1): the same words, recipient and seed make the same file, byte for byte.

What is sealed to another body is stored nowhere. Where its first answer was lost, the seed makes that file once more,
so that one file is on the record and not two. A seed is random, for one file. Without the words it makes nothing.
"""

import base64
import hmac
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from app.services.concerns.bech32 import decode_bech32
from app.services.concerns.file_keys import (
    CHUNK_BYTES,
    COUNTER_BYTES,
    FILE_NONCE_BYTES,
    NO_NONCE,
    VERSION_LINE,
    X25519_STANZA,
    derive,
    wrapping_key,
)

FILE_KEY_BYTES = 16
SHARE_BYTES = 32
SEED_BYTES = FILE_KEY_BYTES + SHARE_BYTES + FILE_NONCE_BYTES
TAG_BYTES = 16


def seal_by_seed(plaintext: bytes, recipient: str, seed: bytes) -> bytes:
    """Return the age file of the text for that recipient, who opens it as any other."""
    file_key, share = seed[:FILE_KEY_BYTES], seed[FILE_KEY_BYTES : FILE_KEY_BYTES + SHARE_BYTES]
    nonce = seed[-FILE_NONCE_BYTES:]
    header = VERSION_LINE + _stanza(file_key, X25519PrivateKey.from_private_bytes(share), recipient) + b"\n---"
    mac = hmac.digest(derive(file_key, b"header"), header, "sha256")
    cipher = ChaCha20Poly1305(derive(file_key, b"payload", salt=nonce))
    return header + b" " + _letters(mac) + b"\n" + nonce + b"".join(_chunks(cipher, plaintext))


def _stanza(file_key: bytes, share: X25519PrivateKey, recipient: str) -> bytes:
    """Return the file key, wrapped for the recipient."""
    theirs, ours = decode_bech32(recipient), share.public_key().public_bytes_raw()
    key = wrapping_key(share.exchange(X25519PublicKey.from_public_bytes(theirs)), share=ours, recipient=theirs)
    wrapped = ChaCha20Poly1305(key).encrypt(NO_NONCE, file_key, None)
    return b"-> " + X25519_STANZA.encode() + b" " + _letters(ours) + b"\n" + _letters(wrapped)


def _chunks(cipher: ChaCha20Poly1305, plaintext: bytes) -> Iterator[bytes]:
    size = CHUNK_BYTES - TAG_BYTES
    count = max(1, -(-len(plaintext) // size))
    for number in range(count):
        nonce = number.to_bytes(COUNTER_BYTES) + bytes([number == count - 1])
        yield cipher.encrypt(nonce, plaintext[number * size : (number + 1) * size], None)


def _letters(content: bytes) -> bytes:
    return base64.b64encode(content).rstrip(b"=")
