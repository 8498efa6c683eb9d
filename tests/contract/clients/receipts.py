"""The signature of a receipt, checked by PyJWT."""

from collections.abc import Mapping, Sequence

import jwt


def verify_all(receipts: Sequence[str], keys: Sequence[Mapping[str, str]]) -> list[str | None]:
    """Return whose each receipt is, and then None: the last one has the signature of another."""
    first, second = receipts
    forged = f"{first.rpartition('.')[0]}.{second.rpartition('.')[2]}"
    return [verified(each, keys) for each in (first, second, forged)]


def verified(receipt: str, keys: Sequence[Mapping[str, str]]) -> str | None:
    kid = jwt.get_unverified_header(receipt)["kid"]
    (key,) = (jwt.PyJWK(dict(each)) for each in keys if each["kid"] == kid)
    try:
        claims = jwt.decode(receipt, key, algorithms=["EdDSA"])
    except jwt.InvalidSignatureError:
        return None
    return str(claims["jti"])
