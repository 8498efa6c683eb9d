"""The feed of reviews that are due: by the clock, never from the response cache, the same entries in both forms."""

import datetime as dt
from typing import Any
from xml.etree import ElementTree

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.publishing import SLUG, publish_next

pytestmark = pytest.mark.any_database

ATOM = "{http://www.w3.org/2005/Atom}"
REVIEW = A_TUESDAY.date() + dt.timedelta(days=100)


def entries(client: TestClient) -> dict[str, dict[str, Any]]:
    answer = client.get("/v1/reviews-due.json")
    assert answer.headers["cache-control"] == "max-age=3600"
    return {each["_guidance"]["guide"]: each for each in answer.json()["items"]}


def test_a_guide_is_in_the_feed_from_sixty_days_before_its_review(
    client: TestClient, service: FastAPI, clock: SettableClock
) -> None:
    publish_next(service, guide="a-guide", review_by=REVIEW.isoformat(), owner="Example Team")
    before = entries(client)
    clock.time += dt.timedelta(days=39)
    a_day_early = entries(client)
    clock.time += dt.timedelta(days=1)
    due = entries(client)
    clock.time += dt.timedelta(days=500)
    overdue = entries(client)

    assert set(before) == set(a_day_early) == {SLUG}  # which names no day
    assert list(due) == ["a-guide", SLUG]
    assert due["a-guide"] == overdue["a-guide"]
    assert due["a-guide"]["content_text"] == f"Review by {REVIEW}. Owner: Example Team."
    assert due["a-guide"]["date_published"][:10] == (REVIEW - dt.timedelta(days=60)).isoformat()


def test_a_new_edition_takes_its_guide_out_of_the_feed(client: TestClient, service: FastAPI) -> None:
    assert set(entries(client)) == {SLUG}

    publish_next(service, review_by=REVIEW.isoformat())

    assert entries(client) == {}


def test_both_forms_have_the_same_entries(client: TestClient) -> None:
    feed = ElementTree.fromstring(client.get("/v1/reviews-due.atom").content)  # noqa: S314  # this service's own answer

    assert [each.findtext(f"{ATOM}id") for each in feed.iter(f"{ATOM}entry")] == [
        each["id"] for each in entries(client).values()
    ]
    assert client.get("/v1").json()["links"]["reviews_due"] == "/v1/reviews-due.json"
