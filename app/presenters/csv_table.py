"""A section as CSV (RFC 4180): one row for each item, and in each row the edition and the cautions.

A cell that a spreadsheet would run as a formula gets an apostrophe before it. All other words are as published.
"""

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

from app.models.base import RequestModel
from app.models.guidance.contacts import Phone
from app.models.guidance.definitions import DefinitionSource, Limb
from app.models.guidance.editions import EditionContent
from app.models.guidance.items import RelatedCode
from app.models.guidance.sections import Section
from app.presenters.contact_text import phone_text
from app.store.editions import EditionHead

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

Cells = dict[str, str]


def section_csv(head: EditionHead, content: EditionContent, section: Section) -> bytes:
    """Return the section as CSV in UTF-8, with a header row."""
    edition = {"guide": head.guide, "edition": str(head.number), "digest": head.digest}
    cautions = {f"caution_{place}": caution.text for place, caution in enumerate(content.cautions, start=1)}
    model = section.entry.item
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet)  # its own dialect is that of RFC 4180: commas, double quotes, CRLF
    writer.writerow(edition | _item_cells(model, None) | cautions)
    for item in getattr(content, section.key):
        cells = edition | _item_cells(model, item) | cautions
        writer.writerow([_safe(cell) for cell in cells.values()])
    return sheet.getvalue().encode()


def csv_name(head: EditionHead, section: Section) -> str:
    """Return the file name for the section, for example `child-sexual-exploitation-1-indicators.csv`."""
    return f"{head.guide}-{head.number}-{section.value}.csv"


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def _item_cells(model: type[RequestModel], item: RequestModel | None) -> Cells:
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
}
