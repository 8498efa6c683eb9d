"""The languages of the pages: one catalogue of sentences, a file for each language beside English, and their addresses.

A language is the first part of the path: `/cy/concerns` is `/concerns` in Welsh. Templates mark their sentences by `{%
trans %}` and `_()`, code by `gettext` and `to_translate`; `make catalogue` collects them.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

LOCALE_DIR = Path(__file__).parent / "locale"
DOMAIN = "pages"
PATHS_WITHOUT_PAGES = (
    "/v1",
    "/open-referral",
    "/health",
    "/metrics",
    "/.well-known",
    "/openapi.json",
    "/openapi.public.json",
)
ENGLISH_ALONE = (*PATHS_WITHOUT_PAGES, "/docs", "/looks", "/mcp", "/desk", "/edit")
"""Paths without other languages: the API, its documentation, and files."""
IN_ENGLISH = Markup(' lang="en"')
OTHERS = "|".join(re.escape(each[1:]) for each in ENGLISH_ALONE)
LINK = re.compile(rf' (href|action|formaction)="(/(?!/|{OTHERS})[^"]*)"')
"""A link in double quotes. Those that change the language are in single quotes."""
WRITING_IN = {
    "pl": "Pisz po polsku.",
    "ro": "Scrieți în română.",
    "pt": "Escreva em português.",
    "es": "Escriba en español.",
    "so": "Ku qor Soomaali.",
    "uk": "Пишіть українською.",
    "pa": "ਪੰਜਾਬੀ ਵਿੱਚ ਲਿਖੋ।",
    "bn": "বাংলায় লিখুন।",
    "ur": "اردو میں لکھیں۔",
    "ar": "اكتب بالعربية.",
}
"""'Write in ...' in ten languages that many people in England speak, each in that language."""
_path: ContextVar[str] = ContextVar("path", default="")


@dataclass(frozen=True)
class Language:
    """A language of the pages."""

    code: str
    tag: str
    """The language tag (BCP 47)."""
    name: str
    is_checked: bool = True
    """True if a person who speaks the language checked the translation.

    Otherwise each page says that a machine made it.
    """

    @property
    def prefix(self) -> str:
        """The prefix of paths in this language."""
        return "" if self == ENGLISH else f"/{self.code}"


ENGLISH = Language("en", "en-GB", "English")

LANGUAGES = (ENGLISH, Language("cy", "cy", "Cymraeg", is_checked=False))

_current: ContextVar[Language] = ContextVar("language", default=ENGLISH)


def current_language() -> Language:
    """Return the language of the page in progress."""
    return _current.get()


def current_path() -> str:
    """Return the path of the page without its language; empty if no other language has this page to read."""
    return _path.get()


@contextmanager
def speaking(language: Language, path: str = "") -> Iterator[None]:
    """Make pages in that language at that path, within the context."""
    tokens = _current.set(language), _path.set(path)
    try:
        yield
    finally:
        _current.reset(tokens[0])
        _path.reset(tokens[1])


def read_catalogue(language: Language) -> "Catalog":
    """Return the translations from the file of the language."""
    from babel.messages.pofile import read_po  # noqa: PLC0415  # only for pages in other languages

    with (LOCALE_DIR / language.code / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        return read_po(file, locale=language.code, domain=DOMAIN)


def gettext(message: str) -> str:
    """Return the message in the language of the page, or in English if it has no translation."""
    language = current_language()
    if language == ENGLISH or not message:
        return message
    return _translations(language).get(message, message)


def ngettext(singular: str, plural: str, number: int) -> str:
    """Return the singular or plural message for that number."""
    return gettext(singular if number == 1 else plural)


@cache
def _translations(language: Language) -> dict[str, str]:
    return {str(each.id): str(each.string) for each in read_catalogue(language) if each.id and each.string}


def to_translate(message: str) -> str:
    """Mark a sentence for the catalogue, to be translated later. Return it unchanged."""
    return message


SCRIPT_SENTENCES = (
    to_translate("Shift: press 2 more times to exit."),
    to_translate("Shift: press 1 more time to exit."),
    to_translate("Leaving."),
    to_translate("Sending…"),
    to_translate("Please wait…"),
    to_translate("The file could not be saved. Nothing is lost: try again."),
    to_translate("Copied."),
    to_translate("It could not be copied. Please write it down."),
    to_translate("Started"),
    to_translate("Error:"),
    to_translate("There is a problem"),
    to_translate("You have 1 letter left."),
    to_translate("You have {number} letters left."),
    to_translate("You have 1 letter too many."),
    to_translate("You have {number} letters too many."),
)
"""The sentences of the scripts."""


def english() -> Markup:
    """Return the attribute of an element with the council's own text, which is English in every language."""
    return Markup() if current_language() == ENGLISH else IN_ENGLISH


def script_words() -> dict[str, str]:
    """Return the sentences of the scripts in the language of the page; none for English, which the scripts contain."""
    return {} if current_language() == ENGLISH else {each: gettext(each) for each in SCRIPT_SENTENCES}


def or_english(text: str) -> str:
    """Return the text in the language of the page, or marked as English if the catalogue lacks it."""
    found = gettext(text)
    return marked_english(text) if found == text else found


def marked_english(text: str) -> str:
    """Return English text, marked as English on a page in another language."""
    return Markup('<span lang="en">{}</span>').format(text) if english() else text


def localised_links(page: str) -> str:
    """Return the page with its links to other pages changed to its own language."""
    prefix = current_language().prefix
    return LINK.sub(rf' \1="{prefix}\2"', page) if prefix else page


def language_of(path: str) -> tuple[Language, str]:
    """Return the language of the path, and the path without it."""
    for each in LANGUAGES[1:]:
        rest = path.removeprefix(each.prefix) or "/"
        if rest != path and rest.startswith("/") and not rest.startswith(ENGLISH_ALONE):
            return each, rest
    return ENGLISH, path
