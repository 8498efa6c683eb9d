"""The content of a rendition: an edition's words in another language or form, or a link to a recording of them.

A rendition has the ids of its edition. It has no telephone number, no address and no code: these are always the
edition's own.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, Any, get_type_hints

from pydantic import Field, create_model

from app.models.base import MAX_ITEMS, MAX_NUMBER, FullDate, RequestModel, Text, WebAddress
from app.models.guidance.definitions import Limb
from app.models.guidance.guide_responses import DIGEST
from app.models.guidance.items import ItemId
from app.models.guidance.languages import LanguageTag
from app.models.guidance.sections import ITEM_LISTS, Introductions, SectionEntry


class RenditionForm(StrEnum):
    """The form of a rendition."""

    TRANSLATION = "translation"
    EASY_READ = "easy_read"
    LARGE_PRINT = "large_print"
    BSL_VIDEO = "bsl_video"
    AUDIO = "audio"

    @property
    def has_words(self) -> bool:
        """Whether it has words of its own. The others are links to a document or a recording."""
        return self in (RenditionForm.TRANSLATION, RenditionForm.EASY_READ)


class Maker(StrEnum):
    """What made a rendition."""

    HUMAN = "human"
    MACHINE = "machine"


class RenderedEdition(RequestModel):
    """The edition that a rendition is of."""

    edition: int = Field(ge=1, le=MAX_NUMBER, strict=True, description="The edition's number.", examples=[1])
    digest: str = Field(
        pattern=r"^sha256:[0-9a-f]{64}$",
        max_length=71,
        description="The digest of that edition: other words would be another edition.",
        examples=[DIGEST],
    )


class RenditionLink(RequestModel):
    """A document or a recording elsewhere, and what somebody gets from it who cannot see or hear it."""

    url: WebAddress
    title: Text = Field(description="Its title.", examples=["The guide in British Sign Language"])
    text_alternative: Text = Field(
        description="What is in it: its length, who speaks or signs, and where the same words are to be read.",
        examples=["A film of four minutes. The words of the guide are on this page."],
    )


def word_fields(item: type[RequestModel]) -> tuple[str, ...]:
    """Return the names of the fields of an item that have words to translate."""
    hints = get_type_hints(item, include_extras=True)
    return tuple(name for name, hint in hints.items() if hint in (Text, Text | None))


def _words_of_items(entry: SectionEntry) -> type[RequestModel]:
    """Build the model of an item's words: its id, and each field that has words."""
    fields: dict[str, Any] = {"id": (ItemId, Field(description="The id that the item has in the edition."))}
    for name in word_fields(entry.item):
        examples = entry.item.model_fields[name].examples
        word = Field(default=None, description="The words; left out, they come in the guide's own.", examples=examples)
        fields[name] = (Text | None, word)
    if "limbs" in entry.item.model_fields:
        fields["limbs"] = (tuple[Limb, ...], Field(default=(), max_length=MAX_ITEMS, description="The lettered limbs."))
    return create_model(
        f"{entry.item.__name__}Words",
        __base__=RequestModel,
        __module__=__name__,
        __doc__=f"The words of one of the {entry.title.lower()}.",
        **fields,
    )


ITEM_WORDS = {key: _words_of_items(entry) for key, entry in ITEM_LISTS.items()}
"""The model of the words of an item, by the section's key."""


class RenditionDetails(RequestModel):
    """The details of a rendition, without its words."""

    language: LanguageTag = Field(examples=["cy"])
    form: RenditionForm = Field(description="Its form.", examples=["translation"])
    of: RenderedEdition
    made_by: Maker = Field(description="Whether a person or a machine made it.", examples=["machine"])
    tool: Text | None = Field(
        default=None, description="The program that made it; needed for a machine.", examples=["A large language model"]
    )
    checked_by: Text | None = Field(
        default=None, description="Who checked it; null if nobody has.", examples=[None, "Welsh Language Team"]
    )
    checked_on: FullDate | None = Field(
        default=None, description="The day on which it was checked; null if nobody has.", examples=[None, "2026-11-24"]
    )
    link: RenditionLink | None = Field(
        default=None, description="Of large print, a film or a recording: where it is.", examples=[None]
    )

    @property
    def is_unchecked(self) -> bool:
        """Whether a machine made it and nobody has checked it."""
        return self.made_by is Maker.MACHINE and self.checked_on is None


class RenditionWords(RequestModel):
    """The words of the edition itself. What is left out comes in the guide's own words, and is marked."""

    title: Text | None = Field(default=None, description="The title.", examples=["Cam-fanteisio’n rhywiol ar blant"])
    applies_to: Text | None = Field(default=None, description="Where or to what the guide applies.", examples=[None])
    introductions: Introductions = Field(default=Introductions(), description="The words before the sections.")


_sections: dict[str, Any] = {
    key: (
        tuple[words, ...],  # type: ignore[valid-type]  # a model that is made of the registry
        Field(default=(), max_length=MAX_ITEMS, description=f"The words of the {ITEM_LISTS[key].title.lower()}."),
    )
    for key, words in ITEM_WORDS.items()
}
if TYPE_CHECKING:

    class RenditionContent(RenditionWords, RenditionDetails):
        """The whole content of a rendition."""

else:
    RenditionContent = create_model(
        "RenditionContent",
        __base__=(RenditionWords, RenditionDetails),
        __module__=__name__,
        __doc__="The whole content of a rendition. Its digest is taken over exactly this.",
        **_sections,
    )
