"""Editions, renditions, sections and items as responses."""

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from pydantic import BaseModel

from app.errors import NoSuchItem
from app.models.base import format_utc
from app.models.guides.comparison import moved_items
from app.models.guides.contacts import Contact, OpeningHours, Phone, PostalAddress
from app.models.guides.edition_keys import AnyKey, RenditionKey
from app.models.guides.editions import EditionContent
from app.models.guides.guides import (
    DIGESTED,
    SECTION_RESPONSES,
    EditionResponse,
    EditionStatus,
    ItemChange,
    ItemMention,
    PublishedResponse,
    WithdrawalResponse,
)
from app.models.guides.items import DefinitionSource
from app.models.guides.rendered import RenderedWords
from app.models.guides.renditions import (
    PublishedRenditionResponse,
    RenditionResponse,
    RenditionWithdrawalResponse,
)
from app.models.guides.sections import Section
from app.models.languages import Direction, RenditionForm, direction_of
from app.models.links import Links, edition_path, guide_path, history_path, rendition_path, renditions_path
from app.services.clock.working_hours import hours_text
from app.services.guides.editions import (
    Contents,
    EditionHead,
    Reading,
    StoredRendition,
    current_of,
    get_heads,
    get_stored,
    head_of,
    list_renditions,
    status_of,
)
from app.services.guides.publishing import Publication
from app.services.guides.renditions import (
    ReadContent,
    chosen_rendition,
    content_language,
    current_renditions,
    language_paths,
    notices_of,
    rendered_words,
    rendition_facts,
    rendition_links,
)

MARK = "(en-GB)"
"""Printed after each untranslated text of a rendition."""
MARK_EXPLAINED = f"Words marked {MARK} are from the printed guide."
UNCHECKED_CAUTIONS = "In other words (by computer, not checked):"
Say = Callable[[str], str]
IN_SIMPLE_WORDS = "This is the guide in simple words."


def phone_text(phone: Phone) -> str:
    """Return, for example, `0800 (+44800), option 1`: as printed, and as dialled if different."""
    number = phone.display if phone.display == phone.number else f"{phone.display} ({phone.number})"
    return number if phone.option is None else f"{number}, option {phone.option}"


def citation_text(source: DefinitionSource) -> str:
    """Return the citation as printed, or publisher, date and title."""
    return source.citation or f"{source.publisher}, {source.published}. {source.title}"


def address_text(address: PostalAddress) -> str:
    """Return the address on one line."""
    return ", ".join((*address.lines, address.town, address.postcode))


def more_ways(
    contact: Contact, say: Say = str, hours: Callable[[Sequence[OpeningHours]], str] = hours_text
) -> list[str]:
    """Return email, text relay, address and opening hours, as far as given. `say` translates the words around them."""
    ways = {
        "email {}": contact.email,
        "text relay {}": contact.text_relay,
        "at {}": contact.address and address_text(contact.address),
        "open {}": hours(contact.opening_hours),
    }
    return [say(words).format(value) for words, value in ways.items() if value]


@dataclass(frozen=True)
class ShownEdition:
    """An edition to show: the current one or, if `is_numbered`, one requested by number.

    `document` is the content as JSON, `newest` the number of the guide's newest edition.
    """

    head: EditionHead
    document: dict[str, Any]
    is_numbered: bool = False
    newest: int = 0

    @cached_property
    def content(self) -> EditionContent:
        return EditionContent.model_validate(self.document)

    @property
    def rendition(self) -> "ShownRendition | None":
        """Return None, because an edition is no rendition."""
        return None

    @property
    def status(self) -> EditionStatus:
        """Return the status. That of a numbered edition is always `published`, so that its response never changes."""
        return EditionStatus.PUBLISHED if self.is_numbered else EditionStatus.CURRENT

    @property
    def path(self) -> str:
        """Return the guide's path for the current edition, unless it was requested by number."""
        return edition_path(*self.head.key) if self.is_numbered else guide_path(self.head.guide)

    @property
    def file_name(self) -> str:
        """Return the beginning of the names of files to download."""
        return f"{self.head.guide}-edition-{self.head.number}"

    def links(self, below: str = "", having: Collection[int] | None = None) -> Links:
        """Return the links. Those of a numbered edition never change. `below` is appended to the paths.

        `having` are the editions that have an item: the previous one is linked only if it is among them.
        """
        guide, number = self.head.key
        links = {
            "self": self.path + below,
            "latest_version": guide_path(guide) + below,
            "version_history": history_path(guide),
            "edition": edition_path(guide, number) + below,
            "describedby": "/openapi.json",
        }
        if number > 1:
            if not below:
                links["changes"] = f"{edition_path(guide, number)}/changes?since={number - 1}"
            if having is None or number - 1 in having:
                links["predecessor_version"] = edition_path(guide, number - 1) + below
        return links


@dataclass(frozen=True, kw_only=True)
class ShownRendition(ShownEdition):
    """The content is its edition's with the rendition's text (`show_rendition`). `history` is most recent first.

    It may leave out editions, but not the current one.
    """

    history: Sequence[EditionHead]
    stored: StoredRendition
    words: RenderedWords
    to_call: tuple[Contact, ...]
    """Contacts in the guide's own language: of the rendered edition if numbered, otherwise of the current one."""
    languages: Links

    @property
    def rendition(self) -> "ShownRendition":
        return self

    @property
    def path(self) -> str:
        """Return the path, with the number only if it was requested by number."""
        guide, language, number = self.stored.key
        return rendition_path(guide, language, number if self.is_numbered else None)

    @property
    def file_name(self) -> str:
        return f"{super().file_name}-{self.stored.key.language}-{self.stored.key.number}"

    def links(self, below: str = "", having: Collection[int] | None = None) -> Links:  # noqa: ARG002  # for items only
        """Return only the link `self`."""
        return {"self": self.path + below}

    @property
    def notices(self) -> tuple[str, ...]:
        """Return the sentences to show with an unchecked or out-of-date rendition."""
        return notices_of(self.history, self.stored)

    @property
    def first_sentences(self) -> tuple[str, ...]:
        """A rendition in simple words first says what it is."""
        is_simple = self.stored.form is RenditionForm.EASY_READ
        return (*((IN_SIMPLE_WORDS,) if is_simple else ()), *self.notices)

    @property
    def language(self) -> str:
        """Return the language of the text shown, which is the guide's own for a recording or document."""
        return content_language(self.stored)

    @property
    def direction(self) -> Direction:
        return direction_of(self.language)

    def is_marked(self, *pointer: str | int) -> bool:
        """Return True if the text at `pointer` (keys and indexes) is untranslated, and `MARK` must follow."""
        at = "".join(f"/{part}" for part in pointer)
        return self.stored.form.has_words and at in self.words.in_guide_language

    @property
    def has_marks(self) -> bool:
        """Any text is untranslated. False without text, such as a recording."""
        return self.stored.form.has_words and bool(self.words.in_guide_language)

    def facts(self, say: Say = str) -> Mapping[str, str]:
        """Return facts by label. `say` translates the labels and values that are not names."""
        details, number = self.stored.content, self.stored.key.number
        made_by = ", ".join(filter(None, (say(details.made_by.value), details.tool)))
        checked = say("nobody yet") if details.checked_by is None else f"{details.checked_by}, {details.checked_on}"
        return {
            say("Language"): f"{details.language}, {say('rendition')} {number}",
            say("Form"): say(details.form.label),
            say("Made by"): made_by,
            say("Checked by"): checked,
            say("Rendition digest"): self.stored.digest,
        }


def find_edition(reading: Reading, guide: str, number: int | None = None) -> ShownEdition:
    """Raise `NoSuchGuide`, `NoSuchEdition` or `EditionWithdrawn`; without `number` the latter only if all are."""
    head, document, newest = get_stored(reading, guide=guide, number=number)
    return ShownEdition(head, document, number is not None, newest)


def find_rendition(
    session: Reading, contents: Contents, guide: str, language: str, number: int | None = None
) -> ShownRendition:
    """Return the rendition `number`, or the one to read: with text, of the latest edition, the most recent.

    Raise `NoSuchGuide`, `NoSuchRendition`, or `RenditionWithdrawn` if it or its edition is; without `number` if none
    can be read.
    """
    stored = list_renditions(session, guide=guide)
    history = get_heads(session, guide=guide, numbers={each.edition for each in stored})
    chosen, read = chosen_rendition(history, stored, language, number), partial(contents, session=session)
    return show_rendition(history, stored, chosen, read, is_numbered=number is not None)


def show_rendition(
    history: Sequence[EditionHead],
    renditions: Sequence[StoredRendition],
    chosen: StoredRendition,
    read: ReadContent,
    *,
    is_numbered: bool = False,
) -> ShownRendition:
    """Combine `chosen` with its edition. Cautions and contacts are current, unless `is_numbered`."""
    head, current = head_of(history, chosen.edition), current_of(history)
    words = rendered_words(history, chosen, read, is_numbered=is_numbered)
    return ShownRendition(
        head,
        words.document,
        is_numbered,
        history=history,
        stored=chosen,
        words=words,
        to_call=read((head if is_numbered or current is None else current).key).contacts,
        languages=language_paths(current_renditions(history, renditions), head.guide),
    )


def edition_fields(shown: ShownEdition) -> dict[str, Any]:
    """Return the fields of `WithCautions`, which every response with guidance has."""
    return {
        "guide": shown.head.guide,
        "edition": shown.head.number,
        "status": shown.status,
        "digest": shown.head.digest,
        "cautions": shown.document["cautions"],
    }


def _document(model: type[BaseModel], **fields: Any) -> dict[str, Any]:
    """Order `fields` as the model does, which documents them: `public_response` writes them without it."""
    return {name: fields[name] for name in model.model_fields}


def present_edition(shown: ShownEdition) -> dict[str, Any]:
    path = shown.path
    links = shown.links() | {"markdown": f"{path}.md", "pdf": f"{path}.pdf", "large_print": f"{path}/large-print.pdf"}
    if not shown.is_numbered:
        links["renditions"] = renditions_path(shown.head.guide)
    links |= {section.key: f"{path}/{section.value}" for section in Section}
    return _document(
        EditionResponse,
        **edition_fields(shown) | shown.document,
        digest_of=DIGESTED,
        published_at=format_utc(shown.head.published_at),
        links=links,
    )


def present_rendition(shown: ShownRendition) -> dict[str, Any]:
    return _document(
        RenditionResponse,
        **edition_fields(shown) | shown.document | {"status": status_of(shown.head, shown.history)},
        digest_of=(),
        published_at=format_utc(shown.head.published_at),
        rendition=rendition_facts(shown.history, shown.stored, shown.words).model_dump(mode="json"),
        links=rendition_links(shown.stored, is_numbered=shown.is_numbered),
    )


def present_section(shown: ShownEdition, section: Section) -> dict[str, Any]:
    links = shown.links(f"/{section.value}")
    own = {section.key: shown.document[section.key], "links": links | {"csv": f"{links['self']}.csv"}}
    return _document(SECTION_RESPONSES[section], **edition_fields(shown), **own)


def find_item(shown: ShownEdition, section: Section, item_id: str) -> dict[str, Any]:
    """Raise `NoSuchItem`."""
    items: list[dict[str, Any]] = shown.document[section.key]
    found = next((item for item in items if item["id"] == item_id), None)
    if found is None:
        raise NoSuchItem("The edition has no item with this id. Its section lists the items.")
    return found


def item_history(
    section: Section, item_id: str, lists: Mapping[int, Mapping[str, Any]], history: Sequence[EditionHead]
) -> tuple[ItemMention, ...]:
    """Return the editions that have the item, most recent first, with what each changed.

    `lists` has the stored items of the section, by id, in each edition of `history`.
    """
    read = section.entry.item.model_validate

    def change_in(number: int) -> ItemChange:
        former, items = lists.get(number - 1, {}), lists[number]
        before, after = former.get(item_id), items[item_id]
        if before is None:
            return ItemChange.ADDED
        if read(before).model_dump(exclude={"position"}) != read(after).model_dump(exclude={"position"}):
            return ItemChange.REWORDED
        has_moved = any(moved.id == item_id for moved in moved_items(list(former), list(items)))
        return ItemChange.MOVED if has_moved else ItemChange.UNCHANGED

    return tuple(
        ItemMention(
            edition=head.number,
            status=status_of(head, history),
            published_at=head.published_at,
            change=change_in(head.number),
        )
        for head in history
        if item_id in lists[head.number]
    )


def _named(key: AnyKey) -> dict[str, Any]:
    """Fields that identify `key`, and its links."""
    guide = {"guide": guide_path(key.guide)}
    if isinstance(key, RenditionKey):
        links = {"self": rendition_path(*key)} | guide | {"collection": renditions_path(key.guide)}
        return {**key._asdict(), "links": links}
    links = {"self": edition_path(*key)} | guide | {"version_history": history_path(key.guide)}
    return {"guide": key.guide, "edition": key.number, "links": links}


def present_published(published: Publication[Any]) -> Any:
    model = PublishedRenditionResponse if isinstance(published.key, RenditionKey) else PublishedResponse
    return model(**_named(published.key), digest=published.digest, published_at=published.published_at)


def present_withdrawn(key: AnyKey, at: dt.datetime, reason: str) -> WithdrawalResponse | RenditionWithdrawalResponse:
    model = RenditionWithdrawalResponse if isinstance(key, RenditionKey) else WithdrawalResponse
    return model(**_named(key), withdrawn_at=at, reason=reason)
