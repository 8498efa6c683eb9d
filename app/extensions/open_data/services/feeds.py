"""Feeds of published and withdrawn editions and renditions, and of due reviews: JSON Feed 1.1 and Atom (RFC 4287).

The id of an entry is a version 5 UUID of guide, number, digest, event and a rendition's language: the same in both
formats, on every node and after a change of address. Ids differ between councils that publish different text.
"""

import datetime as dt
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple
from xml.etree import ElementTree  # nosec B405  # nothing is parsed: feeds are only written

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from app.config import NAME
from app.extensions.open_data import ATOM_FEED, JSON_FEED, REVIEWS_ATOM_FEED, REVIEWS_JSON_FEED
from app.extensions.open_data.models.feeds import FeedAuthor, FeedGuidance, FeedItem, FeedRendition, Happening, JsonFeed
from app.models.base import format_utc
from app.models.guides.edition_rows import OWN_WORDS, EditionRow, WithdrawalRow
from app.models.guides.renditions import RenditionDetails
from app.models.languages import english_name_of
from app.models.links import (
    edition_path,
    guide_path,
    history_path,
    rendition_page_path,
    rendition_path,
    renditions_path,
)
from app.services.guides.editions import IS_EDITION, IS_WITHDRAWAL_OF_GUIDE, CurrentEdition
from app.services.guides.renditions import UNCHECKED

JSON_MEDIA_TYPE = "application/feed+json"
ATOM_MEDIA_TYPE = "application/atom+xml"
ENTRY_NAMESPACE = uuid.UUID("5b0f3c1e-6c0b-4f7e-8a39-8f6d2f2f4a55")
ATOM = "http://www.w3.org/2005/Atom"
NEVER = "1970-01-01T00:00:00Z"  # `updated` of an Atom feed without entries, since the element is required
FORBIDDEN_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
NO_DAY = "The edition names no day for its review."
HAPPENINGS: dict[tuple[bool, bool], Happening] = {
    (False, False): "published",
    (False, True): "withdrawn",
    (True, False): "rendition_published",
    (True, True): "rendition_withdrawn",
}
"""Words by two flags: a rendition, and a withdrawal."""


@dataclass(frozen=True)
class FeedChannel:
    title: str
    description: str
    json_path: str
    atom_path: str


EDITIONS = FeedChannel(
    title=f"{NAME}: editions",
    description="Editions of safeguarding guidance and their renditions, as they are published and withdrawn, the "
    "newest first.",
    json_path=JSON_FEED,
    atom_path=ATOM_FEED,
)

REVIEWS = FeedChannel(
    title=f"{NAME}: reviews due",
    description="Guides with a review due within 60 days, overdue or not set. Most recently due first.",
    json_path=REVIEWS_JSON_FEED,
    atom_path=REVIEWS_ATOM_FEED,
)


class EditionEvent(NamedTuple):
    """A publication, or a `withdrawal`, of `row`. `edition` is that of a rendition, or the same row."""

    row: EditionRow
    edition: EditionRow
    withdrawal: WithdrawalRow | None = None

    @property
    def at(self) -> dt.datetime:
        return self.row.published_at if self.withdrawal is None else self.withdrawal.withdrawn_at


def list_edition_events(session: Session, limit: int) -> list[EditionEvent]:
    """Return the latest events first. Of those at one time, renditions come first."""
    own = aliased(EditionRow)
    of_own = (col(own.guide) == EditionRow.guide) & (col(own.number) == EditionRow.edition)
    of_own &= col(own.language) == OWN_WORDS
    ties = (IS_EDITION, EditionRow.guide, EditionRow.language, col(EditionRow.number).desc())
    withdrawn = select(EditionRow, own, WithdrawalRow).join(own, of_own).join(WithdrawalRow, IS_WITHDRAWAL_OF_GUIDE)
    withdrawn = withdrawn.order_by(col(WithdrawalRow.withdrawn_at).desc(), *ties).limit(limit)
    published = select(EditionRow, own).join(own, of_own)
    published = published.order_by(col(EditionRow.published_at).desc(), *ties).limit(limit)
    events = [EditionEvent(*row) for found in (withdrawn, published) for row in session.exec(found)]
    events.sort(key=lambda each: (each.row.language == OWN_WORDS, each.edition.guide, -each.edition.number))
    return sorted(events, key=attrgetter("at"), reverse=True)[:limit]


def entry_of_event(event: EditionEvent, public_url: str) -> FeedItem:
    """Return the entry of an event.

    That of a withdrawal links to the guide and its list, because the content can no longer be read.
    """
    row, edition, withdrawal = event
    guide, number, happened = edition.guide, edition.number, "published" if withdrawal is None else "withdrawn"
    page, path, listed = f"/guides/{guide}/editions/{number}", edition_path(guide, number), history_path(guide)
    title, words = (
        f"{happened.capitalize()}: {edition.details['title']}, edition {number}",
        edition.details["change_note"],
    )
    name, rendition = f"{guide}/{number}/{edition.digest}/{happened}", None
    if row.language != OWN_WORDS:
        key, details = (guide, row.language, row.number), RenditionDetails.model_validate(row.details)
        page, path, listed = rendition_page_path(*key), rendition_path(*key), renditions_path(guide)
        title += f", {english_name_of(row.language)} ({details.form.label}), rendition {row.number}"
        words = _who_checked(details)
        name = f"{guide}/{row.language}/{row.number}/{row.digest}/{happened}"
        rendition = FeedRendition(language=row.language, number=row.number, form=details.form, digest=row.digest)
    if withdrawal is not None:
        page, path, words = f"/guides/{guide}", listed, withdrawal.reason
    guidance = FeedGuidance(
        about=f"{public_url}/docs",
        guide=guide,
        edition=number,
        happening=HAPPENINGS[rendition is not None, withdrawal is not None],
        digest=edition.digest,
        rendition=rendition,
        api_url=public_url + path,
    )
    publisher = edition.details["publisher"]["name"]
    return _item(name, event.at, publisher, guidance, url=public_url + page, title=title, content_text=words)


def entry_of_review(edition: CurrentEdition, public_url: str) -> FeedItem:
    """The entry does not depend on the day: the caller leaves it out until the review is due."""
    details, (guide, number) = edition.details, edition.key
    by = NO_DAY if details.review_by is None else f"Review by {details.review_by}."
    owner = f"Owner: {details.owner}" if details.owner else "No team is named as its owner"
    guidance = FeedGuidance(
        about=f"{public_url}/docs",
        guide=guide,
        edition=number,
        happening="review_due",
        digest=edition.digest,
        api_url=public_url + guide_path(guide),
    )
    return _item(
        f"{guide}/{number}/{edition.digest}/review_due",
        edition.due_from,
        details.publisher.name,
        guidance,
        url=f"{public_url}/guides/{guide}",
        title=f"Review due: {details.title}, edition {number}",
        content_text=f"{by} {owner}{'' if owner.endswith('.') else '.'}",
    )


def json_feed(channel: FeedChannel, entries: Sequence[FeedItem], public_url: str) -> JsonFeed:
    return JsonFeed(
        title=channel.title,
        home_page_url=f"{public_url}/",
        feed_url=public_url + channel.json_path,
        description=channel.description,
        authors=(FeedAuthor(name=NAME),),
        items=tuple(entries),
    )


def atom_feed(channel: FeedChannel, entries: Sequence[FeedItem], public_url: str) -> bytes:
    """Return an Atom feed of `entries`, which are most recent first."""
    feed = ElementTree.Element("feed", {"xmlns": ATOM, "xml:lang": "en-GB"})
    _add_text(feed, "id", uuid.uuid5(uuid.NAMESPACE_URL, public_url + channel.atom_path).urn)
    _add_text(feed, "title", channel.title)
    _add_text(feed, "subtitle", channel.description)
    _add_text(feed, "updated", format_utc(entries[0].date_published) if entries else NEVER)
    _add_text(ElementTree.SubElement(feed, "author"), "name", NAME)
    _add_link(feed, "self", public_url + channel.atom_path, ATOM_MEDIA_TYPE)
    _add_link(feed, "alternate", public_url + channel.json_path, JSON_MEDIA_TYPE)
    for entry in entries:
        _add_entry(feed, entry)
    content: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return content


def _who_checked(content: RenditionDetails) -> str:
    if content.is_unchecked:
        return UNCHECKED
    if content.checked_by is None:
        return f"Made by a {content.made_by.value}."
    return f"Checked by {content.checked_by} on {content.checked_on}."


def _item(name_in_id: str, at: dt.datetime, publisher: str, guidance: FeedGuidance, **shown: str) -> FeedItem:
    """The id is the UUID of `name_in_id`. Tags are event, guide, and language of a rendition."""
    language = [guidance.rendition.language] if guidance.rendition else []
    return FeedItem(
        id=uuid.uuid5(ENTRY_NAMESPACE, name_in_id).urn,
        date_published=at,
        date_modified=at,
        authors=(FeedAuthor(name=publisher),),
        tags=(guidance.happening, guidance.guide, *language),
        guidance=guidance,
        **shown,
    )


def _add_entry(feed: ElementTree.Element, entry: FeedItem) -> None:
    element = ElementTree.SubElement(feed, "entry")
    _add_text(element, "id", entry.id)
    _add_text(element, "title", entry.title)
    _add_text(element, "published", format_utc(entry.date_published))
    _add_text(element, "updated", format_utc(entry.date_modified))
    _add_text(ElementTree.SubElement(element, "author"), "name", entry.authors[0].name)
    _add_link(element, "alternate", entry.url, "text/html")
    _add_link(element, "related", entry.guidance.api_url, "application/json")
    for term in entry.tags:
        ElementTree.SubElement(element, "category", {"term": term})
    _add_text(element, "content", entry.content_text).set("type", "text")


def _add_text(parent: ElementTree.Element, name: str, text: str) -> ElementTree.Element:
    """Characters that XML does not allow become U+FFFD."""
    element = ElementTree.SubElement(parent, name)
    element.text = FORBIDDEN_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)
    return element


def _add_link(parent: ElementTree.Element, relation: str, address: str, media_type: str) -> None:
    ElementTree.SubElement(parent, "link", {"rel": relation, "type": media_type, "href": address})
