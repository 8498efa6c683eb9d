"""Editions with the text of a rendition, and checks of a rendition's text."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from app.errors import FaultCode, FieldError, Location
from app.models.guides.editions import EditionContent
from app.models.guides.items import Caution
from app.models.guides.renditions import (
    ALWAYS_IN_THE_GUIDES_OWN,
    OF_THE_CURRENT_EDITION,
    Maker,
    RenditionContent,
    RenditionPicture,
    word_fields,
)
from app.models.guides.sections import CAUTIONS, ITEM_LISTS, Introductions, Section
from app.models.languages import BRITISH_SIGN_LANGUAGE, EASY_READ_SUFFIX, ENGLISH_TAG, RenditionForm


@dataclass(frozen=True)
class RenderedWords:
    """An edition in which the text of a rendition replaces the guide's own text, as far as it is translated."""

    document: dict[str, Any]
    """The content as JSON."""
    in_guide_language: tuple[str, ...]
    """JSON Pointers (RFC 6901) to the text that is still in the guide's own language."""
    unchecked_cautions: tuple[Caution, ...]
    """Unchecked machine translations of the cautions. Pages show them beside the cautions, and never instead."""
    pictures: Mapping[str, RenditionPicture]
    """Pictures by the path of their item in `content`, such as `indicators/secrecy`."""

    @cached_property
    def content(self) -> EditionContent:
        return EditionContent.model_validate(self.document)

    def picture_of(self, key: str, item_id: str) -> RenditionPicture | None:
        """Return the picture beside the item `item_id` of the section with the key `key`, or None if there is none."""
        return self.pictures.get(f"{key}/{item_id}")


def render(words: RenditionContent, edition: EditionContent, current: EditionContent | None = None) -> RenderedWords:
    """Return `edition` with its text replaced by that of the rendition `words`, and with the pictures of `words`.

    Text that `words` does not translate stays in the guide's own language. If `words` is an unchecked machine
    translation, all cautions stay in that language too. If `current` is given, the cautions and contacts come from the
    edition `current`. Each of their texts is then translated only if it is the same as in `edition`.
    """
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
    pictures = _pictures_of(words, edition, current)
    return RenderedWords(own, tuple(missing), unchecked, pictures)


def _pictures_of(
    words: RenditionContent, edition: EditionContent, current: EditionContent | None
) -> dict[str, RenditionPicture]:
    """Return the pictures of the rendition `words` to show beside items, by the path of the item.

    Leave out pictures of items that `edition` does not have.

    If an item comes from `current`, and its text is not the same in `edition`, leave out its picture: nobody has chosen
    a picture for the new text.
    """
    found = {}
    for each in words.pictures:
        key, _, item_id = each.item.partition("/")
        source = current if current is not None and key in OF_THE_CURRENT_EDITION else edition
        texts = _texts_of(edition, key, item_id)
        if texts is not None and texts == _texts_of(source, key, item_id):
            found[each.item] = each
    return found


def _texts_of(edition: EditionContent, key: str, item_id: str) -> list[Any] | None:
    """Return the texts of the item `item_id` of the list `key`, or None if `edition` has no such item."""
    names = word_fields(ITEM_LISTS[key].item)
    found = ([getattr(item, name) for name in names] for item in getattr(edition, key) if item.id == item_id)
    return next(found, None)


def _put_items(items: list[Any], key: str, words: RenditionContent, edition: EditionContent) -> Iterable[str]:
    """Put the text of the rendition `words` into `items`, the items of the list `key`. Change `items` in place.

    Yield a pointer to each text that is not replaced. Replace a text only if it is the same as in `edition`, because
    the rendition has no translation of a newer text. Unchecked machine translations never replace cautions.
    """
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
    """Replace each text in `target` with the text that `found` has under the same name.

    Yield a pointer, which begins with `at`, to each text of `target` for which `found` has None.
    """
    for name, word in found.items():
        if target[name] is None:
            continue
        if word is None:
            yield f"{at}/{name}"
        else:
            target[name] = word


def find_own_faults(content: RenditionContent) -> Iterator[FieldError]:
    """Yield the errors in `content` that can be found without the edition, such as contradictory fields."""
    language, is_simple = content.language, content.language.endswith(EASY_READ_SUFFIX)
    if is_simple != (content.form is RenditionForm.EASY_READ):
        yield FieldError(
            ("language",),
            "A rendition in simple words, and no other, has a tag that ends in `-simple`: `en-GB-simple`.",
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
    if content.pictures and content.form is not RenditionForm.EASY_READ:
        yield FieldError(("pictures",), "Only a rendition in simple words has pictures.")
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


def find_mismatches(content: RenditionContent, edition: EditionContent) -> Iterator[FieldError]:
    """Yield an error for each text in `content` without an original in `edition`, and each unknown or repeated id.

    Also yield an error for each picture of an unknown item, and for each further picture of the same item.
    """
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
    yield from _about_its_pictures(content, edition)


def _about_its_pictures(content: RenditionContent, edition: EditionContent) -> Iterator[FieldError]:
    items = {f"{section.key}/{item.id}" for section in Section for item in getattr(edition, section.key)}
    seen: set[str] = set()
    for place, each in enumerate(content.pictures):
        at = ("pictures", place, "item")
        if each.item in seen:
            yield FieldError(at, "This item has another picture.", FaultCode.DUPLICATE_ID)
        elif each.item not in items:
            yield FieldError(at, "The edition has no item with this id.", FaultCode.UNKNOWN_ITEM)
        seen.add(each.item)


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
