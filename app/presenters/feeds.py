"""Feeds of edition events: JSON Feed 1.1 and Atom (RFC 4287).

The id of an entry is a version 5 UUID of the entry's content and of nothing else. So it is the same in both feeds, on
every node and after a change of address, and it differs between councils that publish different words.
"""

import re
import uuid
from collections.abc import Sequence
from xml.etree import ElementTree  # nosec B405  # nothing is parsed: feeds are only written

from app.about import NAME
from app.models.base import format_utc
from app.models.guidance.feed import FeedAuthor, FeedGuidance, FeedItem, JsonFeed
from app.models.links import ATOM_FEED, JSON_FEED, edition_path, guide_path
from app.store.edition_events import EditionEvent, EditionEventKind

TITLE = f"{NAME}: editions"
FEED_DESCRIPTION = "Editions of safeguarding guidance as they are published and withdrawn, the newest first."
JSON_MEDIA_TYPE = "application/feed+json"
ATOM_MEDIA_TYPE = "application/atom+xml"

ENTRY_NAMESPACE = uuid.UUID("5b0f3c1e-6c0b-4f7e-8a39-8f6d2f2f4a55")
ATOM = "http://www.w3.org/2005/Atom"
NEVER = "1970-01-01T00:00:00Z"  # an Atom feed has a time of change even before its first entry
FORBIDDEN_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def json_feed(events: Sequence[EditionEvent], public_url: str) -> JsonFeed:
    """Return the events as a JSON Feed."""
    return JsonFeed(
        title=TITLE,
        home_page_url=f"{public_url}/",
        feed_url=public_url + JSON_FEED,
        description=FEED_DESCRIPTION,
        authors=(FeedAuthor(name=NAME),),
        items=tuple(_item(event, public_url) for event in events),
    )


def atom_feed(events: Sequence[EditionEvent], public_url: str) -> bytes:
    """Return the events as an Atom feed, in UTF-8."""
    feed = ElementTree.Element("feed", {"xmlns": ATOM, "xml:lang": "en-GB"})
    _add_text(feed, "id", uuid.uuid5(uuid.NAMESPACE_URL, public_url + ATOM_FEED).urn)
    _add_text(feed, "title", TITLE)
    _add_text(feed, "subtitle", FEED_DESCRIPTION)
    _add_text(feed, "updated", format_utc(events[0].at) if events else NEVER)
    _add_text(ElementTree.SubElement(feed, "author"), "name", NAME)
    _add_link(feed, "self", public_url + ATOM_FEED, ATOM_MEDIA_TYPE)
    _add_link(feed, "alternate", public_url + JSON_FEED, JSON_MEDIA_TYPE)
    for event in events:
        _add_entry(feed, event, public_url)
    content: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return content


def _item(event: EditionEvent, public_url: str) -> FeedItem:
    return FeedItem(
        id=_id_of(event),
        url=public_url + _page_of(event),
        title=_title_of(event),
        content_text=event.words,
        date_published=event.at,
        date_modified=event.at,
        authors=(FeedAuthor(name=event.publisher),),
        tags=(event.kind.value, event.guide),
        guidance=FeedGuidance(
            about=f"{public_url}/docs",
            guide=event.guide,
            edition=event.edition,
            happening=event.kind.value,
            digest=event.digest,
            api_url=public_url + _path_of(event),
        ),
    )


def _add_entry(feed: ElementTree.Element, event: EditionEvent, public_url: str) -> None:
    entry = ElementTree.SubElement(feed, "entry")
    _add_text(entry, "id", _id_of(event))
    _add_text(entry, "title", _title_of(event))
    _add_text(entry, "published", format_utc(event.at))
    _add_text(entry, "updated", format_utc(event.at))
    _add_text(ElementTree.SubElement(entry, "author"), "name", event.publisher)
    _add_link(entry, "alternate", public_url + _page_of(event), "text/html")
    _add_link(entry, "related", public_url + _path_of(event), "application/json")
    for term in (event.kind.value, event.guide):
        ElementTree.SubElement(entry, "category", {"term": term})
    _add_text(entry, "content", event.words).set("type", "text")


def _add_text(parent: ElementTree.Element, name: str, text: str) -> ElementTree.Element:
    """Add an element with the text. A character that XML does not allow is replaced by U+FFFD."""
    element = ElementTree.SubElement(parent, name)
    element.text = FORBIDDEN_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)
    return element


def _add_link(parent: ElementTree.Element, relation: str, address: str, media_type: str) -> None:
    ElementTree.SubElement(parent, "link", {"rel": relation, "type": media_type, "href": address})


def _id_of(event: EditionEvent) -> str:
    content = f"{event.guide}/{event.edition}/{event.digest}/{event.kind.value}"
    return uuid.uuid5(ENTRY_NAMESPACE, content).urn


def _title_of(event: EditionEvent) -> str:
    return f"{event.kind.value.capitalize()}: {event.title}, edition {event.edition}"


def _path_of(event: EditionEvent) -> str:
    """Return the path of the edition, or of the guide's history if the edition is withdrawn and cannot be read."""
    if event.kind is EditionEventKind.WITHDRAWN:
        return f"{guide_path(event.guide)}/editions"
    return edition_path(event.guide, event.edition)


def _page_of(event: EditionEvent) -> str:
    """Return the page of the edition, or of its guide if the edition is withdrawn and has none."""
    page = f"/guides/{event.guide}"
    return page if event.kind is EditionEventKind.WITHDRAWN else f"{page}/editions/{event.edition}"
