"""Code lists and signposts, and the responses about them and about the service itself."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import to_json

from app.config import VERSION
from app.errors import CodedValueError, FaultCode
from app.models.base import MAX_ITEMS, FullDate, RequestModel, ResponseModel, Slug, Text, WebAddress, expect_each_once
from app.models.contacts import Contact, ContactKind, OpeningHours, Phone, Reachable
from app.models.items import ItemId
from app.models.links import Links

SUBJECTS = "subject"
"""The name of the list of what guides are about."""
MAX_CODE_LENGTH = 40


class CodeListStatus(StrEnum):
    """Whether someone has checked the list against its source."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"


class Code(RequestModel):
    """A code with its label."""

    code: str = Field(
        pattern=r"^[A-Za-z0-9]+(?:_[A-Za-z0-9]+)*$",
        max_length=MAX_CODE_LENGTH,
        description="The code, as sent.",
        examples=["2A"],
    )
    label: Text = Field(description="Human-readable label.", examples=["Schools"])
    note: Text | None = Field(
        default=None,
        description="Note by this project about the code.",
        examples=[None, "For example adults’ social care."],
    )
    for_reporter: Text | None = Field(
        default=None,
        description="For an outcome: its meaning for the person who raised the concern, in a plain sentence.",
        examples=[None, "A worker will offer the family help. You do not need to do anything."],
    )
    historic: bool = Field(
        default=False, description="True if the publisher no longer uses the code.", examples=[False]
    )
    lgsl_code: int | None = Field(
        default=None,
        description="For a subject: its code in the Local Government Service List, if known.",
        examples=[None, 35],
    )
    synonyms: tuple[Text, ...] = Field(
        default=(),
        max_length=MAX_ITEMS,
        description="Of a subject: words by which people look for it, and which guides do not print.",
        examples=[[], ["older boyfriend", "sugar daddy"]],
    )
    assessment_factors: tuple[str, ...] = Field(
        default=(),
        description="For a subject: related codes of the list `dfe-assessment-factors`.",
        examples=[[], ["11A"]],
    )


class CodeListSource(RequestModel):
    """Source of the codes."""

    title: Text = Field(description="Title of the source.", examples=["Children in need census: code sets"])
    publisher: Text = Field(description="Publisher.", examples=["Department for Education"])
    published: Text = Field(description="Its year or date, as text.", examples=["2026"])
    url: WebAddress | None = Field(
        default=None, description="URL, if known.", examples=[None, "https://publisher.example/code-sets"]
    )


class CodeList(RequestModel):
    """A named list of codes, in its publisher's order."""

    name: Slug = Field(description="Name of the list, as in /v1/code-lists/{name}.", examples=["referral-source"])
    title: Text = Field(description="Title of the list.", examples=["Source of a referral"])
    source: CodeListSource
    status: CodeListStatus = Field(
        description="Whether someone has checked the list against its source.", examples=["unverified"]
    )
    codes: tuple[Code, ...] = Field(min_length=1, description="The codes.")

    @field_validator("codes")
    @classmethod
    def _codes_are_unique(cls, codes: tuple[Code, ...]) -> tuple[Code, ...]:
        expect_each_once([entry.code for entry in codes], "every `code` in a list must be different")
        return codes


CALL_999_FIRST = "If a child is in immediate danger, call 999 now."
"""The first sentence of every receipt, and of every answer to an assistant."""


class SignpostScope(StrEnum):
    """Area of a signpost."""

    NATIONAL = "national"
    LOCAL = "local"


class Signpost(Reachable):
    """A national or local contact that is not in a printed guide."""

    called = "signpost"

    id: ItemId = Field(description="Stable id of the signpost.", examples=["police-emergency"])
    name: Text = Field(description="Name.", examples=["Police, in an emergency"])
    description: Text = Field(
        description="Purpose, in a sentence for readers.",
        examples=["Call if a child or anyone else is in immediate danger."],
    )
    audience: Text | None = Field(default=None, description="Intended audience.", examples=["Everybody"])
    kind: ContactKind = Field(description="How to reach the contact.", examples=["telephone"])
    emergency: bool = Field(default=False, description="True if it is for immediate danger.", examples=[True])
    without_speech: bool = Field(
        default=False, description="True if it is for people who cannot speak on the phone.", examples=[False]
    )
    allegations: bool = Field(
        default=False,
        description="True where it is for concerns about adults who work with children.",
        examples=[False],
    )
    council: str | None = Field(
        default=None,
        max_length=MAX_CODE_LENGTH,
        description="The council of a local contact: a code of the list `council`. Null for a national one.",
        examples=[None, "E06000022"],
    )
    for_children: bool = Field(
        default=False,
        description="True where it is for a child or young person. Printed forms have its number.",
        examples=[False],
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
        description="When to use it, or its opening hours.",
        examples=[None],
    )
    opening_hours: tuple[OpeningHours, ...] = Field(
        default=(),
        max_length=MAX_ITEMS,
        description="Opening hours, as data. A local one that is there while the duty team is closed is also "
        "reached all day on a bank holiday.",
        examples=[[]],
    )
    scope: SignpostScope = Field(description="National, or local to the council's area.")
    source: Text = Field(
        description="Source of the information.",
        examples=[
            "Every safeguarding procedure that was read.",
            "nspcc.org.uk",
        ],
    )
    verified_on: FullDate | None = Field(
        default=None,
        description="Date of the last check by a person; null if nobody has checked it.",
        examples=[None, "2026-11-24"],
    )


@dataclass(frozen=True)
class WhoToCall:
    """The contacts of an edition, and the signposts to show beside them."""

    contacts: tuple[Contact, ...]
    signposts: tuple[Signpost, ...]

    @cached_property
    def contacts_json(self) -> bytes:
        """The contacts as JSON, made once."""
        return to_json(self.contacts)

    @cached_property
    def signposts_json(self) -> bytes:
        """The signposts as JSON, made once."""
        return to_json(self.signposts)


class SignpostList(RequestModel):
    """Every signpost, those for immediate danger first, and the neighbouring councils."""

    signposts: tuple[Signpost, ...] = Field(min_length=1, description="Signposts, in the order in which to show them.")
    neighbours: tuple[Signpost, ...] = Field(
        default=(), description="Whom to call where a child lives in the area of another council.", examples=[[]]
    )

    @field_validator("neighbours")
    @classmethod
    def _neighbours_name_their_area(cls, neighbours: tuple[Signpost, ...]) -> tuple[Signpost, ...]:
        if not all(each.council for each in neighbours):
            raise CodedValueError(FaultCode.REQUIRED, "every neighbour needs the code of its area in `council`")
        return neighbours

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        expect_each_once([each.id for each in (*self.signposts, *self.neighbours)], "every `id` must be different")
        return self

    @field_validator("signposts")
    @classmethod
    def _emergencies_are_first(cls, signposts: tuple[Signpost, ...]) -> tuple[Signpost, ...]:
        emergencies = [signpost.emergency for signpost in signposts]
        if not emergencies[0] or emergencies != sorted(emergencies, reverse=True):
            raise CodedValueError(FaultCode.OUT_OF_ORDER, "the list must begin with the signposts marked `emergency`")
        return signposts


REFERENCE_LINKS = Field(examples=[{"self": "/v1"}])


class ServiceIndex(ResponseModel):
    """Links to every resource."""

    name: str = Field(description="This service.", examples=["One Minute Guide"])
    version: str = Field(description="The version of the software.", examples=[VERSION])
    commit: str | None = Field(description="Commit of the build, if known.", examples=[None])
    description: str = Field(description="Purpose, in one sentence.", examples=["Safeguarding guidance as data."])
    links: Links = REFERENCE_LINKS


class SignpostsResponse(ResponseModel):
    """Contacts outside editions, 999 first."""

    signposts: tuple[Signpost, ...] = Field(description="The signposts.")
    neighbours: tuple[Signpost, ...] = Field(
        default=(), description="Whom to call where a child lives in the area of another council.", examples=[[]]
    )
    next_cursor: str | None = Field(default=None, description="Always null: the list is short.", examples=[None])
    links: Links = REFERENCE_LINKS


class CodeListSummary(ResponseModel):
    """One code list, without its codes."""

    name: str = Field(description="The list's name in paths and in `x-code-list`.", examples=["sex"])
    title: str = Field(description="Title of the list.", examples=["Sex"])
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
