"""The faults of a rendition against its edition: every one at once, each with its place."""

from collections.abc import Iterator
from typing import Any

from app.faults import FaultCode, FieldError, Location
from app.models.guidance.editions import EditionContent
from app.models.guidance.languages import BRITISH_SIGN_LANGUAGE, EASY_READ_SUFFIX, ENGLISH_TAG
from app.models.guidance.rendition_content import Maker, RenditionContent, RenditionForm, word_fields
from app.models.guidance.sections import ITEM_LISTS, Introductions


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
        yield FieldError(("checked_on",), "Who checked it, and the day, go together.", FaultCode.REQUIRED)


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
                yield FieldError((key, index, "id"), "This id is in the list twice.", FaultCode.DUPLICATE_ID)
            elif words.id not in originals:
                yield FieldError((key, index, "id"), "The edition has no item of this id.", FaultCode.UNKNOWN_ITEM)
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
        yield FieldError(at, "The edition has no words here.", FaultCode.UNKNOWN_FIELD)
