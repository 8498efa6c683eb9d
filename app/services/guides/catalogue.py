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
    """An item of a current edition, with the data that must be shown beside it.

    `key`, `digest` and `cautions` are those of the edition. `part` is the key of the item's section.
    """

    key: EditionKey
    digest: str
    cautions: tuple[Caution, ...]
    part: str
    item: Item


@dataclass(frozen=True)
class EntryFilter:
    """A filter of catalogue entries. An entry must meet every condition; None sets no condition.

    An item must have all of `words`. `sections` are section keys, and `guides` are names of guides. `code` is one of
    the item's related codes, in upper or lower case.
    """

    words: str | None = None
    sections: Sequence[str] = LISTED_SECTIONS
    guides: Collection[str] | None = None
    code: str | None = None


def index_guide(session: Session, guide: str, current: EditionKey | None) -> None:
    """Replace the catalogue entries of `guide` with the items of its edition `current`.

    If `current` is None, because the guide has no current edition, only delete the entries.
    """
    session.exec(delete(CatalogueRow).where(col(CatalogueRow.guide) == guide))
    if current is not None:
        session.connection().execute(insert(CatalogueRow), _rows(current, read_content(session, current)))


def find_index_faults(session: Session) -> Iterator[tuple[str, str]]:
    """Compare the catalogue with the current editions. Yield a label and the fault for each guide that differs.

    Entries of a guide that has no edition are a fault too.
    """
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
    session: Session, wanted: EntryFilter, *, offset: int = 0, limit: int | None = None
) -> list[CatalogueEntry]:
    """Return the entries that match `wanted`. Skip the first `offset` entries, and return at most `limit`.

    If `wanted.words` is None, the order is by section key, guide and position in the section. Otherwise the best match
    comes first. Words without a letter or digit match no entry. If `limit` is None, return all further entries. Leave
    out entries of an edition that does not exist: `find_index_faults` finds these.
    """
    key = (col(EditionRow.guide) == CatalogueRow.guide, col(EditionRow.number) == CatalogueRow.edition)
    has_edition = exists().where(*key, IS_EDITION)
    found = select(CatalogueRow).where(col(CatalogueRow.part).in_(wanted.sections), has_edition)
    if wanted.guides is not None:
        found = found.where(col(CatalogueRow.guide).in_(wanted.guides))
    if wanted.code is not None:
        found = found.where(func.lower(col(CatalogueRow.codes)).contains(f" {wanted.code.lower()} ", autoescape=True))
    if wanted.words is None:
        found = found.order_by(col(CatalogueRow.part), col(CatalogueRow.guide), col(CatalogueRow.position))
    else:
        searched = words_in(wanted.words)
        if not searched:
            return []
        found = search_for(found, searched, session)
    return _entries(session, list(session.exec(found.offset(offset).limit(limit))))


def find_guides(session: Session, items: Collection[tuple[str, str]]) -> list[str]:
    """Return the names of the guides whose current edition has all of `items`, in the order of first publication.

    Each of `items` is a section key and the id of an item, and must occur only once. If `items` is empty, return no
    guides.
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
    """Return the searchable words of `item`, joined by spaces: those in its fields `fields`, and its phone numbers."""
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
