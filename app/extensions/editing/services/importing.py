"""Drafts of editions from Word, Markdown or text documents, and from Markdown that this service exported."""

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.errors import SeedError, SeedFileError
from app.extensions.editing.services.documents import Block, BlockKind, text_blocks
from app.extensions.editing.services.exported_markdown import editable_blocks, find_data, read_export
from app.extensions.editing.services.markdown_documents import TooManySteps, markdown_blocks
from app.extensions.editing.services.placing import Placing, find_missing
from app.extensions.editing.services.word_documents import MAX_BLOCKS, TITLE_LEVEL, TOO_LONG, word_blocks
from app.models.guides.editions import EditionContent
from app.models.guides.sections import ITEM_LISTS
from app.models.guides.written_checks import place_items
from app.services.clock.teams import Teams
from app.services.guides.editions import EditionHead
from app.services.guides.markdown import edition_markdown
from app.services.guides.presenters import ShownEdition

NO_TIME = dt.datetime.min.replace(tzinfo=dt.UTC)
_MARKDOWN, WORD, _TEXT = ".md", ".docx", ".txt"
NO_KIND = "the document must be Word (.docx), Markdown (.md) or plain text (.txt)"
ALTERED = "the data at its end were changed: export the page again, or delete the comment at its end"
NOT_TEXT, NO_TEXT = "the file must be text in UTF-8", "the document has no text"
TOO_MANY_SIGNS = "it is too long, or has too many signs such as [ and *: save it as plain text"
MAX_TEXT = 400_000
"""Characters of a document. A printed guide has about 10,000."""
FIRST = {"title": "", "publisher": {"name": ""}, "change_note": "First edition."}


@dataclass(frozen=True)
class GuideDraft:
    """`content` may have errors. `not_placed` are the passages that it lacks, those above the first heading first."""

    content: dict[str, Any]
    not_placed: tuple[str, ...]
    origins: tuple[str, ...] = ()

    @property
    def unplaced(self) -> dict[str, str]:
        return dict(zip(self.not_placed, self.origins or ("",) * len(self.not_placed), strict=True))


def draft_of(path: Path) -> GuideDraft:
    """Raise as `parse_document`, or `OSError`, also if there is no file."""
    try:
        return parse_document(path, path.read_bytes())
    except FileNotFoundError:
        raise SeedFileError(path, [SeedError(0, "there is no such file")]) from None


def parse_document(path: Path, data: bytes) -> GuideDraft:
    """The suffix of `path` names the format. Markdown that this service exported is read back, with its changes.

    Raise `SeedFileError` for another format, what cannot be parsed, or too large or long, and unreadable data at the
    end of exported Markdown.
    """
    blocks = _read_blocks(path, data)
    exported = find_data(data.decode()) if path.suffix.lower() == _MARKDOWN else None
    if exported is not None:
        try:
            return _draft_of_export(blocks, exported)
        except (LookupError, TypeError, AttributeError):
            raise SeedFileError(path, [SeedError(0, ALTERED)]) from None
    titles = [block for block in blocks if block.kind is BlockKind.HEADING and block.level == TITLE_LEVEL]
    placing = Placing(titles[0] if len(titles) == 1 else None)
    for block in blocks:
        placing.add(block)
    words = placing.draft
    if sum(len(words[key]) for key in ITEM_LISTS) > MAX_BLOCKS:  # one paragraph can hold any number of list entries
        raise SeedFileError(path, [SeedError(0, TOO_LONG)])
    source = {
        "title": words["title"],
        "publisher": words.get("publisher", {}).get("name", ""),
        "document": path.name,
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    missing = find_missing(blocks, words, placing.read)
    origins = [*_origins(placing.unread, placing.origins), *_origins(missing, placing.origins)]
    return GuideDraft(FIRST | {"source": source} | words, (*placing.unread, *missing), tuple(origins))


def _origins(sentences: Sequence[str], origins: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The sentences have the order of the document."""
    place = 0
    for sentence in sentences:
        place = next((each for each in range(place, len(origins)) if sentence in origins[each][0]), place)
        yield origins[place][1]


def _read_blocks(path: Path, data: bytes) -> list[Block]:
    kind = path.suffix.lower()
    if kind not in (_MARKDOWN, WORD, _TEXT):
        raise SeedFileError(path, [SeedError(0, NO_KIND)])
    try:
        blocks = word_blocks(path, data) if kind == WORD else _text_document(kind, data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise SeedFileError(path, [SeedError(0, NOT_TEXT)]) from None
    except TooManySteps:
        raise SeedFileError(path, [SeedError(0, TOO_MANY_SIGNS)]) from None
    if len(blocks) > MAX_BLOCKS or sum(len(block.text) for block in blocks) > MAX_TEXT:
        raise SeedFileError(path, [SeedError(0, TOO_LONG)])
    return blocks


def _text_document(kind: str, text: str) -> list[Block]:
    if len(text) > MAX_TEXT:  # the caller refuses a text of this length, and parsing takes long
        return [Block(BlockKind.PARAGRAPH, text)]
    return markdown_blocks(text) if kind == _MARKDOWN else list(text_blocks(text))


def _draft_of_export(blocks: list[Block], data: dict[str, Any]) -> GuideDraft:
    """`not_placed` is each of the `editable_blocks` that the draft, printed as a page, lacks.

    A draft with errors cannot be printed: then each sentence that it lacks.
    """
    content = read_export(blocks, data)
    filled = deepcopy(content)
    place_items(filled)
    try:
        page = {block.text for block in markdown_blocks(draft_page(EditionContent.model_validate(filled)))}
    except (ValidationError, TooManySteps):
        return GuideDraft(content, tuple(find_missing(editable_blocks(blocks), content)))
    return GuideDraft(content, tuple(block.text for block in editable_blocks(blocks) if block.text not in page))


def draft_page(content: EditionContent) -> str:
    """Write the content as edition 1, without emergency numbers, digest and real time.

    Only `parse_document` compares it.
    """
    head = EditionHead("draft", 1, NO_TIME, "", content.title, content.change_note, None, None)
    return edition_markdown(ShownEdition(head, content.model_dump(mode="json")), (), Teams(None, ()), "").decode()
