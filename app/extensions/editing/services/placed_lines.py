"""Passages that the import of a document left out of the draft: an editor chooses a section or field for each."""

from typing import Any

from app.extensions.editing.services.documents import Block, BlockKind
from app.extensions.editing.services.drafts import DraftContent
from app.extensions.editing.services.placing import DEFAULTS, NAMED, has_every_word
from app.extensions.editing.services.written_contacts import find_contact
from app.extensions.editing.services.written_values import read_day
from app.models.guides.contacts import ContactKind
from app.models.guides.sections import ITEM_LISTS, Section

LEFT_OUT = "leave-out"
PUBLISHER, REVIEW = "publisher", "review_by"
INTRODUCTIONS = "introductions."


def place_line(content: DraftContent, target: str, line: str) -> None:
    """Put a passage at the end of `target`, in place: a list, a field, or `introductions.` and a list.

    A list gets an item. Text is added to a field or introduction, but a publisher or review day is replaced. A label
    before a colon is left out of a field.
    """
    if target in ITEM_LISTS:
        items = content.get(target)
        content[target] = [*(items if isinstance(items, list) else []), _item(target, line)]
    elif target.startswith(INTRODUCTIONS):
        introductions = content.get("introductions")
        content["introductions"] = dict(introductions) if isinstance(introductions, dict) else {}
        _append(content["introductions"], target.removeprefix(INTRODUCTIONS), line)
    elif target == PUBLISHER:
        content[PUBLISHER] = {"name": _without_label(line)}
    elif target == REVIEW:
        day = read_day(_without_label(line))
        content[REVIEW] = day.isoformat() if day else _without_label(line)
    elif target != LEFT_OUT:
        _append(content, target, _without_label(line))


def _append(members: dict[str, Any], key: str, text: str) -> None:
    before = members.get(key)
    members[key] = f"{before}\n{text}" if isinstance(before, str) and before else text


def _without_label(line: str) -> str:
    """Return the text after the colon of `Owner: Exploitation Team`, or the whole line."""
    return line.partition(": ")[2].strip() or line


def _item(key: str, line: str) -> dict[str, Any]:
    if key == Section.CONTACTS.key:
        contact = find_contact(Block(BlockKind.PARAGRAPH, line)) or {"name": line, "kind": ContactKind.TELEPHONE.value}
        return contact if has_every_word(contact, line) else contact | {"when": line}
    named = NAMED.match(line) if key == Section.RESPONSIBILITIES.key else None
    return {"name": named[1], "text": named[2]} if named else {"text": line} | DEFAULTS.get(key, {})


def with_former_items(content: DraftContent, former: DraftContent) -> DraftContent:
    """Complete `content`, made from a document, with `former` (see `Editing.initial_content`).

    It gets the fields that it lacks, except lists, introductions and the source. Each item with the same name and text
    gets its id and what it lacks, such as codes. A contact whose numbers changed loses its day of verification.
    """
    details = {key: value for key, value in former.items() if key not in (*ITEM_LISTS, "introductions", "source")}
    merged = details | content
    for key in ITEM_LISTS:
        known = {_words(item): item for item in former.get(key, [])}
        merged[key] = [_merged(known.get(_words(item), {}), item) for item in content.get(key, [])]
    return {key: value for key, value in merged.items() if value not in ([], {})}


def _merged(former: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    found = former | item | ({"id": former["id"]} if former else {})
    if former.get("phones") != item.get("phones"):
        found.pop("verified_on", None)
    return found


def _words(item: dict[str, Any]) -> tuple[Any, Any]:
    return item.get("name"), item.get("text")
