"""Keys of editions and renditions: what names one among all."""

from typing import NamedTuple


class EditionKey(NamedTuple):
    """A guide and the number of one of its editions."""

    guide: str
    number: int


class RenditionKey(NamedTuple):
    """A guide, a language, and the number of one of the guide's renditions in it."""

    guide: str
    language: str
    number: int


AnyKey = EditionKey | RenditionKey


def name_of(key: AnyKey) -> str:
    """Return the name for people: `self-harm, edition 1`, or `self-harm, rendition cy 1`."""
    of = f"rendition {key.language}" if isinstance(key, RenditionKey) else "edition"
    return f"{key.guide}, {of} {key.number}"
