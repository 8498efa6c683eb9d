"""The languages that the Accept-Language header of a request prefers to English, the language of the guides."""

import re
from collections.abc import Iterable
from functools import lru_cache

from app.models.languages import ENGLISH_TAG, GUIDE_LANGUAGE

QUALITY = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")
VARIES_BY_LANGUAGE = re.compile(r"/v1/guides/[a-z0-9-]+")
"""Paths whose responses depend on the preferred languages, in every format."""
LANGUAGE_RANGE = re.compile(r"[a-z]{1,8}(?:-[a-z0-9]{1,8})*")
MAX_HEADER_LENGTH = 1_000
MAX_PREFERENCES = 8
PARSED_LANGUAGE_HEADERS = 1_000


def quality_in(parameters: Iterable[str]) -> float:
    """Return the first valid `q`, or 1."""
    return next((float(match[1]) for match in map(QUALITY.fullmatch, parameters) if match), 1.0)


@lru_cache(maxsize=PARSED_LANGUAGE_HEADERS)
def preferred_languages(accept_language: str) -> tuple[str, ...]:
    """Return the languages preferred to English, most preferred first, at most `MAX_PREFERENCES`.

    Empty for most browsers, so that they share a cache entry, and for a header that is too long or malformed. Other
    English such as `en-us` ends the list, but is in it.
    """
    if len(accept_language) > MAX_HEADER_LENGTH:
        return ()
    weighted = []
    for place, part in enumerate(accept_language.lower().split(",")):
        name, *parameters = (word.strip() for word in part.split(";"))
        weight = quality_in(parameters)
        if weight > 0:
            weighted.append((-weight, place, name))
    preferred: list[str] = []
    for _, _, name in sorted(weighted):
        if name in ("*", ENGLISH_TAG, GUIDE_LANGUAGE.lower()):
            break
        if LANGUAGE_RANGE.fullmatch(name) and name not in preferred:
            preferred.append(name)
        if name.startswith(f"{ENGLISH_TAG}-"):  # the range falls back to English
            break
    return tuple(preferred[:MAX_PREFERENCES])
