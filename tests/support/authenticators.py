"""A device that signs in by a passkey, without a browser."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fastapi import FastAPI
from webauthn.helpers import encode_cbor

from tests.support.people import JO, invited, store_passkey

ORIGIN = "http://localhost:8000"
PERSON_WAS_PRESENT_AND_VERIFIED = 0b101


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


@dataclass
class Authenticator:
    """A device that signs challenges for a passkey."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    @property
    def public_key(self) -> bytes:
        numbers = self.key.public_key().public_numbers()
        coordinates = (each.to_bytes(32, "big") for each in (numbers.x, numbers.y))
        return encode_cbor(dict(zip((1, 3, -1, -2, -3), (2, -7, 1, *coordinates), strict=True)))

    def register(self, service: FastAPI, person: str = JO) -> None:
        """Make it the passkey of the person."""
        store_passkey(service, invited(service, person), self.credential_id, self.public_key)

    def sign(self, options: dict[str, Any]) -> str:
        """Return the answer to a challenge, as the page sends it."""
        client_data = json.dumps({"type": "webauthn.get", "challenge": options["challenge"], "origin": ORIGIN}).encode()
        party = hashlib.sha256(options["rpId"].encode()).digest()
        data = party + bytes([PERSON_WAS_PRESENT_AND_VERIFIED]) + bytes(4)
        signature = self.key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256()))
        response = {"clientDataJSON": client_data, "authenticatorData": data, "signature": signature}
        name = encoded(self.credential_id)
        answer = {"id": name, "rawId": name, "type": "public-key", "clientExtensionResults": {}}
        return json.dumps(answer | {"response": {key: encoded(value) for key, value in response.items()}})
