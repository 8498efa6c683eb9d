"""The words of a document that are not in its draft."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from app.services.guidance.importing.blocks import Block, one_line

WORDLESS = re.compile(r"(?:\b(?:and/or|and|or|Option|option|Caution)\b|[\W_]|\b[a-z]\b)+")
_JOINING = re.compile(r"\b(?:and|or)\b")
_SENTENCES = re.compile(r"(?<=[.!?:])\s+")


def find_missing(blocks: Sequence[Block], draft: dict[str, Any]) -> list[str]:
    """Return every sentence of the document of which the draft does not have every word."""
    texts = sorted({one_line(each) for each in _texts(draft)} - {""}, key=len, reverse=True)
    return [sentence for block in blocks for sentence in _missing_in(block.text, texts)]


def has_every_word(item: dict[str, Any], text: str) -> bool:
    """Return whether the item has every word of the text, but for those that join others."""
    for each in sorted({one_line(each) for each in _texts(item)} - {""}, key=len, reverse=True):
        text = text.replace(each, " ", 1)
    return not re.search(r"\w", _JOINING.sub(" ", text))


def _missing_in(text: str, texts: Sequence[str]) -> Iterator[str]:
    if not _left(text, texts):
        return
    for sentence in _SENTENCES.split(text):
        if _left(sentence, texts):
            yield sentence


def _left(text: str, texts: Sequence[str]) -> str:
    """Return what is left of the text without the texts of the draft, and without what only joins them."""
    if any(text in each for each in texts):
        return ""
    for each in texts:
        text = text.replace(each, "\0")
    return WORDLESS.sub("", text)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, member in value.items():
            if name not in ("id", "kind"):
                yield from _texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member)
    elif isinstance(value, str):
        yield value
