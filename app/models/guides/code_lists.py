"""Code lists, and the responses about them."""

from enum import StrEnum

from pydantic import Field, field_validator

from app.build import VERSION
from app.models.base import MAX_ITEMS, RequestModel, ResponseModel, Slug, Text, WebAddress, expect_each_once
from app.models.links import Links

SUBJECTS = "subject"
MAX_CODE_LENGTH = 40
REFERENCE_LINKS = Field(examples=[{"self": "/v1"}])


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

    @property
    def labels(self) -> dict[str, str]:
        """The label of each code."""
        return {each.code: each.label for each in self.codes}


class ServiceIndex(ResponseModel):
    """Links to every resource."""

    name: str = Field(description="This service.", examples=["One Minute Guide"])
    version: str = Field(description="The version of the software.", examples=[VERSION])
    commit: str | None = Field(description="Commit of the build, if known.", examples=[None])
    description: str = Field(description="Purpose, in one sentence.", examples=["Safeguarding guidance as data."])
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
