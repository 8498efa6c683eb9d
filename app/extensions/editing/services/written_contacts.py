"""A parser of contacts in the text of a document."""

import re
from collections.abc import Sequence
from typing import Any

from app.extensions.editing.services.documents import Block
from app.services.guides.written_phones import PHONE_NUMBER, WEB, phones_in

EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_SHORT = re.compile(r"(?<![\w+/.-])(?:999|112|111|101)(?![\w/-])")
_WHEN = re.compile(
    r"(?i)\b(?:mon|tues|wednes|thurs|fri|satur|sun)(?:day)?s?\b|\d ?(?:am|pm)\b|\d[:.]\d\d\b|"
    r"\b(?:hours?|any ?time|always|weekends?|evenings?|nights?|daily|every day|24/7)\b"
)
CALLED = re.compile(r"(?i)(?:call|contact|ring|phone|telephone)(?: the| our)? (.{1,200}?)(?: team's)?(?: on|:| at)\b")
MAX_NAME = 80


def find_contact(block: Block) -> dict[str, Any] | None:
    """Return a contact, without an id, made of the phone numbers, email and web address in `block`.

    Return None if `block` has no phone number, email or web address.

    A short number such as 101 counts only in a row of a table, because in a sentence it is advice.
    """
    short = _SHORT.findall(PHONE_NUMBER.sub(" ", " ".join(block.cells[1:])))
    phones = phones_in(block.text) + [{"number": each, "display": each} for each in short]
    email = EMAIL.search(block.text)
    pages = _pages(block.text, block.links)
    if not (phones or email or pages):
        return None
    url = pages[0] if pages else None
    contact: dict[str, Any] = {"name": _name(block), "kind": "telephone" if phones else "web" if pages else "email"}
    contact |= {"phones": phones} if phones else {}
    contact |= {"url": url if url.startswith("http") else f"https://{url}"} if url else {}
    contact |= {"email": email[0]} if email else {}
    when = ", ".join(cell for cell in block.cells[1:] if _WHEN.search(cell) and not has_contact_details(cell))
    return contact | ({"when": when} if when else {})


def has_contact_details(text: str, links: Sequence[str] = ()) -> bool:
    """Return True for a phone number, email or web address, or if one of `links`, to which the text leads, is one."""
    return bool(phones_in(text) or _SHORT.search(text) or EMAIL.search(text) or _pages(text, links))


def _pages(text: str, links: Sequence[str]) -> list[str]:
    return [link for link in links if link.startswith("http")] or WEB.findall(text)


def _name(block: Block) -> str:
    called = CALLED.search(block.text)
    before, colon, _ = block.text.partition(":")
    if block.name and block.name != block.text:
        found = block.name.rstrip(": ")
    elif called:
        found = called[1]
    else:
        first = min(
            (match.start() for form in (PHONE_NUMBER, WEB, EMAIL) if (match := form.search(block.text))), default=0
        )
        found = before if colon and len(before) < first else block.text[:first].rstrip(" :,-–(") or block.text
    return (found.strip() or block.text)[:MAX_NAME]
