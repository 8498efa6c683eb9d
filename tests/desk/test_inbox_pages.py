"""The inbox page: filters put together, views under a name, and what changed since a person looked."""

import datetime as dt
import html
import re
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.models.figures import FiguresOfDay
from app.pages.inbox import HEIGHT, bars_of, name_of_view
from app.services.inbox import remove_views
from tests.support.clock import SettableClock
from tests.support.concerns import Concern
from tests.support.desk import press, send, text_of
from tests.support.loops import for_each
from tests.support.people import JO, context_of_service, received, sign_in_as

SAM = "Sam Example"
REFERENCE = re.compile(r"/desk/concerns/([0-9A-Z-]{14})\"")


@pytest.fixture
def jo(service: FastAPI, client: TestClient) -> TestClient:
    client.follow_redirects = False
    sign_in_as(service, client, JO)
    return client


def shown(client: TestClient, path: str = "/desk", **query: str) -> list[str]:
    page = client.get(f"{path}?{urlencode(query)}" if query else path)
    assert page.status_code == 200
    return REFERENCE.findall(page.text)


@pytest.mark.slow
def test_filters_are_put_together_and_empty_ones_are_none(service: FastAPI, jo: TestClient, a_concern: Concern) -> None:
    sign_in_as(service, TestClient(service), SAM)
    quiet, danger, mine, sams = (
        received(jo, a_concern, immediate_danger=each) for each in ("no", "yes", "yes", "not_sure")
    )
    press(jo, mine, "assignment", person=JO)
    press(jo, sams, "assignment", person=SAM)
    press(jo, sams, "acknowledgement")

    found = {
        "danger": shown(jo, danger="yes", state="", overdue="", guide="", who="", name=""),
        "mine": shown(jo, who="me"),
        "mine, a press away": shown(jo, show="mine"),
        "nobody's": shown(jo, show="unassigned"),
        "nobody's in danger": shown(jo, who="nobody", danger="yes"),
        "Sam's": shown(jo, who=f"person:{SAM}"),
        "acknowledged": shown(jo, state="acknowledged"),
        "of the guide": shown(jo, guide="child-sexual-exploitation", danger="not_sure"),
        "of another guide": shown(jo, guide="neglect"),
        "the other state counts": shown(jo, show="received", state="acknowledged"),
        "not overdue": shown(jo, overdue="false", danger="no"),
        "overdue": shown(jo, overdue="true"),
    }

    assert {name: set(each) for name, each in found.items()} == {
        "danger": {danger, mine},
        "mine": {mine},
        "mine, a press away": {mine},
        "nobody's": {quiet, danger},
        "nobody's in danger": {danger},
        "Sam's": {sams},
        "acknowledged": {sams},
        "of the guide": {sams},
        "of another guide": set(),
        "the other state counts": {sams},
        "not overdue": {quiet},
        "overdue": set(),
    }
    assert f"Assigned to {SAM}" in text_of(jo.get("/desk"))


def test_a_filter_of_the_page_that_cannot_be_never_gives_everything(jo: TestClient) -> None:
    queries = ("state=open", "who=nobodys", "who=person:", "who=person:%20", "guide=No", "overdue=1", "danger=maybe")

    assert {query: jo.get(f"/desk?{query}").status_code for query in queries} == dict.fromkeys(queries, 400)


def test_a_view_is_saved_under_a_name_opened_by_a_press_replaced_and_removed(
    service: FastAPI, jo: TestClient, a_concern: Concern
) -> None:
    quiet, danger = (received(jo, a_concern, immediate_danger=each) for each in ("no", "yes"))

    saved = send(jo, "/desk/views", name=" Überfällig & mine ", danger="yes", who="nobody", state="", overdue="false")
    page = jo.get("/desk").text
    (address,) = re.findall(r'class="saved" href="([^"]*)">Uberfallig mine<', page)

    assert saved.status_code == 303
    assert html.unescape(address) == saved.headers["Location"]
    assert shown(jo, html.unescape(address)) == [danger]
    send(jo, "/desk/views", name="uberfallig mine", danger="no")
    (address,) = re.findall(r'class="saved" href="([^"]*)">', jo.get("/desk").text)
    assert shown(jo, html.unescape(address)) == [quiet]
    other = TestClient(service)
    sign_in_as(service, other, SAM)
    assert 'class="saved"' not in other.get("/desk").text
    assert send(jo, "/desk/views/uberfallig-mine/removal").status_code == 303
    assert 'class="saved"' not in jo.get("/desk").text
    assert send(jo, "/desk/views/uberfallig-mine/removal").status_code == 404


def test_a_view_without_a_name_is_not_saved_and_its_filters_are_still_there(jo: TestClient) -> None:
    answer = send(jo, "/desk/views", name="!!!", danger="yes", who="me")

    assert answer.status_code == 422
    assert "Give the view a name with letters or digits" in answer.text
    assert 'value="!!!"' in answer.text
    assert answer.text.count(" selected") == 2
    assert 'class="saved"' not in answer.text


@for_each(
    ("typed", "name"), [("My view", "my-view"), ("x" * 79 + " y", "x" * 79), ("--", ""), ("日本", ""), ("A1/b", "a1-b")]
)
def test_the_name_of_a_view_is_that_of_the_api(typed: str, name: str) -> None:
    assert name_of_view(typed) == name


def test_what_changed_since_i_looked_is_what_came_after_i_said_so(
    service: FastAPI, jo: TestClient, clock: SettableClock, a_concern: Concern
) -> None:
    old, changed = received(jo, a_concern), received(jo, a_concern)
    clock.time += dt.timedelta(minutes=5)
    first = jo.get("/desk?show=changed")
    (until,) = re.findall(r'name="until" value="([^"]*)"', first.text)
    clock.time += dt.timedelta(minutes=1)
    press(jo, changed, "assignment", person=JO)  # while the page is open

    answer = send(jo, "/desk/looked", until=until)

    assert set(REFERENCE.findall(first.text)) == {old, changed}
    assert answer.headers["Location"] == "/desk?show=changed"
    assert shown(jo, "/desk?show=changed") == [changed]
    assert "What changed since you looked, Tuesday 24 November 2026 at 09:34" in text_of(jo.get("/desk?show=changed"))
    other = TestClient(service)
    sign_in_as(service, other, SAM)
    assert set(REFERENCE.findall(other.get("/desk?show=changed").text)) == {old, changed}
    clock.time += dt.timedelta(minutes=5)
    later = re.findall(r'name="until" value="([^"]*)"', jo.get("/desk?show=changed").text)[0]
    for moment in (later, until):  # the second is from a page that was open for long
        send(jo, "/desk/looked", until=moment)
        assert shown(jo, "/desk?show=changed") == []
    remove_views(context_of_service(service).writer, JO)
    assert set(shown(jo, "/desk?show=changed")) == {old, changed}


def test_a_look_without_its_moment_is_refused(jo: TestClient) -> None:
    assert {send(jo, "/desk/looked", until=until).status_code for until in ("", "x", "MQ", "IjIwMjYi")} == {400}


def test_the_team_s_day_has_exact_figures_and_a_chart_with_its_words(jo: TestClient, a_concern: Concern) -> None:
    for _ in range(3):
        seen = received(jo, a_concern)
    press(jo, seen, "acknowledgement")

    page = jo.get("/desk/day")

    words = text_of(page)
    assert "3 came today 2 wait for an acknowledgement 0 are overdue" in words
    assert 'role="img" aria-labelledby="chart-title"' in page.text
    assert page.text.count('<rect class="came"') == page.text.count('<tr><th scope="row">') == 14
    assert "Today 3 1 0 2 0" in words
    assert not re.search(r"<[^>]* style=", page.text)


def test_the_bars_of_the_chart_are_as_high_as_their_counts() -> None:
    day = dt.date(2026, 11, 24)
    days = [
        FiguresOfDay(day=day, received=received, acknowledged=0, closed=0, waiting=waiting, overdue=overdue)
        for received, waiting, overdue in ((4, 2, 1), (0, 0, 0))
    ]

    heights = [(each.received, each.waiting, each.overdue) for each in bars_of(days, 4)]

    assert heights == [(HEIGHT, HEIGHT // 2, HEIGHT // 4), (0, 0, 0)]
    assert [(each.received, each.waiting) for each in bars_of(days[1:], 0)] == [(0, 0)]
