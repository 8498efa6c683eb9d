"""Responses about the service: its health, and the public keys of its receipts."""

from pydantic import Field

from app.build import VERSION
from app.models.base import ResponseModel


class Health(ResponseModel):
    """The health of the service, and failing checks."""

    status: str = Field(description="`ok`, or `unavailable` if a check fails.", examples=["ok"])
    checks: dict[str, str] = Field(
        description="Result of each check: `ok`, or a short description of the problem.",
        examples=[{"database": "ok", "writer": "ok"}],
    )
    warnings: dict[str, str] = Field(
        default_factory=dict,
        description="Problems that do not stop the service but need attention now, one code each.",
        examples=[{}],
    )
    version: str = Field(default=VERSION, description="The version of the program.", examples=[VERSION])
    commit: str | None = Field(
        default=None,
        description="Commit of the build; null if unknown.",
        examples=["0123456789abcdef0123456789abcdef01234567"],
    )


class JsonWebKeySet(ResponseModel):
    """The public keys that verify signed receipts (RFC 7517)."""

    keys: tuple[dict[str, str], ...] = Field(
        description="The keys.",
        examples=[[{"kty": "OKP", "crv": "Ed25519", "kid": "example", "use": "sig", "alg": "EdDSA", "x": "example"}]],
    )
