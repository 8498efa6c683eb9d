"""Signing of receipts and other statements, which anyone can check offline (JWS, EdDSA; RFC 7515, RFC 8037)."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.errors import ReceiptNotGenuine
from app.models.base import base64url

RECEIPT = "concern-receipt+jws"
STATEMENT = "disclosure-statement+jws"
HAND_OVER = "hand-over-receipt+jws"
EXPORT_STATEMENT = "concern-export-statement+jws"
EXPORT = "concern-export+jws"
PERSON_FILE = "person-file+jws"
ALGORITHM = "EdDSA"
CLAIM_OF = {"reference": "jti", "chain": "sub"}
"""Fields whose claim has another name."""
Jwk = dict[str, str]


@dataclass(frozen=True)
class ReceiptSigner:
    """Signs receipts. `jwks` are the public keys to publish, with the retired ones."""

    key: Ed25519PrivateKey
    jwks: tuple[Jwk, ...]
    issuer: str
    """The claim `iss`: the service's public URL."""

    def sign(self, claims: dict[str, Any], *, kind: str = RECEIPT) -> str:
        """Return a compact JWS with `kind` as `typ`."""
        payload = orjson.dumps({"iss": self.issuer} | claims)
        signing_input = f"{_encoded_header(kind, self.jwks[0]['kid'])}.{base64url(payload)}"
        return f"{signing_input}.{base64url(self.key.sign(signing_input.encode()))}"


def make_receipt_signer(
    key: Ed25519PrivateKey, retired: Sequence[Ed25519PublicKey] = (), *, issuer: str
) -> ReceiptSigner:
    return ReceiptSigner(key, tuple(_public_jwk(public) for public in (key.public_key(), *retired)), issuer)


def check_receipt(receipt: str, jwks: dict[str, Any], *, kind: str = RECEIPT) -> dict[str, Any]:
    """Return the claims of a checked JWS. Raise `ReceiptNotGenuine` if no key signed it, or it is of another kind."""
    try:
        header = jwt.get_unverified_header(receipt)
        key = jwt.PyJWKSet.from_dict(jwks)[header.get("kid", "")]
        claims: dict[str, Any] = jwt.decode(
            receipt, key, algorithms=[ALGORITHM], options={"verify_iat": False, "verify_sub": False}
        )
    except (jwt.PyJWTError, KeyError, ValueError):
        raise ReceiptNotGenuine from None
    if header.get("typ") != kind:
        raise ReceiptNotGenuine("It is signed, but it is not a receipt of this kind.")
    return claims


def check_response(response: dict[str, Any], claims: dict[str, Any]) -> None:
    """Raise `ReceiptNotGenuine` if a field differs from its claim. Fields without a claim are not compared."""
    names = {name: CLAIM_OF.get(name, name) for name in response}
    differing = [name for name, claim in names.items() if claim in claims and claims[claim] != response[name]]
    if differing:
        raise ReceiptNotGenuine(
            f"The file was changed: {', '.join(sorted(differing))} differ from what was signed in its JWS."
        )


@cache
def _encoded_header(kind: str, kid: str) -> str:
    return base64url(orjson.dumps({"alg": ALGORITHM, "kid": kid, "typ": kind}))


def _public_jwk(public: Ed25519PublicKey) -> Jwk:
    required = {"crv": "Ed25519", "kty": "OKP", "x": base64url(public.public_bytes_raw())}
    return required | {"kid": thumbprint_of(required), "use": "sig", "alg": ALGORITHM}


def thumbprint_of(jwk: Mapping[str, str]) -> str:
    """Return the thumbprint of an Ed25519 key (RFC 7638). Raise `KeyError` if `jwk` lacks a part."""
    required = {name: jwk[name] for name in ("crv", "kty", "x")}
    canonical = json.dumps(required, sort_keys=True, separators=(",", ":"))
    return base64url(hashlib.sha256(canonical.encode()).digest())
