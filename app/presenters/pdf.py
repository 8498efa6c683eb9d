"""An edition as a PDF to print: one A4 page, tagged (PDF/UA-1), with a QR code that leads to the live guide.

Its libraries (typst, segno) are the optional extra `print`. The bytes depend only on the text of the page: the fonts
are typst's own, and the date of the PDF is that of the edition.
"""

import io
import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from app.errors import PdfUnavailable
from app.models.guidance.contacts import Reachable
from app.models.guidance.definitions import Definition
from app.models.guidance.editions import EditionContent
from app.models.guidance.items import IndicatorKind
from app.models.guidance.sections import PRINTED_LEFT, PRINTED_RIGHT, Layout, Section
from app.models.guidance.signposts import Signpost
from app.presenters.contact_text import citation_text, option_text
from app.store.editions import EditionHead

PDF_TEMPLATE = Path(__file__).with_name("guide.typ")
SIZES = ("9.5", "9", "8.5", "8", "7.5", "7")
"""Font sizes in points. The largest with which the edition fits on one page is used."""
MAX_CACHED_PDFS = 16


def edition_pdf(head: EditionHead, content: EditionContent, signposts: Sequence[Signpost], public_url: str) -> bytes:
    """Return the edition as a PDF: always the same bytes for the same words. Raise `PdfUnavailable`."""
    if not pdf_available():
        raise PdfUnavailable
    address = f"{public_url}/guides/{head.guide}"
    document = json.dumps(_document(head, content, signposts, address), ensure_ascii=False)
    return _compile(document, _qr(address), int(head.published_at.timestamp()))


def pdf_available() -> bool:
    """Return True if the optional libraries for PDFs are installed."""
    return all(find_spec(name) for name in ("segno", "typst"))


@lru_cache(maxsize=MAX_CACHED_PDFS)
def _compile(document: str, qr: str, at: int) -> bytes:
    import typst  # noqa: PLC0415  # an extra, and 20 MB

    for size in SIZES:
        options: dict[str, Any] = {
            "input": PDF_TEMPLATE,
            "ignore_system_fonts": True,
            "sys_inputs": {"document": document, "qr": qr, "size": size},
        }
        if size == SIZES[-1] or json.loads(typst.query(selector="<pages>", field="value", one=True, **options)) == 1:
            break
    pdf: bytes = typst.compile(format="pdf", pdf_standards="ua-1", timestamp=at, **options)
    return pdf


def _qr(address: str) -> str:
    import segno  # noqa: PLC0415  # an extra

    svg = io.BytesIO()
    segno.make(address, error="m", micro=False).save(svg, kind="svg", border=2, xmldecl=False, light="white")
    return svg.getvalue().decode()


def _document(
    head: EditionHead, content: EditionContent, signposts: Sequence[Signpost], address: str
) -> dict[str, Any]:
    return {
        "guide": head.guide,
        "number": head.number,
        "published": f"{head.published_at.day} {head.published_at:%B %Y}",
        "digest": head.digest,
        "address": address,
        "title": content.title,
        "publisher": content.publisher.name,
        "change_note": content.change_note,
        "source": f"{content.source.title}, {content.source.publisher}",
        "emergencies": [_contact(each) | {"description": each.description} for each in signposts if each.emergency],
        "cautions": [each.text for each in content.cautions],
        "left": [_section(each, content) for each in PRINTED_LEFT],
        "right": [_section(each, content) for each in PRINTED_RIGHT],
    }


def _section(section: Section, content: EditionContent) -> dict[str, Any]:
    entry = section.entry
    introductions = {key: words or "" for key, words in content.introductions.model_dump().items()}
    return {
        "heading": entry.heading,
        "introduction": introductions.get(section.key),
        "has_cautions": entry.has_cautions,
        "layout": entry.layout,
        "items": [PRESENT_ITEM[entry.layout](each) for each in getattr(content, section.key)],
    }


def _list_item(item: Any) -> dict[str, Any]:
    is_harm = getattr(item, "kind", None) is IndicatorKind.SIGN_OF_HARM
    return {"name": getattr(item, "name", ""), "text": item.text, "is_harm": is_harm}


def _definition(definition: Definition) -> dict[str, str]:
    source = definition.source
    cited = "" if source is None else citation_text(source)
    return {"introduction": definition.introduction or "", "text": definition.text, "source": cited}


def _contact(contact: Reachable) -> dict[str, Any]:
    phones = [
        {"number": phone.number, "display": phone.display, "option": option_text(phone)} for phone in contact.phones
    ]
    return {"name": contact.name, "phones": phones, "url": contact.url or ""}


PRESENT_ITEM: dict[Layout, Callable[[Any], dict[str, Any]]] = {
    Layout.LIST: _list_item,
    Layout.QUOTATIONS: _definition,
    Layout.CONTACTS: _contact,
}
