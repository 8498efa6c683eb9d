"""The catalogue: an index of the items of all current editions, and queries across guides."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, exists, func, insert, tuple_
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from app.db.search import search_for, words_in
from app.db.tables import table_of
from app.models.base import RequestModel
from app.models.guides.edition_keys import EditionKey
from app.models.guides.edition_rows import CatalogueRow, EditionRow
from app.models.guides.editions import EditionContent
from app.models.guides.guides import Item
from app.models.guides.items import Caution
from app.models.guides.sections import CAUTIONS, ITEM_LISTS, Section
from app.services.guides.editions import IS_EDITION, current_of, find_history, read_content

LISTED_SECTIONS = tuple(section.key for section in Section)


@dataclass(frozen=True)
class CatalogueEntry:
    """An item of a current edition, with what must be shown beside it. `part` is the key of its section."""

    key: EditionKey
    digest: str
    cautions: tuple[Caution, ...]
    part: str
    item: Item


@dataclass(frozen=True)
class EntryFilter:
    """A filter of entries; a condition of None does not filter. `code` is a related code in any case.

    `items` are keys of sections with ids.
    """

    words: str | None = None
    sections: Sequence[str] = LISTED_SECTIONS
    guides: Collection[str] | None = None
    code: str | None = None
    items: Collection[tuple[str, str]] | None = None


def index_guide(session: Session, guide: str, current: EditionKey | None) -> None:
    """Replace the entries of `guide` with the items of `current`, or delete them."""
    session.exec(delete(CatalogueRow).where(col(CatalogueRow.guide) == guide))
    if current is not None:
        session.connection().execute(insert(CatalogueRow), _rows(current, read_content(session, current)))


def find_index_faults(session: Session) -> Iterator[tuple[str, str]]:
    """Yield label and fault of each guide whose entries differ from its current edition, also one without any."""
    columns = [each for each in table_of(CatalogueRow).c if each.name != "id"]
    heads = session.exec(select(EditionRow.guide).where(IS_EDITION, col(EditionRow.number) == 1))
    indexed = session.exec(select(CatalogueRow.guide).distinct())
    for guide in sorted({*heads, *indexed}):
        current = current_of(find_history(session, guide=guide))
        expected = [] if current is None else _rows(current.key, read_content(session, current.key))
        found = session.execute(select_columns(*columns).where(col(CatalogueRow.guide) == guide)).mappings()
        if sorted(map(repr, map(dict, found))) != sorted(map(repr, map(_in_order, expected))):
            yield f"search of {guide}", "its entries are not those of the current edition"


def _in_order(row: dict[str, object]) -> dict[str, object]:
    return {column.name: row[column.name] for column in table_of(CatalogueRow).c if column.name != "id"}


def list_catalogue(
    session: Session, entry_filter: EntryFilter, *, offset: int = 0, limit: int | None = None
) -> list[CatalogueEntry]:
    """Return the entries by section, guide and position, or for words the best match first.

    Words without a letter or digit match nothing. Entries of an edition that does not exist are left out
    (`find_index_faults`).
    """
    key = (col(EditionRow.guide) == CatalogueRow.guide, col(EditionRow.number) == CatalogueRow.edition)
    has_edition = exists().where(*key, IS_EDITION)
    found = select(CatalogueRow).where(col(CatalogueRow.part).in_(entry_filter.sections), has_edition)
    if entry_filter.guides is not None:
        found = found.where(col(CatalogueRow.guide).in_(entry_filter.guides))
    if entry_filter.items is not None:
        found = found.where(tuple_(col(CatalogueRow.part), col(CatalogueRow.item_id)).in_(entry_filter.items))
    if entry_filter.code is not None:
        found = found.where(
            func.lower(col(CatalogueRow.codes)).contains(f" {entry_filter.code.lower()} ", autoescape=True)
        )
    if entry_filter.words is None:
        found = found.order_by(col(CatalogueRow.part), col(CatalogueRow.guide), col(CatalogueRow.position))
    else:
        searched = words_in(entry_filter.words)
        if not searched:
            return []
        found = search_for(found, searched, session)
    return _entries(session, list(session.exec(found.offset(offset).limit(limit))))


def find_guides(session: Session, items: Collection[tuple[str, str]]) -> list[str]:
    """Return the guides whose current edition has all of `items` (section and id, each once), by first publication.

    No items give no guides.
    """
    first = (col(EditionRow.guide) == CatalogueRow.guide) & IS_EDITION & (col(EditionRow.number) == 1)
    found = (
        select(CatalogueRow.guide)
        .join(EditionRow, first)
        .where(tuple_(col(CatalogueRow.part), col(CatalogueRow.item_id)).in_(items))
        .group_by(col(CatalogueRow.guide), col(EditionRow.published_at))
        .having(func.count() == len(items))
        .order_by(col(EditionRow.published_at), col(CatalogueRow.guide))
    )
    return list(session.exec(found))


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
    """Return the text of `fields`, and the phone numbers."""
    phones = [phone.display for phone in getattr(item, "phones", ())]
    texts = [getattr(item, name, None) for name in fields]
    return " ".join(word for text in [*texts, *phones] if text for word in words_in(text))


def _entries(session: Session, rows: Sequence[CatalogueRow]) -> list[CatalogueEntry]:
    keys = {(row.guide, row.edition) for row in rows}
    of_them = tuple_(col(EditionRow.guide), col(EditionRow.number)).in_(keys)
    columns = (col(EditionRow.guide), col(EditionRow.number), col(EditionRow.digest), col(EditionRow.words))
    editions = {
        (guide, number): (digest, words)
        for guide, number, digest, words in session.execute(select_columns(*columns).where(IS_EDITION, of_them))
    }
    cautions = {
        key: tuple(Caution.model_validate(each) for each in words.get(CAUTIONS.path, ()))
        for key, (_, words) in editions.items()
    }
    entries = []
    for row in rows:
        key = EditionKey(row.guide, row.edition)
        digest, words = editions[key]
        item: Any = ITEM_LISTS[row.part].item.model_validate(words[row.part][row.position - 1])
        entries.append(CatalogueEntry(key, digest, cautions[key], row.part, item))
    return entries
