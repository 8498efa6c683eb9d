"""How happenings are laid out as feeds: JSON Feed 1.1 and Atom (RFC 4287).

The id of an entry is a version 5 UUID of what the entry tells and of nothing else, so that it is the same in both
feeds, on every node and after a change of address, and differs between councils that publish other words.
"""

import re
import uuid
from collections.abc import Sequence
from xml.etree import ElementTree  # nosec B405  # nothing is parsed: feeds are only written

from app.about import NAME
from app.models.base import format_utc
from app.models.guidance.feed import FeedAuthor, FeedGuidance, FeedItem, JsonFeed
from app.presenters.guides import edition_path, guide_path
from app.store.edition_events import EditionEvent, EditionEventKind
from app.store.editions import EditionKey

TITLE = f"{NAME}: editions"
DESCRIPTION = "Editions of safeguarding guidance as they are published and withdrawn, the newest first."
JSON_FEED = "/v1/feed.json"
ATOM_FEED = "/v1/feed.atom"
JSON_MEDIA_TYPE = "application/feed+json"
ATOM_MEDIA_TYPE = "application/atom+xml"

ENTRIES = uuid.UUID("5b0f3c1e-6c0b-4f7e-8a39-8f6d2f2f4a55")
ATOM = "http://www.w3.org/2005/Atom"
NEVER = "1970-01-01T00:00:00Z"  # an Atom feed has a time of change even before its first entry
FORBIDDEN_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def json_feed(happenings: Sequence[EditionEvent], public_url: str) -> JsonFeed:
    """The happenings as a JSON Feed."""
    return JsonFeed(
        title=TITLE,
        home_page_url=f"{public_url}/",
        feed_url=public_url + JSON_FEED,
        description=DESCRIPTION,
        authors=(FeedAuthor(name=NAME),),
        items=tuple(_item(happening, public_url) for happening in happenings),
    )


def atom_feed(happenings: Sequence[EditionEvent], public_url: str) -> bytes:
    """The happenings as an Atom feed."""
    feed = ElementTree.Element("feed", {"xmlns": ATOM, "xml:lang": "en-GB"})
    _say(feed, "id", uuid.uuid5(uuid.NAMESPACE_URL, public_url + ATOM_FEED).urn)
    _say(feed, "title", TITLE)
    _say(feed, "subtitle", DESCRIPTION)
    _say(feed, "updated", format_utc(happenings[0].at) if happenings else NEVER)
    _say(ElementTree.SubElement(feed, "author"), "name", NAME)
    _link(feed, "self", public_url + ATOM_FEED, ATOM_MEDIA_TYPE)
    _link(feed, "alternate", public_url + JSON_FEED, JSON_MEDIA_TYPE)
    for happening in happenings:
        _entry(feed, happening, public_url)
    written: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return written


def _item(happening: EditionEvent, public_url: str) -> FeedItem:
    return FeedItem(
        id=_id_of(happening),
        url=public_url + _path_of(happening),
        title=_title_of(happening),
        content_text=happening.words,
        date_published=happening.at,
        date_modified=happening.at,
        authors=(FeedAuthor(name=happening.publisher),),
        tags=(happening.kind.value, happening.guide),
        guidance=FeedGuidance(
            about=f"{public_url}/docs",
            guide=happening.guide,
            edition=happening.edition,
            happening=happening.kind.value,
            digest=happening.digest,
        ),
    )


def _entry(feed: ElementTree.Element, happening: EditionEvent, public_url: str) -> None:
    entry = ElementTree.SubElement(feed, "entry")
    _say(entry, "id", _id_of(happening))
    _say(entry, "title", _title_of(happening))
    _say(entry, "published", format_utc(happening.at))
    _say(entry, "updated", format_utc(happening.at))
    _say(ElementTree.SubElement(entry, "author"), "name", happening.publisher)
    _link(entry, "alternate", public_url + _path_of(happening), "application/json")
    for term in (happening.kind.value, happening.guide):
        ElementTree.SubElement(entry, "category", {"term": term})
    _say(entry, "content", happening.words).set("type", "text")


def _say(parent: ElementTree.Element, name: str, words: str) -> ElementTree.Element:
    """Add an element with those words; a character that XML cannot carry is shown as U+FFFD."""
    element = ElementTree.SubElement(parent, name)
    element.text = FORBIDDEN_IN_XML.sub("\N{REPLACEMENT CHARACTER}", words)
    return element


def _link(parent: ElementTree.Element, relation: str, address: str, media_type: str) -> None:
    ElementTree.SubElement(parent, "link", {"rel": relation, "type": media_type, "href": address})


def _id_of(happening: EditionEvent) -> str:
    name = f"{happening.guide}/{happening.edition}/{happening.digest}/{happening.kind.value}"
    return uuid.uuid5(ENTRIES, name).urn


def _title_of(happening: EditionEvent) -> str:
    return f"{happening.kind.value.capitalize()}: {happening.title}, edition {happening.edition}"


def _path_of(happening: EditionEvent) -> str:
    """The edition, or the history where reads of it tell only that it was withdrawn."""
    if happening.kind is EditionEventKind.WITHDRAWN:
        return f"{guide_path(happening.guide)}/editions"
    return edition_path(EditionKey(happening.guide, happening.edition))
