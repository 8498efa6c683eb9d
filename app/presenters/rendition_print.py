"""What a rendition changes on the page to print: its language, its sentences, and the marks of missing words."""

from collections.abc import Callable
from typing import Any

from app.models.guidance.contacts import Contact
from app.models.guidance.languages import region_of, script_of
from app.presenters.rendition_forms import MARK, MARK_EXPLAINED, UNCHECKED_CAUTIONS, ShownRendition

Document = dict[str, Any]
MARKED = ("name", "text", "introduction")
"""The fields of an item on the page that may have a mark."""


def changed_by_rendition(
    document: Document, rendition: ShownRendition, present_contact: Callable[[Contact], Document]
) -> Document:
    """Return what changes in the document of an edition. Words that are marked become `{"own": words}`.

    The first number to call is that of the guide's own contacts, in its own words.
    """
    content, words = rendition.content, rendition.words
    first = next((each for each in rendition.to_call if each.phones), rendition.to_call[0])

    def text(value: str, *pointer: str | int) -> Any:
        return {"own": value} if value and rendition.is_marked(*pointer) else value

    def section(each: Document) -> Document:
        key = each["key"]
        items = [
            item | {name: text(item[name], key, place, name) for name in MARKED if name in item}
            for place, item in enumerate(each["items"])
        ]
        introduction = text(each["introduction"] or "", "introductions", key)
        return each | {"introduction": introduction, "items": items}

    link = rendition.stored.content.link
    return {
        "title": text(content.title, "title"),
        "change_note": text(content.change_note, "change_note"),
        "cautions": [text(each.text, "cautions", place, "text") for place, each in enumerate(content.cautions)],
        "first_contact": present_contact(first),
        "front": [section(each) for each in document["front"]],
        "back": [section(each) for each in document["back"]],
        "rendition": {
            "lang": rendition.language.partition("-")[0],
            "region": region_of(rendition.language),
            "script": script_of(rendition.language).lower(),
            "dir": rendition.direction,
            "mark": MARK,
            "notices": [*rendition.notices, *([MARK_EXPLAINED] if rendition.has_marks else [])],
            "unchecked_sentence": UNCHECKED_CAUTIONS,
            "unchecked_cautions": [each.text for each in words.unchecked_cautions],
            "link": None if link is None else link.model_dump(mode="json"),
            "facts": list(rendition.facts.items()),
        },
    }
