"""The languages of the pages: their paths, and the catalogues of translated sentences.

The first part of a path is the language: `/cy/concerns` is `/concerns` in Welsh. Each language except English has a
catalogue file. Templates mark their sentences with `{% trans %}` and `_()`, code with `gettext` and `to_translate`. The
command `make catalogue` collects the marked sentences.

English and Welsh have every page. Ten other languages have only short pages: one form, the receipt and the status of a
concern. The catalogues of these languages have only the sentences of the short pages. Deaf people have the same short
pages in English. There, ways to reach 999 without speech come before phone numbers.
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
    "/open-referral",
    "/health",
    "/metrics",
    "/.well-known",
    "/openapi.json",
    "/openapi.public.json",
)
ENGLISH_ONLY = (*PATHS_WITHOUT_PAGES, "/docs", "/looks", "/mcp", "/desk", "/edit", "/draft-preview")
"""Beginnings of the paths that exist only in English.

These are the API and the API's documentation, static files, the desk, and the pages for editors and for previews.
"""
IN_ENGLISH = Markup(' lang="en"')
LINK = re.compile(r' (href|action|formaction)="(/(?!/)[^"]*)"')
"""The pattern of a link to a page of this service, in double quotes.

Templates use single quotes for links to another language, so that these links are not changed.
"""
SHORT_FORM = "/in-your-language"
"""The path of the short form within this service. Browsers see the language's address instead, such as `/pl`."""
SHORT_PATHS = ("/", "/concerns", "/concerns/additions")
"""The paths of the short pages, without a language. In a language with only short pages, `/` is the short form."""
UNSIGNED = "FULL NAME <EMAIL@ADDRESS>"
"""The translator named in a catalogue file as long as no person has checked the translation and signed the file."""
_path: ContextVar[str] = ContextVar("path", default="")


@dataclass(frozen=True)
class Language:
    """A language of the pages. `english_name` is the name of the language in English.

    `code` is the first part of paths in the language, and the name of the folder with the catalogue file.
    """

    code: str
    tag: str
    """The language tag (BCP 47)."""
    name: str
    """The language's name for itself."""
    english_name: str
    is_whole: bool = True
    """True if every page exists in the language. False if only the short pages exist in the language."""

    @property
    def prefix(self) -> str:
        """The first part of paths in this language, for example `/cy`. Empty for English."""
        return "" if self == ENGLISH else f"/{self.code}"

    @property
    def is_english(self) -> bool:
        """True if the pages are written in English, and need no catalogue."""
        return self.tag == ENGLISH.tag

    @property
    def is_sign_language(self) -> bool:
        """True if the pages are for people who sign or text: ways to reach 999 without speech come first."""
        return self == SIGN_LANGUAGE

    @property
    def domain(self) -> str:
        """The name of the catalogue file, without the ending `.po`."""
        return "pages" if self.is_whole else "short"

    @property
    def is_checked(self) -> bool:
        """True if a person who speaks the language checked the translation, and signed the catalogue file.

        English needs no translation, so the property is True for English. If the property is False, each page says that
        a computer made the translation.
        """
        return self.is_english or _catalogue(self).translator != UNSIGNED

    def has(self, path: str) -> bool:
        """Return True if the page at `path` exists in this language. `path` is a path without a language."""
        return not path.startswith(ENGLISH_ONLY) if self.is_whole else path in SHORT_PATHS


ENGLISH = Language("en", "en-GB", "English", "English")

LANGUAGES = (ENGLISH, Language("cy", "cy", "Cymraeg", "Welsh"))
"""The languages that have every page."""
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
"""Ten languages that many people in England speak. Only the short pages exist in these languages."""
SIGN_LANGUAGE = Language("bsl", ENGLISH.tag, "British Sign Language", "British Sign Language", is_whole=False)
"""British Sign Language: the short pages for deaf people. The text of these pages is English."""
BY_PREFIX = {each.prefix: each for each in (*LANGUAGES[1:], *SHORT_LANGUAGES, SIGN_LANGUAGE)}
"""The languages other than English, by the property `prefix`."""

_current: ContextVar[Language] = ContextVar("language", default=ENGLISH)


def current_language() -> Language:
    """Return the language of the page that is being made."""
    return _current.get()


def current_path() -> str:
    """Return the path and query of the page that is being made, without the language, for links to other languages.

    Return an empty string if a link could not lead to the same page, for example in the response to a POST request.
    """
    return _path.get()


@contextmanager
def speaking(language: Language, path: str = "") -> Iterator[None]:
    """Within the `with` block, use `language` for pages, and return `path` from `current_path`."""
    tokens = _current.set(language), _path.set(path)
    try:
        yield
    finally:
        _current.reset(tokens[0])
        _path.reset(tokens[1])


def read_catalogue(language: Language) -> "Catalog":
    """Return the translations from the catalogue file of `language`."""
    from babel.messages.pofile import read_po  # noqa: PLC0415  # only for pages in other languages

    with (LOCALE_DIR / language.code / "LC_MESSAGES" / f"{language.domain}.po").open("rb") as file:
        return read_po(file, locale=language.code, domain=language.domain)


def gettext(message: str) -> str:
    """Return `message` in the language of the page, or in English if the catalogue lacks `message`."""
    language = current_language()
    if language.is_english or not message:
        return message
    return _catalogue(language).sentences.get(message, message)


def ngettext(singular: str, plural: str, number: int) -> str:
    """Return `singular` if `number` is 1, otherwise `plural`, in the language of the page.

    If the catalogue lacks the text, return the text in English.
    """
    return gettext(singular if number == 1 else plural)


class Catalogue(NamedTuple):
    """The translations of a language. `sentences` maps each English sentence to the translated sentence.

    `translator` is the person who signed the catalogue file, or `UNSIGNED`.
    """

    sentences: dict[str, str]
    translator: str


@cache
def _catalogue(language: Language) -> Catalogue:
    found = read_catalogue(language)
    return Catalogue(
        {str(each.id): str(each.string) for each in found if each.id and each.string}, found.last_translator
    )


def to_translate(message: str) -> str:
    """Return `message` unchanged. The call only marks the sentence for the catalogue.

    `gettext` translates the sentence later, when the language of the page is known.
    """
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
"""The sentences that the JavaScript of the pages shows."""


def english() -> Markup:
    """Return the `lang` attribute of an element whose text is always English, such as the council's own text.

    Return an empty string on an English page.
    """
    return Markup() if current_language().is_english else IN_ENGLISH


def script_words() -> dict[str, str]:
    """Return the sentences of the JavaScript with their translations into the language of the page.

    Return an empty dict for English, because the JavaScript contains the English sentences.
    """
    return {} if current_language().is_english else {each: gettext(each) for each in SCRIPT_SENTENCES}


def or_english(text: str) -> str:
    """Return `text` in the language of the page. If the catalogue lacks `text`, return `marked_english(text)`."""
    found = gettext(text)
    return marked_english(text) if found == text else found


def marked_english(text: str) -> str:
    """Return the English `text`: unchanged on an English page, otherwise inside an HTML element with `lang="en"`."""
    return Markup('<span lang="en">{}</span>').format(text) if english() else text


def localised_links(page: str) -> str:
    """Return the HTML `page` with each link to a page of this service changed to that page in the current language.

    The current language is the language of the page that is being made. A link to a page that does not exist in the
    current language stays unchanged. In English, all links stay unchanged.
    """
    language = current_language()

    def localise(link: re.Match[str]) -> str:
        return f' {link[1]}="{language.prefix}{link[2]}"' if language.has(link[2]) else link[0]

    return page if language == ENGLISH else LINK.sub(localise, page)


def language_of(path: str) -> tuple[Language, str]:
    """Return the language of `path`, and the path of the page within this service.

    The second value is `path` without the language. For the address of a language that has only short pages, such as
    `/pl`, the second value is `SHORT_FORM`. If the page does not exist in the language, return English and `path`.
    """
    code, _, rest = path[1:].partition("/")
    language, page = BY_PREFIX.get(path[:1] + code, ENGLISH), f"/{rest}"
    if language == ENGLISH or not language.has(page):
        return ENGLISH, path
    return language, page if language.is_whole or page != "/" else SHORT_FORM
