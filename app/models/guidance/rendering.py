"""An edition with the words of a rendition put in."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.models.guidance.editions import EditionContent
from app.models.guidance.items import Caution
from app.models.guidance.rendition_content import RenditionContent, word_fields
from app.models.guidance.sections import ITEM_LISTS

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
    return RenderedWords(
        EditionContent.model_validate(own),
        tuple(missing),
        tuple(_cautions(words)) if words.is_unchecked else (),
    )


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


def _cautions(words: RenditionContent) -> Iterable[Caution]:
    found: Any = words
    return (Caution(id=each.id, text=each.text) for each in found.cautions if each.text is not None)
