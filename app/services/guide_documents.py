"""Guidance in responses, and what its documents (Markdown, CSV, PDF and JSON-LD) have in common."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.errors import NoSuchItem
from app.models.base import RequestModel, format_utc
from app.models.code_lists import Signpost, SignpostScope
from app.models.comparison import moved_items
from app.models.contacts import Contact, OpeningHours, Phone, PostalAddress, Weekday
from app.models.editions import EditionContent, Publisher, PublisherKind
from app.models.guides import (
    SECTION_RESPONSES,
    EditionResponse,
    EditionStatus,
    Item,
    ItemChange,
    ItemMention,
    PublishedResponse,
    WithCautions,
)
from app.models.items import DefinitionSource
from app.models.languages import Direction, direction_of
from app.models.links import Links, edition_path, guide_path, history_path, rendition_path, renditions_path
from app.models.renditions import RenderedWords
from app.models.sections import Section
from app.services.editions import EditionHead, EditionKey, RenditionKey, StoredRendition, current_of, head_of, status_of
from app.services.publishing import Published
from app.services.renditions import ReadContent, content_language, notices_of, rendered_words


def out_of_hours(signposts: Sequence[Signpost]) -> list[Signpost]:
    """Return the council's own contacts that answer when its duty team is closed: local, with a number."""
    return [each for each in signposts if each.scope is SignpostScope.LOCAL and each.phones and not each.emergency]


def phone_text(phone: Phone) -> str:
    """Return the number as printed, then as dialled where that differs, then the option: `0800 (+44800), option 1`."""
    number = phone.display if phone.display == phone.number else f"{phone.display} ({phone.number})"
    return number if phone.option is None else f"{number}, option {phone.option}"


def option_text(phone: Phone) -> str:
    """Return the key to press when the call is answered, to print after the number: ` (option 1)`, or nothing."""
    return f" (option {phone.option})" if phone.option else ""


def citation_text(source: DefinitionSource) -> str:
    """Return the citation as printed, or one made of publisher, date and title."""
    return source.citation or f"{source.publisher}, {source.published}. {source.title}"


WEEK = tuple(Weekday)
RUN = 3
"""So many days in a row are written as the first and the last of them."""


def hours_text(hours: Sequence[OpeningHours]) -> str:
    """Return all hours: `Monday to Friday, 08:30 to 17:00; Saturday, 09:00 to 12:00`."""
    return "; ".join(f"{_days(each)}, {each.opens} to {each.closes}" for each in hours)


def address_text(address: PostalAddress) -> str:
    """Return the address: `1 Example Street, Exampleton, ZZ99 9ZZ`."""
    return ", ".join((*address.lines, address.town, address.postcode))


def more_ways(contact: Contact) -> list[str]:
    """Return the ways to reach the contact beside telephone and web, and when: each a few words."""
    ways = {
        "email {}": contact.email,
        "text relay {}": contact.text_relay,
        "at {}": contact.address and address_text(contact.address),
        "open {}": hours_text(contact.opening_hours),
    }
    return [words.format(value) for words, value in ways.items() if value]


def _days(hours: OpeningHours) -> str:
    places = sorted({WEEK.index(day) for day in hours.days})
    names = [WEEK[place].value.capitalize() for place in places]
    if len(names) >= RUN and places[-1] - places[0] == len(places) - 1:
        return f"{names[0]} to {names[-1]}"
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]


def edition_links(key: EditionKey, path: str, below: str = "", having: Collection[int] | None = None) -> Links:
    """Return the links of a response. Those of a numbered edition never change.

    `path` is that of the guide or of the numbered edition, `below` the rest after it, such as `/indicators`. Of an
    item, `having` are the numbers of the editions that have it: the one before is linked only if it is one of them.
    """
    links = {
        "self": path + below,
        "latest_version": guide_path(key.guide) + below,
        "version_history": history_path(key.guide),
        "edition": edition_path(*key) + below,
        "describedby": "/openapi.json",
    }
    if key.number > 1:
        if not below:
            links["changes"] = f"{edition_path(*key)}/changes?since={key.number - 1}"
        if having is None or key.number - 1 in having:
            links["predecessor_version"] = edition_path(key.guide, key.number - 1) + below
    return links


def path_of(head: EditionHead, status: EditionStatus) -> str:
    """Return the path of the edition: for a published one that of its number, else that of its guide."""
    return edition_path(*head.key) if status is EditionStatus.PUBLISHED else guide_path(head.guide)


def edition_fields(head: EditionHead, content: EditionContent, status: EditionStatus) -> dict[str, Any]:
    """Return the fields of `WithCautions`, which every response with guidance has."""
    return {
        "guide": head.guide,
        "edition": head.number,
        "status": status,
        "digest": head.digest,
        "cautions": content.cautions,
    }


def present_edition(head: EditionHead, content: EditionContent, status: EditionStatus) -> EditionResponse:
    """Return the whole edition."""
    path = path_of(head, status)
    sections = {section.key: f"{path}/{section.value}" for section in Section}
    links = edition_links(head.key, path) | {
        "markdown": f"{path}.md",
        "pdf": f"{path}.pdf",
        "large_print": f"{path}/large-print.pdf",
    }
    if status is EditionStatus.CURRENT:
        links["renditions"] = renditions_path(head.guide)
    return EditionResponse(
        **edition_fields(head, content, status) | dict(content), published_at=head.published_at, links=links | sections
    )


def present_section(
    head: EditionHead, content: EditionContent, status: EditionStatus, section: Section
) -> WithCautions:
    """Return one section of the edition, with the cautions."""
    links = edition_links(head.key, path_of(head, status), f"/{section.value}")
    return SECTION_RESPONSES[section].model_validate(
        edition_fields(head, content, status)
        | {section.key: getattr(content, section.key), "links": links | {"csv": f"{links['self']}.csv"}}
    )


def find_item(content: EditionContent, section: Section, item_id: str) -> Item:
    """Return the item with the id. Raise `NoSuchItem` if the section has none."""
    items: tuple[Item, ...] = getattr(content, section.key)
    found = next((item for item in items if item.id == item_id), None)
    if found is None:
        raise NoSuchItem("The edition has no item of that id. Its section lists them.")
    return found


def item_history(
    item_id: str, lists: Mapping[int, Mapping[str, RequestModel]], history: list[EditionHead]
) -> tuple[ItemMention, ...]:
    """Return the editions that have the item, the newest first, each with the change that it made to the item.

    `lists` has the items of its section by their ids, in their order, of each edition by its number.
    """

    def change_in(number: int) -> ItemChange:
        former, items = lists.get(number - 1, {}), lists[number]
        before, after = former.get(item_id), items[item_id]
        if before is None:
            return ItemChange.ADDED
        if before.model_dump(exclude={"position"}) != after.model_dump(exclude={"position"}):
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


def present_published(published: Published) -> PublishedResponse:
    """Return the edition as it was published."""
    key = published.key
    return PublishedResponse(
        guide=key.guide,
        edition=key.number,
        digest=published.digest,
        published_at=published.published_at,
        links=links_of_act(key),
    )


def links_of_act(key: EditionKey | RenditionKey) -> Links:
    """Return the links of a response about the act on the edition or rendition."""
    guide = {"guide": guide_path(key.guide)}
    if isinstance(key, RenditionKey):
        return {"self": rendition_path(*key)} | guide | {"collection": renditions_path(key.guide)}
    return {"self": edition_path(*key)} | guide | {"version_history": history_path(key.guide)}


MARK = "(en-GB)"
"""Follows words that are in the guide's own language in words of another one."""
MARK_EXPLAINED = f"Words with {MARK} after them are the guide’s own: this rendition does not have them."
UNCHECKED_CAUTIONS = "The same in a machine’s words, which nobody has checked:"


@dataclass(frozen=True)
class ShownEdition:
    """An edition to be shown in another form than JSON."""

    head: EditionHead
    content: EditionContent

    @property
    def rendition(self) -> "ShownRendition | None":
        """Itself, where it is a rendition."""
        return None


@dataclass(frozen=True)
class ShownRendition(ShownEdition):
    """A rendition on its edition. The content has its words put in."""

    stored: StoredRendition
    words: RenderedWords
    notices: tuple[str, ...]
    to_call: tuple[Contact, ...]
    """The contacts in the guide's own words: of the current edition, or of its own for a numbered rendition."""

    @property
    def rendition(self) -> "ShownRendition":
        """Itself."""
        return self

    @property
    def language(self) -> str:
        """The language of the words."""
        return content_language(self.stored)

    @property
    def direction(self) -> Direction:
        """The direction in which they are written."""
        return direction_of(self.language)

    def is_marked(self, *pointer: str | int) -> bool:
        """Return whether the words at that place are marked. Where none are the rendition's own, no mark helps."""
        at = "".join(f"/{part}" for part in pointer)
        return self.stored.content.form.has_words and at in self.words.in_guide_language

    @property
    def has_marks(self) -> bool:
        """Whether any words are marked."""
        return self.stored.content.form.has_words and bool(self.words.in_guide_language)

    @property
    def facts(self) -> Mapping[str, str]:
        """What the words are, by label."""
        details, number = self.stored.content, self.stored.key.number
        made_by = details.made_by.value if details.tool is None else f"{details.made_by.value}, {details.tool}"
        checked = "nobody yet" if details.checked_by is None else f"{details.checked_by}, {details.checked_on}"
        return {
            "Language": f"{details.language}, rendition {number}",
            "Form": details.form.value.replace("_", " "),
            "Made by": made_by,
            "Checked by": checked,
            "Rendition digest": self.stored.digest,
        }


def show_rendition(
    history: Sequence[EditionHead], stored: StoredRendition, read: ReadContent, *, is_numbered: bool
) -> ShownRendition:
    """Return the rendition on its edition."""
    head, current = head_of(history, stored.edition), current_of(history)
    to_call = head if is_numbered or current is None else current
    words = rendered_words(history, stored, read, is_numbered=is_numbered)
    return ShownRendition(head, words.content, stored, words, notices_of(history, stored), read(to_call.key).contacts)


CONTEXT = "https://schema.org"
TYPES = {PublisherKind.COUNCIL: "GovernmentOrganization", PublisherKind.SCHOOL: "School"}


def structured_data(head: EditionHead, content: EditionContent, public_url: str) -> str:
    """Return the JSON-LD of the edition, safe within a `script` element: it holds no `<`."""
    publisher = _organization(content.publisher)
    page = {
        "@context": CONTEXT,
        "@type": "WebPage",
        "@id": f"{public_url}/guides/{head.guide}",
        "name": content.title,
        "inLanguage": "en-GB",
        "version": str(head.number),
        "datePublished": format_utc(head.published_at),
        "publisher": publisher,
        "mainEntity": {
            "@type": "GovernmentService",
            "name": content.title,
            "provider": publisher,
            "availableChannel": [_channel(contact) for contact in content.contacts],
        },
    }
    return json.dumps(page, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _organization(publisher: Publisher) -> dict[str, Any]:
    identifier = publisher.gss_code or publisher.urn
    kind = TYPES.get(publisher.kind, "Organization") if publisher.kind else TYPES[PublisherKind.COUNCIL]
    return {"@type": kind, "name": publisher.name} | ({"identifier": identifier} if identifier else {})


def _channel(contact: Contact) -> dict[str, Any]:
    channel: dict[str, Any] = {"@type": "ServiceChannel", "name": contact.name}
    if contact.phones:
        channel["servicePhone"] = [{"@type": "ContactPoint", "telephone": phone.number} for phone in contact.phones]
    if contact.url is not None:
        channel["serviceUrl"] = contact.url
    if contact.address is not None:
        channel["servicePostalAddress"] = {
            "@type": "PostalAddress",
            "streetAddress": ", ".join(contact.address.lines),
            "addressLocality": contact.address.town,
            "postalCode": contact.address.postcode,
        }
    return channel
