"""Links on the phone numbers and email addresses in a text, for the pages of the desk."""

import re

from markupsafe import Markup, escape

CONTACT = re.compile(
    r"(?P<email>(?<![\w.+%-])[\w.+%-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5})"
    r"|(?P<phone>(?<![\w+./-])(?:0800 1111|(?:\+[0-9]{1,3}|0)(?:[ ()-]{0,2}[0-9]){8,12})(?![\w-]|[./][0-9]))",
    re.ASCII,
)
"""The pattern of an email address or a phone number. A date does not match, because a date has too few digits.

`desk_script/src/contact_links.js` has the same pattern for text that the browser decrypts.
"""
NOT_DIALLED = re.compile(r"\(0\)(?=.)|[^0-9+]")
NATIONAL = re.compile(r"[^0-9]")


def linked(text: str) -> Markup:
    """Return `text` as escaped HTML, with a link on each phone number and each email address."""
    html, end = Markup(), 0
    for found in CONTACT.finditer(text):
        html += escape(text[end : found.start()])
        html += Markup('<a href="{}">{}</a>').format(link_address_of(found), found[0])
        end = found.end()
    return html + escape(text[end:])


def link_address_of(found: re.Match[str]) -> str:
    """Return the URL of the link for `found`, a match of `CONTACT`: `mailto:` or `tel:`.

    The URL of a phone number has only the digits to dial, and the `+` of an international number. The zero in brackets
    of a number such as `+44 (0)1632 960001` must not be dialled, and is left out.
    """
    if found["email"]:
        return f"mailto:{found[0]}"
    return f"tel:{(NOT_DIALLED if found[0].startswith('+') else NATIONAL).sub('', found[0])}"
