"""How guidance is laid out in answers: links, sections, items and their history."""

from collections.abc import Collection

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
    Links,
    WithCautions,
)
from app.models.guidance.sections import Section
from app.store.editions import EditionHead, EditionKey, current_of


def guide_path(guide: str) -> str:
    """The path of a guide's current edition."""
    return f"/v1/guides/{guide}"


def edition_path(key: EditionKey) -> str:
    """The path of a numbered edition."""
    return f"{guide_path(key.guide)}/editions/{key.number}"


def edition_links(key: EditionKey, path: str, *, below: str = "") -> Links:
    """The links of an answer at that path: none of them can change for a numbered edition.

    `below` is what follows the edition's own path, such as `/indicators`.
    """
    links = {
        "self": path,
        "latest_version": guide_path(key.guide) + below,
        "version_history": f"{guide_path(key.guide)}/editions",
        "edition": edition_path(key) + below,
        "describedby": "/openapi.json",
    }
    if key.number > 1:
        if not below:
            links["changes"] = f"{edition_path(key)}/changes?since={key.number - 1}"
        links["predecessor_version"] = edition_path(EditionKey(key.guide, key.number - 1)) + below
    return links


def item_links(key: EditionKey, path: str, *, below: str, stands_in: Collection[int]) -> Links:
    """The links of an item's answer: an earlier edition only where the item stands in it."""
    links = edition_links(key, path, below=below)
    if key.number - 1 not in stands_in:
        links.pop("predecessor_version", None)
    return links


def present_edition(head: EditionHead, content: EditionContent, status: EditionStatus, path: str) -> EditionResponse:
    """The whole edition."""
    sections = {section.key: f"{path}/{section.value}" for section in Section}
    return EditionResponse(
        guide=head.guide,
        edition=head.number,
        status=status,
        published_at=head.published_at,
        digest=head.digest,
        links=edition_links(head.key, path) | {"markdown": f"{path}.md", "pdf": f"{path}.pdf"} | sections,
        **{name: getattr(content, name) for name in EditionContent.model_fields},
    )


def present_section(
    head: EditionHead, content: EditionContent, status: EditionStatus, section: Section, path: str
) -> WithCautions:
    """One section, with the cautions."""
    return SECTION_RESPONSES[section].model_validate(
        {
            "guide": head.guide,
            "edition": head.number,
            "status": status,
            "digest": head.digest,
            "cautions": content.cautions,
            section.key: getattr(content, section.key),
            "links": edition_links(head.key, f"{path}/{section.value}", below=f"/{section.value}")
            | {"csv": f"{path}/{section.value}.csv"},
        }
    )


def find_item(content: EditionContent, section: Section, item_id: str) -> Item:
    """The item of that id; raises `NoSuchItem`."""
    items: tuple[Item, ...] = getattr(content, section.key)
    found = next((item for item in items if item.id == item_id), None)
    if found is None:
        raise NoSuchItem
    return found


def status_of(head: EditionHead, history: list[EditionHead]) -> EditionStatus:
    """What the edition is to its guide now."""
    if head.withdrawn_at is not None:
        return EditionStatus.WITHDRAWN
    return EditionStatus.CURRENT if head is current_of(history) else EditionStatus.SUPERSEDED


def item_history(
    item_id: str, mentions: dict[int, RequestModel], orders: dict[int, list[str]], history: list[EditionHead]
) -> tuple[ItemMention, ...]:
    """The editions in which the item stands, the newest first, each with what it did to the item.

    `mentions` holds the item, and `orders` the ids around it in their order, by the edition's number.
    """

    def change_by(number: int) -> ItemChange:
        before, after = mentions.get(number - 1), mentions[number]
        if before is None:
            return ItemChange.ADDED
        if before.model_dump(exclude={"position"}) != after.model_dump(exclude={"position"}):
            return ItemChange.REWORDED
        has_moved = any(moved.id == item_id for moved in moved_items(orders[number - 1], orders[number]))
        return ItemChange.MOVED if has_moved else ItemChange.UNCHANGED

    return tuple(
        ItemMention(
            edition=head.number,
            status=status_of(head, history),
            published_at=head.published_at,
            change=change_by(head.number),
        )
        for head in history
        if head.number in mentions
    )
