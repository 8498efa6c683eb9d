"""Requests and responses of renditions."""

import datetime as dt

from pydantic import Field

from app.models.base import ResponseModel, Slug, UtcDateTime
from app.models.guidance.guide_responses import EditionResponse, Withdrawal
from app.models.guidance.items import Caution
from app.models.guidance.languages import Direction
from app.models.guidance.rendition_content import Maker, RenderedEdition, RenditionForm, RenditionLink
from app.models.links import Links

A_DIGEST = "sha256:04e6a02406737946d701dbedf3b57aa730ef6330e53b0423e1eb4980acdefcfe"
RENDITION_LINKS = Field(
    description="Paths of this API, by relation.",
    examples=[{"self": "/v1/guides/child-sexual-exploitation/renditions/cy"}],
)


class RenditionSummary(ResponseModel):
    """A rendition without its words."""

    language: str = Field(description="Its language (BCP 47).", examples=["cy"])
    dir: Direction = Field(description="The direction in which the language is written.", examples=["ltr"])
    form: RenditionForm = Field(description="Its form.", examples=["translation"])
    number: int = Field(description="Its number, from 1, among those of the guide in this language.", examples=[1])
    digest: str = Field(
        description="`sha256:` and the SHA-256 of the rendition's own content as canonical JSON (RFC 8785), without "
        "empty members, as a digest of an edition is made.",
        examples=[A_DIGEST],
    )
    published_at: UtcDateTime = Field(description="When it was published.")
    of: RenderedEdition = Field(description="The edition that it is of.")
    made_by: Maker = Field(description="Whether a person or a machine made it.", examples=["machine"])
    tool: str | None = Field(description="The program that made it.", examples=["A large language model"])
    checked_by: str | None = Field(description="Who checked it; null if nobody has.", examples=[None])
    checked_on: dt.date | None = Field(description="The day on which it was checked.", examples=[None])
    behind: bool = Field(
        description="True if its edition is not the current one any more: the guide may say something else now.",
        examples=[False],
    )
    notices: tuple[str, ...] = Field(
        description="Sentences to show with the words: that a machine made them and nobody has checked them, or that "
        "the guide has changed since.",
        examples=[[]],
    )
    link: RenditionLink | None = Field(
        description="Of large print, a film or a recording: where it is.", examples=[None]
    )


class ListedRendition(RenditionSummary):
    """A rendition in the list of its guide."""

    withdrawal: Withdrawal | None = Field(description="Its withdrawal, if it was withdrawn.", examples=[None])
    links: Links = Field(
        description="Paths of this API, by relation.",
        examples=[{"self": "/v1/guides/child-sexual-exploitation/renditions/cy/1"}],
    )


class RenditionsResponse(ResponseModel):
    """The renditions of a guide or of one edition, by language, the newest first."""

    renditions: tuple[ListedRendition, ...] = Field(description="The renditions.")
    next_cursor: str | None = Field(default=None, description="Always null: the list is short.", examples=[None])


class RenditionFacts(RenditionSummary):
    """What the words of a response are, and which of them are not in its language."""

    in_guide_language: tuple[str, ...] = Field(
        description="JSON Pointers (RFC 6901) to the words of this response that are in the guide's own language, "
        "because the rendition does not have them. Names of bodies, sources and addresses are always as printed.",
        examples=[["/change_note"]],
    )
    unchecked_cautions: tuple[Caution, ...] = Field(
        description="A machine's words for the cautions, which nobody has checked. Show them beside the cautions, and "
        "never in their place.",
        examples=[[]],
    )


class RenditionResponse(EditionResponse):
    """An edition with its words in another language or form.

    The members are those of the edition, so a program that shows an edition can show a rendition. `digest` is the
    edition's; the rendition's own is in `rendition`. Codes, numbers and addresses are always the edition's.
    """

    rendition: RenditionFacts = Field(description="What the words are.")


class PublishedRenditionResponse(ResponseModel):
    """The rendition is published, and will never change."""

    guide: Slug = Field(description="The guide.", examples=["child-sexual-exploitation"])
    language: str = Field(description="Its language (BCP 47).", examples=["cy"])
    number: int = Field(description="The number that it was given.", examples=[2])
    digest: str = Field(description="Its digest.", examples=[A_DIGEST])
    published_at: UtcDateTime = Field(description="When it was published.")
    links: Links = RENDITION_LINKS


class RenditionWithdrawalResponse(ResponseModel):
    """The rendition is withdrawn: its words stay on record, and reads of it give the reason."""

    guide: Slug = Field(description="The guide.", examples=["child-sexual-exploitation"])
    language: str = Field(description="Its language (BCP 47).", examples=["cy"])
    number: int = Field(description="The rendition's number.", examples=[2])
    withdrawn_at: UtcDateTime = Field(description="When it was withdrawn.")
    reason: str = Field(description="Why.", examples=["Indicator 3 was translated wrongly. Rendition 3 corrects it."])
    links: Links = RENDITION_LINKS
