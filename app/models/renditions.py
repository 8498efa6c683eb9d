"""Renditions: their content, the same put into an edition, their faults, and what is answered about them."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, get_type_hints

from pydantic import Field, create_model

from app.errors import FaultCode, FieldError, Location
from app.models.base import (
    EXAMPLE_DIGEST,
    EXAMPLE_RENDITION_DIGEST,
    MAX_ITEMS,
    MAX_NUMBER,
    FullDate,
    RequestModel,
    ResponseModel,
    Slug,
    Text,
    UtcDateTime,
    WebAddress,
)
from app.models.editions import EditionContent
from app.models.guides import EditionResponse, Withdrawal
from app.models.items import Caution, ItemId, Limb
from app.models.languages import (
    BRITISH_SIGN_LANGUAGE,
    EASY_READ_SUFFIX,
    ENGLISH_TAG,
    Direction,
    LanguageTag,
    RenditionForm,
)
from app.models.links import Links
from app.models.sections import CAUTIONS, ITEM_LISTS, Introductions, SectionEntry


class Maker(StrEnum):
    """Origin of a rendition: a person or a machine."""

    HUMAN = "human"
    MACHINE = "machine"


class RenderedEdition(RequestModel):
    """The edition of a rendition."""

    edition: int = Field(ge=1, le=MAX_NUMBER, strict=True, description="The edition's number.", examples=[1])
    digest: str = Field(
        pattern=r"^sha256:[0-9a-f]{64}$",
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
        examples=["A film of four minutes. Translation of the guide are on this page."],
    )


def word_fields(item: type[RequestModel]) -> tuple[str, ...]:
    """Return the names of the fields of an item that have words to translate."""
    hints = get_type_hints(item, include_extras=True)
    return tuple(name for name, hint in hints.items() if hint in (Text, Text | None))


def _words_of_items(entry: SectionEntry) -> type[RequestModel]:
    """Build the model of an item's words: its id, and each field that has words."""
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
"""The model of the words of an item, by the section's key."""


class RenditionDetails(RequestModel):
    """The details of a rendition, without its words."""

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
        """Whether a machine made it and nobody has checked it."""
        return self.made_by is Maker.MACHINE and self.checked_on is None


class RenditionWords(RequestModel):
    """Translation of the edition itself. What is left out comes in the guide's own words, and is marked."""

    title: Text | None = Field(default=None, description="The title.", examples=["Cam-fanteisio’n rhywiol ar blant"])
    applies_to: Text | None = Field(
        default=None, description="The area or situation that the guide applies to.", examples=[None]
    )
    introductions: Introductions = Field(default=Introductions(), description="Text before the sections.")


_sections: dict[str, Any] = {
    key: (
        tuple[words, ...],  # type: ignore[valid-type]  # a model that is made of the registry
        Field(default=(), max_length=MAX_ITEMS, description=f"Translation of the {ITEM_LISTS[key].title.lower()}."),
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
        __doc__="The complete content of a rendition. The digest covers exactly these members.",
        **_sections,
    )


OF_THE_CURRENT_EDITION = ("cautions", "contacts")
"""What comes from the current edition also where a rendition is of an older one: nobody is given an old number."""
ALWAYS_IN_THE_GUIDES_OWN = ("change_note",)


@dataclass(frozen=True)
class RenderedWords:
    """The words of a rendition on its edition, and what is in the guide's own language in it."""

    content: EditionContent
    in_guide_language: tuple[str, ...]
    """JSON Pointers (RFC 6901) to the words that the rendition does not have."""
    unchecked_cautions: tuple[Caution, ...]
    """A machine's words for the cautions, which nobody has checked. They never take the place of the cautions."""


def render(words: RenditionContent, edition: EditionContent, current: EditionContent | None = None) -> RenderedWords:
    """Put the words into the edition, with the cautions and the contacts of the current edition if it is given."""
    own: dict[str, Any] = edition.model_dump(mode="json")
    missing = [f"/{name}" for name in ALWAYS_IN_THE_GUIDES_OWN]
    missing += _put(own, {"title": words.title, "applies_to": words.applies_to}, "")
    missing += _put(own["introductions"], dict(words.introductions), "/introductions")
    for key in ITEM_LISTS:
        source = current if current is not None and key in OF_THE_CURRENT_EDITION else edition
        items = own[key] = [item.model_dump(mode="json") for item in getattr(source, key)]
        missing += _put_items(items, key, words, edition)
    cautions = getattr(words, CAUTIONS.path) if words.is_unchecked else ()
    unchecked = tuple(Caution(id=each.id, text=each.text) for each in cautions if each.text is not None)
    return RenderedWords(EditionContent.model_validate(own), tuple(missing), unchecked)


def _put_items(items: list[Any], key: str, words: RenditionContent, edition: EditionContent) -> Iterable[str]:
    """Put in the words of each item that says the same in the edition that the rendition is of."""
    originals = {item.id: item for item in getattr(edition, key)}
    may_replace = key != "cautions" or not words.is_unchecked
    replacements = {item.id: item for item in getattr(words, key)} if may_replace else {}
    for index, item in enumerate(items):
        original, replacement = originals.get(item["id"]), replacements.get(item["id"])
        names = word_fields(ITEM_LISTS[key].item)
        found = {
            name: getattr(replacement, name, None) if getattr(original, name, None) == item[name] else None
            for name in names
        }
        yield from _put(item, found, f"/{key}/{index}")
        limbs = {limb.label: limb.text for limb in getattr(replacement, "limbs", ())}
        for place, limb in enumerate(item.get("limbs", ())):
            yield from _put(limb, {"text": limbs.get(limb["label"])}, f"/{key}/{index}/limbs/{place}")


def _put(target: dict[str, Any], found: dict[str, str | None], at: str) -> Iterable[str]:
    """Replace the words that there are, and yield a pointer to those that stay."""
    for name, word in found.items():
        if target[name] is None:
            continue
        if word is None:
            yield f"{at}/{name}"
        else:
            target[name] = word


def find_own_faults(content: RenditionContent) -> Iterator[FieldError]:
    """Yield the faults that can be seen without the edition: what does not go together."""
    language, is_simple = content.language, content.language.endswith(EASY_READ_SUFFIX)
    if is_simple != (content.form is RenditionForm.EASY_READ):
        yield FieldError(
            ("language",), "Easy read, and nothing else, has a tag that ends in `-simple`: `en-GB-simple`."
        )
    if (language == BRITISH_SIGN_LANGUAGE) != (content.form is RenditionForm.BSL_VIDEO):
        yield FieldError(("language",), "A film in British Sign Language, and nothing else, has the tag `bfi`.")
    if content.form is RenditionForm.TRANSLATION and language.partition("-")[0] == ENGLISH_TAG and not is_simple:
        yield FieldError(("language",), "The guide itself is in English, so this is no translation.")
    yield from _about_its_making(content)
    yield from _about_its_words(content)


def _about_its_making(content: RenditionContent) -> Iterator[FieldError]:
    if content.made_by is Maker.MACHINE and content.tool is None:
        yield FieldError(("tool",), "Name the program that made it.", FaultCode.REQUIRED)
    if (content.checked_by is None) != (content.checked_on is None):
        yield FieldError(("checked_on",), "Give both `checked_by` and `checked_on`, or neither.", FaultCode.REQUIRED)


def _about_its_words(content: RenditionContent) -> Iterator[FieldError]:
    if content.form.has_words:
        if content.link is not None:
            yield FieldError(("link",), "Only large print, a film or a recording has a link.")
        return
    if content.link is None:
        yield FieldError(("link",), "Large print, a film or a recording needs its link.", FaultCode.REQUIRED)
    yield from (
        FieldError((name,), "Large print, a film or a recording has no words of its own.")
        for name in ("title", "applies_to", "introductions", *ITEM_LISTS)
        if getattr(content, name) not in (None, (), Introductions())
    )


def find_strangers(content: RenditionContent, edition: EditionContent) -> Iterator[FieldError]:
    """Yield a fault for each id that the edition does not have, and for words where it has none."""
    yield from _without_original(("applies_to",), content.applies_to, edition.applies_to)
    for name, words in dict(content.introductions).items():
        yield from _without_original(("introductions", name), words, getattr(edition.introductions, name))
    for key in ITEM_LISTS:
        originals, seen = {item.id: item for item in getattr(edition, key)}, set[str]()
        for index, words in enumerate(getattr(content, key)):
            if words.id in seen:
                yield FieldError((key, index, "id"), "This id occurs twice in the list.", FaultCode.DUPLICATE_ID)
            elif words.id not in originals:
                yield FieldError((key, index, "id"), "The edition has no item with this id.", FaultCode.UNKNOWN_ITEM)
            else:
                yield from _in_item((key, index), words, originals[words.id])
            seen.add(words.id)


def _in_item(at: Location, words: Any, original: Any) -> Iterator[FieldError]:
    for name in word_fields(type(original)):
        yield from _without_original((*at, name), getattr(words, name), getattr(original, name))
    labels = [limb.label for limb in getattr(original, "limbs", ())]
    for place, limb in enumerate(getattr(words, "limbs", ())):
        if limb.label not in labels:
            yield FieldError(
                (*at, "limbs", place, "label"), "The edition has no limb of this label.", FaultCode.UNKNOWN_ITEM
            )


def _without_original(at: Location, words: str | None, original: str | None) -> Iterator[FieldError]:
    if words is not None and original is None:
        yield FieldError(at, "The edition has no text here.", FaultCode.UNKNOWN_FIELD)


RENDITION_LINKS = Field(examples=[{"self": "/v1/guides/child-sexual-exploitation/renditions/cy"}])


class RenditionSummary(ResponseModel):
    """A rendition without its words."""

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


class RenditionResponse(EditionResponse):
    """An edition in another language or format.

    Has the members of an edition, so programs can show it like one. `digest` is that of the edition; the
    rendition's own digest is in `rendition`. Codes, numbers and addresses are always those of the edition.
    """

    rendition: RenditionFacts = Field(description="Language, format, maker and checker of the rendition.")


class PublishedRenditionResponse(ResponseModel):
    """The rendition is published."""

    guide: Slug = Field(description="The guide.", examples=["child-sexual-exploitation"])
    language: str = Field(description="Its language (BCP 47).", examples=["cy"])
    number: int = Field(description="Number of the rendition.", examples=[2])
    digest: str = Field(description="Its digest.", examples=[EXAMPLE_RENDITION_DIGEST])
    published_at: UtcDateTime = Field(description="Time of publication.")
    links: Links = RENDITION_LINKS


class RenditionWithdrawalResponse(ResponseModel):
    """The rendition is withdrawn. Reads return the reason."""

    guide: Slug = Field(description="The guide.", examples=["child-sexual-exploitation"])
    language: str = Field(description="Its language (BCP 47).", examples=["cy"])
    number: int = Field(description="The rendition's number.", examples=[2])
    withdrawn_at: UtcDateTime = Field(description="Time of withdrawal.")
    reason: str = Field(description="Why.", examples=["Indicator 3 was translated wrongly. Rendition 3 corrects it."])
    links: Links = RENDITION_LINKS


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
