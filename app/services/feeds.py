"""Feeds of events of editions and renditions, and of reviews that are due: JSON Feed 1.1 and Atom (RFC 4287).

The id of an entry is a version 5 UUID of the entry's content and of nothing else. So it is the same in both feeds, on
every node and after a change of address, and it differs between councils that publish different words.
"""

import datetime as dt
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from xml.etree import ElementTree  # nosec B405  # nothing is parsed: feeds are only written

from app.config import NAME
from app.models.base import format_utc
from app.models.feeds import FeedAuthor, FeedGuidance, FeedItem, FeedRendition, Happening, JsonFeed
from app.models.languages import english_name_of
from app.models.links import (
    ATOM_FEED,
    JSON_FEED,
    REVIEWS_ATOM_FEED,
    REVIEWS_JSON_FEED,
    edition_path,
    guide_path,
    history_path,
    rendition_page_path,
    rendition_path,
    renditions_path,
)
from app.models.renditions import RenditionContent
from app.services.editions import EditionEvent, EditionEventKind, EditionKey
from app.services.guides import Review
from app.services.renditions import UNCHECKED

JSON_MEDIA_TYPE = "application/feed+json"
ATOM_MEDIA_TYPE = "application/atom+xml"

ENTRY_NAMESPACE = uuid.UUID("5b0f3c1e-6c0b-4f7e-8a39-8f6d2f2f4a55")
ATOM = "http://www.w3.org/2005/Atom"
NEVER = "1970-01-01T00:00:00Z"  # an Atom feed has a time of change even before its first entry
FORBIDDEN_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class FeedChannel:
    """What a feed is, and the paths of its two forms."""

    title: str
    description: str
    json_path: str
    atom_path: str


@dataclass(frozen=True)
class FeedEntry:
    """One entry: what happened to which edition, or to which rendition of it, and when."""

    happening: Happening
    key: EditionKey
    title: str
    words: str
    publisher: str
    digest: str
    at: dt.datetime
    page: str
    path: str
    name_in_id: str
    rendition: FeedRendition | None = None

    @property
    def id(self) -> str:
        """The entry's id."""
        return uuid.uuid5(ENTRY_NAMESPACE, self.name_in_id).urn

    @property
    def tags(self) -> tuple[str, ...]:
        """What happened, the guide, and the language of a rendition."""
        return (self.happening, self.key.guide, *([self.rendition.language] if self.rendition else []))


EDITIONS = FeedChannel(
    title=f"{NAME}: editions",
    description="Editions of safeguarding guidance and their renditions, as they are published and withdrawn, the "
    "newest first.",
    json_path=JSON_FEED,
    atom_path=ATOM_FEED,
)


REVIEWS = FeedChannel(
    title=f"{NAME}: reviews due",
    description="Guides whose review is due within 60 days, is overdue, or has no day. The latest to become due first.",
    json_path=REVIEWS_JSON_FEED,
    atom_path=REVIEWS_ATOM_FEED,
)
NO_DAY = "The edition names no day for its review."
RENDITION_HAPPENINGS: dict[EditionEventKind, Happening] = {
    EditionEventKind.PUBLISHED: "rendition_published",
    EditionEventKind.WITHDRAWN: "rendition_withdrawn",
}


def entry_of_event(event: EditionEvent) -> FeedEntry:
    """Return the entry of an event. What is withdrawn cannot be read: the entry leads to the list that it was in."""
    (guide, number), happened = event.key, event.kind.value
    is_withdrawn = event.kind is EditionEventKind.WITHDRAWN
    page = f"/guides/{guide}"
    entry = FeedEntry(
        happening=event.kind.value,
        key=event.key,
        title=f"{happened.capitalize()}: {event.title}, edition {number}",
        words=event.words,
        publisher=event.publisher,
        digest=event.digest,
        at=event.at,
        page=page if is_withdrawn else f"{page}/editions/{number}",
        path=history_path(guide) if is_withdrawn else edition_path(guide, number),
        name_in_id=f"{guide}/{number}/{event.digest}/{happened}",
    )
    if event.rendition is None:
        return entry
    (_, language, number), content, digest = event.rendition.key, event.rendition.content, event.rendition.digest
    form = content.form.value.replace("_", " ")
    return replace(
        entry,
        happening=RENDITION_HAPPENINGS[event.kind],
        title=f"{entry.title}, {english_name_of(language)} ({form}), rendition {number}",
        words=event.words if is_withdrawn else _who_checked(content),
        page=page if is_withdrawn else rendition_page_path(guide, language, number),
        path=renditions_path(guide) if is_withdrawn else rendition_path(guide, language, number),
        name_in_id=f"{guide}/{language}/{number}/{digest}/{happened}",
        rendition=FeedRendition(language=language, number=number, form=content.form, digest=digest),
    )


def entry_of_review(review: Review) -> FeedEntry:
    """Return the entry. It is the same on every day: what changes with time is whether the feed has it."""
    by = NO_DAY if review.review_by is None else f"To be reviewed by {review.review_by}."
    owner = f"Looked after by: {review.owner}" if review.owner else "No team is named as its owner"
    (guide, number), edition = review.key, review.edition
    return FeedEntry(
        happening="review_due",
        key=review.key,
        title=f"Review due: {edition.details.title}, edition {number}",
        words=f"{by} {owner}{'' if owner.endswith('.') else '.'}",
        publisher=edition.details.publisher.name,
        digest=edition.digest,
        at=review.due_from,
        page=f"/guides/{guide}",
        path=guide_path(guide),
        name_in_id=f"{guide}/{number}/{edition.digest}/review_due",
    )


def json_feed(channel: FeedChannel, entries: Sequence[FeedEntry], public_url: str) -> JsonFeed:
    """Return the entries as a JSON Feed."""
    return JsonFeed(
        title=channel.title,
        home_page_url=f"{public_url}/",
        feed_url=public_url + channel.json_path,
        description=channel.description,
        authors=(FeedAuthor(name=NAME),),
        items=tuple(_item(entry, public_url) for entry in entries),
    )


def atom_feed(channel: FeedChannel, entries: Sequence[FeedEntry], public_url: str) -> bytes:
    """Return the entries as an Atom feed, in UTF-8."""
    feed = ElementTree.Element("feed", {"xmlns": ATOM, "xml:lang": "en-GB"})
    _add_text(feed, "id", uuid.uuid5(uuid.NAMESPACE_URL, public_url + channel.atom_path).urn)
    _add_text(feed, "title", channel.title)
    _add_text(feed, "subtitle", channel.description)
    _add_text(feed, "updated", format_utc(entries[0].at) if entries else NEVER)
    _add_text(ElementTree.SubElement(feed, "author"), "name", NAME)
    _add_link(feed, "self", public_url + channel.atom_path, ATOM_MEDIA_TYPE)
    _add_link(feed, "alternate", public_url + channel.json_path, JSON_MEDIA_TYPE)
    for entry in entries:
        _add_entry(feed, entry, public_url)
    content: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return content


def _who_checked(content: RenditionContent) -> str:
    if content.is_unchecked:
        return UNCHECKED
    if content.checked_by is None:
        return f"Made by a {content.made_by.value}."
    return f"Checked by {content.checked_by} on {content.checked_on}."


def _item(entry: FeedEntry, public_url: str) -> FeedItem:
    return FeedItem(
        id=entry.id,
        url=public_url + entry.page,
        title=entry.title,
        content_text=entry.words,
        date_published=entry.at,
        date_modified=entry.at,
        authors=(FeedAuthor(name=entry.publisher),),
        tags=entry.tags,
        guidance=FeedGuidance(
            about=f"{public_url}/docs",
            guide=entry.key.guide,
            edition=entry.key.number,
            happening=entry.happening,
            digest=entry.digest,
            rendition=entry.rendition,
            api_url=public_url + entry.path,
        ),
    )


def _add_entry(feed: ElementTree.Element, entry: FeedEntry, public_url: str) -> None:
    element = ElementTree.SubElement(feed, "entry")
    _add_text(element, "id", entry.id)
    _add_text(element, "title", entry.title)
    _add_text(element, "published", format_utc(entry.at))
    _add_text(element, "updated", format_utc(entry.at))
    _add_text(ElementTree.SubElement(element, "author"), "name", entry.publisher)
    _add_link(element, "alternate", public_url + entry.page, "text/html")
    _add_link(element, "related", public_url + entry.path, "application/json")
    for term in entry.tags:
        ElementTree.SubElement(element, "category", {"term": term})
    _add_text(element, "content", entry.words).set("type", "text")


def _add_text(parent: ElementTree.Element, name: str, text: str) -> ElementTree.Element:
    """Add an element with the text. A character that XML does not allow is replaced by U+FFFD."""
    element = ElementTree.SubElement(parent, name)
    element.text = FORBIDDEN_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)
    return element


def _add_link(parent: ElementTree.Element, relation: str, address: str, media_type: str) -> None:
    ElementTree.SubElement(parent, "link", {"rel": relation, "type": media_type, "href": address})
