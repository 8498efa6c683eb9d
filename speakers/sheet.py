"""A sheet as one file: a page that is opened, corrected and saved in any browser, without network or program."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment

from app.models.languages import direction_of
from app.pages.languages import Language, read_catalogue
from tests.support.translations import PLACEHOLDER, TAG

TEMPLATE = Path(__file__).with_name("sheet.html.jinja")
SCRIPT = Path(__file__).with_name("sheet.js")
KEPT_AS_IT_STANDS = re.compile(f"{PLACEHOLDER.pattern}|{TAG.pattern}")
ISOLATES = re.compile("[\u2066\u2069]")
SPACE = re.compile(r"[ \t\r\n\f]+")
"""A space that does not break is none of these."""


class Sentence(NamedTuple):
    number: int
    english: str
    now: str

    @property
    def key(self) -> str:
        return fingerprint(self.english)

    @property
    def kept(self) -> str:
        """What a translation must have as it stands."""
        return ", ".join(dict.fromkeys(PLACEHOLDER.findall(self.english) + TAG.findall(self.english)))


@dataclass
class Returned:
    """A sheet that came back. Nothing in it is trusted, and nothing of it but these texts is read."""

    language: str = ""
    checked_by: str = ""
    checked_on: str = ""
    is_whole: bool = False
    rows: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By the key of the sentence: the fingerprint of the translation in the sheet as it was made, and the text."""


def isolated(text: str, direction: str) -> str:
    """From right to left, keep `<strong>` and `%(phones)s` readable. `read_sheet` takes the two letters out again."""
    return KEPT_AS_IT_STANDS.sub("\u2066\\g<0>\u2069", text) if direction == "rtl" else text


def fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def sentences_of(language: Language) -> list[Sentence]:
    found = [(str(each.id), str(each.string or "")) for each in read_catalogue(language) if each.id]
    return [Sentence(number, *texts) for number, texts in enumerate(found, 1)]


def sheet_of(language: Language, sentences: Sequence[Sentence], pictures: Mapping[str, bytes]) -> str:
    """`pictures` are JPEG files by the English sentence."""
    script = SCRIPT.read_text(encoding="utf-8")
    return (
        Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
        .from_string(TEMPLATE.read_text(encoding="utf-8"))
        .render(
            language=language,
            direction=direction_of(language.tag),
            sentences=sentences,
            fingerprint=fingerprint,
            isolated=isolated,
            pictures={each: base64.b64encode(picture).decode() for each, picture in pictures.items()},
            script=script,
            script_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
    )


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found = Returned()
        self._row: tuple[str, str] | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if self._row is not None:
            self._text += self.get_starttag_text() or ""
        elif tag == "html":
            self.found.language = named.get("data-language", "")
        elif tag == "textarea" and "data-key" in named:
            self._row, self._text = (named["data-key"], named.get("data-now", "")), ""
        elif tag == "input" and named.get("name") in ("checked_by", "checked_on"):
            setattr(self.found, named["name"], " ".join(named.get("value", "").split()))
        elif tag == "input" and named.get("name") == "is_whole":
            self.found.is_whole = "checked" in named

    def handle_endtag(self, tag: str) -> None:
        if self._row is None:
            return
        if tag != "textarea":
            self._text += f"</{tag}>"
            return
        key, now = self._row
        self.found.rows[key] = (now, SPACE.sub(" ", ISOLATES.sub("", self._text)).strip(" "))
        self._row = None

    def handle_data(self, data: str) -> None:
        self._text += data


def read_sheet(page: str) -> Returned:
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader.found
