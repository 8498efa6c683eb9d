"""A rendition of an edition: its content, requests and responses."""

import datetime as dt
from enum import StrEnum
from typing import TYPE_CHECKING, Any, get_type_hints

from pydantic import Field, create_model

from app.models.base import (
    EXAMPLE_DIGEST,
    EXAMPLE_RENDITION_DIGEST,
    MAX_ITEMS,
    MAX_NUMBER,
    SLUG_PATTERN,
    FullDate,
    GuideName,
    RequestModel,
    ResponseModel,
    Text,
    UtcDateTime,
    WebAddress,
)
from app.models.guides.guides import EditionResponse, Withdrawal
from app.models.guides.items import Caution, ItemId, Limb
from app.models.guides.sections import ITEM_LISTS, Introductions, Section, SectionEntry
from app.models.languages import Direction, LanguageTag, RenditionForm
from app.models.links import Links, PageLinks

OF_THE_CURRENT_EDITION = ("cautions", "contacts")
"""Lists that come from the current edition, even if the rendition is of an older edition.

A rendition therefore never shows an outdated number to call.
"""
ALWAYS_IN_THE_GUIDES_OWN = ("change_note",)
"""Fields of the edition that are never translated: they are always in the guide's own language."""
DIGEST_PATTERN = r"^sha256:[0-9a-f]{64}$"
PICTURE_DIGEST = Field(
    pattern=DIGEST_PATTERN,
    max_length=71,
    description="Digest of the picture: `sha256:` and the SHA-256 of its bytes.",
    examples=["sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
)
PICTURE_ALT = Field(
    description="Text alternative: what the picture shows.", examples=["A girl hides her phone from her mother."]
)
PICTURE_WIDTH = Field(ge=1, le=MAX_NUMBER, strict=True, description="Width in pixels.", examples=[640])
PICTURE_HEIGHT = Field(ge=1, le=MAX_NUMBER, strict=True, description="Height in pixels.", examples=[480])
RENDITION_LINKS = Field(examples=[{"self": "/v1/guides/child-sexual-exploitation/renditions/cy"}])
RENDITION_EXAMPLE: dict[str, Any] = {
    "language": "pl",
    "form": "translation",
    "of": {"edition": 1, "digest": EXAMPLE_DIGEST},
    "made_by": "human",
    "checked_by": "Example Translation Team",
    "checked_on": "2026-11-24",
    "indicators": [
        {"id": "secrecy", "text": "Tajemniczość co do miejsca pobytu, znajomych, ważnych relacji i nowych rzeczy"}
    ],
}


class Maker(StrEnum):
    """Origin of a rendition: a person or a machine."""

    HUMAN = "human"
    MACHINE = "machine"


class RenderedEdition(RequestModel):
    """The edition of a rendition."""

    edition: int = Field(ge=1, le=MAX_NUMBER, strict=True, description="The edition's number.", examples=[1])
    digest: str = Field(
        pattern=DIGEST_PATTERN,
        max_length=71,
        description="Digest of that edition, which identifies its exact text.",
        examples=[EXAMPLE_DIGEST],
    )


class RenditionLink(RequestModel):
    """A linked document or recording, with a text alternative."""

    url: WebAddress
    title: Text = Field(description="Its title.", examples=["The guide in British Sign Language"])
    text_alternative: Text = Field(
        description="Text alternative: the length, who speaks or signs, and where to read the same content.",
        examples=["A film of four minutes. Translations of the guide are on this page."],
    )


class RenditionPicture(RequestModel):
    """A picture beside the text of an item, in a rendition in simple words."""

    item: str = Field(
        pattern=f"^(?:{'|'.join(section.key for section in Section)})/{SLUG_PATTERN[1:]}",
        max_length=120,
        description="Item that the picture belongs to: the key of the section, and the id of the item.",
        examples=["indicators/secrecy"],
    )
    digest: str = PICTURE_DIGEST
    alt: Text = PICTURE_ALT
    width: int = PICTURE_WIDTH
    height: int = PICTURE_HEIGHT


def word_fields(item: type[RequestModel]) -> tuple[str, ...]:
    """Return the names of the fields of the model `item` that contain text to translate."""
    hints = get_type_hints(item, include_extras=True)
    return tuple(name for name, hint in hints.items() if hint in (Text, Text | None))


def _words_of_items(entry: SectionEntry) -> type[RequestModel]:
    """Build the model of the translation of one item of the list `entry`: the item's id, and each field with text."""
    fields: dict[str, Any] = {"id": (ItemId, Field(description="Id of the item in the edition."))}
    for name in word_fields(entry.item):
        examples = entry.item.model_fields[name].examples
        word = Field(
            default=None, description="Translated text. If omitted, the guide's own text is used.", examples=examples
        )
        fields[name] = (Text | None, word)
    if "limbs" in entry.item.model_fields:
        fields["limbs"] = (tuple[Limb, ...], Field(default=(), max_length=MAX_ITEMS, description="The lettered limbs."))
    return create_model(
        f"{entry.item.__name__}Words",
        __base__=RequestModel,
        __module__=__name__,
        __doc__=f"The translation of one of the {entry.title.lower()}.",
        **fields,
    )


ITEM_WORDS = {key: _words_of_items(entry) for key, entry in ITEM_LISTS.items()}
"""The model of an item's translation, by the key of the item's list."""


class RenditionDetails(RequestModel):
    """The details of a rendition, without its text."""

    language: LanguageTag = Field(examples=["cy"])
    form: RenditionForm = Field(description="Its form.", examples=["translation"])
    of: RenderedEdition
    made_by: Maker = Field(description="Made by a person or a machine.", examples=["machine"])
    tool: Text | None = Field(
        default=None,
        description="Name of the program; required for a machine translation.",
        examples=["A large language model"],
    )
    checked_by: Text | None = Field(
        default=None,
        description="Person who checked the rendition; null if unchecked.",
        examples=[None, "Welsh Language Team"],
    )
    checked_on: FullDate | None = Field(
        default=None, description="Date of the check; null if nobody has checked it.", examples=[None, "2026-11-24"]
    )
    link: RenditionLink | None = Field(
        default=None, description="For large print, a film or a recording: its location.", examples=[None]
    )

    @property
    def is_unchecked(self) -> bool:
        """True if a machine made the rendition and nobody has checked it."""
        return self.made_by is Maker.MACHINE and self.checked_on is None


class RenditionWords(RequestModel):
    """The translation of the edition's own fields. Omitted text is shown in the guide's own language, and marked."""

    title: Text | None = Field(default=None, description="The title.", examples=["Cam-fanteisio’n rhywiol ar blant"])
    applies_to: Text | None = Field(
        default=None, description="The area or situation that the guide applies to.", examples=[None]
    )
    introductions: Introductions = Field(default=Introductions(), description="Text before the sections.")
    pictures: tuple[RenditionPicture, ...] = Field(
        default=(),
        max_length=MAX_ITEMS,
        description="Pictures of a rendition in simple words, at most one for each item. They must be stored here: "
        "editors upload them.",
        examples=[[]],
    )


_sections: dict[str, Any] = {
    key: (
        tuple[words, ...],  # type: ignore[valid-type]  # a model that is built from the registry
        Field(default=(), max_length=MAX_ITEMS, description=f"Translation of the {ITEM_LISTS[key].title.lower()}."),
    )
    for key, words in ITEM_WORDS.items()
}


if TYPE_CHECKING:

    class RenditionContent(RenditionWords, RenditionDetails):
        """The complete content of a rendition."""

else:
    RenditionContent = create_model(
        "RenditionContent",
        __base__=(RenditionWords, RenditionDetails),
        __module__=__name__,
        __doc__="The complete content of a rendition. The digest covers exactly these members.",
        **_sections,
    )


class RenditionSummary(ResponseModel):
    """A rendition without its text."""

    language: str = Field(description="Its language (BCP 47).", examples=["cy"])
    dir: Direction = Field(description="Writing direction.", examples=["ltr"])
    form: RenditionForm = Field(description="Its form.", examples=["translation"])
    number: int = Field(description="Number, from 1, among the guide's renditions in this language.", examples=[1])
    digest: str = Field(
        description="`sha256:` and the SHA-256 of the rendition's content as canonical JSON (RFC 8785), without empty "
        "members, like the digest of an edition.",
        examples=[EXAMPLE_RENDITION_DIGEST],
    )
    published_at: UtcDateTime = Field(description="Time of publication.")
    of: RenderedEdition = Field(description="The rendered edition.")
    made_by: Maker = Field(description="Made by a person or a machine.", examples=["machine"])
    tool: str | None = Field(description="Name of the program.", examples=["A large language model"])
    checked_by: str | None = Field(description="Person who checked the rendition; null if unchecked.", examples=[None])
    checked_on: dt.date | None = Field(description="Date of the check.", examples=[None])
    behind: bool = Field(
        description="True if its edition is no longer current: the guide may have changed.",
        examples=[False],
    )
    notices: tuple[str, ...] = Field(
        description="Sentences to show with the text: an unchecked machine translation, or a guide that has changed "
        "since.",
        examples=[[]],
    )
    link: RenditionLink | None = Field(
        description="For large print, a film or a recording: its location.", examples=[None]
    )


class ListedRendition(RenditionSummary):
    """A rendition in a list."""

    withdrawal: Withdrawal | None = Field(description="The withdrawal, if withdrawn.", examples=[None])
    links: Links = Field(examples=[{"self": "/v1/guides/child-sexual-exploitation/renditions/cy/1"}])


class RenditionsResponse(ResponseModel):
    """The renditions of a guide or of one edition, by language, most recent first."""

    renditions: tuple[ListedRendition, ...] = Field(description="The renditions.")
    next_cursor: str | None = Field(default=None, description="Always null: the list is short.", examples=[None])
    links: PageLinks = Field(examples=[{"self": "/v1/guides/child-sexual-exploitation/renditions"}])


class ShownPicture(ResponseModel):
    """A picture beside the text of an item."""

    at: str = Field(description="JSON Pointer (RFC 6901) to the item in this response.", examples=["/indicators/1"])
    url: str = Field(
        description="Path of the picture, a JPEG. Its bytes never change.",
        examples=[
            "/guides/child-sexual-exploitation/renditions/en-GB-simple/2/pictures/"
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.jpg"
        ],
    )
    digest: str = PICTURE_DIGEST
    alt: Text = PICTURE_ALT
    width: int = PICTURE_WIDTH
    height: int = PICTURE_HEIGHT


class RenditionFacts(RenditionSummary):
    """Facts about a rendition, and its untranslated text."""

    in_guide_language: tuple[str, ...] = Field(
        description="JSON Pointers (RFC 6901) to untranslated text in this response, in the guide's own language. "
        "Names of "
        "organisations, sources and addresses are always as printed.",
        examples=[["/change_note"]],
    )
    unchecked_cautions: tuple[Caution, ...] = Field(
        description="Unchecked machine translations of the cautions. Show them beside the cautions, never instead of "
        "them.",
        examples=[[]],
    )
    pictures: tuple[ShownPicture, ...] = Field(
        description="Pictures beside items, in a rendition in simple words. Empty if there are none.", examples=[[]]
    )


class RenditionResponse(EditionResponse):
    """An edition in another language or format.

    Has the members of an edition, so programs can show it like one. `digest` is the edition's digest; the
    rendition's own digest is in `rendition`. Codes, numbers and addresses are never translated.
    """

    rendition: RenditionFacts = Field(description="Language, format, maker and checker of the rendition.")


class PublishedRenditionResponse(ResponseModel):
    """The rendition is published."""

    guide: GuideName
    language: str = Field(description="Its language (BCP 47).", examples=["cy"])
    number: int = Field(description="Number of the rendition.", examples=[2])
    digest: str = Field(description="Its digest.", examples=[EXAMPLE_RENDITION_DIGEST])
    published_at: UtcDateTime = Field(description="Time of publication.")
    links: Links = RENDITION_LINKS


class RenditionWithdrawalResponse(ResponseModel):
    """The rendition is withdrawn. Reads return the reason."""

    guide: GuideName
    language: str = Field(description="Its language (BCP 47).", examples=["cy"])
    number: int = Field(description="The rendition's number.", examples=[2])
    withdrawn_at: UtcDateTime = Field(description="Time of withdrawal.")
    reason: str = Field(
        description="Reason for the withdrawal.",
        examples=["Indicator 3 was translated wrongly. Rendition 3 corrects it."],
    )
    links: Links = RENDITION_LINKS
