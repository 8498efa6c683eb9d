"""An export of a concern: its statement, signed, and its file, a PDF with JSON inside."""

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Engine

from app.errors import PdfUnavailable
from app.models.desk.exports import ExportStatement
from app.presenters.desk import entry_of
from app.presenters.pdf import pdf_available
from app.services.concerns.receipt_signing import ReceiptSigner
from app.services.desk.exports import ExportStart, finish_pdf, read_history, sign_statement


def export_statement(engine: Engine, signer: ReceiptSigner, start: ExportStart, *, at: dt.datetime) -> ExportStatement:
    """Return the statement of an export that has begun."""
    entry = entry_of(start.concern, now=at)
    return ExportStatement(
        concern=entry,
        history=read_history(engine, start.last),
        hand_overs=start.hand_overs,
        by=start.last.client,
        at=at,
        statement=sign_statement(signer, start, entry),
        **start.counts,
    )


EXPORT_TEMPLATE = Path(__file__).with_name("export.typ")
TAGGED_FOR_ARCHIVES: Sequence[Literal["ua-1", "a-3a"]] = ("ua-1", "a-3a")


def export_pdf(printed: dict[str, Any], document: dict[str, Any]) -> bytes:
    """Return the PDF of an export, to be signed. Raise `PdfUnavailable`.

    A letter that no font has keeps the standards from being met. The page is then made without them: the JSON has
    every letter.
    """
    if not pdf_available():
        raise PdfUnavailable
    import font_source_sans_pro  # noqa: PLC0415  # an extra
    import typst  # noqa: PLC0415  # an extra, and 20 MB

    options: dict[str, Any] = {
        "input": EXPORT_TEMPLATE,
        "font_paths": [Path(font_source_sans_pro.__file__).parent],
        "sys_inputs": {
            "document": json.dumps(printed, ensure_ascii=False),
            "attached": json.dumps(document, ensure_ascii=False, indent=1),
        },
        "format": "pdf",
    }
    try:
        pdf = typst.compile(pdf_standards=list(TAGGED_FOR_ARCHIVES), **options)
    except typst.TypstError:
        pdf = typst.compile(**options)
    return finish_pdf(bytes(pdf or b""))
