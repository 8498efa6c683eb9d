"""An edition read back from the Markdown that this service exports: its words from the page, the rest from its data."""

import json
import re
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from app.models.guidance.markdown_data import (
    END,
    HEADINGS,
    START,
    WORDS_DIGEST,
    shown_fields,
    shows_cautions,
    words_digest,
)
from app.models.guidance.proposed_ids import propose_id
from app.models.guidance.sections import Introductions, Section
from app.services.guidance.importing.blocks import Block
from app.services.guidance.importing.export_page import ExportPage
from app.services.guidance.importing.placing import DEFAULTS

REMARK = re.compile(f"^{re.escape(START)}(.*){re.escape(END)}$", re.MULTILINE)


def find_data(text: str) -> dict[str, Any] | None:
    """Return the data at the end of the Markdown, or None if it has none that can be read."""
    found = REMARK.findall(text)
    try:
        data = json.loads(found[-1]) if found else None
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def read_export(blocks: Sequence[Block], data: dict[str, Any]) -> dict[str, Any]:
    """Return the content: the words of the page, also where an editor changed them, with the data of each item."""
    page = ExportPage(blocks)
    content = dict(data)
    for name in HEADINGS:
        content[name] = _words(page.headings.get(name), data.get(name))
    publisher = data.get("publisher", {})
    content["publisher"] = publisher | {"name": _words(page.headings.get("publisher"), publisher.get("name"))}
    former = data.get("introductions", {})
    content["introductions"] = {
        name: _words(page.introductions.get(name), former.get(name)) if data.get(name) else former.get(name)
        for name in Introductions.model_fields
    }
    for key in (section.key for section in Section):
        content[key] = _items(key, page.items(key, data.get(key, [])), data.get(key, []))
    if shows_cautions(content):
        content["cautions"] = _items("cautions", page.cautions, data.get("cautions", []))
    return content


def _words(shown: str | None, whole: str | None) -> str | None:
    """Return the words of the page, or those of the data where they are the same but for what a page cannot show."""
    same = whole is not None and words_digest(shown) == words_digest(whole)
    return whole if same else shown or None


def _items(key: str, shown: Sequence[dict[str, str]], former: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the items that the page shows, each with the data of the item that had its words, or its place."""
    fields = shown_fields(key)
    digests = [words_digest(*(each.get(name) for name in fields)) for each in shown]
    by_words: dict[str, list[dict[str, Any]]] = {}
    for each in former:
        by_words.setdefault(each.get(WORDS_DIGEST, ""), []).append(each)
    found = [by_words[digest].pop(0) if by_words.get(digest) else None for digest in digests]
    if len(shown) == len(former):
        found = [item or (other if other not in found else None) for item, other in zip_longest(found, former)]
    items: list[dict[str, Any]] = []
    for words, item, digest in zip(shown, found, digests, strict=True):
        taken = {other["id"] for other in items} | {other["id"] for other in former}
        data = item or {"id": propose_id(words.get("name") or words["text"], taken)} | DEFAULTS.get(key, {})
        is_whole = any(name in data for name in fields) and (
            data.get(WORDS_DIGEST) == digest or not any(words.values())
        )
        left_out = {WORDS_DIGEST} if is_whole else {WORDS_DIGEST, *fields}
        items.append(
            {name: value for name, value in data.items() if name not in left_out} | ({} if is_whole else words)
        )
    return items
