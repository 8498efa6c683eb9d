"""Formats and languages of renditions: tags (BCP 47), native names, and writing directions."""

import re
from contextlib import suppress
from enum import StrEnum
from typing import Annotated, Literal

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.localedata import exists
from pydantic import AfterValidator, Field, StringConstraints

from app.errors import CodedValueError, FaultCode

GUIDE_LANGUAGE = "en-GB"
ENGLISH_TAG = "en"
EASY_READ_SUFFIX = "-simple"
"""Registered variant, as in `en-GB-simple`."""
BRITISH_SIGN_LANGUAGE = "bfi"
TAG_PATTERN = r"^[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|[0-9]{3}))?(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*$"
MAX_TAG_LENGTH = 35
LATIN = "Latn"
RIGHT_TO_LEFT_SCRIPTS = frozenset({"Adlm", "Arab", "Aran", "Hebr", "Mand", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa"})
OWN_NAMES = {BRITISH_SIGN_LANGUAGE: "British Sign Language"}
"""Names that are missing from the Unicode tables (CLDR)."""
SCRIPT_SUBTAG = re.compile(r"^[A-Z][a-z]{3}$")

Direction = Literal["ltr", "rtl"]


class RenditionForm(StrEnum):
    """Format of a rendition."""

    TRANSLATION = "translation"
    EASY_READ = "easy_read"
    LARGE_PRINT = "large_print"
    BSL_VIDEO = "bsl_video"
    AUDIO = "audio"

    @property
    def has_words(self) -> bool:
        """Return True for formats whose text is stored here. Others link to a document or recording."""
        return self in (RenditionForm.TRANSLATION, RenditionForm.EASY_READ)

    @property
    def label(self) -> str:
        """Return the name to show. `easy_read` is `in simple words`: text without pictures is not called Easy Read."""
        return "in simple words" if self is RenditionForm.EASY_READ else self.value.replace("_", " ")


def locale_of(tag: str) -> str:
    """Return the locale of the Unicode tables (CLDR), British English if there is none."""
    language = tag.partition("-")[0]
    return language if language != ENGLISH_TAG and exists(language) else "en_GB"


def _check_language(tag: str) -> str:
    language = tag.partition("-")[0]
    # `exists` looks for Babel's file of the language. The table of all names would take 5 MB of memory.
    if not (exists(language) or language in OWN_NAMES or language in Locale(ENGLISH_TAG).languages):
        raise CodedValueError(FaultCode.INVALID, "must be the tag of a known language (BCP 47), such as `cy` for Welsh")
    return tag


LanguageTag = Annotated[
    str,
    StringConstraints(pattern=TAG_PATTERN, max_length=MAX_TAG_LENGTH),
    AfterValidator(_check_language),
    Field(description="The language (BCP 47). Simple words are `en-GB-simple`, British Sign Language `bfi`."),
]


def direction_of(tag: str) -> Direction:
    return "rtl" if script_of(tag) in RIGHT_TO_LEFT_SCRIPTS else "ltr"


def script_of(tag: str) -> str:
    """Return the script (ISO 15924), such as Latn: that of `tag`, otherwise the usual one of the language."""
    language, *others = tag.split("-")
    own = next((part for part in others if SCRIPT_SUBTAG.match(part)), None)
    usual = str(get_global("likely_subtags").get(language, "")).split("_")
    return own or next((part for part in usual if SCRIPT_SUBTAG.match(part)), LATIN)


def region_of(tag: str) -> str | None:
    """Return the region of a tag, such as GB."""
    return next((part for part in tag.split("-")[1:] if part.isupper()), None)


def own_name_of(tag: str) -> str:
    """Return the language's own name, or `tag` itself if it is unknown."""
    language = tag.partition("-")[0]
    locale = _locale_of(tag)
    name = None if locale is None else locale.get_language_name()
    return OWN_NAMES.get(language) or (name[:1].upper() + name[1:] if name else tag)


def english_name_of(tag: str) -> str:
    """Return, for example, Welsh. An unknown tag is returned as it is."""
    language = tag.partition("-")[0]
    return OWN_NAMES.get(language) or Locale(ENGLISH_TAG).languages.get(language, tag)


def _locale_of(tag: str) -> Locale | None:
    language, region = tag.partition("-")[0], region_of(tag)
    for name in ([f"{language}_{region}"] if region else []) + [language]:
        with suppress(UnknownLocaleError, ValueError):
            return Locale.parse(name)
    return None
