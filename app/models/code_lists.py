"""Code lists and signposts, and the responses about them and about the service itself."""

from enum import StrEnum

from pydantic import Field, field_validator

from app.config import VERSION
from app.errors import CodedValueError, FaultCode
from app.models.base import MAX_ITEMS, FullDate, RequestModel, ResponseModel, Slug, Text, WebAddress
from app.models.contacts import ContactKind, OpeningHours, Phone, Reachable
from app.models.items import ItemId
from app.models.links import Links

SUBJECTS = "subject"
"""The name of the list of what guides are about."""
MAX_CODE_LENGTH = 40


class CodeListStatus(StrEnum):
    """Whether a person has compared the list with its source."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"


class Code(RequestModel):
    """One code and what it stands for."""

    code: str = Field(
        pattern=r"^[A-Za-z0-9]+(?:_[A-Za-z0-9]+)*$",
        max_length=MAX_CODE_LENGTH,
        description="The code, as it is sent.",
        examples=["2A"],
    )
    label: Text = Field(description="What the code stands for, for people.", examples=["Schools"])
    note: Text | None = Field(
        default=None,
        description="A remark by this project on the code.",
        examples=[None, "For example adults’ social care."],
    )
    for_reporter: Text | None = Field(
        default=None,
        description="Of an outcome: what it means for the person who raised the concern, in a plain sentence.",
        examples=[None, "A worker will offer the family help. You do not need to do anything."],
    )
    historic: bool = Field(
        default=False, description="True where the publisher no longer uses the code.", examples=[False]
    )
    lgsl_code: int | None = Field(
        default=None,
        description="Of a subject: its code in the Local Government Service List, where that is known.",
        examples=[None, 35],
    )
    assessment_factors: tuple[str, ...] = Field(
        default=(),
        description="Of a subject: the codes of the list `dfe-assessment-factors` that a guide to it is related to.",
        examples=[[], ["11A"]],
    )


class CodeListSource(RequestModel):
    """Where the codes come from."""

    title: Text = Field(description="Title of the source.", examples=["Children in need census: code sets"])
    publisher: Text = Field(description="Who publishes it.", examples=["Department for Education"])
    published: Text = Field(description="Its year or date, as text.", examples=["2026"])
    url: WebAddress | None = Field(
        default=None, description="Its address, where known.", examples=[None, "https://publisher.example/code-sets"]
    )


class CodeList(RequestModel):
    """A named list of codes, in its publisher's order."""

    name: Slug = Field(description="The name of the list under /v1/code-lists.", examples=["referral-source"])
    title: Text = Field(description="What the list holds.", examples=["Source of a referral"])
    source: CodeListSource
    status: CodeListStatus = Field(
        description="Whether a person has compared the list with its source.", examples=["unverified"]
    )
    codes: tuple[Code, ...] = Field(min_length=1, description="The codes.")

    @field_validator("codes")
    @classmethod
    def _codes_are_unique(cls, codes: tuple[Code, ...]) -> tuple[Code, ...]:
        found = [entry.code for entry in codes]
        if len(set(found)) != len(found):
            raise CodedValueError(FaultCode.DUPLICATE_ID, "every `code` in a list must be different")
        return codes


CALL_999_FIRST = "If a child is in immediate danger, call 999 now."
"""The first sentence of every receipt, and of every answer to an assistant."""


class SignpostScope(StrEnum):
    """Where a signpost serves."""

    NATIONAL = "national"
    LOCAL = "local"


class Signpost(Reachable):
    """A national or local contact that the printed guide does not name."""

    called = "signpost"

    id: ItemId = Field(description="The same for as long as the signpost stands.", examples=["police-emergency"])
    name: Text = Field(description="What it is called.", examples=["Police, in an emergency"])
    description: Text = Field(
        description="What it is for, in a sentence for readers.",
        examples=["Call when a child or anybody else is in immediate danger."],
    )
    audience: Text | None = Field(default=None, description="Whom it serves.", examples=["Everybody"])
    kind: ContactKind = Field(description="How it is reached.", examples=["telephone"])
    emergency: bool = Field(default=False, description="True where it is for immediate danger.", examples=[True])
    without_speech: bool = Field(
        default=False, description="True where it is for people who cannot speak on the phone.", examples=[False]
    )
    phones: tuple[Phone, ...] = Field(
        default=(),
        description="Numbers, in the order in which to try them.",
        examples=[[{"number": "999", "display": "999", "option": None}]],
    )
    url: WebAddress | None = Field(
        default=None, description="Its web address.", examples=[None, "https://helpline.example/"]
    )
    when: Text | None = Field(
        default=None,
        description="When to use it, or when it is reached.",
        examples=["When somebody is in immediate danger"],
    )
    opening_hours: tuple[OpeningHours, ...] = Field(
        default=(),
        max_length=MAX_ITEMS,
        description="When it is reached, as data. A local one that is there while the duty team is closed is also "
        "reached all day on a bank holiday.",
        examples=[[]],
    )
    scope: SignpostScope = Field(description="Whether it serves the nation or the council's area.")
    source: Text = Field(
        description="Where it was found.",
        examples=[
            "Named as the emergency number in the safeguarding procedures that were read for this service.",
            "nspcc.org.uk",
        ],
    )
    verified_on: FullDate | None = Field(
        default=None,
        description="The day on which a person last checked it; null if nobody has.",
        examples=[None, "2026-11-24"],
    )


class SignpostList(RequestModel):
    """Every signpost, those for immediate danger first."""

    signposts: tuple[Signpost, ...] = Field(min_length=1, description="Signposts, in the order in which to show them.")

    @field_validator("signposts")
    @classmethod
    def _ids_are_unique(cls, signposts: tuple[Signpost, ...]) -> tuple[Signpost, ...]:
        ids = [signpost.id for signpost in signposts]
        if len(set(ids)) != len(ids):
            raise CodedValueError(FaultCode.DUPLICATE_ID, "every `id` must be different")
        return signposts

    @field_validator("signposts")
    @classmethod
    def _emergencies_are_first(cls, signposts: tuple[Signpost, ...]) -> tuple[Signpost, ...]:
        emergencies = [signpost.emergency for signpost in signposts]
        if not emergencies[0] or emergencies != sorted(emergencies, reverse=True):
            raise CodedValueError(FaultCode.OUT_OF_ORDER, "the list must begin with the signposts marked `emergency`")
        return signposts


REFERENCE_LINKS = Field(examples=[{"self": "/v1"}])


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
    links: Links = Field(examples=[{"self": "/v1/code-lists/sex"}])


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
    version: str = Field(default=VERSION, description="The version of the program.", examples=["0.1.0"])
    commit: str | None = Field(
        default=None,
        description="The commit that it was built from; null where that is not known.",
        examples=["0123456789abcdef0123456789abcdef01234567"],
    )


class JsonWebKeySet(ResponseModel):
    """The public keys that receipts are checked with (RFC 7517)."""

    keys: tuple[dict[str, str], ...] = Field(
        description="The keys.",
        examples=[[{"kty": "OKP", "crv": "Ed25519", "kid": "example", "use": "sig", "alg": "EdDSA", "x": "example"}]],
    )
