"""Keys that identify editions and renditions."""

from typing import NamedTuple


class EditionKey(NamedTuple):
    """The key of an edition: the guide, and the edition's number."""

    guide: str
    number: int


class RenditionKey(NamedTuple):
    """The key of a rendition: the guide, the language, and the number among the guide's renditions in that language."""

    guide: str
    language: str
    number: int


AnyKey = EditionKey | RenditionKey


def name_of_edition(key: AnyKey) -> str:
    """Return the name to display: `self-harm, edition 1`, or `self-harm, rendition cy 1`."""
    of = f"rendition {key.language}" if isinstance(key, RenditionKey) else "edition"
    return f"{key.guide}, {of} {key.number}"
