"""Signing receipts, so that one can be checked offline and cannot be forged (JWS, EdDSA; RFC 7515, RFC 8037)."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm
from jwt.utils import base64url_encode

TYPE = "concern-receipt+jws"


@dataclass(frozen=True)
class ReceiptSigner:
    """Signs with one Ed25519 key, named by its RFC 7638 thumbprint."""

    key: Ed25519PrivateKey
    key_id: str

    def sign(self, claims: dict[str, Any]) -> str:
        """The compact JWS over those claims."""
        return jwt.encode(claims, self.key, algorithm="EdDSA", headers={"typ": TYPE, "kid": self.key_id})

    def public_jwk(self) -> dict[str, str]:
        """The public key as a JSON Web Key."""
        return _jwk(self.key) | {"kid": self.key_id, "use": "sig", "alg": "EdDSA"}


def make_receipt_signer(key: Ed25519PrivateKey) -> ReceiptSigner:
    """A signer with that key."""
    canonical = json.dumps(_jwk(key), sort_keys=True, separators=(",", ":"))
    return ReceiptSigner(key, base64url_encode(hashlib.sha256(canonical.encode()).digest()).decode())


def _jwk(key: Ed25519PrivateKey) -> dict[str, str]:
    told: dict[str, str] = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {member: told[member] for member in ("crv", "kty", "x")}
