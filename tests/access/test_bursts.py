"""Many concerns from one address: all of a school's are taken, a flood is bounded, and its mark tells no address."""

import datetime as dt
import ipaddress
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

import anyio
import pytest
from fastapi import FastAPI
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from app.config import Settings
from app.http import turns
from app.main import create_app
from app.models.access.clients import Scope
from app.models.access.roles import Role
from app.models.audit.details import sentence_of
from app.models.audit.rows import AuditEntryRow
from app.models.concerns.rows import ConcernRow
from app.services.access.limits import ONE_DAY, make_limiter, make_policy, networks_of
from app.services.access.sources import Sources
from app.services.operations.verification import find_faults
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import a_concern, token_of
from tests.support.databases import fail_writes, raw_connection
from tests.support.desk import FORM, Desk, desk_of, worker_of
from tests.support.loops import for_each
from tests.support.people import OWN_PAGE, sign_in_as

pytestmark = pytest.mark.slow

A_SCHOOL, ELSEWHERE = "192.0.2.7", "198.51.100.9"
CONCERNS = "/v1/concerns"
PUPILS = 64
MINUTE = dt.timedelta(minutes=1)
RATES_OF_SOURCES = {"unmarked": "20/day", "most": "200/hour", "flood": "50000/day", "saved": "2000000/day"}

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


def test_every_concern_of_64_pupils_behind_one_address_is_taken(settings: Settings, clock: SettableClock) -> None:
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


SCRIPT_TIMES = 12
FEW = {
    "limit_concerns": "4/minute",
    "limit_status": "8/minute",
    "limit_search": "4/minute",
    "limit_wrong_codes": "4/minute",
    "limit_anonymous": "5/hour",
    "limit_unmarked": "2/day",
}
"""Limits that a script passes with a few requests of each kind."""
LONG = "An invented account. " * 400


@dataclass(frozen=True)
class Place:
    """A service, what somebody at an address sent before a script came, and the clients of both, at that address."""

    school: TestClient
    receipt: dict[str, Any]
    saved: str

    @property
    def token(self) -> dict[str, str]:
        return token_of(self.receipt)

    @property
    def typed(self) -> dict[str, str]:
        return {"reference": self.receipt["reference"], "code": self.receipt["status_token"]}

    def send(self, **changes: Any) -> Any:
        return self.school.post(CONCERNS, json=a_concern(**changes))

    def fill_in(self, path: str, do: str, **changes: str) -> Any:
        return self.school.post(path, data=typed_by_a_pupil(1) | {"do": do} | changes)

    def add(self, words: str, **headers: str) -> Any:
        body = {"immediate_danger": "yes", "concern": {"narrative": words}}
        return self.school.post(f"{self.receipt['links']['self']}/additions", json=body, headers=self.token | headers)


SCRIPT: dict[str, Callable[[Place], Any]] = {
    "concerns in danger": lambda at: at.send(immediate_danger="yes"),
    "concerns without danger": lambda at: at.send(immediate_danger="no"),
    "long concerns": lambda at: at.send(concern={"narrative": LONG}),
    "the child's form": lambda at: at.fill_in("/worried-about-yourself", "now"),
    "steps of the form": lambda at: at.fill_in("/raise-a-concern", "add:children"),
    "saving of the form": lambda at: at.fill_in("/raise-a-concern", "save"),
    "checks": lambda at: at.school.post(f"{CONCERNS}/check", json=a_concern()),
    "wrong codes": lambda at: at.school.get(f"{CONCERNS}/4F7K-926W-0X3R", headers=at.token),
    "wrong codes of this concern": lambda at: at.school.post("/concerns", data=at.typed | {"code": "wrong"}),
    "wrong codes of saved forms": lambda at: at.school.post("/concerns/saved", data={"code": at.saved[:-1]}),
    "messages of assistants": lambda at: at.school.post("/mcp", json={}),
    "searches": lambda at: at.school.get("/v1/search?q=missing"),
}
BY_HAND: dict[str, tuple[Callable[[Place], Any], int]] = {
    "a concern in danger": (lambda at: at.send(immediate_danger="yes"), 201),
    "a long concern in danger": (lambda at: at.send(immediate_danger="yes", concern={"narrative": LONG}), 201),
    "a concern without danger": (lambda at: at.send(immediate_danger="no"), 201),
    "the form": (lambda at: at.fill_in("/raise-a-concern", "send", **{"reporter.kind": "professional"}), 201),
    "the form's answers to check": (lambda at: at.fill_in("/raise-a-concern", "check"), 422),
    "a child's 'Send what you have now'": (lambda at: at.fill_in("/worried-about-yourself", "now"), 201),
    "the status": (lambda at: at.school.get(at.receipt["links"]["self"], headers=at.token), 200),
    "the page of the status": (lambda at: at.school.post("/concerns", data=at.typed), 200),
    "messages": (lambda at: at.school.get(f"{at.receipt['links']['self']}/messages", headers=at.token), 200),
    "the receipt as a file": (
        lambda at: at.school.post("/concerns/receipt", data=at.typed | {"receipt": at.receipt["receipt"]}),
        200,
    ),
    "an addition": (lambda at: at.add("He is here now."), 201),
    "a long addition": (lambda at: at.add(LONG), 201),
    "an addition on the page": (
        lambda at: at.school.post("/concerns/additions", data=at.typed | {"narrative": "He is here now."}),
        200,
    ),
    "a saved form": (lambda at: at.school.post("/concerns/saved", data={"code": at.saved, "page": "1"}), 200),
}


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer late, but not much."""
    monkeypatch.setattr(turns, "LATE_SECONDS", 0.01)


@pytest.mark.usefixtures("quickly")
def test_a_script_stops_nobody_else_at_its_address(settings: Settings) -> None:
    with started(settings.model_copy(update=FEW)) as (_service, call):
        school = call(A_SCHOOL)
        saving = school.post("/raise-a-concern", data=typed_by_a_pupil(1) | {"do": "save"})
        saved = re.findall(r'class="code-words">([^<]*)<', saving.text)[0]
        place = Place(school, school.post(CONCERNS, json=a_concern()).json(), saved)

        by_script = {what: [send(place).status_code for _ in range(SCRIPT_TIMES)] for what, send in SCRIPT.items()}
        by_hand = {what: send(place).status_code for what, (send, _) in BY_HAND.items()}

    assert by_hand == {what: status for what, (_, status) in BY_HAND.items()}
    taken = ("concerns in danger", "concerns without danger", "the child's form", "steps of the form")
    assert {what for what, statuses in by_script.items() if 429 not in statuses} == set(taken)


@pytest.mark.usefixtures("quickly")
def test_a_flood_over_its_limit_is_refused_except_short_concerns_in_danger(settings: Settings) -> None:
    bounded = settings.model_copy(update={"limit_anonymous": "2/hour", "limit_flood": "6/day"})
    with started(bounded) as (_, call):
        send = partial(call(A_SCHOOL).post, CONCERNS)
        first = send(json=a_concern(), headers={"Idempotency-Key": "the-first-one"})
        statuses = [send(json=a_concern(immediate_danger="not_sure")).status_code for _ in range(7)]

        refused = send(json=a_concern(immediate_danger="not_sure"))
        page = call(A_SCHOOL).post("/worried-about-yourself", data=typed_by_a_pupil(1))
        again = send(json=a_concern(), headers={"Idempotency-Key": "the-first-one"})
        in_danger_at_length = a_concern(immediate_danger="yes", concern={"narrative": LONG})
        long = [send(json=in_danger_at_length).status_code for _ in range(3)]
        in_danger = send(json=a_concern(immediate_danger="yes"))

        assert statuses == [201] * 7
        assert (refused.status_code, refused.json()["type"]) == (429, "/v1/problems/too-often")
        assert 1 <= int(refused.headers["Retry-After"]) <= dt.timedelta(days=1).total_seconds()
        assert refused.json()["signposts"][0]["phones"]
        assert (page.status_code, "999" in page.text) == (429, True)
        assert "An invented account of pupil 1." in page.text
        assert (again.status_code, again.json()) == (201, first.json())
        assert (long, in_danger.status_code) == ([201, 201, 429], 201)
        assert call(ELSEWHERE).post(CONCERNS, json=a_concern()).status_code == 201


@pytest.mark.usefixtures("quickly")
def test_long_concerns_have_a_count_of_their_own_and_are_refused_first(settings: Settings) -> None:
    with started(settings.model_copy(update={"limit_anonymous": "3/hour"})) as (_, call):
        short = [call(A_SCHOOL).post(CONCERNS, json=a_concern()).status_code for _ in range(6)]
        long = [call(A_SCHOOL).post(CONCERNS, json=a_concern(concern={"narrative": LONG})) for _ in range(4)]

        assert short == [201] * 6
        assert [answer.status_code for answer in long] == [201, 201, 201, 429]


@pytest.mark.usefixtures("quickly")
def test_long_additions_to_a_marked_concern_are_limited_per_concern(settings: Settings) -> None:
    bounded = settings.model_copy(
        update={"limit_anonymous": "2/hour", "limit_unmarked": "1/day", "limit_flood": "1/day"}
    )
    with started(bounded) as (_, call):
        receipts = [call(A_SCHOOL).post(CONCERNS, json=a_concern()).json() for _ in range(2)]
        alone, marked = (Place(call(A_SCHOOL), receipt, "") for receipt in receipts)

        taken = marked.add(LONG, **{"Idempotency-Key": "an-addition"})
        statuses = [marked.add(LONG).status_code for _ in range(2)]
        of_two_bytes = marked.add("é" * 3000)  # long in bytes, not in letters
        retried = marked.add(LONG, **{"Idempotency-Key": "an-addition"})
        page = marked.school.post("/concerns/additions", data=marked.typed | {"narrative": LONG})

        assert (taken.status_code, statuses, of_two_bytes.status_code) == (201, [201, 429], 429)
        assert (retried.status_code, retried.content) == (201, taken.content)
        assert (page.status_code, LONG[:40] in page.text, "Retry-After" in page.headers) == (429, True, True)
        assert [marked.add("They are here now.").status_code for _ in range(9)] == [201] * 9
        assert [alone.add(LONG).status_code for _ in range(5)] == [201] * 5


LINES = {
    # what sends, one after the other: how many of its concerns have the mark of how wide a network
    "one address of IPv4": (["192.0.2.7"] * 30, {"": 20, "192.0.2.7": 10}),
    "one network of a line": (["2001:db8:1:2::1"] * 30, {"": 20, "2001:db8:1:2::/64": 10}),
    "a line at home": ([f"2001:db8:1:{n % 256:x}::1" for n in range(100)], {"": 60, "2001:db8:1::/56": 40}),
    "a server": ([f"2001:db8:1:{n * 256 % 65536:x}::1" for n in range(240)], {"": 200, "2001:db8:1::/48": 40}),
    "neighbours": ([f"2001:db8:{n:x}::1" for n in range(240)], {"": 240}),
}


@for_each("what", list(LINES))
def test_one_line_of_ipv6_is_one_source_and_has_one_mark(what: str) -> None:
    addresses, expected = LINES[what]
    limiter = make_limiter("memory://", None)
    sources = Sources(limiter, *(make_policy(name, rate) for name, rate in RATES_OF_SOURCES.items()))
    day = A_TUESDAY.date()

    async def admit() -> Counter[str]:
        admitted = [await sources.admit(networks_of(each), size=100, in_danger=True, day=day) for each in addresses]
        return Counter(admission.source_id for admission in admitted)

    marks = {limiter.source_id_of(name, day) if name else "": count for name, count in expected.items()}
    assert dict(anyio.run(admit)) == marks


def test_a_network_over_its_limit_leaves_its_neighbour_s_limit_untouched() -> None:
    limiter, policy = make_limiter("memory://", None), make_policy("concerns", "3/minute")
    for _ in range(1000):
        limiter.count_here(policy, networks_of("2001:db8:1:2::1"))

    neighbour = limiter.count_here(policy, networks_of("2001:db8:1:3::1"))

    assert (neighbour.is_over, neighbour.remaining) == (False, 2)


def test_a_faulty_concern_does_not_count_towards_a_limit(settings: Settings) -> None:
    bounded = settings.model_copy(update={"limit_anonymous": "2/hour", "limit_unmarked": "1/day"})
    with started(bounded) as (service, call):
        faulty = [call(A_SCHOOL).post(CONCERNS, json=a_concern(guide="no-such-guide")) for _ in range(5)]
        stored = call(A_SCHOOL).post(CONCERNS, json=a_concern())

        assert ({answer.status_code for answer in faulty}, stored.status_code) == ({422}, 201)
        assert marks(service) == [""]


def test_a_mark_is_of_one_source_and_day_and_reveals_no_address(settings: Settings, clock: SettableClock) -> None:
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


def test_a_mark_fits_many_addresses_and_nodes_sharing_a_secret_agree(settings: Settings) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    secret = settings.data_dir / "limits-secret"
    secret.write_text("an invented secret of thirty-two characters")
    one, other = (make_limiter("memory://", secret) for _ in range(2))
    alone = make_limiter("memory://", None)
    day = A_TUESDAY.date()

    sources = [str(ipaddress.ip_address(0x0A000000 + number)) for number in range(1 << 17)]
    alike = sum(one.source_id_of(source, day) == one.source_id_of(A_SCHOOL, day) for source in sources)

    assert one.source_id_of(A_SCHOOL, day) == other.source_id_of(A_SCHOOL, day)
    assert one.source_id_of(A_SCHOOL, day) != one.source_id_of(A_SCHOOL, day + dt.timedelta(days=1))
    assert alike >= 1  # so of the 4,000 million addresses some 65,000 fit
    before = alone.source_id_of(A_SCHOOL, day)
    alone.source_id_of(A_SCHOOL, day + dt.timedelta(days=1))
    assert alone.source_id_of(A_SCHOOL, day)[11:] != before[11:]  # the key of the day was thrown away


def test_marks_made_at_once_agree_and_never_go_back_a_day() -> None:
    limiter, days = make_limiter("memory://", None), [A_TUESDAY.date() + number * ONE_DAY for number in range(200)]
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            made = [set(pool.map(limiter.source_id_of, [A_SCHOOL] * 16, [day] * 16)) for day in days]
    finally:
        sys.setswitchinterval(usual)

    assert [len(marks) for marks in made] == [1] * len(days)
    assert {limiter.source_id_of(A_SCHOOL, days[-2])} == made[-1]


def test_the_desk_filters_a_burst_and_acknowledges_it_with_one_act_each(
    settings: Settings, clock: SettableClock
) -> None:
    with started(settings.model_copy(update={"limit_unmarked": "2/day"}), clock) as (service, call):
        desk = desk_of(service, call("127.0.0.1"))
        flood = []
        for _ in range(8):
            flood.append(call(A_SCHOOL).post(CONCERNS, json=a_concern(immediate_danger="yes")).json())
            clock.time += MINUTE
        real = call(ELSEWHERE).post(CONCERNS, json=a_concern(immediate_danger="yes")).json()["reference"]
        token = token_of(flood[3])
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
            acts = session.exec(select(AuditEntryRow).where(AuditEntryRow.act == "acknowledged")).all()
        assert sorted(act.chain for act in acts) == sorted(listed)
        assert {sentence_of(act) for act in acts if act.chain != flood[3]["reference"]} == {f"together, 6 of {burst}"}
        assert {act.client for act in acts} == {"example-desk"}
        assert desk.get("/summary").json()["received"] == 3
        again = desk.post(f"/bursts/{burst}/acknowledgement", {"references": listed})
        assert again.status_code == 200
        assert list(find_faults(service.state.context.engine)) == []


def test_the_inbox_shows_and_hides_a_burst_and_acknowledges_what_it_showed(
    settings: Settings, clock: SettableClock
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
        assert inbox.count("From one source") == 3
        assert f'href="/desk?burst={burst}"' in inbox
        assert jo.get("/desk?burst=none").text.count("data-row=") == 1
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


def test_a_burst_s_acknowledgement_with_any_other_concern_changes_nothing(settings: Settings) -> None:
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
            fail_writes(database, "INSERT", "audit_entries")
        assert desk.post(path, {"references": [marked]}).status_code == 503
        with Session(service.state.context.engine) as session:
            states = session.exec(select(ConcernRow.state)).all()
        assert states == ["received"] * 3  # an act that cannot be recorded does not happen


def test_within_one_due_time_the_inbox_is_in_the_order_of_receipt(
    client: TestClient, desk: Desk, clock: SettableClock
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


def test_marked_concerns_are_counted_in_the_metrics(settings: Settings) -> None:
    with started(settings.model_copy(update={"limit_unmarked": "1/day"})) as (_service, call):
        for _ in range(3):
            call(A_SCHOOL).post(CONCERNS, json=a_concern())
        metrics: Any = call(ELSEWHERE).get("/metrics").text

        assert "guidance_marked_concerns_total 2.0" in metrics
