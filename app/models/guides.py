"""Responses of the public reads of guidance, and what publishing and withdrawing take and answer."""

from enum import StrEnum
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ConfigDict, Field, create_model

from app.models.base import RequestModel, ResponseModel, Slug, Text, UtcDateTime
from app.models.editions import EditionContent
from app.models.items import Caution, Identified
from app.models.links import Links
from app.models.sections import DOCUMENTED, Section

DIGEST = "sha256:a5129e4eb899eb9761fcc041e91847544b4a1ab7d8694f456b328b5c056593e9"

GUIDANCE_LINKS = Field(examples=[{"self": "/v1/guides/child-sexual-exploitation"}])


class EditionStatus(StrEnum):
    """What an edition is to its guide.

    A numbered edition's own answer says `published`: its bytes never change, so they say nothing that a later edition
    could change. The guide's current answer and its history say `current`, `superseded` or `withdrawn`.
    """

    CURRENT = "current"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    PUBLISHED = "published"


class WithDigest(ResponseModel):
    """The guide, number, status and digest of an edition: in every response that holds guidance."""

    guide: Slug = Field(description="The guide.", examples=["child-sexual-exploitation"])
    edition: int = Field(description="The edition's number, from 1.", examples=[1])
    status: EditionStatus = Field(description="What the edition is to its guide.", examples=["current"])
    digest: str = Field(
        description="`sha256:` and the SHA-256 of the edition's canonical JSON (RFC 8785): the members `title` to "
        "`contacts`, without those that are null, an empty array or an empty object.",
        examples=[DIGEST],
    )


class EditionHeader(WithDigest):
    """The fields before the content of an edition."""

    published_at: UtcDateTime = Field(description="When it was published.")


class EditionResponse(EditionContent, EditionHeader):
    """One edition, whole."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)  # empty members are there

    links: Links = GUIDANCE_LINKS


class WithCautions(WithDigest):
    """The base of responses with guidance, which always has its cautions with it."""

    cautions: tuple[Caution, ...] = Field(description="Read with every indicator and factor.")


def _section_response(section: Section) -> type[WithCautions]:
    """Build the answer that holds a section: its edition, the cautions, and the items under the section's key."""
    entry = section.entry
    fields: dict[str, Any] = {
        section.key: (EditionContent.model_fields[section.key].annotation, Field(description=entry.description)),
        "links": (Links, GUIDANCE_LINKS),
    }
    return create_model(
        f"{section.camel_case}Response",
        __base__=WithCautions,
        __module__=__name__,
        __doc__=f"The {entry.title.lower()} of an edition. {entry.remark}".strip(),
        **fields,
    )


SECTION_RESPONSES = {section: _section_response(section) for section in DOCUMENTED}

if TYPE_CHECKING:
    Item = Identified
else:
    Item = reduce(or_, (section.entry.item for section in DOCUMENTED))


class ItemChange(StrEnum):
    """What an edition did to an item, against the edition before it."""

    ADDED = "added"
    REWORDED = "reworded"
    MOVED = "moved"
    UNCHANGED = "unchanged"


class ItemMention(ResponseModel):
    """One edition in which the item stands."""

    edition: int = Field(description="The edition's number.", examples=[1])
    status: EditionStatus = Field(description="What that edition is to its guide.", examples=["current"])
    published_at: UtcDateTime = Field(description="When that edition was published.")
    change: ItemChange = Field(
        description="Whether the item came with this edition, was reworded or moved by it, or stands as it did in the "
        "edition before.",
        examples=["added"],
    )


class NumberedItemResponse(WithCautions):
    """One item of a numbered edition, of whichever section."""

    section: Section = Field(description="The section that it stands in.", examples=["indicators"])
    item: Item = Field(description="The item.")
    links: Links = GUIDANCE_LINKS


class ItemResponse(WithCautions):
    """One item of the current edition, of whichever section, with its history."""

    section: Section = Field(description="The section that it stands in.", examples=["indicators"])
    item: Item = Field(description="The item.")
    history: tuple[ItemMention, ...] = Field(
        description="The editions in which the item stands, the newest first; withdrawn ones are named as such."
    )
    links: Links = GUIDANCE_LINKS


Narrowed = TypeVar("Narrowed", bound=WithCautions)


def of_section(base: type[Narrowed], section: Section) -> type[Narrowed]:
    """Return that model of a response with an item, narrowed to the items of the section."""
    item = section.entry.item
    fields: dict[str, Any] = {
        "item": (item, Field(description="The item, word for word.")),
        "section": (Section, Field(description="The section that it stands in.", examples=[section.value])),
    }
    return create_model(
        base.__name__.replace("Item", item.__name__),
        __base__=base,
        __module__=__name__,
        __doc__=(base.__doc__ or "").replace(", of whichever section", f" among its {section.words}"),
        **fields,
    )


ITEM_RESPONSES = {section: of_section(ItemResponse, section) for section in DOCUMENTED}
NUMBERED_ITEM_RESPONSES = {section: of_section(NumberedItemResponse, section) for section in DOCUMENTED}


class GuideSubject(ResponseModel):
    """What a guide is about."""

    code: str = Field(description="A code of the list `subject`.", examples=["child_sexual_exploitation"])
    label: str = Field(description="The subject for people.", examples=["Child sexual exploitation"])
    lgsl_code: int | None = Field(
        description="Its code in the Local Government Service List, where that is known.", examples=[None, 35]
    )


class GuideSummary(ResponseModel):
    """A guide with its current edition."""

    guide: Slug = Field(description="The guide.", examples=["child-sexual-exploitation"])
    title: str = Field(
        description="Title as printed.", examples=["‘One Minute Guide’ to Child Sexual Exploitation (CSE)"]
    )
    edition: int = Field(description="The current edition's number.", examples=[1])
    published_at: UtcDateTime = Field(description="When the current edition was published.")
    digest: str = Field(description="The current edition's digest.", examples=[DIGEST])
    subjects: tuple[GuideSubject, ...] = Field(description="What the guide is about.")
    languages: tuple[str, ...] = Field(
        description="The languages to read it in (BCP 47), its own first. The others are renditions.",
        examples=[["en-GB", "cy", "en-GB-simple"]],
    )
    links: Links = GUIDANCE_LINKS


class GuidesResponse(ResponseModel):
    """Every guide that has a current edition, by name."""

    guides: tuple[GuideSummary, ...] = Field(description="The guides.")
    next_cursor: str | None = Field(description="Where the next page begins; null on the last.", examples=[None])


class Withdrawal(ResponseModel):
    """The withdrawal of an edition."""

    withdrawn_at: UtcDateTime = Field(description="When it was withdrawn.")
    reason: str = Field(description="Why, in a sentence for readers.", examples=["A telephone number was wrong."])


class EditionSummary(ResponseModel):
    """One edition in the history of its guide."""

    number: int = Field(description="The edition's number, from 1.", examples=[1])
    status: EditionStatus = Field(description="What it is to its guide.", examples=["current"])
    published_at: UtcDateTime = Field(description="When it was published.")
    change_note: str = Field(
        description="What it changed.", examples=["First edition, transcribed word for word from the printed guide."]
    )
    digest: str = Field(description="Its digest.", examples=[DIGEST])
    withdrawal: Withdrawal | None = Field(description="Its withdrawal, if it was withdrawn.", examples=[None])
    links: Links = Field(examples=[{"self": "/v1/guides/child-sexual-exploitation/editions/1"}])


class EditionsResponse(ResponseModel):
    """The history of a guide, the newest edition first."""

    editions: tuple[EditionSummary, ...] = Field(description="The editions.")
    next_cursor: str | None = Field(description="Where the next page begins; null on the last.", examples=[None])


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
