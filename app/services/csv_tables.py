"""A section as CSV (RFC 4180): one row for each item, and in each row the edition and the cautions.

A cell that a spreadsheet would run as a formula gets an apostrophe before it. All other words are as published.
"""

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from app.models.base import RequestModel
from app.models.contacts import Phone
from app.models.editions import EditionContent
from app.models.items import Caution, DefinitionSource, Identified, Limb, RelatedCode
from app.models.sections import Section
from app.services.editions import EditionHead, EditionKey
from app.services.guide_documents import ShownRendition, address_text, hours_text, phone_text

EDITION_COLUMNS = ("guide", "edition", "digest")
RENDITION_COLUMNS = ("language", "rendition", "rendition_digest", "in_guide_language", "notices")
"""What the rows of a rendition say beside: which cells are in the guide's own language, and what to show with all."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

Cells = dict[str, str]


class CsvRow(NamedTuple):
    """An item of an edition, with the cautions that go with it."""

    key: EditionKey
    digest: str
    item: Identified
    cautions: Sequence[Caution]
    of_rendition: Sequence[str] = ()
    """The cells of `RENDITION_COLUMNS`, or none."""


def section_csv(
    head: EditionHead, content: EditionContent, section: Section, rendition: ShownRendition | None = None
) -> bytes:
    """Return the section of an edition, or of a rendition of it, as CSV in UTF-8, with a header row."""
    items: tuple[Identified, ...] = getattr(content, section.key)
    rows = [
        CsvRow(head.key, head.digest, item, content.cautions, _rendition_cells(rendition, section, place))
        for place, item in enumerate(items)
    ]
    return csv_table(section, rows, cautions=len(content.cautions), of_rendition=rendition is not None)


def csv_table(section: Section, rows: Sequence[CsvRow], *, cautions: int = 0, of_rendition: bool = False) -> bytes:
    """Return items of the section as CSV in UTF-8, with a header row, and columns for the most cautions of any row."""
    columns = max([cautions, *(len(row.cautions) for row in rows)])
    model = section.entry.item
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet)  # its own dialect is that of RFC 4180: commas, double quotes, CRLF
    names = [f"caution_{place}" for place in range(1, columns + 1)]
    columns_of_rendition = RENDITION_COLUMNS if of_rendition else ()
    writer.writerow([*EDITION_COLUMNS, *columns_of_rendition, *_item_cells(model, None), *names])
    for key, digest, item, row_cautions, of_row in rows:
        texts = [caution.text for caution in row_cautions]
        cells = [key.guide, str(key.number), digest, *of_row, *_item_cells(model, item).values(), *texts]
        writer.writerow([_safe(cell) for cell in cells] + [""] * (columns - len(texts)))
    return sheet.getvalue().encode()


def csv_name(head: EditionHead, section: Section, rendition: ShownRendition | None = None) -> str:
    """Return the file name for the section, for example `child-sexual-exploitation-1-indicators.csv`."""
    words = "" if rendition is None else f"-{rendition.stored.key.language}-{rendition.stored.key.number}"
    return f"{head.guide}-{head.number}{words}-{section.value}.csv"


def _rendition_cells(rendition: ShownRendition | None, section: Section, place: int) -> tuple[str, ...]:
    """Return the cells of `RENDITION_COLUMNS` for the item at that place of the section."""
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


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def _item_cells(model: type[RequestModel], item: Identified | None) -> Cells:
    """Return the cells of the item by column. Without an item, return empty cells: their names are the header row."""
    cells: Cells = {}
    for name in model.model_fields:
        value = getattr(item, name, None)
        cells |= FLATTENED[name](value) if name in FLATTENED else {name: _text(value)}
    return cells


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _codes(codes: Sequence[RelatedCode] | None) -> Cells:
    return {
        "related_codes": "; ".join(f"{code.scheme}:{code.code}" for code in codes or ()),
        "related_codes_basis": "; ".join(code.basis for code in codes or ()),
    }


def _phones(phones: Sequence[Phone] | None) -> Cells:
    return {"phones": "; ".join(phone_text(phone) for phone in phones or ())}


def _limbs(limbs: Sequence[Limb] | None) -> Cells:
    return {"limbs": "; ".join(f"({limb.label}) {limb.text}" for limb in limbs or ())}


def _source(source: DefinitionSource | None) -> Cells:
    return {f"source_{name}": _text(getattr(source, name, None)) for name in DefinitionSource.model_fields}


FLATTENED: dict[str, Callable[[Any], Cells]] = {
    "related_codes": _codes,
    "phones": _phones,
    "limbs": _limbs,
    "source": _source,
    "address": lambda address: {"address": address_text(address) if address else ""},
    "opening_hours": lambda hours: {"opening_hours": hours_text(hours or ())},
}
