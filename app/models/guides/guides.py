"""Responses of public reads of guidance, and requests and responses of publication and withdrawal."""

from enum import StrEnum
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import ConfigDict, Field, create_model
from typing_extensions import TypeAliasType

from app.models.base import EXAMPLE_DIGEST, GuideName, NextCursor, RequestModel, ResponseModel, Text, UtcDateTime
from app.models.guides.editions import EditionContent
from app.models.guides.items import Caution, Identified
from app.models.guides.sections import DOCUMENTED, Section
from app.models.links import Links, PageLinks

DIGESTED = tuple(EditionContent.model_fields)
"""The members of an edition's response that the digest covers: the whole content."""
GUIDANCE_LINKS = Field(examples=[{"self": "/v1/guides/child-sexual-exploitation"}])
NumberOfEdition = TypeAliasType(
    "NumberOfEdition", Annotated[int, Field(description="The edition's number, from 1.", examples=[1])]
)
EditionDigest = TypeAliasType(
    "EditionDigest",
    Annotated[
        str,
        Field(
            description="`sha256:` and the SHA-256 of the edition's content as canonical JSON (RFC 8785), without "
            "nulls, empty arrays and empty objects. `digest_of` of a whole edition names the members.",
            examples=[EXAMPLE_DIGEST],
        ),
    ],
)
Cautions = TypeAliasType(
    "Cautions",
    Annotated[tuple[Caution, ...], Field(description="Must be read with every indicator and factor.")],
)


class EditionStatus(StrEnum):
    """The status of an edition.

    A numbered edition returns `published`, because its bytes never change. The current edition and the list of
    editions return `current`, `superseded` or `withdrawn`.
    """

    CURRENT = "current"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    PUBLISHED = "published"


class WithDigest(ResponseModel):
    """Base class of every response with guidance: the guide, number, status and digest of the edition."""

    guide: GuideName
    edition: NumberOfEdition
    status: EditionStatus = Field(examples=["current"])
    digest: EditionDigest


class EditionHeader(WithDigest):
    """The fields before the content of an edition."""

    digest_of: tuple[str, ...] = Field(
        description="Members of this response that the digest covers, and no others. Empty in a rendition, because "
        "the digest does not cover the translated text.",
        examples=[DIGESTED],
    )
    published_at: UtcDateTime = Field(description="Time of publication.")


class EditionResponse(EditionContent, EditionHeader):
    """One edition, whole."""

    # The schema requires fields with a default too, since a response always has them.
    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    links: Links = GUIDANCE_LINKS


class WithCautions(WithDigest):
    """Base class of responses with part of an edition. Such responses always include the edition's cautions."""

    cautions: Cautions


def _section_response(section: Section) -> type[WithCautions]:
    """Build the response model of a section: its edition, the cautions, and the items under the section's key."""
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
    """Change to an item compared with the previous edition."""

    ADDED = "added"
    REWORDED = "reworded"
    MOVED = "moved"
    UNCHANGED = "unchanged"


class ItemMention(ResponseModel):
    """An edition that contains the item."""

    edition: int = Field(description="The edition's number.", examples=[1])
    status: EditionStatus = Field(description="Status of that edition.", examples=["current"])
    published_at: UtcDateTime = Field(description="Publication time of that edition.")
    change: ItemChange = Field(
        description="Whether this edition added, reworded, moved or kept the item.",
        examples=["added"],
    )


ItemHistory = TypeAliasType(
    "ItemHistory",
    Annotated[
        tuple[ItemMention, ...],
        Field(description="Editions that contain the item, most recent first, including withdrawn ones."),
    ],
)


class NumberedItemResponse(WithCautions):
    """One item of a numbered edition, of whichever section."""

    section: Section = Field(examples=["indicators"])
    item: Item = Field(description="The item.")
    links: Links = GUIDANCE_LINKS


class ItemResponse(WithCautions):
    """One item of the current edition, of whichever section, with its history."""

    section: Section = Field(examples=["indicators"])
    item: Item = Field(description="The item.")
    history: ItemHistory
    links: Links = GUIDANCE_LINKS


Narrowed = TypeVar("Narrowed", bound=WithCautions)


def item_response_of(base: type[Narrowed], section: Section) -> type[Narrowed]:
    """Return a response model like `base`, but only for the items of `section`."""
    item = section.entry.item
    fields: dict[str, Any] = {
        "item": (item, Field(description="The item, word for word.")),
        "section": (Section, Field(examples=[section.value])),
    }
    return create_model(
        base.__name__.replace("Item", item.__name__),
        __base__=base,
        __module__=__name__,
        __doc__=(base.__doc__ or "").replace(", of whichever section", f" among its {section.words}"),
        **fields,
    )


ITEM_RESPONSES = {section: item_response_of(ItemResponse, section) for section in DOCUMENTED}

NUMBERED_ITEM_RESPONSES = {section: item_response_of(NumberedItemResponse, section) for section in DOCUMENTED}


class GuideSubject(ResponseModel):
    """Subject of a guide."""

    code: str = Field(description="A code of the list `subject`.", examples=["child_sexual_exploitation"])
    label: str = Field(description="The subject for people.", examples=["Child sexual exploitation"])
    lgsl_code: int | None = Field(
        description="Code in the Local Government Service List, if known.", examples=[None, 35]
    )


class GuideSummary(ResponseModel):
    """A guide with its current edition."""

    guide: GuideName
    title: str = Field(
        description="Title as printed.", examples=["‘One Minute Guide’ to Child Sexual Exploitation (CSE)"]
    )
    edition: int = Field(description="The current edition's number.", examples=[1])
    published_at: UtcDateTime = Field(description="Publication time of the current edition.")
    digest: str = Field(description="The current edition's digest.", examples=[EXAMPLE_DIGEST])
    subjects: tuple[GuideSubject, ...] = Field(description="Subjects of the guide.")
    languages: tuple[str, ...] = Field(
        description="Available languages (BCP 47), the guide's own first, then those of its renditions.",
        examples=[["en-GB", "cy", "en-GB-simple"]],
    )
    links: Links = GUIDANCE_LINKS


class GuidesResponse(ResponseModel):
    """Every guide with a current edition, in order of name."""

    guides: tuple[GuideSummary, ...] = Field(description="The guides.")
    next_cursor: NextCursor
    links: PageLinks = Field(examples=[{"self": "/v1/guides"}])


class Withdrawal(ResponseModel):
    """The withdrawal of an edition."""

    withdrawn_at: UtcDateTime = Field(description="Time of withdrawal.")
    reason: str = Field(description="Reason, in a sentence for readers.", examples=["A telephone number was wrong."])


class EditionSummary(ResponseModel):
    """An entry in the version history of a guide."""

    number: int = Field(description="The edition's number, from 1.", examples=[1])
    status: EditionStatus = Field(examples=["current"])
    published_at: UtcDateTime = Field(description="Time of publication.")
    change_note: str = Field(
        description="Changes in this edition.",
        examples=["First edition, transcribed word for word from the printed guide."],
    )
    digest: str = Field(description="Its digest.", examples=[EXAMPLE_DIGEST])
    withdrawal: Withdrawal | None = Field(description="The withdrawal, if withdrawn.", examples=[None])
    links: Links = Field(examples=[{"self": "/v1/guides/child-sexual-exploitation/editions/1"}])


class EditionsResponse(ResponseModel):
    """The editions of a guide, most recent first."""

    editions: tuple[EditionSummary, ...] = Field(description="The editions.")
    next_cursor: NextCursor
    links: PageLinks = Field(examples=[{"self": "/v1/guides/child-sexual-exploitation/editions"}])


class PublishedResponse(ResponseModel):
    """The edition is published."""

    guide: GuideName
    edition: int = Field(description="Number of the edition.", examples=[2])
    digest: str = Field(description="Its digest.", examples=[EXAMPLE_DIGEST])
    published_at: UtcDateTime = Field(description="Time of publication.")
    links: Links = GUIDANCE_LINKS


class WithdrawalRequest(RequestModel):
    """The reason for a withdrawal."""

    reason: Text = Field(
        description="A sentence for readers, returned by every read of the edition.",
        examples=["A telephone number was wrong. Edition 3 corrects it."],
    )


class WithdrawalResponse(ResponseModel):
    """The edition is withdrawn. Reads return the reason."""

    guide: GuideName
    edition: int = Field(description="The edition's number.", examples=[2])
    withdrawn_at: UtcDateTime = Field(description="Time of withdrawal.")
    reason: str = Field(
        description="Reason for the withdrawal.", examples=["A telephone number was wrong. Edition 3 corrects it."]
    )
    links: Links = GUIDANCE_LINKS
