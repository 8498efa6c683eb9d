"""The check of signed receipts without the service (JWS with EdDSA; RFC 7515, RFC 8037). Needs the extra `verify`."""

import base64
import json
from collections.abc import Mapping
from typing import Any

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    raise ImportError(
        "guidance_client.receipts needs the extra `verify`: pip install 'guidance-client[verify]'"
    ) from None

from guidance_client.digests import submission_digest
from guidance_client.errors import NotGenuine
from guidance_client.models import Receipt

TYPE = "concern-receipt+jws"
ALGORITHM = "EdDSA"
COMPARED = ("reference", "received_at", "guide", "edition")


def check_receipt(
    receipt: Receipt, keys: Mapping[str, Any], submission: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Check the signed receipt, and return its claims. Raise `NotGenuine` if a check fails.

    `keys` is the service's `/.well-known/jwks.json`, which can be fetched once and stored. The fields beside the signed
    part must agree with the claims inside it. If `submission` is given, the receipt must be for exactly these fields.
    """
    claims = _claims_of(receipt["receipt"], keys)
    signed = claims | {"reference": claims.get("jti")}
    if any(signed.get(name) != receipt.get(name) for name in COMPARED):
        raise NotGenuine("The receipt says other things than its signed part.")
    if submission is not None and claims.get("submission_sha256") != submission_digest(submission):
        raise NotGenuine("The receipt is for other words.")
    return claims


def _claims_of(token: str, keys: Mapping[str, Any]) -> dict[str, Any]:
    try:
        head, body, signature = token.split(".")
        header, claims = json.loads(_decode(head)), json.loads(_decode(body))
        if (header["alg"], header["typ"]) != (ALGORITHM, TYPE) or not isinstance(claims, dict):
            raise NotGenuine("This is not a receipt.")
        key = next(each for each in keys["keys"] if each["kid"] == header["kid"] and each["crv"] == "Ed25519")
        Ed25519PublicKey.from_public_bytes(_decode(key["x"])).verify(_decode(signature), f"{head}.{body}".encode())
    except (ValueError, KeyError, TypeError, StopIteration, InvalidSignature):
        raise NotGenuine("The receipt is not signed by one of these keys.") from None
    return claims


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
