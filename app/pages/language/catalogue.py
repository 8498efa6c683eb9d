"""The catalogue: the sentences of the pages, and their translations from the files under `locale/`."""

import gettext as standard
import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

LOCALE_DIR = Path(__file__).parent.parent / "locale"
DOMAIN = "pages"


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
_path: ContextVar[str] = ContextVar("path", default="")


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
    return _translations(language).gettext(message)


def ngettext(singular: str, plural: str, number: int) -> str:
    """Return the message for that number."""
    return gettext(singular if number == 1 else plural)


@cache
def _translations(language: Language) -> standard.NullTranslations:
    from babel.messages.mofile import write_mo  # noqa: PLC0415  # as above

    compiled = io.BytesIO()
    write_mo(compiled, read_catalogue(language))
    compiled.seek(0)
    return standard.GNUTranslations(compiled)
