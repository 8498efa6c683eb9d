"""The feeds: each by the rules of its own specification, and both telling the same."""

import datetime as dt
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import feedparser
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.config import Settings
from app.services.guides.renditions import UNCHECKED
from tests.support.clock import SettableClock
from tests.support.concerns import raise_concern
from tests.support.publishing import GUIDE, SLUG, publish_next, withdraw
from tests.support.service import a_service

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

JSON_FEED = "/v1/feed.json"
ATOM_FEED = "/v1/feed.atom"
FEEDS = [JSON_FEED, ATOM_FEED]
PUBLIC_URL = "https://guidance.council.example"
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
ATOM = {"atom": "http://www.w3.org/2005/Atom"}
NASTY = 'Fish & <chips>, "quoted" ]]> \u0001\ufffe done.'


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"public_url": PUBLIC_URL, "deliver": True})


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """For tests that only read."""
    folder = tmp_path_factory.mktemp("feeds")
    yield from start(a_service(data_dir=folder / "data", public_url=PUBLIC_URL, deliver=True))


@pytest.fixture
def own(service: FastAPI) -> Iterator[TestClient]:
    """For a test that makes something new."""
    yield from start(service)


def start(service: FastAPI) -> Iterator[TestClient]:
    """A service on which edition 1 was published and withdrawn, and edition 2 published, on days that follow."""
    with TestClient(service) as client:
        clock = service.state.context.clock
        clock.time += dt.timedelta(days=1)
        publish_next(service, change_note="A number was put right.")
        clock.time += dt.timedelta(days=1)
        withdraw(service, 1, reason="A number was wrong.")
        yield client


def items_of(client: TestClient) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get(JSON_FEED).json()["items"]
    return items


def atom_of(client: TestClient) -> ElementTree.Element:
    return ElementTree.fromstring(client.get(ATOM_FEED).content)  # noqa: S314  # this service's own answer


def texts(element: ElementTree.Element, path: str) -> list[str]:
    return [found.text or "" for found in element.findall(path, ATOM)]


def test_both_feeds_list_publications_and_withdrawals_newest_first(client: TestClient) -> None:
    title = "‘One Minute Guide’ to Child Sexual Exploitation (CSE)"
    told = [
        (f"Withdrawn: {title}, edition 1", "A number was wrong."),
        (f"Published: {title}, edition 2", "A number was put right."),
        (f"Published: {title}, edition 1, Welsh (translation), rendition 1", UNCHECKED),
        (f"Published: {title}, edition 1, English (in simple words), rendition 1", UNCHECKED),
        (f"Published: {title}, edition 1", "First edition, transcribed word for word from the printed guide."),
    ]

    atom = atom_of(client)

    assert [(item["title"], item["content_text"]) for item in items_of(client)] == told
    assert list(zip(texts(atom, "atom:entry/atom:title"), texts(atom, "atom:entry/atom:content"), strict=True)) == told


def test_the_json_feed_keeps_the_rules_of_json_feed_1_1(client: TestClient) -> None:
    answer = client.get(JSON_FEED)

    feed = answer.json()
    assert answer.headers["Content-Type"] == "application/feed+json"
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["title"]
    assert feed["feed_url"] == PUBLIC_URL + JSON_FEED
    assert feed["home_page_url"].startswith(PUBLIC_URL)
    assert all(author["name"] for author in feed["authors"])
    for item in feed["items"]:
        assert isinstance(item["id"], str)
        assert item["url"].startswith(PUBLIC_URL)
        assert item["content_text"]
        assert RFC_3339.fullmatch(item["date_published"])
        assert RFC_3339.fullmatch(item["date_modified"])
        assert all(isinstance(tag, str) for tag in item["tags"])
        assert all(author["name"] for author in item["authors"])
    assert None not in feed.values()
    own = {name for item in feed["items"] for name in item if name.startswith("_")}
    assert own == {"_guidance"}  # an extension is an object whose name begins with an underscore


def test_a_program_reads_from_the_json_feed_which_edition_it_is(client: TestClient) -> None:
    digest = client.get(GUIDE).json()["digest"]

    guidance = items_of(client)[1]["_guidance"]

    about = guidance.pop("about")
    assert about.startswith(PUBLIC_URL)
    assert guidance.pop("api_url") == f"{PUBLIC_URL}{GUIDE}/editions/2"
    assert guidance == {"guide": SLUG, "edition": 2, "happening": "published", "digest": digest, "rendition": None}


def test_the_atom_feed_keeps_the_rules_of_rfc_4287(client: TestClient) -> None:
    answer = client.get(ATOM_FEED)

    feed = ElementTree.fromstring(answer.content)  # noqa: S314  # this service's own answer
    assert answer.headers["Content-Type"] == "application/atom+xml"
    assert feed.tag == f"{{{ATOM['atom']}}}feed"
    assert len(texts(feed, "atom:author/atom:name")) == 1
    for element in (feed, *feed.findall("atom:entry", ATOM)):
        (id_,), (title,), (updated,) = (texts(element, f"atom:{name}") for name in ("id", "title", "updated"))
        assert id_.startswith("urn:uuid:")
        assert title
        assert RFC_3339.fullmatch(updated)
        assert all(texts(element, "atom:author/atom:name"))
    for entry in feed.findall("atom:entry", ATOM):
        assert [content.get("type") for content in entry.findall("atom:content", ATOM)] == ["text"]
        assert len(entry.findall("atom:link[@rel='alternate']", ATOM)) == 1
    assert texts(feed, "atom:updated") == texts(feed, "atom:entry/atom:updated")[:1]
    links = {link.get("rel"): link.attrib for link in feed.findall("atom:link", ATOM)}
    assert links["self"] == {"rel": "self", "type": "application/atom+xml", "href": PUBLIC_URL + ATOM_FEED}
    assert all(str(link.get("href")).startswith(f"{PUBLIC_URL}/v1/") for link in feed.findall("atom:link", ATOM))
    for entry in feed.findall("atom:entry", ATOM):
        page, data = entry.findall("atom:link", ATOM)
        assert (page.get("rel"), page.get("type"), data.get("rel")) == ("alternate", "text/html", "related")
        assert str(data.get("href")).startswith(f"{PUBLIC_URL}/v1/guides/")


def test_a_feed_reader_reads_the_atom_feed(client: TestClient) -> None:
    read = feedparser.parse(client.get(ATOM_FEED).content)

    assert not read.bozo
    assert read.version == "atom10"
    assert [entry.content[0].value for entry in read.entries] == [item["content_text"] for item in items_of(client)]
    assert {entry.author for entry in read.entries} == {"Bath & North East Somerset Council"}
    assert read.entries[0].updated_parsed[:3] == (2026, 11, 26)


def test_an_entry_has_one_unique_id_in_both_feeds(client: TestClient) -> None:
    ids = [item["id"] for item in items_of(client)]

    assert texts(atom_of(client), "atom:entry/atom:id") == ids
    assert len({*ids, *texts(atom_of(client), "atom:id")}) == 6
    assert {uuid.UUID(id_).version for id_ in ids} == {5}


def test_an_entry_keeps_its_id_on_another_node_at_another_address(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()  # so that it publishes by itself
    with TestClient(
        a_service(data_dir=tmp_path / "elsewhere", public_url="https://elsewhere.example", deliver=True)
    ) as other:
        assert [item["id"] for item in items_of(other)] == [item["id"] for item in items_of(client)[-3:]]


def test_an_entry_leads_people_to_a_page_and_programs_to_the_data(client: TestClient) -> None:
    pages = [item["url"].removeprefix(PUBLIC_URL) for item in items_of(client)]
    paths = [item["_guidance"]["api_url"].removeprefix(PUBLIC_URL) for item in items_of(client)]

    page = f"/guides/{SLUG}"
    languages = ("cy", "en-GB-simple")
    assert pages == [
        page,
        f"{page}/editions/2",
        *(f"{page}/renditions/{each}/1" for each in languages),
        f"{page}/editions/1",
    ]
    assert client.get(pages[1]).headers["Content-Type"].startswith("text/html")
    assert paths == [
        f"{GUIDE}/editions",
        f"{GUIDE}/editions/2",
        *(f"{GUIDE}/renditions/{each}/1" for each in languages),
        f"{GUIDE}/editions/1",
    ]
    assert client.get(paths[0]).json()["editions"][1]["withdrawal"]["reason"] == "A number was wrong."


def test_both_feeds_hold_words_that_break_xml(own: TestClient, service: FastAPI) -> None:
    publish_next(service, change_note=NASTY, title=f"A guide to {NASTY}")

    read = feedparser.parse(own.get(ATOM_FEED).content)

    assert not read.bozo
    newest = texts(atom_of(own), "atom:entry/atom:content")
    assert NASTY.replace("\u0001", "\ufffd").replace("\ufffe", "\ufffd") in newest
    assert NASTY in [item["content_text"] for item in items_of(own)]


def test_a_feed_holds_fifty_entries_at_most(own: TestClient, service: FastAPI, clock: SettableClock) -> None:
    for minute in range(50):
        clock.time += dt.timedelta(minutes=1)
        publish_next(service, change_note=f"Change {minute}.")

    items = items_of(own)

    assert [item["_guidance"]["edition"] for item in items] == list(range(52, 2, -1))
    assert len(texts(atom_of(own), "atom:entry/atom:id")) == 50


@pytest.mark.parametrize("path", FEEDS)
def test_a_feed_that_the_reader_has_is_not_sent_again(client: TestClient, path: str) -> None:
    first = client.get(path)

    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})

    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["Cache-Control"] == first.headers["Cache-Control"] != "no-store"


@pytest.mark.parametrize("path", FEEDS)
def test_a_new_edition_makes_a_new_feed(own: TestClient, service: FastAPI, path: str) -> None:
    first = own.get(path)

    publish_next(service, change_note="Another.")

    assert own.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


@pytest.mark.parametrize("path", FEEDS)
def test_a_concern_leaves_no_trace_in_a_feed(own: TestClient, path: str) -> None:
    before = own.get(path).content

    receipt = raise_concern(own)

    assert own.get(path).content == before
    assert receipt["reference"].encode() not in before


def test_feeds_of_a_service_without_guides_are_valid_too(tmp_path: Path) -> None:
    seed = tmp_path / "seed"
    seed.mkdir()
    for name in ("signposts.yaml", "legal-statements.yaml", "code-lists"):
        (seed / name).symlink_to(Settings().seed_dir / name)
    empty = a_service(data_dir=tmp_path / "empty", seed_dir=seed)

    with TestClient(empty) as client:
        atom, items = atom_of(client), items_of(client)

    assert items == []
    assert [bool(RFC_3339.fullmatch(updated)) for updated in texts(atom, "atom:updated")] == [True]
    assert len(texts(atom, "atom:author/atom:name")) == 1


@pytest.mark.parametrize("path", FEEDS)
def test_the_index_leads_to_the_feeds(client: TestClient, path: str) -> None:
    index = client.get("/v1")

    assert path in index.json()["links"].values()
    assert f'<{path}>; rel="alternate"; type="{client.get(path).headers["Content-Type"]}"' in index.headers["Link"]
