"""Requests and responses of publishing and withdrawing."""

from pydantic import Field

from app.models.base import RequestModel, ResponseModel, Slug, Text, UtcDateTime
from app.models.guidance.guide_responses import DIGEST, GUIDANCE_LINKS
from app.models.links import Links


class PublishedResponse(ResponseModel):
    """The edition is published, and will never change."""

    guide: Slug = Field(description="The guide.", examples=["child-sexual-exploitation"])
    edition: int = Field(description="The number that the edition was given.", examples=[2])
    digest: str = Field(description="Its digest.", examples=[DIGEST])
    published_at: UtcDateTime = Field(description="When it was published.")
    links: Links = GUIDANCE_LINKS


class WithdrawalRequest(RequestModel):
    """Why an edition is taken back."""

    reason: Text = Field(
        description="A sentence for readers. Every read of the edition answers it.",
        examples=["A telephone number was wrong. Edition 3 corrects it."],
    )


class WithdrawalResponse(ResponseModel):
    """The edition is withdrawn: its words stay on record, and reads of it tell the reason."""

    guide: Slug = Field(description="The guide.", examples=["child-sexual-exploitation"])
    edition: int = Field(description="The edition's number.", examples=[2])
    withdrawn_at: UtcDateTime = Field(description="When it was withdrawn.")
    reason: str = Field(description="Why.", examples=["A telephone number was wrong. Edition 3 corrects it."])
    links: Links = GUIDANCE_LINKS
