"""Links on phone numbers and email addresses, and their labels."""

import re

from markupsafe import Markup, escape

from app.pages.languages import gettext, to_translate

CONTACT = re.compile(
    r"(?P<email>(?<![\w.+%-])[\w.+%-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5})"
    r"|(?P<phone>(?<![\w+./-])(?:0800 1111|(?:\+[0-9]{1,3}|0)(?:[ ()-]{0,2}[0-9]){8,12})(?![\w-]|[./][0-9]))",
    re.ASCII,
)
"""Email address or phone number. A date has too few digits. `desk_script/src/contact_links.js` has the same pattern."""
NOT_DIALLED = re.compile(r"\(0\)(?=.)|[^0-9+]")
NATIONAL = re.compile(r"[^0-9]")
LABELS = {"mailto": to_translate("Email {}"), "tel": to_translate("Call {}")}


def linked(text: str) -> Markup:
    html, end = Markup(), 0
    for found in CONTACT.finditer(text):
        html += escape(text[end : found.start()])
        html += Markup('<a href="{}">{}</a>').format(_link_address_of(found), found[0])
        end = found.end()
    return html + escape(text[end:])


def _link_address_of(found: re.Match[str]) -> str:
    """Drop the zero of `+44 (0)1632 960001`, which must not be dialled."""
    if found["email"]:
        return f"mailto:{found[0]}"
    return f"tel:{(NOT_DIALLED if found[0].startswith('+') else NATIONAL).sub('', found[0])}"


def contact_label(address: str) -> str:
    """Return `Email name@council.example`, `Call 01632 960001`, or the address."""
    scheme, _, rest = address.partition(":")
    return gettext(LABELS.get(scheme, address)).format(rest.replace("-", " ") if scheme == "tel" else rest)
