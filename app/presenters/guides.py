"""Guidance in responses: links, sections, items and their history."""

from collections.abc import Collection, Mapping
from typing import Any

from app.errors import NoSuchItem
from app.models.base import RequestModel
from app.models.guidance.comparison import moved_items
from app.models.guidance.editions import EditionContent
from app.models.guidance.guide_responses import (
    SECTION_RESPONSES,
    EditionResponse,
    EditionStatus,
    Item,
    ItemChange,
    ItemMention,
    WithCautions,
)
from app.models.guidance.sections import Section
from app.models.links import Links, edition_path, guide_path, history_path, renditions_path
from app.store.editions import EditionHead, EditionKey, status_of


def edition_links(key: EditionKey, path: str, below: str = "") -> Links:
    """Return the links of a response. Those of a numbered edition never change.

    `path` is that of the guide or of the numbered edition, `below` the rest after it, such as `/indicators`.
    """
    links = {
        "self": path + below,
        "latest_version": guide_path(key.guide) + below,
        "version_history": history_path(key.guide),
        "edition": edition_path(*key) + below,
        "describedby": "/openapi.json",
    }
    if key.number > 1:
        if not below:
            links["changes"] = f"{edition_path(*key)}/changes?since={key.number - 1}"
        links["predecessor_version"] = edition_path(key.guide, key.number - 1) + below
    return links


def item_links(key: EditionKey, path: str, below: str, numbers: Collection[int]) -> Links:
    """Return the links of an item. The edition before is linked only if it has the item.

    `numbers` are the numbers of the editions that have the item.
    """
    links = edition_links(key, path, below)
    if key.number - 1 not in numbers:
        links.pop("predecessor_version", None)
    return links


def path_of(head: EditionHead, status: EditionStatus) -> str:
    """Return the path of the edition: for a published one that of its number, else that of its guide."""
    return edition_path(*head.key) if status is EditionStatus.PUBLISHED else guide_path(head.guide)


def edition_fields(head: EditionHead, content: EditionContent, status: EditionStatus) -> dict[str, Any]:
    """Return the fields of `WithCautions`, which every response with guidance has."""
    return {
        "guide": head.guide,
        "edition": head.number,
        "status": status,
        "digest": head.digest,
        "cautions": content.cautions,
    }


def present_edition(head: EditionHead, content: EditionContent, status: EditionStatus) -> EditionResponse:
    """Return the whole edition."""
    path = path_of(head, status)
    sections = {section.key: f"{path}/{section.value}" for section in Section}
    return EditionResponse(
        guide=head.guide,
        edition=head.number,
        status=status,
        published_at=head.published_at,
        digest=head.digest,
        links=edition_links(head.key, path)
        | {
            "markdown": f"{path}.md",
            "pdf": f"{path}.pdf",
            "large_print": f"{path}/large-print.pdf",
        }
        | ({"renditions": renditions_path(head.guide)} if status is EditionStatus.CURRENT else {})
        | sections,
        **{name: getattr(content, name) for name in EditionContent.model_fields},
    )


def present_section(
    head: EditionHead, content: EditionContent, status: EditionStatus, section: Section
) -> WithCautions:
    """Return one section of the edition, with the cautions."""
    links = edition_links(head.key, path_of(head, status), f"/{section.value}")
    return SECTION_RESPONSES[section].model_validate(
        edition_fields(head, content, status)
        | {section.key: getattr(content, section.key), "links": links | {"csv": f"{links['self']}.csv"}}
    )


def find_item(content: EditionContent, section: Section, item_id: str) -> Item:
    """Return the item with the id. Raise `NoSuchItem` if the section has none."""
    items: tuple[Item, ...] = getattr(content, section.key)
    found = next((item for item in items if item.id == item_id), None)
    if found is None:
        raise NoSuchItem("The edition has no item of that id. Its section lists them.")
    return found


def item_history(
    item_id: str, lists: Mapping[int, Mapping[str, RequestModel]], history: list[EditionHead]
) -> tuple[ItemMention, ...]:
    """Return the editions that have the item, the newest first, each with the change that it made to the item.

    `lists` has the items of its section by their ids, in their order, of each edition by its number.
    """

    def change_in(number: int) -> ItemChange:
        former, items = lists.get(number - 1, {}), lists[number]
        before, after = former.get(item_id), items[item_id]
        if before is None:
            return ItemChange.ADDED
        if before.model_dump(exclude={"position"}) != after.model_dump(exclude={"position"}):
            return ItemChange.REWORDED
        has_moved = any(moved.id == item_id for moved in moved_items(list(former), list(items)))
        return ItemChange.MOVED if has_moved else ItemChange.UNCHANGED

    return tuple(
        ItemMention(
            edition=head.number,
            status=status_of(head, history),
            published_at=head.published_at,
            change=change_in(head.number),
        )
        for head in history
        if item_id in lists[head.number]
    )
