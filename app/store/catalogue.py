"""Reads of items: across guides, from the catalogue of all current items, and of one item in all its editions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, insert, tuple_
from sqlmodel import Session, col, select

from app.models.base import RequestModel
from app.models.guidance.catalogue_tables import CatalogueRow
from app.models.guidance.editions import EditionContent
from app.models.guidance.guide_responses import Item
from app.models.guidance.guide_tables import CautionRow, EditionRow, GuideRow
from app.models.guidance.items import Caution
from app.models.guidance.sections import ITEM_LISTS, Section
from app.store.contents import read_content
from app.store.editions import EditionKey
from app.store.search import search_for, words_in

LISTED_SECTIONS = tuple(section.key for section in Section)


@dataclass(frozen=True)
class CatalogueEntry:
    """An item of a current edition, with the data that must be shown with it."""

    key: EditionKey
    digest: str
    cautions: tuple[Caution, ...]
    part: str
    item: Item


def index_guide(session: Session, guide: str, current: EditionKey | None) -> None:
    """Replace the guide's entries by those of its current edition. A guide without one has no entries."""
    session.exec(delete(CatalogueRow).where(col(CatalogueRow.guide) == guide))
    if current is not None:
        session.connection().execute(insert(CatalogueRow), _rows(current, read_content(session, current)))


def list_entries(
    session: Session,
    *,
    sections: Sequence[str] = LISTED_SECTIONS,
    guide: str | None = None,
    guides: Collection[str] | None = None,
    words: str | None = None,
    code: str | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> list[CatalogueEntry]:
    """Return the entries that meet every filter given, sorted by section, guide and position.

    With `words`, the best match is first.
    """
    found = select(CatalogueRow).where(col(CatalogueRow.part).in_(sections))
    if guide is not None:
        found = found.where(col(CatalogueRow.guide) == guide)
    if guides is not None:
        found = found.where(col(CatalogueRow.guide).in_(guides))
    if code is not None:
        found = found.where(func.lower(col(CatalogueRow.codes)).contains(f" {code.lower()} ", autoescape=True))
    if words is None:
        found = found.order_by(col(CatalogueRow.part), col(CatalogueRow.guide), col(CatalogueRow.position))
    else:
        searched = words_in(words)
        if not searched:
            return []
        found = search_for(found, searched, session)
    return _entries(session, list(session.exec(found.offset(offset).limit(limit))))


def find_guides(session: Session, items: Collection[tuple[str, str]]) -> list[str]:
    """Return the guides whose current editions hold all of these items (section key, id), the first published first."""
    found = (
        select(CatalogueRow.guide)
        .join(GuideRow, col(GuideRow.slug) == CatalogueRow.guide)
        .where(tuple_(col(CatalogueRow.part), col(CatalogueRow.item_id)).in_(items))
        .group_by(col(CatalogueRow.guide), col(GuideRow.first_published_at))
        .having(func.count() == len(items))
        .order_by(col(GuideRow.first_published_at), col(CatalogueRow.guide))
    )
    return list(session.exec(found))


def find_orders(session: Session, *, guide: str, part: str) -> dict[int, list[str]]:
    """Return the ids of the list `part` of every edition, in their printed order, by the edition's number."""
    table = ITEM_LISTS[part].row
    found = select(table.edition, table.id).where(table.guide == guide)
    orders: dict[int, list[str]] = {}
    for edition, item_id in session.exec(found.order_by(col(table.edition), col(table.position))):
        orders.setdefault(edition, []).append(item_id)
    return orders


def find_mentions(session: Session, *, guide: str, part: str, item_id: str) -> dict[int, RequestModel]:
    """Return the item from each edition that has it, by the edition's number, the oldest first."""
    table, model = ITEM_LISTS[part].row, ITEM_LISTS[part].item
    rows = session.exec(select(table).where(table.guide == guide, table.id == item_id).order_by(col(table.edition)))
    return {row.edition: model.model_validate(row, from_attributes=True) for row in rows}


def _rows(current: EditionKey, content: EditionContent) -> list[dict[str, object]]:
    return [
        {
            "guide": current.guide,
            "edition": current.number,
            "part": part,
            "item_id": item.id,
            "position": place,
            "codes": "".join(f" {related.code} " for related in getattr(item, "related_codes", ())),
            "words": _words_of(item, ITEM_LISTS[part].searched),
        }
        for part in LISTED_SECTIONS
        for place, item in enumerate(getattr(content, part), start=1)
    ]


def _words_of(item: RequestModel, fields: Sequence[str]) -> str:
    """Return the printed words by which search finds the item."""
    phones = [phone.display for phone in getattr(item, "phones", ())]
    texts = [getattr(item, name, None) for name in fields]
    return " ".join(word for text in [*texts, *phones] if text for word in words_in(text))


def _entries(session: Session, rows: Sequence[CatalogueRow]) -> list[CatalogueEntry]:
    """Return an entry for each row, with its item, cautions and digest. It takes one query for each kind of item."""
    editions = {(row.guide, row.edition) for row in rows}
    digests = {
        (guide, number): digest
        for guide, number, digest in session.exec(
            select(EditionRow.guide, EditionRow.number, EditionRow.digest).where(
                tuple_(col(EditionRow.guide), col(EditionRow.number)).in_(editions)
            )
        )
    }
    cautions: dict[tuple[str, int], list[Caution]] = {}
    for caution in session.exec(
        select(CautionRow)
        .where(tuple_(col(CautionRow.guide), col(CautionRow.edition)).in_(editions))
        .order_by(col(CautionRow.position))
    ):
        cautions.setdefault((caution.guide, caution.edition), []).append(Caution(id=caution.id, text=caution.text))
    items = {part: _items(session, part, rows) for part in {row.part for row in rows}}
    return [
        CatalogueEntry(
            key=EditionKey(row.guide, row.edition),
            digest=digests[row.guide, row.edition],
            cautions=tuple(cautions.get((row.guide, row.edition), ())),
            part=row.part,
            item=items[row.part][row.guide, row.edition, row.item_id],
        )
        for row in rows
    ]


def _items(session: Session, part: str, rows: Sequence[CatalogueRow]) -> dict[tuple[str, int, str], Any]:
    row_type, model = ITEM_LISTS[part].row, ITEM_LISTS[part].item
    wanted = [(row.guide, row.edition, row.item_id) for row in rows if row.part == part]
    found = session.exec(
        select(row_type).where(tuple_(col(row_type.guide), col(row_type.edition), col(row_type.id)).in_(wanted))
    )
    return {(row.guide, row.edition, row.id): model.model_validate(row, from_attributes=True) for row in found}
