"""The languages of the pages: their paths, and the catalogues of translated sentences.

The first part of a path is the language: `/cy/concerns` is `/concerns` in Welsh. `make catalogue` collects the
sentences that `{% trans %}`, `_()`, `gettext` and `to_translate` mark.

English and Welsh have every page. Ten other languages, and English for deaf people, have only short pages: one form,
the receipt and the status of a concern.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

LOCALE_DIR = Path(__file__).parent / "locale"
PATHS_WITHOUT_PAGES = (
    "/v1",
    "/health",
    "/metrics",
    "/.well-known",
    "/openapi.json",
    "/openapi.public.json",
)
ENGLISH_ONLY = (*PATHS_WITHOUT_PAGES, "/docs", "/looks", "/desk")
IN_ENGLISH = Markup(' lang="en"')
LINK = re.compile(r' (href|action|formaction)="(/(?!/)[^"]*)"')
"""A link in double quotes. Links to other languages are in single quotes, and stay as they are."""
SHORT_FORM = "/in-your-language"
"""Path inside this service. Browsers see the language's address, such as `/pl`."""
SHORT_PATHS = ("/", "/concerns", "/concerns/additions")
"""`/` is the path of the short form in these languages."""
UNSIGNED = "FULL NAME <EMAIL@ADDRESS>"
"""Replaced when a person has checked a catalogue and signed it."""
_path: ContextVar[str] = ContextVar("path", default="")


@dataclass(frozen=True)
class Language:
    """A language of pages. `code` is the first part of paths, and the name of the catalogue's folder."""

    code: str
    tag: str
    name: str
    """Name in the language itself."""
    english_name: str
    is_whole: bool = True
    """True if every page exists, not only the short ones."""

    @property
    def prefix(self) -> str:
        """Return the beginning of paths, such as `/cy`. It is empty for English."""
        return "" if self == ENGLISH else f"/{self.code}"

    @property
    def is_english(self) -> bool:
        return self.tag == ENGLISH.tag

    @property
    def is_sign_language(self) -> bool:
        """Return True if ways to 999 without speech come first."""
        return self == SIGN_LANGUAGE

    @property
    def domain(self) -> str:
        return "pages" if self.is_whole else "short"

    @property
    def is_checked(self) -> bool:
        """Return False if each page must say that a computer translated it."""
        return self.is_english or _catalogue(self).translator != UNSIGNED

    def has(self, path: str, english_only: tuple[str, ...] = ()) -> bool:
        """Return True if the language has the page at `path`, which has no language part."""
        return not path.startswith(ENGLISH_ONLY + english_only) if self.is_whole else path in SHORT_PATHS


ENGLISH = Language("en", "en-GB", "English", "English")

LANGUAGES = (ENGLISH, Language("cy", "cy", "Cymraeg", "Welsh"))
"""Languages that have every page."""
SHORT_LANGUAGES = (
    Language("pl", "pl", "Polski", "Polish", is_whole=False),
    Language("ro", "ro", "Română", "Romanian", is_whole=False),
    Language("pt", "pt", "Português", "Portuguese", is_whole=False),
    Language("es", "es", "Español", "Spanish", is_whole=False),
    Language("so", "so", "Soomaali", "Somali", is_whole=False),
    Language("uk", "uk", "Українська", "Ukrainian", is_whole=False),
    Language("pa", "pa", "ਪੰਜਾਬੀ", "Punjabi", is_whole=False),
    Language("bn", "bn", "বাংলা", "Bengali", is_whole=False),
    Language("ur", "ur", "اردو", "Urdu", is_whole=False),
    Language("ar", "ar", "العربية", "Arabic", is_whole=False),
)
SIGN_LANGUAGE = Language("bsl", ENGLISH.tag, "British Sign Language", "British Sign Language", is_whole=False)
BY_PREFIX = {each.prefix: each for each in (*LANGUAGES[1:], *SHORT_LANGUAGES, SIGN_LANGUAGE)}
"""English is left out, because it has no prefix."""

_current: ContextVar[Language] = ContextVar("language", default=ENGLISH)


def current_language() -> Language:
    return _current.get()


def current_path() -> str:
    """Return the path of the request with its query and without its language.

    It is empty if a link could not lead there, as after a POST.
    """
    return _path.get()


@contextmanager
def speaking(language: Language, path: str = "") -> Iterator[None]:
    tokens = _current.set(language), _path.set(path)
    try:
        yield
    finally:
        _current.reset(tokens[0])
        _path.reset(tokens[1])


def read_catalogue(language: Language) -> "Catalog":
    from babel.messages.pofile import read_po  # noqa: PLC0415  # only for pages in other languages

    with (LOCALE_DIR / language.code / "LC_MESSAGES" / f"{language.domain}.po").open("rb") as file:
        return read_po(file, locale=language.code, domain=language.domain)


def gettext(message: str) -> str:
    """Return the translated message, or English if the catalogue lacks it."""
    language = current_language()
    if language.is_english or not message:
        return message
    return _catalogue(language).sentences.get(message, message)


def ngettext(singular: str, plural: str, number: int) -> str:
    return gettext(singular if number == 1 else plural)


class Catalogue(NamedTuple):
    sentences: dict[str, str]
    translator: str


@cache
def _catalogue(language: Language) -> Catalogue:
    found = read_catalogue(language)
    return Catalogue(
        {str(each.id): str(each.string) for each in found if each.id and each.string}, found.last_translator
    )


def to_translate(message: str) -> str:
    """Mark a sentence for the catalogue. `gettext` translates it when the language is known."""
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


def english() -> Markup:
    """Return the `lang` attribute for text that is always English. Empty on English pages."""
    return Markup() if current_language().is_english else IN_ENGLISH


def script_words() -> dict[str, str]:
    """Return nothing for English, which the JavaScript already has."""
    return {} if current_language().is_english else {each: gettext(each) for each in SCRIPT_SENTENCES}


def or_english(text: str) -> str:
    """Return the English text marked as such if the catalogue lacks it."""
    found = gettext(text)
    return marked_english(text) if found == text else found


def marked_english(text: str) -> str:
    """Return the text unchanged on English pages."""
    return Markup('<span lang="en">{}</span>').format(text) if english() else text


def localised_links(page: str) -> str:
    """Point each link to the page in the current language, if that page exists."""
    language = current_language()

    def localise(link: re.Match[str]) -> str:
        return f' {link[1]}="{language.prefix}{link[2]}"' if language.has(link[2]) else link[0]

    return page if language == ENGLISH else LINK.sub(localise, page)


def language_of(path: str, english_only: tuple[str, ...] = ()) -> tuple[Language, str]:
    """Return the language of a path, and the path without it: `/pl` is `SHORT_FORM`.

    A language that lacks the page gives English.
    """
    code, _, rest = path[1:].partition("/")
    language, page = BY_PREFIX.get(path[:1] + code, ENGLISH), f"/{rest}"
    if language == ENGLISH or not language.has(page, english_only):
        return ENGLISH, path
    return language, page if language.is_whole or page != "/" else SHORT_FORM
