"""What a page in another language needs in its markup: links in that language, and marks on English words."""

import re

from markupsafe import Markup

from app.pages.language.catalogue import ENGLISH, current_language, gettext
from app.pages.language.paths import ENGLISH_ALONE

IN_ENGLISH = Markup(' lang="en"')
OTHERS = "|".join(re.escape(each[1:]) for each in ENGLISH_ALONE)
LINK = re.compile(rf' (href|action|formaction)="(/(?!/|{OTHERS})[^"]*)"')
"""A link in double quotes. Those that change the language are in single quotes."""
SCRIPT_SENTENCES = (
    "Shift: press 2 more times to exit.",
    "Shift: press 1 more time to exit.",
    "Leaving.",
    "Sending…",
    "Please wait…",
    "It could not be sent. Nothing is lost: try again, or call.",
    "Copied.",
    "It could not be copied. Please write it down.",
    "Started",
)
"""What the scripts say."""


def english() -> Markup:
    """Return the attribute of an element with the council's own words, which are English in every language."""
    return Markup() if current_language() == ENGLISH else IN_ENGLISH


def script_words() -> dict[str, str]:
    """Return what the scripts say in the language of the page; nothing in English, which they know."""
    return {} if current_language() == ENGLISH else {each: gettext(each) for each in SCRIPT_SENTENCES}


def or_english(text: str) -> str:
    """Return the text in the language of the page, or marked as English where the catalogue lacks it."""
    found = gettext(text)
    return marked_english(text) if found == text else found


def marked_english(text: str) -> str:
    """Return English text, marked as English on a page in another language."""
    return Markup('<span lang="en">{}</span>').format(text) if english() else text


def localised_links(page: str) -> str:
    """Return the page with its links to other pages in its own language."""
    prefix = current_language().prefix
    return LINK.sub(rf' \1="{prefix}\2"', page) if prefix else page
