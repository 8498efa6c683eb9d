"""The languages of the pages: one catalogue of sentences, a file for each language beside English, and their addresses.

A language is the first part of the path: `/cy/concerns` is `/concerns` in Welsh. Templates mark their sentences by
`{% trans %}` and `_()`, code by `gettext` and `to_translate`; `make catalogue` collects them.
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
"""What has no other language: the API, its documentation, and files."""
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
"""'Write in ...', each in its own words: ten languages that many people in England speak."""
_path: ContextVar[str] = ContextVar("path", default="")


@dataclass(frozen=True)
class Language:
    """A language of the pages."""

    code: str
    tag: str
    """The language tag (BCP 47)."""
    name: str
    is_checked: bool = True
    """Whether a person who speaks it has checked the translation. Otherwise each page says that a machine made it."""

    @property
    def prefix(self) -> str:
        """What comes before the path of a page in this language."""
        return "" if self == ENGLISH else f"/{self.code}"


ENGLISH = Language("en", "en-GB", "English")

LANGUAGES = (ENGLISH, Language("cy", "cy", "Cymraeg", is_checked=False))

_current: ContextVar[Language] = ContextVar("language", default=ENGLISH)


def current_language() -> Language:
    """Return the language of the page that is being made."""
    return _current.get()


def current_path() -> str:
    """Return the path of the page without its language; empty where another language has no such page to read."""
    return _path.get()


@contextmanager
def speaking(language: Language, path: str = "") -> Iterator[None]:
    """Make pages in that language meanwhile, at that path."""
    tokens = _current.set(language), _path.set(path)
    try:
        yield
    finally:
        _current.reset(tokens[0])
        _path.reset(tokens[1])


def read_catalogue(language: Language) -> "Catalog":
    """Return the translations of the language, as its file has them."""
    from babel.messages.pofile import read_po  # noqa: PLC0415  # for pages that are not English alone

    with (LOCALE_DIR / language.code / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        return read_po(file, locale=language.code, domain=DOMAIN)


def gettext(message: str) -> str:
    """Return the message in the language of the page; in English where it has no translation."""
    language = current_language()
    if language == ENGLISH or not message:
        return message
    return _translations(language).get(message, message)


def ngettext(singular: str, plural: str, number: int) -> str:
    """Return the message for that number."""
    return gettext(singular if number == 1 else plural)


@cache
def _translations(language: Language) -> dict[str, str]:
    return {str(each.id): str(each.string) for each in read_catalogue(language) if each.id and each.string}


def to_translate(message: str) -> str:
    """Mark a sentence that is translated later, for the catalogue. Return it as it is."""
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
"""What the scripts say."""


def english() -> Markup:
    """Return the attribute of an element with the council's own words, which are English in every language."""
    return Markup() if current_language() == ENGLISH else IN_ENGLISH


def script_words() -> dict[str, str]:
    """Return what the scripts say in the language of the page; nothing in English, which they know."""
    return {} if current_language() == ENGLISH else {each: gettext(each) for each in SCRIPT_SENTENCES}


def or_english(text: str) -> str:
    """Return the text in the language of the page, or marked as English where the catalogue lacks it."""
    found = gettext(text)
    return marked_english(text) if found == text else found


def marked_english(text: str) -> str:
    """Return English text, marked as English on a page in another language."""
    return Markup('<span lang="en">{}</span>').format(text) if english() else text


def localised_links(page: str) -> str:
    """Return the page with its links to other pages in its own language."""
    prefix = current_language().prefix
    return LINK.sub(rf' \1="{prefix}\2"', page) if prefix else page


def language_of(path: str) -> tuple[Language, str]:
    """Return the language of the path, and the path without it."""
    for each in LANGUAGES[1:]:
        rest = path.removeprefix(each.prefix) or "/"
        if rest != path and rest.startswith("/") and not rest.startswith(ENGLISH_ALONE):
            return each, rest
    return ENGLISH, path
