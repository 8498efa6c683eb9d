"""Pages of the desk on a worker's own machine: what the service sent, made harmless, with its sealed texts opened.

The service is not trusted here. Its page is parsed and written again without scripts, styles and unclosed elements, and
only then do words go in: whatever the page held, it cannot put them into a form, a link or an address.
"""

import base64
import datetime as dt
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from typing import Any

import nh3
from markupsafe import Markup

from app.errors import DeskRequestFailed, SealedTextMisplaced, UnsealingUnavailable
from app.models.desk.added_texts import MEMBER_OF_KIND, AddedKind
from app.models.guidance.editions import EditionContent
from app.pages.desk.referral import sections_of
from app.pages.desk.typed_words import WORDS_FORM
from app.pages.page import page_templates
from app.services.access.desk_sign_in import PATH
from app.services.concerns.sealing import Unsealer, open_note
from app.services.guidance.reference_data import ReferenceData

SEALED_ELEMENT = re.compile(
    r'<div class="sealed" data-sealed="(?P<kind>[a-z]+)" data-reference="(?P<reference>[^"]+)" '
    r'data-number="[0-9]+" data-received-at="(?P<at>[^"]+)"(?: data-author="(?P<author>[^"]*)")?>\s*'
    r'<template class="ciphertext">(?P<armored>[^<]*)</template>.*?</div>',
    re.DOTALL,
)
HOW_TO_OPEN = re.compile(r'<div class="box no-print" data-how-to-open>.*?</div>', re.DOTALL)
"""The advice to open it elsewhere."""
NOT_SEALED = re.compile(r'<p class="hint" data-not-sealed>.*?</p>', re.DOTALL)
"""The advice to write where words are sealed, as they are here."""
TITLE = re.compile(r"<title>([^<]*)</title>")
SELECTS = re.compile(r"<select\b.*?</select>", re.DOTALL)
FORM_TAGS = {"button", "fieldset", "form", "input", "label", "legend", "optgroup", "option", "select", "textarea"}
REFUSED_TAGS = {"img", "map", "area", "figure"}
PAGE_TAGS = (nh3.ALLOWED_TAGS | FORM_TAGS | {"footer", "main", "section", "progress"}) - REFUSED_TAGS
PAGE_ATTRIBUTES = {
    "*": {"class", "id", "role", "tabindex", "hidden"},
    "a": {"href"},
    "form": {"method", "action"},
    "button": {"type", "name", "value", "formmethod", "formaction"},
    "input": {"type", "name", "value", "checked", "required", "maxlength", "autocomplete"},
    "textarea": {"name", "rows", "maxlength", "required", "autocomplete", "spellcheck"},
    "select": {"name", "required"},
    "option": {"value", "selected"},
    "label": {"for"},
    "details": {"open"},
    "time": {"datetime"},
    "th": {"scope"},
}
NOT_SHOWN = {"script", "style", "title", "template", "noscript", "svg", "math", "figure"}
"""A figure goes whole: the table beside it has its numbers, and a caption alone explains nothing."""
OTHER_KEYS = (
    "Your identity does not open this.",
    "It was sealed to other keys. Start this desk with another identity, or ask the person who leads the desk.",
)
NO_LABELS = (
    "The words cannot be shown just now.",
    "The service did not give the guide that they are read with. Load the page again in a minute.",
)
MISPLACED = ("This text is not shown.", "It was sealed for another place. Tell the person who leads the desk.")

Labels = Callable[[str, int], tuple[EditionContent, ReferenceData]]
"""Returns the words of an edition and the code lists, by which the answers of a concern are labelled."""


@dataclass(frozen=True)
class LocalPages:
    """Opens the sealed texts of pages with the identities of this machine."""

    unsealer: Unsealer
    labels: Labels

    def open(self, page: str, *, reference: str | None, made: bytes | None = None, typed: str = "") -> str:
        """Return the page with its texts opened. They must all be those of the concern that the page is about.

        `made` is the file of a hand-over that the page is about: it is put before the page, to be saved. `typed` is
        HTML of this program with words that the service did not take: it comes first, where nothing of the page is
        around it, and in place of the form that the page has for them.
        """
        opened: dict[str, str] = {}

        def take_out(found: re.Match[str]) -> str:
            mark = f'<div class="opened" id="opened-{secrets.token_hex(16)}"></div>'
            opened[mark] = self._words_of(found, reference)
            return mark

        if typed:
            page = WORDS_FORM.sub("", page)
        content = clean(SEALED_ELEMENT.sub(take_out, NOT_SEALED.sub("", HOW_TO_OPEN.sub("", page))))
        submitted = "".join(SELECTS.findall(content))  # the text of an option is sent with its form
        for mark, words in opened.items():
            if mark in submitted:
                continue
            content = content.replace(mark, f'<div class="opened">{words}</div>')
        file = _file_to_save(made, reference) if made is not None else ""
        return local_page(typed + file + content, _title_of(page))

    def _words_of(self, found: re.Match[str], reference: str | None) -> str:
        kind, fault = found["kind"], None
        text, sections = "", None
        try:
            document = self._document(found, reference)
            member = document[MEMBER_OF_KIND[kind]]
            if kind == "concern":
                content, reference_data = self._labels_of(document)
                sections = sections_of(member, content, reference_data)
            else:
                text = member["text"] if kind == "note" else member["concern"]["narrative"]
        except UnsealingUnavailable:
            fault = OTHER_KEYS
        except DeskRequestFailed:
            fault = NO_LABELS
        except (SealedTextMisplaced, ValueError, KeyError, TypeError):
            fault = MISPLACED
        template = page_templates().get_template("desk_local_words.html")
        return template.render(fault=fault, sections=sections, text=text)

    def _labels_of(self, document: dict[str, Any]) -> tuple[EditionContent, ReferenceData]:
        """Return what labels the answers. Raises `DeskRequestFailed`, also for an answer that cannot be read."""
        place = (document["guide"], document["edition"])
        try:
            return self.labels(*place)
        except (ValueError, KeyError, TypeError):
            raise DeskRequestFailed from None

    def _document(self, found: re.Match[str], reference: str | None) -> dict[str, Any]:
        """Return what was sealed. Raises `UnsealingUnavailable` or `SealedTextMisplaced`."""
        armored = unescape(found["armored"]).strip().splitlines()
        sealed = base64.b64decode("".join(armored[1:-1]), validate=True)
        if reference is None or found["reference"] != reference:
            raise SealedTextMisplaced
        at = dt.datetime.fromisoformat(found["at"])
        if found["kind"] == AddedKind.NOTE:
            author = None if found["author"] is None else unescape(found["author"])
            return open_note(self.unsealer, sealed, reference=reference, received_at=at, author=author)
        return self.unsealer.open(sealed, reference=reference, received_at=at)


def clean(page: str) -> str:
    """Return the body of a page with every element closed, and nothing that runs, styles or loads anything."""
    return nh3.clean(
        page,
        tags=PAGE_TAGS,
        attributes=PAGE_ATTRIBUTES,
        generic_attribute_prefixes={"data-", "aria-"},
        attribute_filter=_keep_forms_here,
        clean_content_tags=NOT_SHOWN,
        url_schemes={"https", "http", "mailto", "tel"},
        link_rel="noreferrer",
    )


def _keep_forms_here(_tag: str, attribute: str, value: str) -> str | None:
    """Return the value, or None where a form would be sent elsewhere than to the desk."""
    is_elsewhere = attribute in ("action", "formaction") and not value.startswith(PATH)
    return None if is_elsewhere else value


def _title_of(page: str) -> str:
    """Return the title of the service's page, as text. It has no word of a concern: the service knows none."""
    found = TITLE.search(page)
    return unescape(found[1]) if found is not None else "Desk"


def local_page(content: str, title: str) -> str:
    """Return a page of this machine with that HTML as its body."""
    body = Markup(content)  # noqa: S704  # nosec B704  # `clean` or a template wrote it
    return page_templates().get_template("desk_local.html").render(content=body, title=title)


def _file_to_save(made: bytes, reference: str | None) -> str:
    template = page_templates().get_template("desk_local_file.html")
    return template.render(file=base64.b64encode(made).decode(), reference=reference)


def message_page(heading: str, message: str, *, leads_back: bool = False, typed: str = "") -> str:
    """Return a page of this machine that says one thing, with words that were typed, as `typed_section` gives them."""
    template = page_templates().get_template("desk_local_message.html")
    said = template.render(
        heading=heading,
        message=message,
        leads_back=leads_back,
        typed=Markup(typed),  # noqa: S704  # nosec B704  # a template wrote it
    )
    return local_page(said, heading)
