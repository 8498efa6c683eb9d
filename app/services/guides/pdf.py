"""An edition or rendition as a PDF to print."""

import hashlib
import io
import json
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache, partial
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from babel.dates import format_date

from app.config import Settings
from app.errors import PdfUnavailable
from app.models.guides.contacts import Contact
from app.models.guides.items import Identified, IndicatorKind
from app.models.guides.sections import PRINTED_BACK, PRINTED_FRONT, Layout, Section
from app.models.guides.signposts import Signpost
from app.models.languages import GUIDE_LANGUAGE, LATIN, locale_of, region_of, script_of
from app.models.links import rendition_page_path
from app.services.clock.teams import Teams
from app.services.clock.working_hours import hours_in
from app.services.guides.presenters import (
    MARK,
    MARK_EXPLAINED,
    UNCHECKED_CAUTIONS,
    ShownEdition,
    ShownRendition,
    citation_text,
    more_ways,
)
from app.services.guides.printed_words import FOR_CHILDREN, PRINTED_HEADINGS, printed_words, translator
from app.services.guides.reference_data import is_same_council

EQUAL_CONTRAST_LUMINANCE = 0.179
"""Black and white text have the same contrast on it (WCAG 2.2, 4.58)."""
Document = dict[str, Any]
MARKED = ("name", "text", "introduction")
"""Fields that may be untranslated: `MARK` follows."""
PRESENT_ITEM: dict[Layout, Callable[[Any], dict[str, Any]]] = {
    Layout.LIST: lambda item: {
        "name": getattr(item, "name", ""),
        "text": item.text,
        "is_harm": getattr(item, "kind", None) is IndicatorKind.SIGN_OF_HARM,
    },
    Layout.QUOTATIONS: lambda item: {
        "introduction": item.introduction or "",
        "text": item.text,
        "source": citation_text(item.source) if item.source else "",
    },
}
PDF_TEMPLATE = Path(__file__).with_name("guide.typ")
FONT_LIBRARY = "font_source_sans_pro"
MORE_FONTS = "manimgx_fonts"
EXTRA = (FONT_LIBRARY, MORE_FONTS, "segno", "typst")
MAX_CACHED_PDFS = 16
COLOUR_OF_OTHERS = "#3d4852"
FONTS = ("Source Sans Pro", "Noto Sans")
"""The second has italics of all scripts of the first."""
FONTS_BY_SCRIPT = dict.fromkeys((LATIN, "Cyrl", "Grek"), FONTS) | {
    code: (*FONTS, f"Noto Sans {name}")
    for code, name in {
        "Arab": "Arabic",
        "Beng": "Bengali",
        "Deva": "Devanagari",
        "Ethi": "Ethiopic",
        "Gujr": "Gujarati",
        "Guru": "Gurmukhi",
        "Taml": "Tamil",
    }.items()
}
NO_LETTER = "could not be displayed with font"
"""Part of typst's error if the font lacks a letter."""
SIDES = {"front": 1, "back": 2}
"""The page on which each label of the template must be."""


@dataclass(frozen=True)
class Pictures:
    """Pictures to print, by digest. `read`, called only for a PDF that is not cached, does not count in comparisons."""

    digests: tuple[str, ...]
    read: Callable[[str], bytes] = field(compare=False)


NO_PICTURES = Pictures((), lambda _: b"")


def text_colour_on(colour: str) -> str:
    """Return black or white, whichever has at least 4.5 to 1 on this `#rrggbb`."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]  # noqa: PLR2004  # sRGB
    luminance = sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return "#000000" if luminance > EQUAL_CONTRAST_LUMINANCE else "#ffffff"


class PrintForm(StrEnum):
    POSTER = "poster"
    """A front to pin up, its back, and a sheet for a corridor."""
    LARGE_PRINT = "large-print"
    """One column, as many pages as needed."""


PDF_SUFFIXES = {PrintForm.POSTER: ".pdf", PrintForm.LARGE_PRINT: f"/{PrintForm.LARGE_PRINT}.pdf"}

SIZES = {
    PrintForm.POSTER: (
        *("18", "17", "16", "15.5", "15", "14.5", "14", "13.5", "13", "12.5"),
        *("12", "11.5", "11", "10.5", "10", "9.5", "9", "8.5", "8"),
    ),
    PrintForm.LARGE_PRINT: ("18",),
}
"""Font sizes in points: for each side the largest with which it fits, otherwise the smallest."""


def edition_pdf(
    shown: ShownEdition,
    signposts: Sequence[Signpost],
    teams: Teams,
    settings: Settings,
    form: PrintForm = PrintForm.POSTER,
    pictures: Pictures = NO_PICTURES,
) -> bytes:
    """Return a PDF, always the same bytes for the same arguments and logo file. `pictures` are those to print.

    Raise `PdfUnavailable` if an optional library is missing, or the font lacks the script or a letter.
    """
    head, rendition = shown.head, shown.rendition
    if not pdf_available() or (rendition is not None and not is_printable(rendition.language)):
        raise PdfUnavailable
    language = GUIDE_LANGUAGE if rendition is None else rendition.language
    page = f"/guides/{head.guide}" if rendition is None else rendition_page_path(*rendition.stored.key[:2])
    addresses = tuple(settings.public_url + path for path in (page, translator(language)(FOR_CHILDREN)))
    words = _document(shown, signposts, language, teams) | _style(settings, shown.content.publisher.name)
    words |= {"form": form.value, "pictured": pictures.digests, "addresses": addresses}
    document = json.dumps(words, ensure_ascii=False)
    pdf = _compile(document, addresses, int(head.published_at.timestamp()), form, pictures)
    if pdf is None:
        raise PdfUnavailable
    return pdf


def pdf_available() -> bool:
    """Return True if the optional libraries are installed."""
    return all(find_spec(name) for name in EXTRA)


@lru_cache(maxsize=2)
def fonts(*, of_host: bool = False) -> Any:
    """The fonts of the optional libraries, and those of the host, read once."""
    import typst  # noqa: PLC0415  # an optional dependency

    folders = [str(files(FONT_LIBRARY)), str(files(MORE_FONTS))]
    return typst.Fonts(include_system_fonts=of_host, font_paths=folders)


def find_font_file() -> Path | None:
    """Find the font for a PDF that a browser makes."""
    return Path(str(files(FONT_LIBRARY))) / "files" / "SourceSansPro-Regular.ttf" if find_spec(FONT_LIBRARY) else None


def is_printable(language: str) -> bool:
    """A font has the script of `language`."""
    return script_of(language) in FONTS_BY_SCRIPT


@lru_cache(maxsize=MAX_CACHED_PDFS)
def _compile(document: str, addresses: tuple[str, ...], at: int, form: PrintForm, pictures: Pictures) -> bytes | None:
    """Return None if the font lacks a letter. `addresses` are for QR codes, `at` in Unix seconds."""
    import typst  # noqa: PLC0415  # an optional dependency of 20 MB

    options: dict[str, Any] = {
        "input": PDF_TEMPLATE,
        "root": PDF_TEMPLATE.anchor,  # the council's logo may be in any folder
        "font_paths": fonts(),
    }
    inputs = dict.fromkeys(SIDES, SIZES[form][-1])
    inputs |= {"document": document, "codes": json.dumps([*map(_qr_code, addresses)])}

    def fits(size: str, side: str) -> bool:
        found: str = typst.query(
            selector=f"<{side}>", field="value", one=True, sys_inputs=inputs | {side: size}, **options
        )
        return found == str(SIDES[side])

    with tempfile.TemporaryDirectory(prefix="guidance-print-") as inputs["pictures"]:
        for digest in pictures.digests:
            (Path(inputs["pictures"]) / f"{digest}.jpg").write_bytes(pictures.read(digest))
        for side in SIDES:
            place = bisect_left(SIZES[form][:-1], x=True, key=partial(fits, side=side))
            inputs[side] = SIZES[form][place]
        try:
            pdf: bytes = typst.compile(format="pdf", pdf_standards="ua-1", timestamp=at, sys_inputs=inputs, **options)
        except typst.TypstError as failure:
            if NO_LETTER in str(failure):
                return None
            raise
        return pdf


def _qr_code(address: str) -> str:
    import segno  # noqa: PLC0415  # an optional dependency

    drawn = io.BytesIO()
    segno.make(address, error="m", micro=False).save(drawn, kind="svg", border=2, xmldecl=False, light="white")
    return drawn.getvalue().decode()


def _document(shown: ShownEdition, signposts: Sequence[Signpost], language: str, teams: Teams) -> Document:
    """Return the template's data. Untranslated text is `{"own": text}`.

    The contacts on the front are in the guide's own language.
    """
    head, content, rendition = shown.head, shown.content, shown.rendition
    locale, contact = locale_of(language), partial(_contact, language=language)
    hours = teams.first.opening_hours if teams.first and locale != locale_of(GUIDE_LANGUAGE) else ()
    contacts = content.contacts if rendition is None else rendition.to_call

    def text(value: Any, *pointer: str | int) -> Any:
        return {"own": value} if value and rendition is not None and rendition.is_marked(*pointer) else value

    def picture(each: Section, item: Identified) -> Document | None:
        found = rendition.words.picture_of(each.key, item.id) if rendition is not None else None
        return None if found is None else {"digest": found.digest, "alt": found.alt}

    def section(each: Section) -> Document:
        items = [
            PRESENT_ITEM[each.entry.layout](item) | {"picture": picture(each, item)}
            for item in getattr(content, each.key)
        ]
        introduction = getattr(content.introductions, each.key, None) or ""
        return {
            "key": each.key,
            "heading": each.entry.heading,
            "printed_heading": PRINTED_HEADINGS.get(each, ""),
            "introduction": text(introduction, "introductions", each.key),
            "layout": each.entry.layout,
            "items": [
                item | {name: text(item[name], each.key, place, name) for name in MARKED if name in item}
                for place, item in enumerate(items)
            ],
        }

    return {
        "guide": head.guide,
        "number": head.number,
        "published": format_date(head.published_at, "long", locale=locale),
        "digest": head.digest,
        "title": text(content.title, "title"),
        "publisher": content.publisher.name,
        "change_note": text(content.change_note, "change_note"),
        "source": f"{content.source.title}, {content.source.publisher}" if content.source else "",
        "emergencies": [contact(each) | {"description": each.description} for each in signposts if each.emergency],
        "for_children": [contact(each) for each in signposts if each.for_children and each.phones],
        "cautions": [text(each.text, "cautions", place, "text") for place, each in enumerate(content.cautions)],
        "to_call": [contact(each) for each in contacts],
        "to_call_introduction": text(content.introductions.contacts, "introductions", Section.CONTACTS.key),
        "hours": hours_in(hours, locale) if hours else {"own": teams.first.hours if teams.first else ""},
        "out_of_hours": [contact(each) for each in teams.until_then],
        "front": [section(each) for each in PRINTED_FRONT if each is not Section.CONTACTS],
        "back": [section(each) for each in PRINTED_BACK],
        "rendition": None if rendition is None else _rendition(rendition),
        "words": printed_words(language, head.number),
        "fonts": FONTS_BY_SCRIPT[script_of(language)],
    }


def _rendition(rendition: ShownRendition) -> Document:
    link = rendition.stored.content.link
    return {
        "lang": rendition.language.partition("-")[0],
        "region": region_of(rendition.language),
        "script": script_of(rendition.language).lower(),
        "dir": rendition.direction,
        "mark": MARK,
        "notices": [*rendition.first_sentences, *([MARK_EXPLAINED] if rendition.has_marks else [])],
        "unchecked_sentence": UNCHECKED_CAUTIONS,
        "unchecked_cautions": [each.text for each in rendition.words.unchecked_cautions],
        "link": None if link is None else link.model_dump(mode="json"),
        "facts": list(rendition.facts(translator(rendition.language)).items()),
    }


def _style(settings: Settings, publisher: str) -> dict[str, Any]:
    """The look of the council, if it is the publisher, with the logo's digest: a cached PDF has no old logo."""
    is_own = settings.council is None or is_same_council(settings.council, publisher)
    logo, colour = (settings.council_logo, settings.council_colour) if is_own else (None, COLOUR_OF_OTHERS)
    return {
        "colour": colour,
        "text_on_colour": text_colour_on(colour),
        "logo": str(logo.resolve()) if logo else None,
        "logo_sha256": hashlib.sha256(logo.read_bytes()).hexdigest() if logo else None,
    }


def _contact(contact: Contact | Signpost, language: str) -> dict[str, Any]:
    say = translator(language)
    phones = [
        {"number": each.number, "display": each.dialled, "option": each.option_text.replace("option", say("Option"))}
        for each in contact.phones
    ]
    hours = partial(hours_in, locale=locale_of(language))
    more = more_ways(contact, say, hours) if isinstance(contact, Contact) else []
    return {"name": contact.name, "phones": phones, "url": contact.url or "", "when": contact.when or "", "more": more}
