"""Responses about code lists, signposts and the service itself."""

from pydantic import Field

from app.models.base import ResponseModel
from app.models.code_lists import CodeList
from app.models.guidance.signposts import Signpost
from app.models.links import Links

REFERENCE_LINKS = Field(description="Paths of this API, by relation.", examples=[{"self": "/v1"}])


class ServiceIndex(ResponseModel):
    """Where everything is."""

    name: str = Field(description="This service.", examples=["One Minute Guide"])
    version: str = Field(description="The version of the software.", examples=["0.1.0"])
    commit: str | None = Field(description="The commit that it was built from, where that is known.", examples=[None])
    description: str = Field(description="What it is for, in a sentence.", examples=["Safeguarding guidance as data."])
    links: Links = REFERENCE_LINKS


class SignpostsResponse(ResponseModel):
    """Whom to call, outside any edition, 999 first."""

    signposts: tuple[Signpost, ...] = Field(description="The signposts.")
    next_cursor: str | None = Field(default=None, description="Always null: the list is short.", examples=[None])
    links: Links = REFERENCE_LINKS


class CodeListSummary(ResponseModel):
    """One code list, without its codes."""

    name: str = Field(description="The list's name in paths and in `x-code-list`.", examples=["sex"])
    title: str = Field(description="What the list is.", examples=["Sex"])
    links: Links = Field(description="Paths of this API, by relation.", examples=[{"self": "/v1/code-lists/sex"}])


class CodeListsResponse(ResponseModel):
    """Every code list."""

    code_lists: tuple[CodeListSummary, ...] = Field(description="The lists, by name.")
    next_cursor: str | None = Field(default=None, description="Always null: the list is short.", examples=[None])
    links: Links = REFERENCE_LINKS


class CodeListResponse(CodeList):
    """One code list, whole."""

    links: Links = REFERENCE_LINKS


class Health(ResponseModel):
    """Whether the service works, and what does not."""

    status: str = Field(description="`ok`, or `unavailable` where a check fails.", examples=["ok"])
    checks: dict[str, str] = Field(
        description="Each check: `ok`, or what is wrong, in a word.", examples=[{"database": "ok", "writer": "ok"}]
    )
    warnings: dict[str, str] = Field(
        default_factory=dict,
        description="What keeps nobody from being served, and needs a person at once, in a word.",
        examples=[{}],
    )


class JsonWebKeySet(ResponseModel):
    """The public keys that receipts are checked with (RFC 7517)."""

    keys: tuple[dict[str, str], ...] = Field(
        description="The keys.",
        examples=[[{"kty": "OKP", "crv": "Ed25519", "kid": "example", "use": "sig", "alg": "EdDSA", "x": "example"}]],
    )
