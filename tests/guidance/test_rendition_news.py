"""News of renditions: events and the feed when one is published, behind and withdrawn, and an edition's own list."""

import datetime as dt
from typing import Any

import pytest
from fastapi import FastAPI
from sqlmodel import Session, select
from starlette.testclient import TestClient

from app.models.events import EventRow, RenditionEventData
from tests.support.clock import SettableClock
from tests.support.publishing import GUIDE, SLUG, publish_next, withdraw
from tests.support.renditions import RENDITIONS, publish_a_rendition, withdraw_a_rendition

pytestmark = pytest.mark.slow


def events_of(service: FastAPI) -> list[tuple[str, dict[str, Any]]]:
    """Return the events of renditions: the kind without its first word, and the data."""
    with Session(service.state.context.engine) as session:
        rows = session.exec(select(EventRow).order_by(EventRow.id)).all()  # type: ignore[arg-type]  # a column
        return [(row.kind.partition(".")[2], row.data) for row in rows if row.kind.startswith("rendition.")]


def test_an_event_says_that_a_rendition_is_published_behind_and_withdrawn(client: TestClient, service: FastAPI) -> None:
    publish_a_rendition(service)
    publish_a_rendition(service)  # the same words: nothing happens
    publish_next(service, change_note="A second edition.")
    publish_next(service, change_note="A third edition.")  # they are behind already
    withdraw_a_rendition(service, "pl", 1)
    withdraw_a_rendition(service, "pl", 1)

    events = events_of(service)
    polish = client.get(RENDITIONS).json()["renditions"][-1]

    assert [(kind, data["language"], data["behind"]) for kind, data in events] == [
        ("published", "cy", False),
        ("published", "en-GB-simple", False),
        ("published", "pl", False),
        *(("behind", language, True) for language in ("cy", "en-GB-simple", "pl")),
        ("withdrawn", "pl", True),
    ]
    for _, data in events:
        RenditionEventData.model_validate(data)
    assert events[-1][1] == {
        "guide": SLUG,
        "language": "pl",
        "number": 1,
        "form": "translation",
        "digest": polish["digest"],
        "edition": 1,
        "behind": True,
        "links": {"rendition": f"{RENDITIONS}/pl/1", "edition": f"{GUIDE}/editions/1"},
    }


def test_the_feed_lists_renditions_published_and_withdrawn(
    client: TestClient, service: FastAPI, clock: SettableClock
) -> None:
    clock.time += dt.timedelta(days=1)
    digest = publish_a_rendition(service).digest
    clock.time += dt.timedelta(days=1)
    withdraw_a_rendition(service, "pl", 1)

    withdrawn, published, *_ = client.get("/v1/feed.json").json()["items"]
    atom = client.get("/v1/feed.atom").text

    assert withdrawn["content_text"] == "A word was wrong."
    assert withdrawn["title"].startswith("Withdrawn: ")
    assert published["content_text"] == "Checked by Example Translation Team on 2026-11-24."
    assert published["title"].endswith(", edition 1, Polish (translation), rendition 1")
    assert published["tags"] == ["rendition_published", SLUG, "pl"]
    facts = {"language": "pl", "number": 1, "form": "translation", "digest": digest}
    assert published["_guidance"]["rendition"] == withdrawn["_guidance"]["rendition"] == facts
    assert published["id"] in atom
    assert withdrawn["id"] in atom


def test_an_edition_lists_its_own_renditions_each_with_a_link_in_its_language(
    client: TestClient, service: FastAPI
) -> None:
    second = publish_next(service, change_note="A second edition.")
    of_second = {"edition": second.key.number, "digest": second.digest}
    publish_a_rendition(service, of=of_second)

    first, later = (client.get(f"{GUIDE}/editions/{number}/renditions") for number in (1, 2))

    for answer, languages in ((first, ["cy", "en-GB-simple"]), (later, ["pl"])):
        path = answer.request.url.path
        listed = answer.json()["renditions"]
        assert [each["language"] for each in listed] == languages
        assert {each["behind"] for each in listed} == {answer is first}
        assert {each["links"]["edition_renditions"] for each in listed} == {path}
        link = answer.headers["link"]
        assert f'<{path.removesuffix("/renditions")}>; rel="alternate"; hreflang="en-GB"' in link
        assert all(f'<{RENDITIONS}/{each}/1>; rel="alternate"; hreflang="{each}"' in link for each in languages)
        assert answer.headers["cache-control"] == "public, no-cache"
        again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
    withdraw(service, 2)
    assert client.get(f"{GUIDE}/editions/2/renditions").status_code == 410
    assert client.get(f"{GUIDE}/editions/3/renditions").json()["type"].endswith("no-such-edition")
