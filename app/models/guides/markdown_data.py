"""The data at the end of an edition's Markdown, in a comment that readers of the page do not see.

The data is the part of the content that the Markdown page does not show: ids, kinds, codes and numbers. From the page
and the data together, an importer makes an edition with the same digest. If a page cannot show a text unchanged, for
example a text with a line break, the data contains the whole text.
"""

import hashlib
import json
import re
from typing import Any

from app.models.guides.editions import EditionContent
from app.models.guides.sections import ITEM_LISTS, Introductions, Layout, Section

START, END = "<!-- guidance:data ", " -->"
SHOWN = {Layout.LIST: ("name", "text", "note"), Layout.QUOTATIONS: ("introduction", "text"), Layout.CONTACTS: ("name",)}
"""Fields of an item whose text the page shows, by the layout of its section."""
HEADINGS = ("title", "change_note", "owner", "applies_to")
WORDS_DIGEST = "words"
"""Key of the digest of an item's text on the page, in the data of the item."""


def shown_fields(key: str) -> tuple[str, ...]:
    """Return the fields whose text the page shows, for items of the list `key`."""
    return SHOWN[ITEM_LISTS[key].layout]


def shows_cautions(content: dict[str, Any]) -> bool:
    """Return True if the page shows the cautions, which appear only beside factors and indicators."""
    return any(content.get(section.key) for section in Section if section.entry.has_cautions)


def words_digest(*texts: str | None) -> str:
    """Return a short digest of the letters and digits in `texts`. Other characters are ignored."""
    return hashlib.sha256(re.sub(r"[\W_]+", "", "".join(filter(None, texts))).encode()).hexdigest()[:8]


def markdown_data(content: EditionContent) -> str:
    """Return the comment with the data of `content`.

    `<`, `>` and `--` in the data are escaped, so that nothing inside the comment can end the comment.
    """
    data = content.model_dump(mode="json", exclude_defaults=True)
    for name in HEADINGS:
        _leave_out(data, (name,))
    _leave_out(data["publisher"], ("name",))
    shown = tuple(name for name in Introductions.model_fields if data.get(name))
    _leave_out(data.get("introductions", {}), shown)
    for key in ITEM_LISTS:
        if key != "cautions" or shows_cautions(data):
            for item in data.get(key, ()):
                item.pop("position", None)
                item[WORDS_DIGEST] = words_digest(*(item.get(name) for name in shown_fields(key)))
                if all(_is_shown_unchanged(item.get(name)) for name in shown_fields(key)):
                    _leave_out(item, shown_fields(key))
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return START + text.replace("<", "\\u003c").replace(">", "\\u003e").replace("--", "-\\u002d") + END


def _leave_out(data: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        if name in data and _is_shown_unchanged(data[name]):
            del data[name]


def _is_shown_unchanged(text: str | None) -> bool:
    return text is None or (text.isprintable() and " ".join(text.split()) == text)
