"""Many concerns from one address: all of a school's are taken, a flood is bounded, and its mark tells no address."""

import datetime as dt
import ipaddress
import re
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from app.config import Settings
from app.main import create_app
from app.models.clients import Scope
from app.models.concerns import ConcernRow
from app.models.people import Role
from app.models.record import DisclosureRow
from app.services.limits import ONE_DAY, make_limiter
from app.services.verification import find_faults
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import Concern
from tests.support.databases import fail_writes, raw_connection
from tests.support.desk import FORM, Desk, desk_of, worker_of
from tests.support.people import OWN_PAGE, sign_in_as
from tests.support.publishing import a_key

pytestmark = pytest.mark.slow

A_SCHOOL, ELSEWHERE = "192.0.2.7", "198.51.100.9"
CONCERNS = "/v1/concerns"
PUPILS = 64
MARKED_AFTER = 20
MINUTE = dt.timedelta(minutes=1)

Call = Callable[[str], TestClient]


@contextmanager
def started(settings: Settings, clock: Callable[[], dt.datetime] = lambda: A_TUESDAY) -> Iterator[tuple[FastAPI, Call]]:
    """The service, and a way to call it from any network address."""
    service = create_app(settings, clock)
    with TestClient(service):
        yield service, lambda host: TestClient(service, client=(host, 50_000))


def marks(service: FastAPI) -> list[str]:
    """Return the bursts of all concerns, in the order of their receipt; empty for one that came in none."""
    with Session(service.state.context.engine) as session:
        rows = select(ConcernRow.burst).order_by(col(ConcernRow.received_at), col(ConcernRow.reference))
        return list(session.exec(rows))


def test_64_pupils_behind_one_address_on_one_afternoon_are_all_taken_also_in_ten_minutes_and_with_every_retry(
    settings: Settings, clock: SettableClock, a_concern: Concern
) -> None:
    answers = []
    with started(settings, clock) as (service, call):
        school = call(A_SCHOOL)
        for pupil in range(PUPILS):
            clock.time = A_TUESDAY + pupil * dt.timedelta(seconds=9)
            sent: Any = {
                "json": a_concern(reporter={"kind": "child"}),
                "headers": {"Idempotency-Key": f"pupil-{pupil}"},
            }
            answers += [school.post(CONCERNS, **sent), school.post(CONCERNS, **sent)]  # the wifi of the hall is bad
            page = school.post("/worried-about-yourself", data=typed_by_a_pupil(pupil)) if pupil % 2 else None
            assert page is None or page.status_code == 201

        stored = marks(service)

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["reference"] for answer in answers}) == PUPILS
    assert len(stored) == PUPILS + PUPILS // 2
    assert [mark for mark in stored[:8] if mark] == []
    assert len(set(filter(None, stored))) == 1
    assert {answer.json()["test"] for answer in answers} == {False}


def typed_by_a_pupil(number: int) -> dict[str, str]:
    return {
        "immediate_danger": "not_sure",
        "concern.narrative": f"An invented account of pupil {number}.",
        "do": "send",
    }


def test_a_flood_from_one_address_is_bounded_and_who_is_refused_is_told_who_to_call_and_when_to_try_again(
    settings: Settings, a_concern: Concern
) -> None:
    bounded = settings.model_copy(update={"limit_anonymous": "5/hour", "limit_unmarked": "2/day"})
    with started(bounded) as (service, call):
        client = a_key(call(ELSEWHERE), Scope.SUBMIT)
        first = call(A_SCHOOL).post(CONCERNS, json=a_concern(), headers={"Idempotency-Key": "the-first-one"})
        taken = [call(A_SCHOOL).post(CONCERNS, json=a_concern()) for _ in range(4)]

        refused = call(A_SCHOOL).post(CONCERNS, json=a_concern(immediate_danger="yes"))

        assert {answer.status_code for answer in taken} == {201}
        assert (refused.status_code, refused.json()["type"]) == (429, "/v1/problems/too-often")
        assert 1 <= int(refused.headers["Retry-After"]) <= 3600
        assert refused.json()["signposts"][0]["phones"]
        assert refused.json()["contacts"]
        page = call(A_SCHOOL).post("/worried-about-yourself", data=typed_by_a_pupil(1), headers={"Accept": "text/html"})
        assert (page.status_code, "999" in page.text) == (429, True)
        assert "An invented account of pupil 1." in page.text
        assert 1 <= int(page.headers["Retry-After"]) <= 3600
        again = call(A_SCHOOL).post(CONCERNS, json=a_concern(), headers={"Idempotency-Key": "the-first-one"})
        assert (again.status_code, again.json()) == (201, first.json())
        assert call(A_SCHOOL).post(f"{CONCERNS}/check", json=a_concern()).status_code == 200
        token = {"Authorization": f"Bearer {first.json()['status_token']}"}
        added = {"immediate_danger": "yes", "concern": {"narrative": "An invented account of what is happening now."}}
        path = f"{first.json()['links']['self']}/additions"
        assert call(A_SCHOOL).post(path, json=added, headers=token).status_code == 201
        assert call(ELSEWHERE).post(CONCERNS, json=a_concern()).status_code == 201
        assert {call(A_SCHOOL).post(CONCERNS, json=a_concern(), headers=client).status_code for _ in range(9)} == {201}
        assert [bool(mark) for mark in sorted(marks(service))] == [False] * 12 + [True] * 3


def test_long_additions_are_bounded_and_a_few_words_are_always_taken(settings: Settings, a_concern: Concern) -> None:
    bounded = settings.model_copy(update={"limit_anonymous": "2/hour"})
    with started(bounded) as (_, call):
        receipt = call(A_SCHOOL).post(CONCERNS, json=a_concern()).json()
        token = {"Authorization": f"Bearer {receipt['status_token']}"}

        def add(host: str, words: str, **headers: str) -> Any:
            body = {"immediate_danger": "yes", "concern": {"narrative": words}}
            return call(host).post(f"{receipt['links']['self']}/additions", json=body, headers=token | headers)

        once = {"Idempotency-Key": "an-addition"}
        taken = add(A_SCHOOL, "An invented account. " * 400, **once)
        assert [add(A_SCHOOL, "An invented account. " * 400).status_code for _ in range(2)] == [201, 429]
        retried = add(A_SCHOOL, "An invented account. " * 400, **once)
        assert (retried.status_code, retried.content) == (201, taken.content)
        assert add(A_SCHOOL, "Another account. " * 400, **once).status_code == 429
        refused = add(A_SCHOOL, "An invented account. " * 400)
        assert refused.json()["signposts"][0]["phones"]
        assert 1 <= int(refused.headers["Retry-After"]) <= 3600
        place = {"reference": receipt["reference"], "code": receipt["status_token"], "narrative": "Long. " * 1000}
        page = call(A_SCHOOL).post("/concerns/additions", data=place)
        assert (page.status_code, "Long. Long." in page.text, "Retry-After" in page.headers) == (429, True, True)
        assert [add(A_SCHOOL, "They are here now.").status_code for _ in range(9)] == [201] * 9
        assert add(ELSEWHERE, "An invented account. " * 400).status_code == 201


def test_what_is_refused_as_it_stands_counts_for_nothing(settings: Settings, a_concern: Concern) -> None:
    bounded = settings.model_copy(update={"limit_anonymous": "2/hour", "limit_unmarked": "1/day"})
    with started(bounded) as (service, call):
        faulty = [call(A_SCHOOL).post(CONCERNS, json=a_concern(guide="no-such-guide")) for _ in range(5)]
        stored = call(A_SCHOOL).post(CONCERNS, json=a_concern())

        assert ({answer.status_code for answer in faulty}, stored.status_code) == ({422}, 201)
        assert marks(service) == [""]


def test_the_mark_is_of_one_source_and_one_day_and_tells_no_address_even_to_whoever_has_the_secret(
    settings: Settings, clock: SettableClock, a_concern: Concern
) -> None:
    with started(settings.model_copy(update={"limit_unmarked": "1/day"}), clock) as (service, call):
        for host in (A_SCHOOL, ELSEWHERE, A_SCHOOL, ELSEWHERE, A_SCHOOL):
            assert call(host).post(CONCERNS, json=a_concern()).status_code == 201
            clock.time += MINUTE
        _, _, school, elsewhere, school_again = marks(service)
        clock.time = A_TUESDAY + dt.timedelta(days=1)
        assert call(A_SCHOOL).post(CONCERNS, json=a_concern()).status_code == 201
        next_day = marks(service)[-1]

    assert school == school_again
    assert len({school, elsewhere, next_day}) == 3
    assert (school[:11], next_day[:11], len(school)) == ("2026-11-24-", "2026-11-25-", len("2026-11-24-R7KX"))
    assert A_SCHOOL not in school


def test_a_mark_fits_thousands_of_addresses_and_nodes_with_one_secret_make_the_same(settings: Settings) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    secret = settings.data_dir / "limits-secret"
    secret.write_text("an invented secret of thirty-two characters")
    one, other = (make_limiter("memory://", secret) for _ in range(2))
    alone = make_limiter("memory://", None)
    day = A_TUESDAY.date()

    sources = [str(ipaddress.ip_address(0x0A000000 + number)) for number in range(1 << 17)]
    alike = sum(one.mark(source, day) == one.mark(A_SCHOOL, day) for source in sources)

    assert one.mark(A_SCHOOL, day) == other.mark(A_SCHOOL, day)
    assert one.mark(A_SCHOOL, day) != one.mark(A_SCHOOL, day + dt.timedelta(days=1))
    assert alike >= 1  # so of the 4,000 million addresses some 65,000 fit
    before = alone.mark(A_SCHOOL, day)
    alone.mark(A_SCHOOL, day + dt.timedelta(days=1))
    assert alone.mark(A_SCHOOL, day)[11:] != before[11:]  # the key of the day was thrown away


def test_the_first_marks_of_a_day_that_are_made_at_once_are_the_same_and_none_goes_back_to_the_day_before() -> None:
    limiter, days = make_limiter("memory://", None), [A_TUESDAY.date() + number * ONE_DAY for number in range(200)]
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            made = [set(pool.map(limiter.mark, [A_SCHOOL] * 16, [day] * 16)) for day in days]
    finally:
        sys.setswitchinterval(usual)

    assert [len(marks) for marks in made] == [1] * len(days)
    assert {limiter.mark(A_SCHOOL, days[-2])} == made[-1]


def test_the_desk_filters_a_burst_and_acknowledges_it_together_with_an_act_in_the_chain_of_each(
    settings: Settings, clock: SettableClock, a_concern: Concern
) -> None:
    with started(settings.model_copy(update={"limit_unmarked": "2/day"}), clock) as (service, call):
        desk = desk_of(service, call("127.0.0.1"))
        flood = []
        for _ in range(8):
            flood.append(call(A_SCHOOL).post(CONCERNS, json=a_concern(immediate_danger="yes")).json())
            clock.time += MINUTE
        real = call(ELSEWHERE).post(CONCERNS, json=a_concern(immediate_danger="yes")).json()["reference"]
        token = {"Authorization": f"Bearer {flood[3]['status_token']}"}
        more = {"concern": {"narrative": "An invented account."}}
        path = f"{flood[3]['links']['self']}/additions"
        assert call(A_SCHOOL).post(path, json=more, headers=token).status_code == 201
        clock.time += MINUTE
        until = clock.time.isoformat()
        clock.time += MINUTE
        assert call(A_SCHOOL).post(path, json=more, headers=token).status_code == 201
        entries = {each["reference"]: each for each in desk.get("/concerns").json()["concerns"]}
        burst = entries[flood[2]["reference"]]["burst"]
        assert [entries[each["reference"]]["burst"] for each in flood] == [None] * 2 + [burst] * 6
        assert entries[real]["burst"] is None

        listed = [each["reference"] for each in desk.get(f"/concerns?burst={burst}").json()["concerns"]]
        others = [each["reference"] for each in desk.get("/concerns?burst=none").json()["concerns"]]
        done = desk.post(f"/bursts/{burst}/acknowledgement", {"references": listed, "additions_until": until})

        assert listed == sorted(listed, key=[each["reference"] for each in flood].index)
        assert set(others) == {flood[0]["reference"], flood[1]["reference"], real}
        assert done.status_code == 200
        assert [each["state"] for each in done.json()["concerns"]] == ["acknowledged"] * 6
        waits = {each["reference"]: each["additions_waiting"] for each in done.json()["concerns"]}
        assert waits == dict.fromkeys(listed, 0) | {flood[3]["reference"]: 1}  # what came after the look waits
        with Session(service.state.context.engine) as session:
            acts = session.exec(select(DisclosureRow).where(DisclosureRow.act == "acknowledged")).all()
        assert sorted(act.chain for act in acts) == sorted(listed)
        assert {act.detail for act in acts if act.chain != flood[3]["reference"]} == {f"together, 6 of {burst}"}
        assert {act.client for act in acts} == {"example-desk"}
        assert desk.get("/summary").json()["received"] == 3
        again = desk.post(f"/bursts/{burst}/acknowledgement", {"references": listed})
        assert again.status_code == 200
        assert list(find_faults(service.state.context.engine)) == []


def test_the_page_shows_a_burst_hides_it_and_acknowledges_what_it_showed_after_a_look(
    settings: Settings, clock: SettableClock, a_concern: Concern
) -> None:
    with started(settings.model_copy(update={"limit_unmarked": "1/day"}), clock) as (service, call):
        for _ in range(4):
            assert call(A_SCHOOL).post(CONCERNS, json=a_concern()).status_code == 201
            clock.time += MINUTE
        burst = marks(service)[-1]
        jo, reader = (TestClient(service, client=("127.0.0.1", 50_000), follow_redirects=False) for _ in range(2))
        sign_in_as(service, jo)
        sign_in_as(service, reader, "Sam Example", Role.READER)

        inbox = jo.get("/desk").text
        assert inbox.count("One of many") == 3
        assert f'href="/desk?burst={burst}"' in inbox
        assert jo.get("/desk?burst=none").text.count("<h3>") == 1
        assert jo.get("/desk?burst=nonsense").status_code == 400
        shown = jo.get(f"/desk?burst={burst}").text
        assert "Acknowledge these 3 together" in shown
        assert "Acknowledge these" not in reader.get(f"/desk?burst={burst}").text
        path = f"/desk/bursts/{burst}/acknowledgement"
        fields = re.findall(r'name="(until|reference)" value="([^"]+)"', shown.partition(path)[2])
        assert call(A_SCHOOL).post(CONCERNS, json=a_concern()).status_code == 201  # it came after the look

        def press(client: TestClient, *more: tuple[str, str]) -> Any:
            return client.post(path, content=urlencode([*fields, *more]), headers=OWN_PAGE | FORM)

        unsure = press(jo)
        assert (unsure.status_code, "Confirm that you have read them" in unsure.text) == (422, True)
        assert press(reader, ("seen", "yes")).status_code == 403
        done = press(jo, ("seen", "yes"))

        assert done.status_code == 303
        assert "Acknowledge it" in jo.get(done.headers["location"]).text
        with Session(service.state.context.engine) as session:
            states = session.exec(select(ConcernRow.state).order_by(col(ConcernRow.received_at))).all()
        assert sorted(states) == [*["acknowledged"] * 3, "received", "received"]


def test_only_what_came_in_the_burst_is_acknowledged_with_it_and_all_of_it_or_nothing(
    settings: Settings, a_concern: Concern
) -> None:
    with started(settings.model_copy(update={"limit_unmarked": "1/day"})) as (service, call):
        desk = desk_of(service, call("127.0.0.1"))
        _, marked = (call(A_SCHOOL).post(CONCERNS, json=a_concern()).json()["reference"] for _ in range(2))
        real = call(ELSEWHERE).post(CONCERNS, json=a_concern()).json()["reference"]
        burst = desk.get(f"/concerns?reference={marked}").json()["concerns"][0]["burst"]
        path = f"/bursts/{burst}/acknowledgement"
        reader = worker_of(service, call("127.0.0.1"), None, Scope.READ)

        refused = desk.post(path, {"references": [marked, real]})

        assert refused.status_code == 422
        assert refused.json()["errors"][0]["pointer"] == "#/references/1"
        assert real not in refused.text
        assert desk.get("/summary").json()["received"] == 3
        for wrong in ([], ["nonsense"], [marked] * 101):
            assert desk.post(path, {"references": wrong}).status_code == 422
        assert desk.post("/bursts/2026-11-24-XXXX/acknowledgement", {"references": [marked]}).status_code == 422
        assert desk.post("/bursts/nonsense/acknowledgement", {"references": [marked]}).status_code == 404
        assert desk.get("/concerns?burst=nonsense").status_code == 400
        assert reader.post(path, {"references": [marked]}).status_code == 403
        with raw_connection(settings.data_dir) as database:
            fail_writes(database, "INSERT", "disclosures")
        assert desk.post(path, {"references": [marked]}).status_code == 503
        with Session(service.state.context.engine) as session:
            states = session.exec(select(ConcernRow.state)).all()
        assert states == ["received"] * 3  # an act that cannot be recorded does not happen


def test_within_one_due_time_the_inbox_is_in_the_order_of_receipt(
    client: TestClient, desk: Desk, a_concern: Concern, clock: SettableClock
) -> None:
    saturday = A_TUESDAY + dt.timedelta(days=4)
    sent = []
    for minute in range(12):
        clock.time = saturday + minute * MINUTE
        sent.append(client.post(CONCERNS, json=a_concern()).json())
    clock.time = saturday + dt.timedelta(hours=1)

    pages, cursor = [], ""
    while cursor is not None:
        page = desk.get(f"/concerns?limit=5{cursor and f'&cursor={cursor}'}").json()
        pages += [each["reference"] for each in page["concerns"]]
        cursor = page["next_cursor"]

    assert len({each["acknowledge_by"] for each in sent}) == 1
    assert pages == [each["reference"] for each in sent]


def test_marked_concerns_are_counted_and_whoever_rewrites_a_mark_is_found(
    settings: Settings, a_concern: Concern
) -> None:
    with started(settings.model_copy(update={"limit_unmarked": "1/day"})) as (_service, call):
        for _ in range(3):
            call(A_SCHOOL).post(CONCERNS, json=a_concern())
        metrics: Any = call(ELSEWHERE).get("/metrics").text

        assert "guidance_marked_concerns_total 2.0" in metrics
