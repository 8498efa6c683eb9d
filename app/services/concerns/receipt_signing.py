"""Signing receipts, so that they can be checked offline and cannot be forged (JWS, EdDSA; RFC 7515, RFC 8037)."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.errors import ReceiptNotGenuine

RECEIPT = "concern-receipt+jws"
STATEMENT = "disclosure-statement+jws"
ALGORITHM = "EdDSA"

Jwk = dict[str, str]


@dataclass(frozen=True)
class ReceiptSigner:
    """Signs with one Ed25519 key; the public keys of all signing keys, also of retired ones, are published."""

    key: Ed25519PrivateKey
    jwks: tuple[Jwk, ...]
    issuer: str
    """The claim `iss`: the address at which the service is public."""

    def sign(self, claims: dict[str, Any], *, kind: str = RECEIPT) -> str:
        """Return the compact JWS of the claims, with `kind` as its `typ`."""
        headers = {"typ": kind, "kid": self.jwks[0]["kid"]}
        return jwt.encode({"iss": self.issuer} | claims, self.key, algorithm=ALGORITHM, headers=headers)


def make_receipt_signer(
    key: Ed25519PrivateKey, retired: Sequence[Ed25519PublicKey] = (), *, issuer: str
) -> ReceiptSigner:
    """Return a signer with that key, which also publishes the retired keys."""
    return ReceiptSigner(key, tuple(_public_jwk(public) for public in (key.public_key(), *retired)), issuer)


def check_receipt(receipt: str, jwks: dict[str, Any]) -> dict[str, Any]:
    """Return the claims of a receipt or statement, checked with the published keys. Raises `ReceiptNotGenuine`."""
    try:
        header = jwt.get_unverified_header(receipt)
        key = jwt.PyJWKSet.from_dict(jwks)[header.get("kid", "")]
        claims: dict[str, Any] = jwt.decode(
            receipt, key, algorithms=[ALGORITHM], options={"verify_iat": False, "verify_sub": False}
        )
    except (jwt.PyJWTError, KeyError, ValueError):
        raise ReceiptNotGenuine from None
    return claims


def _public_jwk(public: Ed25519PublicKey) -> Jwk:
    """Return the JSON Web Key, with its thumbprint (RFC 7638) as `kid`."""
    required = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(public.public_bytes_raw())}
    canonical = json.dumps(required, sort_keys=True, separators=(",", ":"))
    thumbprint = _base64url(hashlib.sha256(canonical.encode()).digest())
    return required | {"kid": thumbprint, "use": "sig", "alg": ALGORITHM}


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
