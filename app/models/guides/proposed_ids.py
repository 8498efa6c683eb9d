"""Ids proposed from the text of an item."""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Container

MAX_WORDS = 6
MAX_LENGTH = 60
SMALL_WORDS = frozenset(
    {"a", "an", "and", "are", "as", "at", "by", "for", "from", "in", "is", "of", "on", "or", "the", "to"}
)


def propose_id(words: str, taken: Container[str] = ()) -> str:
    """Return a slug of the first six words, leaving out small words such as `the` if there are others.

    The slug has at most 60 characters, and is `item` if `words` has no ASCII letters or digits. A slug in `taken` gets
    a number appended.
    """
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower().replace("'", "")
    found = re.findall(r"[a-z0-9]+", plain)
    telling = [word for word in found if word not in SMALL_WORDS] or found or ["item"]
    slug = "-".join(telling[:MAX_WORDS])
    if len(slug) > MAX_LENGTH:
        slug = slug[:MAX_LENGTH].rpartition("-")[0] or slug[:MAX_LENGTH]
    return slug if slug not in taken else f"{slug}-{_free_number(slug, taken)}"


def _free_number(slug: str, taken: Container[str]) -> int:
    """Return a number that makes `slug` unique: the lowest such number, if the taken numbers have no gaps."""

    def is_free(number: int) -> bool:
        return f"{slug}-{number}" not in taken

    free = 2
    while not is_free(free):
        free *= 2
    return 2 + bisect_left(range(2, free), True, key=is_free)
