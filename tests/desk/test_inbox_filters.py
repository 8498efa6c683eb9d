"""Filters of the inbox: each gives what it names and no more, and together they narrow."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI
from sqlmodel import Session
from starlette.testclient import TestClient

from app.models.access.clients import Scope
from app.models.desk.inbox_filters import InboxOrder
from app.services.access.clients import add_client
from app.services.audit.audit_log import Actor
from app.services.desk import saved_views
from app.services.desk.inbox import InboxQuery, count_open
from app.services.desk.saved_views import remove_views
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import a_concern, add, raise_concern
from tests.support.desk import Desk, press, send, text_of, worker_of
from tests.support.loops import for_each
from tests.support.people import JO, context_of_service, sign_in_as
from tests.support.publishing import SLUG

pytestmark = pytest.mark.slow

HOUR = dt.timedelta(hours=1)
Raise = Callable[..., Any]


@pytest.fixture
def raised(client: TestClient, clock: SettableClock) -> Raise:
    """Raise a concern that many hours after the first, and return its receipt."""

    def bring(hours: int = 0, danger: str = "no") -> Any:
        clock.time = A_TUESDAY + hours * HOUR
        return raise_concern(client, immediate_danger=danger)

    return bring


def found(desk: Desk, query: str) -> list[str]:
    answer = desk.get(f"/concerns?{query}")
    assert answer.status_code == 200, answer.text
    return [entry["reference"] for entry in answer.json()["concerns"]]


def test_mine_unassigned_and_assigned_to_a_person_give_that_and_no_more(
    service: FastAPI, client: TestClient, raised: Raise
) -> None:
    robin, sam = (worker_of(service, client, person) for person in ("Robin Example", "Sam Example"))
    mine, other, nobody = (raised(hours)["reference"] for hours in range(3))
    for worker, reference in ((robin, mine), (sam, other)):
        worker.http.put(f"/v1/desk/concerns/{reference}/assignment", headers=worker.headers)

    assert found(robin, "mine=true") == [mine]
    assert found(sam, "mine=true") == [other]
    assert found(robin, "unassigned=true") == [nobody]
    assert found(robin, "assigned_to=Sam%20Example") == [other]
    assert found(robin, "assigned_to=Sam") == []
    assert found(robin, "mine=false&unassigned=false") == [mine, other, nobody]


def test_danger_guide_state_and_overdue_narrow_together(desk: Desk, raised: Raise, clock: SettableClock) -> None:
    danger, calm = raised(0, "yes")["reference"], raised(1)["reference"]
    seen = raised(2, "yes")["reference"]
    desk.act(seen, "acknowledgement")
    clock.time = A_TUESDAY + 24 * HOUR + HOUR / 2

    assert found(desk, "danger=yes") == [danger, seen]
    assert found(desk, "danger=yes&state=received") == [danger]
    assert found(desk, f"guide={SLUG}&danger=no") == [calm]
    assert found(desk, "guide=another-guide") == []
    assert found(desk, "overdue=true&danger=yes") == [danger]
    assert found(desk, "overdue=true&danger=no") == []


def test_changed_since_gives_the_latest_change_first_and_ignores_reading(
    client: TestClient, desk: Desk, raised: Raise, clock: SettableClock
) -> None:
    first, second, third = (raised(hours) for hours in range(3))
    clock.time = A_TUESDAY + 5 * HOUR
    desk.act(second["reference"], "acknowledgement")
    desk.get(f"/concerns/{third['reference']}")
    clock.time = A_TUESDAY + 6 * HOUR
    assert add(client, first).status_code == 201

    since = "changed_since=2026-11-24T14:30:00Z"
    assert found(desk, since) == [first["reference"], second["reference"]]
    assert found(desk, "changed_since=2026-11-24T15:00:00%2B00:00") == [first["reference"]]
    assert found(desk, f"{since}&order=urgent") == [first["reference"], second["reference"]]
    assert found(desk, f"{since}&state=received") == [first["reference"]]
    page = desk.get(f"/concerns?{since}&limit=1").json()
    assert found(desk, f"{since}&limit=1&cursor={page['next_cursor']}") == [second["reference"]]


def test_what_changed_since_an_event_begins_at_its_time(
    service: FastAPI, client: TestClient, desk: Desk, raised: Raise, clock: SettableClock
) -> None:
    follower = worker_of(service, client, "Kim Example", Scope.EVENTS)
    early = raised(0)["reference"]
    cursor = client.get("/v1/events", headers=follower.headers).json()["next_cursor"]
    late = raised(3)["reference"]
    clock.time = A_TUESDAY + 4 * HOUR

    assert set(found(desk, f"since_event={cursor}")) == {early, late}  # at its time or later: nothing is left out
    following = client.get(f"/v1/events?after={cursor}", headers=follower.headers).json()["next_cursor"]
    assert found(desk, f"since_event={following}") == [late]
    assert desk.get("/concerns?since_event=of-no-service").json()["type"] == "/v1/problems/invalid-cursor"


def test_the_next_moment_to_ask_for_precedes_every_pending_change(
    service: FastAPI, desk: Desk, raised: Raise, clock: SettableClock
) -> None:
    raised(0)

    moment = desk.get("/concerns").json()["next_changed_since"]

    waited = clock.time - dt.datetime.fromisoformat(moment)
    assert waited.total_seconds() >= service.state.context.settings.writer_wait_seconds


def test_concerns_are_found_by_how_they_came(service: FastAPI, client: TestClient, robin: Desk) -> None:
    call = {"channel": "call", "came_at": A_TUESDAY.isoformat(), "submission": a_concern()}
    written = robin.http.post("/v1/desk/concerns", json=call, headers=robin.headers).json()["reference"]
    sent = raise_concern(client)["reference"]
    sign_in_as(service, client, JO)

    assert [found(robin, f"channel={each}") for each in ("call", "api", "letter")] == [[written], [sent], []]
    assert [shown(client, channel=each) for each in ("call", "api", "letter")] == [[written], [sent], []]
    assert client.get("/desk?channel=pigeon").status_code == 400


def test_a_reference_is_found_by_its_first_characters_in_any_form(desk: Desk, raised: Raise) -> None:
    reference = raised(0)["reference"]
    raised(1)
    plain = reference.replace("-", "")

    for typed in (plain[:6].lower(), reference, f"{plain[:4]}%20{plain[4:7]}", plain):
        assert found(desk, f"reference={typed}") == [reference]


@for_each(
    "query",
    [
        "mine=true&unassigned=true",
        "mine=true&assigned_to=Sam",
        "changed_since=yesterday",
        "changed_since=1764000000",
        "changed_since=2026-11-24T09:30:00",
        "changed_since=2026-02-30T09:30:00Z",
        "changed_since=0001-01-01T00:00:00%2B14:00",
        "since_event=%2A",
        "since_event=LTE",
        "reference=4F7",
        "reference=ABCD",
        "reference=%25%25%25%25",
        "danger=maybe",
        "guide=No%20Slug",
        "assigned_to=",
        "assigned_to=%20Sam",
        "assigned_to=Sam%0A",
        "order=oldest",
    ],
)
def test_a_filter_that_cannot_be_is_refused_and_never_gives_everything(desk: Desk, raised: Raise, query: str) -> None:
    raised(0)

    answer = desk.get(f"/concerns?{query}")

    assert (answer.status_code, "concerns" in answer.json()) == (400, False)


def save(desk: Desk, name: str, **filters: Any) -> Any:
    return desk.http.put(f"/v1/desk/views/{name}", json=filters, headers=desk.headers)


def names(desk: Desk) -> list[str]:
    return [each["name"] for each in desk.get("/views").json()["views"]]


def test_a_view_is_saved_replaced_followed_and_removed(client: TestClient, robin: Desk) -> None:
    danger, _ = (raise_concern(client, immediate_danger=each) for each in ("yes", "no"))
    save(robin, "first", mine=True)
    saved = save(robin, "first", danger="yes", unassigned=True)

    (view,) = robin.get("/views").json()["views"]
    listed = client.get(view["links"]["concerns"], headers=robin.headers).json()["concerns"]

    assert saved.json() == view
    assert view["filters"] == {"danger": "yes", "unassigned": True}
    assert [each["reference"] for each in listed] == [danger["reference"]]
    removed = client.delete(view["links"]["self"], headers=robin.headers)
    assert removed.json() == {"views": []}
    assert client.delete(view["links"]["self"], headers=robin.headers).status_code == 404


def test_a_person_sees_only_their_own_views_and_loses_them_on_leaving(
    service: FastAPI, client: TestClient, robin: Desk
) -> None:
    sam = worker_of(service, client, "Sam Example")
    save(robin, "mine", mine=True)
    save(sam, "danger", danger="yes")

    assert (names(robin), names(sam)) == (["mine"], ["danger"])
    assert sam.http.delete("/v1/desk/views/mine", headers=sam.headers).status_code == 404
    service.state.context.writer.run(remove_views, "Robin Example")
    assert (names(robin), names(sam)) == ([], ["danger"])


@for_each("filters", [{"mine": True, "unassigned": True}, {"danger": "maybe"}, {"order": "x"}, {"assigned_to": " Sam"}])
def test_filters_that_cannot_be_are_not_saved(robin: Desk, filters: dict[str, Any]) -> None:
    assert save(robin, "view", **filters).status_code == 422
    assert names(robin) == []


def test_a_person_has_so_many_views_and_may_still_change_them(robin: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert saved_views.MAX_VIEWS == 50
    monkeypatch.setattr(saved_views, "MAX_VIEWS", 2)

    statuses = [save(robin, name, mine=True).status_code for name in ("a", "b", "c", "b")]

    assert statuses == [200, 200, 422, 200]


SAM = "Sam Example"
REFERENCE = re.compile(r"/desk/concerns/([0-9A-Z-]{14})(?:\?[^\"]*)?\"")


def shown(client: TestClient, path: str = "/desk", **query: str) -> list[str]:
    page = client.get(f"{path}?{urlencode(query)}" if query else path)
    assert page.status_code == 200
    return REFERENCE.findall(page.text)


@pytest.mark.slow
def test_filters_are_put_together_and_empty_ones_are_none(service: FastAPI, jo: TestClient) -> None:
    sign_in_as(service, TestClient(service), SAM)
    quiet, danger, mine, sams = (
        raise_concern(jo, immediate_danger=each)["reference"] for each in ("no", "yes", "yes", "not_sure")
    )
    press(jo, mine, "assignment", person=JO)
    press(jo, sams, "assignment", person=SAM)
    press(jo, sams, "acknowledgement")

    found = {
        "danger": shown(jo, danger="yes", state="", overdue="", guide="", who=""),
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


def test_owners_tests_and_states_are_filters_of_their_own(service: FastAPI, jo: TestClient) -> None:
    key = add_client(context_of_service(service).writer, name="tester", scopes=[Scope.SUBMIT], test=True, at=A_TUESDAY)
    sent = jo.post("/v1/concerns", json=a_concern(test=True), headers={"Authorization": f"Bearer {key}"})
    mine, other, test = raise_concern(jo)["reference"], raise_concern(jo)["reference"], sent.json()["reference"]
    for reference in (mine, test):
        press(jo, reference, "assignment", person=JO)
    press(jo, mine, "acknowledgement")

    assert shown(jo, show="acknowledged", who="me") == [mine]
    assert shown(jo, show="acknowledged", who="nobody") == []
    assert shown(jo, who="nobody") == [other]
    assert shown(jo, who="me", tests="yes") == shown(jo, show="tests") == [test]
    page = jo.get("/desk?show=acknowledged&who=me&tests=yes").text
    addresses = set(re.findall(r'<a href="(/desk[^"]*)"', page))
    assert {"/desk?who=me", "/desk?show=received", "/desk", "/desk?show=closed&amp;who=me&amp;tests=yes"} < addresses
    assert ": <strong>filtered</strong></summary>" in page
    assert ": <strong>Closed</strong></summary>" in jo.get("/desk?show=closed").text


@pytest.mark.any_database
def test_all_leaves_out_what_is_closed_unless_an_addition_waits(jo: TestClient) -> None:
    closed, waits = raise_concern(jo), raise_concern(jo)
    for receipt in (closed, waits):
        press(jo, receipt["reference"], "acknowledgement")
        press(jo, receipt["reference"], "outcome", outcome="no_further_action")

    assert shown(jo) == []
    assert add(jo, waits, "Alex Example came home.").is_success
    assert shown(jo) == [waits["reference"]]
    assert set(shown(jo, show="closed")) == {closed["reference"], waits["reference"]}


@pytest.mark.any_database
def test_each_state_says_how_much_is_open_and_counts_so_far_only(
    service: FastAPI, jo: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    references = [raise_concern(jo, immediate_danger=each)["reference"] for each in ("no", "no", "yes", "no")]
    for reference in references[:2]:
        press(jo, reference, "acknowledgement")
    press(jo, references[1], "outcome", outcome="no_further_action")

    assert counts(jo.get("/desk").text) == ["0", "2", "3", "1", "0", "1", "0"]
    assert counts(jo.get("/desk?who=me").text) == ["0", "2", "3", "0", "0", "0", "0"]
    for place in ("app.services.desk.inbox", "app.pages.desk.inbox"):
        monkeypatch.setattr(f"{place}.COUNT_LIMIT", 1)
    assert counts(jo.get("/desk").text) == ["0", "1+", "1+", "1", "0", "1", "0"]
    with Session(context_of_service(service).engine) as session:
        assert count_open(session, [InboxQuery(InboxOrder.URGENT)], actor=Actor("jo", "here", A_TUESDAY)) == [2]


def counts(page: str) -> list[str]:
    """Return the numbers of what is open: mine, waiting, all, in danger now, overdue, acknowledged and tests."""
    return re.findall(r'<span class="count">([^<]*)</span>', page)


@pytest.mark.any_database
def test_the_order_of_the_page_is_in_its_address(jo: TestClient, clock: SettableClock) -> None:
    urgent = raise_concern(jo, immediate_danger="yes")["reference"]
    clock.time += dt.timedelta(minutes=1)
    newest = raise_concern(jo)["reference"]
    clock.time += dt.timedelta(minutes=1)
    press(jo, urgent, "assignment", person=JO)

    assert shown(jo) == [urgent, newest]
    assert shown(jo, order="newest") == [newest, urgent]
    assert shown(jo, order="changed") == [urgent, newest]
    assert 'aria-sort="descending"><a href="/desk?order=newest">' in jo.get("/desk?order=newest").text


@pytest.mark.any_database
def test_one_press_in_the_inbox_assigns_to_me_and_stays_there(service: FastAPI, jo: TestClient) -> None:
    first, second = raise_concern(jo)["reference"], raise_concern(jo)["reference"]
    page = jo.get("/desk?show=received").text
    seen = {reference: seen_of(page, reference) for reference in (first, second)}
    sign_in_as(service, other := TestClient(service, follow_redirects=False), SAM)
    press(other, second, "assignment", person=SAM)

    taken = send(jo, "/desk/assignment", reference=first, seen=seen[first], list="show=received&order=newest")
    not_taken = send(jo, "/desk/assignment", reference=second, seen=seen[second], list="show=received")

    assert taken.headers["Location"] == f"/desk?show=received&order=newest&taken={first}"
    assert f"Assigned to you: <strong>{first}</strong>" in jo.get(taken.headers["Location"]).text
    assert not_taken.headers["Location"] == f"/desk/concerns/{second}#assign"
    assert shown(jo, who="me") == [first]
    assert shown(jo, who=f"person:{SAM}") == [second]
    assert send(jo, "/desk/assignment", reference=first, seen="1", list="danger=maybe").status_code == 400


def seen_of(page: str, reference: str) -> str:
    """Return the number of the last audit log entry that the concern's row knows of."""
    return page.partition(f'data-row="{reference}" data-seen="')[2].partition('"')[0]


@pytest.mark.any_database
def test_a_row_says_what_was_done_last_and_whether_i_opened_it(jo: TestClient) -> None:
    opened, unopened = raise_concern(jo)["reference"], raise_concern(jo)["reference"]
    press(jo, opened, "acknowledgement")
    jo.get(f"/desk/concerns/{opened}")

    rows = [jo.get("/desk").text.partition(f'id="row-{each}"')[2].partition("</tr>")[0] for each in (opened, unopened)]

    assert "Acknowledged" in rows[0]
    assert ["not yet opened by you" in each for each in rows] == [False, True]
    assert ['class="unopened"' in each for each in rows] == [False, True]


def test_what_changed_since_i_looked_is_what_came_after_i_said_so(
    service: FastAPI, jo: TestClient, clock: SettableClock
) -> None:
    old, changed = raise_concern(jo)["reference"], raise_concern(jo)["reference"]
    clock.time += dt.timedelta(minutes=5)
    first = jo.get("/desk?show=changed")
    (until,) = re.findall(r'name="until" value="([^"]*)"', first.text)
    clock.time += dt.timedelta(minutes=1)
    press(jo, changed, "assignment", person=JO)  # while the page is open

    answer = send(jo, "/desk/looked", until=until)

    assert set(REFERENCE.findall(first.text)) == {old, changed}
    assert answer.headers["Location"] == "/desk?show=changed"
    assert shown(jo, "/desk?show=changed") == [changed]
    assert "New since you last looked, Tuesday 24 November 2026 at 09:34" in text_of(jo.get("/desk?show=changed"))
    other = TestClient(service)
    sign_in_as(service, other, SAM)
    assert set(REFERENCE.findall(other.get("/desk?show=changed").text)) == {old, changed}
    clock.time += dt.timedelta(minutes=5)
    later = re.findall(r'name="until" value="([^"]*)"', jo.get("/desk?show=changed").text)[0]
    for moment in (later, until):  # the second is from a page that was open for long
        send(jo, "/desk/looked", until=moment)
        assert shown(jo, "/desk?show=changed") == []
    context_of_service(service).writer.run(remove_views, JO)
    assert set(shown(jo, "/desk?show=changed")) == {old, changed}


def test_a_look_without_its_moment_is_refused(jo: TestClient) -> None:
    assert {send(jo, "/desk/looked", until=until).status_code for until in ("", "x", "MQ", "IjIwMjYi")} == {400}
