"""A draft of an edition, made from a document."""

import hashlib
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.errors import SeedError, SeedFileError, SetupError
from app.models.guidance.editions import EditionContent
from app.models.guidance.written_editions import place_items
from app.services.guidance.importing.blocks import Block
from app.services.guidance.importing.export_page import words_of_page
from app.services.guidance.importing.exports import find_data, read_export
from app.services.guidance.importing.missing_words import find_missing
from app.services.guidance.importing.placing import Placing

_MARKDOWN, _WORD = ".md", ".docx"
_LIBRARIES = ("docx", "markdown_it")
FIRST = {"title": "", "publisher": {"name": ""}, "change_note": "First edition."}


@dataclass(frozen=True)
class GuideDraft:
    """The content of a draft, which may still have faults, and the sentences of the document that it does not have."""

    content: dict[str, Any]
    not_placed: tuple[str, ...]


def read_blocks(path: Path) -> list[Block]:
    """Return the blocks of a .docx or .md file. Raise `SeedFileError`, or `SetupError` without the libraries."""
    if not all(find_spec(name) for name in _LIBRARIES):
        raise SetupError("`guidance import` needs the extra `documents`: pip install 'one-minute-guide[documents]'")
    from app.services.guidance.importing.markdown_blocks import markdown_blocks  # noqa: PLC0415  # an extra
    from app.services.guidance.importing.word_blocks import word_blocks  # noqa: PLC0415  # an extra

    kind = path.suffix.lower()
    if kind not in (_MARKDOWN, _WORD):
        raise SeedFileError(path, [SeedError(0, "it must be a Word document (.docx) or Markdown (.md)")])
    try:
        return word_blocks(path) if kind == _WORD else markdown_blocks(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SeedFileError(path, [SeedError(0, "there is no such file")]) from None
    except UnicodeDecodeError:
        raise SeedFileError(path, [SeedError(0, "the file must be UTF-8")]) from None


def draft_of(path: Path, render: Callable[[EditionContent], str]) -> GuideDraft:
    """Return the draft that the document makes. Raise the errors of `read_blocks`.

    The Markdown that this service exports is read back; `render` makes it.
    """
    blocks = read_blocks(path)
    data = find_data(path.read_text(encoding="utf-8")) if path.suffix.lower() == _MARKDOWN else None
    if data is not None:
        return _draft_of_export(blocks, data, render)
    placing = Placing()
    for block in blocks:
        placing.add(block)
    words = placing.draft
    source = {
        "title": words["title"],
        "publisher": "",
        "document": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    return GuideDraft(FIRST | {"source": source} | words, tuple(find_missing(blocks, words)))


def _draft_of_export(blocks: list[Block], data: dict[str, Any], render: Callable[[EditionContent], str]) -> GuideDraft:
    """Return the draft, and each block of the page that the draft's own page does not have."""
    from app.services.guidance.importing.markdown_blocks import markdown_blocks  # noqa: PLC0415  # an extra

    content = read_export(blocks, data)
    filled = deepcopy(content)
    place_items(filled)
    try:
        page = {block.text for block in markdown_blocks(render(EditionContent.model_validate(filled)))}
    except ValidationError:  # `guidance check` says what an editor has to correct; what is missing, only words can say
        return GuideDraft(content, tuple(find_missing(words_of_page(blocks), content)))
    return GuideDraft(content, tuple(block.text for block in words_of_page(blocks) if block.text not in page))
