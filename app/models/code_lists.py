"""Code lists: the published codes that guidance links to and that concerns use."""

from enum import StrEnum

from pydantic import Field, field_validator

from app.faults import CodedValueError, FaultCode
from app.models.base import RequestModel, Slug, Text, WebAddress

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
