"""A section as CSV: one row for each item, with the edition and the cautions in each row.

All text is as published, except that `csv_sheet` puts an apostrophe in front of a formula.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from app.models.base import RequestModel
from app.models.guides.edition_keys import EditionKey
from app.models.guides.items import Caution, DefinitionSource, Identified
from app.models.guides.sections import Section
from app.services.clock.working_hours import hours_text
from app.services.csv_sheets import csv_sheet
from app.services.guides.presenters import ShownEdition, ShownRendition, address_text, phone_text

EDITION_COLUMNS = ("guide", "edition", "digest")
RENDITION_COLUMNS = ("language", "rendition", "rendition_digest", "in_guide_language", "notices")
"""Further columns of a rendition. `in_guide_language` lists the untranslated columns, and limbs such as `limbs/0/text`.

`notices` are sentences to show with the text.
"""
Cells = dict[str, str]


class CsvRow(NamedTuple):
    """An item, and the key and digest of the edition that has it. In a rendition's table, its texts are translated."""

    key: EditionKey
    digest: str
    item: Identified
    cautions: Sequence[Caution]
    of_rendition: Sequence[str] = ()
    """Cells of `RENDITION_COLUMNS`."""


def section_csv(shown: ShownEdition, section: Section) -> bytes:
    """Return a section as CSV in UTF-8, with a header row."""
    head, cautions = shown.head, shown.content.cautions
    items: tuple[Identified, ...] = getattr(shown.content, section.key)
    rows = [
        CsvRow(head.key, head.digest, item, cautions, _rendition_cells(shown.rendition, section, place))
        for place, item in enumerate(items)
    ]
    return csv_table(section, rows, cautions=len(cautions), of_rendition=shown.rendition is not None)


def csv_table(section: Section, rows: Sequence[CsvRow], *, cautions: int = 0, of_rendition: bool = False) -> bytes:
    """Return a table with at least `cautions` columns of cautions, and enough for each row."""
    columns = max([cautions, *(len(row.cautions) for row in rows)])
    model = section.entry.item
    names = [f"caution_{place}" for place in range(1, columns + 1)]
    columns_of_rendition = RENDITION_COLUMNS if of_rendition else ()
    header = [*EDITION_COLUMNS, *columns_of_rendition, *_item_cells(model, None), *names]
    return csv_sheet(header, (_cells_of(row, model, columns) for row in rows))


def _cells_of(row: CsvRow, model: type[RequestModel], columns: int) -> list[str]:
    """`columns` cells are for cautions, the last empty if there are fewer."""
    texts = [caution.text for caution in row.cautions]
    cells = [row.key.guide, str(row.key.number), row.digest, *row.of_rendition, *_item_cells(model, row.item).values()]
    return cells + texts + [""] * (columns - len(texts))


def csv_name(shown: ShownEdition, section: Section) -> str:
    """Return a name such as `child-sexual-exploitation-1-indicators.csv`.

    A rendition's ends in its language and number.
    """
    key = shown.rendition.stored.key if shown.rendition else None
    words = f"-{key.language}-{key.number}" if key else ""
    return f"{shown.head.guide}-{shown.head.number}{words}-{section.value}.csv"


def _rendition_cells(rendition: ShownRendition | None, section: Section, place: int) -> tuple[str, ...]:
    if rendition is None:
        return ()
    own, prefix = rendition.words.in_guide_language, f"/{section.key}/{place}/"
    columns = [each.removeprefix(prefix) for each in own if each.startswith(prefix)]
    columns += [
        f"caution_{number}"
        for number in range(1, len(rendition.content.cautions) + 1)
        if f"/cautions/{number - 1}/text" in own
    ]
    _, language, number = rendition.stored.key
    return language, str(number), rendition.stored.digest, "; ".join(columns), " ".join(rendition.notices)


def _item_cells(model: type[RequestModel], item: Identified | None) -> Cells:
    """Return the cells by column, empty ones for None: the keys are then the header row."""
    cells: Cells = {}
    for name in model.model_fields:
        value = getattr(item, name, None)
        cells |= FLATTENED[name](value) if name in FLATTENED else {name: _text(value)}
    return cells


def _text(value: object) -> str:
    return "" if value is None else str(value)


FLATTENED: dict[str, Callable[[Any], Cells]] = {
    "related_codes": lambda codes: {
        "related_codes": "; ".join(f"{code.scheme}:{code.code}" for code in codes or ()),
        "related_codes_basis": "; ".join(code.basis for code in codes or ()),
    },
    "phones": lambda phones: {"phones": "; ".join(map(phone_text, phones or ()))},
    "limbs": lambda limbs: {"limbs": "; ".join(f"({limb.label}) {limb.text}" for limb in limbs or ())},
    "source": lambda source: {
        f"source_{name}": _text(getattr(source, name, None)) for name in DefinitionSource.model_fields
    },
    "address": lambda address: {"address": address_text(address) if address else ""},
    "opening_hours": lambda hours: {"opening_hours": hours_text(hours or ())},
}
