"""A concern that only some may open: nobody else meets anything of it, by page, route, list, event or email."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from app.extensions.operator_tools.services.concern_checks import check_restricted
from app.http.context import AppContext
from app.models.access.clients import Scope
from app.models.access.roles import Role
from app.models.references import EXAMPLE_BURST, new_reference
from app.services.access.access_record import by_operator
from app.services.access.clients import add_client
from app.services.access.people import change_role, remove_person_access
from app.services.cursors import encode_key
from app.services.events.deliveries import claim_due
from app.services.events.emails import build_email, claim_email
from app.services.events.outbox import id_and_payload
from app.services.events.webhooks import insert_webhook
from app.services.operations.check_model import CheckContext
from app.services.operations.verification import find_faults
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import a_concern, add, raise_concern, token_of
from tests.support.delivery import a_receiver
from tests.support.desk import Desk, acts_on, ask_for_file, press, send, text_of, worker_of
from tests.support.people import JO, invited, sign_in_as
from tests.support.publishing import a_key

SAM, KIM, ASH = "Sam Example", "Kim Example", "Ash Example"
WORDS, LABEL, REASON = "Canary-Words", "Canary-Label", "Canary-Reason"
AREAS = ("/v1/desk", "/desk", "/v1/events")
ABOUT_STAFF = {"narrative": f"{WORDS}: it is about someone at the desk.", "about_council_staff": "yes"}
REQUEST_ID = re.compile(r"urn:uuid:[0-9a-f-]+")
OFFERED = re.compile(r"<option[^>]*>([^<]+ Example)</option>")
PARAMETER = re.compile(r"{([a-z_]+)(:path)?}")
Read = Callable[[str, str], tuple[int, str]]


@dataclass(frozen=True)
class Team:
    """Leads Sam and Kim, and the worker Jo, each with a client key of their own."""

    sam: Desk
    kim: Desk
    jo: Desk


@pytest.fixture
def team(service: FastAPI, client: TestClient) -> Team:
    lead = (Scope.READ, Scope.WRITE, Scope.AUDIT, Scope.EVENTS)
    for name, role in ((SAM, Role.LEAD), (KIM, Role.LEAD), (JO, Role.WORKER), (ASH, Role.READER)):
        invited(service, name, role)
    return Team(
        worker_of(service, client, SAM, *lead),
        worker_of(service, client, KIM, *lead),
        worker_of(service, client, JO, Scope.READ, Scope.WRITE, Scope.EVENTS),
    )


def restrict(desk: Desk, reference: str, *people: str, restricted: bool = True) -> Any:
    body = {"restricted": restricted, "people": people, "reason": REASON}
    return desk.http.put(f"/v1/desk/concerns/{reference}/restriction", json=body, headers=desk.headers)


def assign(desk: Desk, reference: str, person: str) -> Any:
    path = f"/v1/desk/concerns/{reference}/assignment"
    return desk.http.put(path, json={"person": person}, headers=desk.headers)


def reads(desk: Desk, reference: str) -> int:
    return int(desk.get(f"/concerns/{reference}").status_code)


@pytest.fixture
def of_staff(team: Team, client: TestClient) -> str:
    """A concern of which the form says that it is about somebody who works for the council."""
    assert team
    reference: str = raise_concern(client, concern=ABOUT_STAFF)["reference"]
    return reference


@pytest.fixture
def hidden(team: Team, client: TestClient) -> str:
    """A concern that everybody has read, then limited to Sam and Ash: with all that can be about a concern."""
    reference: str = raise_concern(client, concern={"narrative": f"{WORDS}."}, immediate_danger="yes")["reference"]
    for desk in (team.jo, team.kim, team.sam):
        assert reads(desk, reference) == 200
        assert desk.get("/cards").is_success
        assert desk.get(f"/concerns?reference={reference}").is_success
    assert assign(team.jo, reference, JO).is_success
    day = {"day": "2026-11-24", "whose": "team"}
    path = f"/v1/desk/concerns/{reference}/look-again"
    assert client.put(path, json=day, headers=team.jo.headers).is_success
    label = {"text": LABEL}
    assert client.put(f"/v1/desk/concerns/{reference}/label", json=label, headers=team.sam.headers).is_success
    assert team.sam.act(reference, "notes", text=f"{WORDS}: a note.").is_success
    assert team.sam.act(reference, "messages", text=f"{WORDS}: a message.").is_success
    assert team.sam.act(reference, "hold", held=True, reason=REASON).is_success
    assert team.sam.get(f"/disclosures?chain={reference}").is_success
    assert restrict(team.sam, reference, SAM, ASH).is_success
    return reference


def routes(service: FastAPI) -> Iterator[tuple[str, str]]:
    """Yield the method and the path of every route of the desk and of events."""
    for route in iter_route_contexts(service.routes):
        path = route.path or ""
        if path.startswith(AREAS):
            for method in sorted((route.methods or set()) - {"HEAD"}):
                yield method, path


def by_key(desk: Desk, method: str, path: str) -> tuple[int, str]:
    body: dict[str, Any] = {} if method == "GET" else {"json": {}}
    answer = desk.http.request(method, path, headers=desk.headers, follow_redirects=False, **body)
    return answer.status_code, REQUEST_ID.sub("", answer.text)


def by_session(client: TestClient, method: str, path: str) -> tuple[int, str]:
    if path.startswith("/v1"):
        return by_key(Desk(client, {}), method, path)
    answer = send(client, path) if method == "POST" else client.request(method, path, follow_redirects=False)
    return answer.status_code, answer.text


def readers(service: FastAPI, client: TestClient, team: Team) -> Iterator[tuple[str, Read]]:
    """Yield how each person who may not open the concern asks for something: by their key, and by their session."""
    for name, desk, role in ((JO, team.jo, Role.WORKER), (KIM, team.kim, Role.LEAD)):
        yield f"the key of {name}", partial(by_key, desk)
        sign_in_as(service, client, name, role)
        yield f"the session of {name}", partial(by_session, client)
        client.cookies.clear()


@pytest.mark.slow
def test_every_route_of_a_hidden_concern_answers_as_for_none(
    service: FastAPI, client: TestClient, team: Team, hidden: str
) -> None:
    named = [(method, path) for method, path in routes(service) if "{reference}" in path or "{chain}" in path]
    none, differing = new_reference(), []
    for who, read in readers(service, client, team):
        for method, path in named:
            own = PARAMETER.sub("1", path.replace("{reference}", "REF").replace("{chain}", "REF"))
            status, text = read(method, own.replace("REF", hidden))
            if (status, text.replace(hidden, "")) != (404, read(method, own.replace("REF", none))[1].replace(none, "")):
                is_other_area = status in (401, 403)  # a session opens no route, and a worker reads no audit log
                differing += [] if is_other_area else [f"{who}: {method} {path} {status}"]

    assert len(named) > 50
    assert differing == []
    assert by_key(team.sam, "GET", f"/v1/desk/concerns/{hidden}")[0] == 200


@pytest.mark.slow
def test_no_file_of_a_person_is_recorded_with_a_hidden_concern(
    service: FastAPI, client: TestClient, team: Team, hidden: str
) -> None:
    assert team
    sign_in_as(service, client, JO)
    none = new_reference()
    page = ask_for_file(service)

    told = [send(client, f"{page}/record", reference=each, file_sha256="0" * 64) for each in (hidden, none)]

    assert [answer.status_code for answer in told] == [404, 404]
    assert told[0].text.replace(hidden, "") == told[1].text.replace(none, "")
    assert "exported" not in [act for act, *_ in acts_on(service, hidden)]


@pytest.mark.slow
def test_no_list_page_event_or_log_names_a_hidden_concern(
    service: FastAPI, client: TestClient, team: Team, hidden: str
) -> None:
    lists = [path for method, path in routes(service) if method == "GET" and "{" not in path]
    lists += [f"/v1/desk/{name}?person=Sam+Example" for name in ("disclosures", "disclosures.csv")]
    lists += [f"/desk/record?person={name}" for name in ("Sam+Example", "Kim+Example", "Jo+Example")]
    lists += [f"/desk/retention{kind}?list=held" for kind in ("", ".csv")]
    lists += ["/desk?show=all", "/desk?show=mine", "/desk?show=changed", "/v1/desk/cards?scope=earlier"]
    lists += ["/desk/people/person?name=Jo+Example", "/v1/desk/concerns?order=changed&limit=1"]
    found, answered = [], 0
    for who, read in readers(service, client, team):
        for path in lists:
            status, text = read("GET", path)
            answered += status == 200
            found += [f"{who}: {path}: {each}" for each in (hidden, WORDS, LABEL, REASON) if each in text]

    assert answered > 60
    assert found == []
    assert hidden in by_key(team.sam, "GET", "/v1/desk/concerns")[1]
    assert hidden in by_key(team.sam, "GET", "/v1/desk/disclosures?person=Kim+Example")[1]


def numbers(client: TestClient, desk: Desk, program: dict[str, str]) -> list[str]:
    """Return each answer of the desk that counts concerns, to a worker and to a program."""
    read = [(path, desk.headers) for path in ("/v1/desk/summary", "/v1/desk/figures", "/v1/desk/concerns")]
    read += [("/v1/desk/metrics", program), ("/v1/desk/statistics.csv", program)]
    found = []
    for path, headers in read:
        answer = client.get(path, headers=headers)
        assert answer.is_success, answer.text
        found.append(
            answer.text if "csv" in path or "metrics" in path else str(answer.json().get("days", answer.json()))
        )
    return [re.sub(r"'next_changed_since': '[^']+'", "", each) for each in found]


@pytest.mark.slow
def test_no_number_for_others_moves_with_an_act_about_a_hidden_concern(
    client: TestClient, team: Team, of_staff: str
) -> None:
    """Only how many are restricted and overdue is told: to a program always, to a person when one is overdue."""
    raise_concern(client)
    program = a_key(client, Scope.METRICS, Scope.AUDIT, name="example-monitor")
    first = raise_concern(client, concern=ABOUT_STAFF)
    before = numbers(client, team.jo, program)
    assert 'restricted"} 2.0' in before[3]
    whole, days = team.kim.get("/summary").json(), team.kim.get("/figures").json()["days"]

    add(client, first)
    added, with_addition = numbers(client, team.jo, program), team.kim.get("/summary").json()
    team.sam.act(of_staff, "acknowledgement")
    team.sam.act(first["reference"], "acknowledgement", up_to_addition=1)
    after = numbers(client, team.jo, program)
    acknowledged = team.kim.get("/summary").json()
    team.sam.act(of_staff, "outcome", outcome="early_help")
    closed = numbers(client, team.jo, program)

    assert added == after == before
    assert closed == [each.replace('restricted"} 2.0', 'restricted"} 1.0') for each in before]
    assert (whole["received"], acknowledged["received"], acknowledged["acknowledged"]) == (3, 1, 2)
    assert (days[-1]["received"], whole["restricted"], with_addition["additions_waiting"]) == (3, 0, 1)


@pytest.mark.slow
def test_a_lead_counts_what_only_named_people_may_open(team: Team, of_staff: str) -> None:
    before = team.kim.get("/summary").json()
    assert restrict(team.sam, of_staff, SAM, ASH).is_success

    after = team.kim.get("/summary").json()

    assert reads(team.kim, of_staff) == 404
    assert (before["received"], before["restricted"]) == (1, 0)
    assert (after["received"], after["restricted"]) == (1, 1)


@pytest.mark.slow
def test_the_figures_of_a_board_leave_out_a_hidden_concern(
    service: FastAPI, client: TestClient, team: Team, of_staff: str
) -> None:
    """Five of all are a number; four, which is all that others may open, are too few to be shown."""
    for _ in range(4):
        raise_concern(client)
    found = {}
    for name, role in ((ASH, Role.AUDITOR), (KIM, Role.LEAD)):
        sign_in_as(service, client, name, role)
        found[name] = text_of(client.get("/desk/figures?from=2026-11&to=2026-11"))
        client.cookies.clear()

    assert reads(team.kim, of_staff) == 200
    assert {name: "5 concerns received" in page for name, page in found.items()} == {ASH: False, KIM: True}


AN_ALLEGATION = {"narrative": "Invented.", "people_of_concern": [{"works_with_children": "yes"}]}


@pytest.mark.parametrize("concern", [ABOUT_STAFF, AN_ALLEGATION], ids=["council", "works with children"])
def test_an_allegation_has_its_next_step_until_the_officer_was_told(
    service: FastAPI, client: TestClient, team: Team, concern: dict[str, Any]
) -> None:
    """The lead sees the number, ticks that it was done on the record, and the inbox says which wait."""
    reference = raise_concern(client, concern=concern)["reference"]
    raise_concern(client)
    path, place = f"/v1/desk/concerns/{reference}/look-again", f"/desk/concerns/{reference}"
    sign_in_as(service, client, KIM, Role.LEAD)
    before, inbox = text_of(client.get(place)), text_of(client.get("/desk"))
    due = client.get(path, headers=team.kim.headers).json()["officer"]

    press(client, reference, "look-again", whose="officer", day="")
    after, emptied = text_of(client.get(place)), text_of(client.get("/desk"))
    again = client.get(path, headers=team.kim.headers).json()["officer"]

    assert "Tell the designated officer within one working day: " in before
    assert f"Tell the designated officer {reference} by the end of" in inbox
    assert (due, again) == ("2026-11-25", None)
    assert "within one working day: " not in after
    assert "Tell the designated officer" not in emptied
    assert ("look_again", KIM, "the designated officer was told") in [
        (act, who.rpartition("/")[2], what) for act, who, what in acts_on(service, reference)
    ]
    assert list(find_faults(service.state.context.engine)) == []


@pytest.mark.parametrize("concern", [ABOUT_STAFF, AN_ALLEGATION], ids=["council", "works with children"])
def test_an_addition_can_be_an_allegation(
    service: FastAPI, client: TestClient, team: Team, clock: SettableClock, concern: dict[str, Any]
) -> None:
    """A day that waits stays; one that was done is set again, since the allegation is another one."""
    receipt = raise_concern(client)
    path, allegation = f"/v1/desk/concerns/{receipt['reference']}/look-again", {"concern": concern}
    additions = f"{receipt['links']['self']}/additions"

    def day_after_adding(body: dict[str, Any]) -> str | None:
        assert client.post(additions, json=body, headers=token_of(receipt)).status_code == 201
        day: str | None = client.get(path, headers=team.kim.headers).json()["officer"]
        return day

    days = [day_after_adding({"concern": {"narrative": "Invented."}}), day_after_adding(allegation)]
    clock.time += dt.timedelta(days=1)
    days.append(day_after_adding(allegation))
    client.put(path, json={"day": None, "whose": "officer"}, headers=team.kim.headers)
    days.append(day_after_adding(allegation))

    assert days == [None, "2026-11-25", "2026-11-25", "2026-11-26"]
    assert list(find_faults(service.state.context.engine)) == []


@pytest.mark.parametrize("people", [(), (SAM, ASH)], ids=["to leads", "to named people"])
def test_a_restriction_for_an_allegation_sets_the_day_to_tell_the_officer(
    service: FastAPI, client: TestClient, team: Team, clock: SettableClock, people: tuple[str, ...]
) -> None:
    """Unless one is set, as an addition does; not without the tick, nor with a lifting, nor once the text is erased."""
    reference, other, erased = (raise_concern(client)["reference"] for _ in range(3))

    def restrict_as(desk: Desk, reference: str, **body: Any) -> Any:
        place = f"/v1/desk/concerns/{reference}/restriction"
        return client.put(place, json={"restricted": True, "reason": REASON} | body, headers=desk.headers)

    def day_of(reference: str) -> str | None:
        day: str | None = team.sam.get(f"/concerns/{reference}/look-again").json()["officer"]
        return day

    assert restrict_as(team.sam, other, people=people).is_success
    assert restrict_as(team.sam if people else team.jo, reference, people=people, allegation=True).is_success
    days = [day_of(other), day_of(reference)]
    clock.time += dt.timedelta(days=1)
    assert restrict_as(team.sam, reference, allegation=True).is_success
    days.append(day_of(reference))
    told = {"day": None, "whose": "officer"}
    client.put(f"/v1/desk/concerns/{reference}/look-again", json=told, headers=team.sam.headers)
    days.append(day_of(reference))
    lifting = restrict_as(team.sam, reference, restricted=False, allegation=True)
    team.sam.act(erased, "acknowledgement")
    assert team.sam.act(erased, "erasure", reason=REASON).is_success

    assert days == [None, "2026-11-25", "2026-11-25", None]
    assert (lifting.status_code, lifting.json()["errors"][0]["pointer"]) == (422, "#/allegation")
    assert restrict_as(team.sam, erased, allegation=True).status_code == 410
    assert restrict_as(team.sam, erased).is_success
    assert list(find_faults(service.state.context.engine)) == []


@pytest.mark.slow
def test_the_page_of_a_concern_restricts_or_marks_it_as_an_allegation(
    service: FastAPI, client: TestClient, team: Team, clock: SettableClock
) -> None:
    """A page that was open since yesterday does not move the day that somebody set since."""
    passed_on, marked = (raise_concern(client)["reference"] for _ in range(2))
    sign_in_as(service, client, JO)
    offered = text_of(client.get(f"/desk/concerns/{marked}"))
    press(client, passed_on, "restriction", restricted="yes", reason=REASON, allegation="yes")
    press(client, marked, "look-again", whose="officer", allegation="yes")
    clock.time += dt.timedelta(days=1)
    sign_in_as(service, client, JO)
    press(client, marked, "look-again", whose="officer", allegation="yes")
    page = client.get(f"/desk/concerns/{marked}").text

    days = [team.kim.get(f"/concerns/{each}/look-again").json()["officer"] for each in (passed_on, marked)]
    assert "Mark it as an allegation" in offered
    assert days == ["2026-11-25", "2026-11-25"]
    assert "Tell the designated officer within one working day" in page
    assert "Mark it as an allegation" not in page
    assert 'name="allegation"' not in page
    assert list(find_faults(service.state.context.engine)) == []


def test_an_allegation_waits_for_leads_only_and_anyone_can_say_that_a_concern_is_one(
    service: FastAPI, client: TestClient, team: Team, of_staff: str
) -> None:
    """The words of a child are asked nothing of it: the worker who reads them says so."""
    childs = raise_concern(client)["reference"]
    day = {"day": "2026-11-25", "whose": "officer"}
    assert restrict(team.sam, of_staff, SAM, ASH).is_success
    assert client.put(f"/v1/desk/concerns/{childs}/look-again", json=day, headers=team.jo.headers).is_success
    refused = client.put(f"/v1/desk/concerns/{of_staff}/look-again", json=day, headers=team.kim.headers)
    found = {}
    for name, role in ((JO, Role.WORKER), (KIM, Role.LEAD), (SAM, Role.LEAD)):
        sign_in_as(service, client, name, role)
        page = text_of(client.get("/desk"))
        found[name] = {each for each in (childs, of_staff) if f"{each} by the end of" in page}
        client.cookies.clear()

    assert refused.status_code == 404
    assert found == {JO: set(), KIM: {childs}, SAM: {childs, of_staff}}
    assert list(find_faults(service.state.context.engine)) == []


def test_nothing_of_an_event_tells_how_many_are_hidden(client: TestClient, team: Team, of_staff: str) -> None:
    """Not the cursor, nor a cursor that is tried, nor the id, nor the client's own entries of the audit log."""
    program = a_key(client, Scope.EVENTS, Scope.READ, name="example-system")

    def tried() -> list[Any]:
        page = client.get("/v1/events", headers=program).json()
        own = client.get("/v1/desk/own-disclosures?limit=1", headers=program).json()
        cursors = [{"after": encode_key(number)} for number in range(1, 30)]
        by_number = [client.get("/v1/events", headers=program, params=each) for each in cursors]
        since = [
            client.get("/v1/desk/concerns", headers=program, params={"since_event": each["after"]}) for each in cursors
        ]
        assert {len(page["next_cursor"]), len(own["next_cursor"])} == {43}
        found = {answer.text.split("next_changed_since")[0] for answer in since}
        return [page, {answer.text.split('"links":{"self":"/v1/events')[0] for answer in by_number}, found]

    for _ in range(2):
        client.get("/v1/desk/own-disclosures", headers=program)
    before = tried()
    team.sam.act(of_staff, "acknowledgement")
    team.sam.act(of_staff, "outcome", outcome="early_help")
    after = tried()
    raise_concern(client)
    page = client.get("/v1/events", headers=program).json()
    client.get("/v1/events", headers=program, params={"after": page["next_cursor"]})
    confirmed = client.get("/v1/desk/own-disclosures?act=events_confirmed", headers=program).json()["disclosures"]
    last = page["events"][-1]
    derived = [id_and_payload(n, last["type"], clock_of(last), last["data"])[0] for n in range(1, 100)]

    assert after == before
    assert [len(each) for each in before[1:]] == [1, 1]
    assert [(each["act"], each["details"]) for each in confirmed] == [("events_confirmed", {})]
    assert last["id"] not in derived


def clock_of(event: dict[str, Any]) -> dt.datetime:
    return dt.datetime.fromisoformat(event["timestamp"])


def test_a_worker_is_told_of_a_restricted_concern_only_when_one_is_overdue(
    service: FastAPI, client: TestClient, clock: SettableClock, team: Team, of_staff: str
) -> None:
    program = a_key(client, Scope.METRICS, name="example-monitor")

    def told(name: str, role: Role) -> bool:
        sign_in_as(service, client, name, role)
        pages = [client.get(path).text for path in ("/desk", "/desk/day")]
        client.cookies.clear()
        (says,) = {"restricted to other people" in each for each in pages}
        assert {"1 is overdue: tell a lead now" in each for each in pages} == {says and clock.time > first}
        return says

    def counted() -> tuple[list[int], list[str]]:
        summary, figures = (team.jo.get(path).json() for path in ("/summary", "/figures"))
        metrics = client.get("/v1/desk/metrics", headers=program).text
        numbers = [each[name] for each in (summary, figures) for name in ("restricted", "restricted_overdue")]
        return numbers, re.findall(r'restricted(?:_overdue)?"} (\d)', metrics)

    first = clock.time
    restrict(team.sam, of_staff, SAM, ASH)
    early = told(JO, Role.WORKER), told(KIM, Role.LEAD), counted()
    clock.time += dt.timedelta(days=3)
    late = told(JO, Role.WORKER), told(KIM, Role.LEAD), counted()

    assert early == (False, True, ([0, 0, 0, 0], ["1", "0"]))
    assert late == (True, True, ([1, 1, 1, 1], ["1", "1"]))


def test_a_concern_about_staff_is_for_leads_and_counted_for_them(
    service: FastAPI, client: TestClient, team: Team, of_staff: str
) -> None:
    seen = {name: reads(desk, of_staff) for name, desk in vars(team).items()}
    counts = team.jo.get("/summary").json()
    sign_in_as(service, client, JO)
    page = text_of(client.get("/desk"))

    assert seen == {"sam": 200, "kim": 200, "jo": 404}
    assert (counts["received"], counts["restricted"], team.kim.get("/summary").json()["restricted"]) == (0, 0, 0)
    assert team.kim.get("/summary").json()["received"] == 1
    assert "restricted to other people" not in page
    assert ("look_refused", f"desk-of-jo/{JO}", "") in acts_on(service, of_staff)
    assert list(find_faults(service.state.context.engine)) == []


@pytest.mark.parametrize("answer", ["no", "not_known", None])
def test_only_yes_restricts_a_concern(client: TestClient, team: Team, answer: str | None) -> None:
    said = ABOUT_STAFF | {"about_council_staff": answer}

    assert reads(team.jo, raise_concern(client, concern=said)["reference"]) == 200


@pytest.mark.slow
def test_an_addition_about_staff_restricts_the_concern(service: FastAPI, client: TestClient, team: Team) -> None:
    receipt = raise_concern(client)
    reference = receipt["reference"]
    assert assign(team.jo, reference, JO).is_success
    said = {"concern": ABOUT_STAFF}
    token = {"Authorization": f"Bearer {receipt['status_token']}"}
    assert client.post(f"{receipt['links']['self']}/additions", json=said, headers=token).status_code == 201
    assert add(client, receipt).status_code == 201

    assert [reads(team.jo, reference), reads(team.kim, reference)] == [404, 200]
    acts = [act for act, _client, _detail in acts_on(service, reference)]
    assert acts[2:6] == ["added", "restricted", "unassigned", "added"]
    assert list(find_faults(service.state.context.engine)) == []


def test_a_worker_writes_down_a_concern_about_staff(client: TestClient, team: Team) -> None:
    wanted = {"channel": "call", "came_at": "2026-11-24T08:05:00Z", "submission": a_concern(concern=ABOUT_STAFF)}
    answer = client.post("/v1/desk/concerns", json=wanted, headers=team.jo.headers)

    assert answer.status_code == 201
    assert [reads(team.jo, answer.json()["reference"]), reads(team.kim, answer.json()["reference"])] == [404, 200]


@pytest.mark.slow
def test_only_a_lead_names_people_or_lifts_a_restriction(client: TestClient, team: Team) -> None:
    reference = raise_concern(client)["reference"]

    assert restrict(team.jo, reference, JO, SAM).status_code == 403
    for people in ([SAM], [JO, ASH], [SAM, "Nobody Example"]):
        assert restrict(team.sam, reference, *people).status_code == 422
    assert restrict(team.sam, reference, SAM, JO).json()["people"] == [JO, SAM]
    assert restrict(team.jo, reference, restricted=False).status_code == 403
    assert [reads(desk, reference) for desk in (team.jo, team.kim, team.sam)] == [200, 404, 200]
    assert restrict(team.sam, reference, restricted=False).is_success
    assert reads(team.kim, reference) == 200


@pytest.mark.slow
def test_a_worker_passes_a_concern_to_leads_on_its_page(service: FastAPI, client: TestClient, team: Team) -> None:
    reference = raise_concern(client)["reference"]
    sign_in_as(service, client, JO)
    answer = press(client, reference, "restriction", restricted="yes", reason=REASON)

    assert "You cannot open it any more" in answer.text
    assert [reads(team.jo, reference), reads(team.kim, reference)] == [404, 200]


@pytest.mark.slow
def test_a_hidden_concern_is_assigned_to_nobody_who_may_not_open_it(team: Team, hidden: str) -> None:
    assert assign(team.sam, hidden, JO).status_code == 422
    assert assign(team.sam, hidden, SAM).is_success


@pytest.mark.slow
def test_the_page_of_a_restricted_concern_offers_only_its_readers(
    service: FastAPI, client: TestClient, team: Team, of_staff: str
) -> None:
    sign_in_as(service, client, SAM, Role.LEAD)
    offered = []
    for people in ((), (SAM, JO)):
        assert restrict(team.sam, of_staff, *people).is_success
        choice = (
            client.get(f"/desk/concerns/{of_staff}").text.partition('<select name="person"')[2].partition("</select>")
        )
        offered.append(OFFERED.findall(choice[0]))

    assert offered == [[KIM, SAM], [JO, SAM]]


@pytest.mark.slow
def test_a_burst_is_acknowledged_without_a_hidden_concern(service: FastAPI, team: Team, hidden: str) -> None:
    path = f"/v1/desk/bursts/{EXAMPLE_BURST}/acknowledgement"
    answer = team.jo.http.post(path, json={"references": [hidden]}, headers=team.jo.headers)

    assert answer.status_code == 422
    assert "acknowledged" not in [act for act, _client, _detail in acts_on(service, hidden)]


@pytest.mark.slow
def test_a_concern_whose_people_have_left_is_for_leads_then_for_all(
    context: AppContext, team: Team, hidden: str
) -> None:
    for name in (SAM, ASH):
        context.writer.run(remove_person_access, name, at=A_TUESDAY)
    after_them = [reads(team.jo, hidden), reads(team.kim, hidden)]
    context.writer.run(remove_person_access, KIM, at=A_TUESDAY)

    assert after_them == [404, 200]
    assert reads(team.jo, hidden) == 200


def check(context: AppContext) -> str:
    return check_restricted(CheckContext(context.settings, context.engine, A_TUESDAY)).found


@pytest.mark.slow
def test_the_doctor_counts_concerns_whose_people_may_not_read(context: AppContext, hidden: str) -> None:
    context.writer.run(remove_person_access, SAM, at=A_TUESDAY)
    before = check(context)
    context.writer.run(change_role, ASH, Role.AUDITOR, actor=by_operator(A_TUESDAY))

    assert hidden
    assert before == "1 concern is restricted"
    assert check(context) == (
        "1 concern is restricted to people who left or may not read concerns, so leads can open them"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("for_leads", "found"),
    [
        (0, "everyone could open a concern about someone who works here"),
        (1, "everyone can open restricted concerns, 1 of 2"),
    ],
)
def test_without_a_lead_the_doctor_counts_only_what_everyone_can_open(
    context: AppContext, client: TestClient, hidden: str, for_leads: int, found: str
) -> None:
    for _ in range(for_leads):
        raise_concern(client, concern=ABOUT_STAFF)
    for name in (SAM, KIM):
        context.writer.run(remove_person_access, name, at=A_TUESDAY)

    assert hidden
    assert check(context) == f"the desk has no lead: {found}"


def test_a_program_opens_a_restricted_concern_only_by_its_scope(
    service: FastAPI, client: TestClient, of_staff: str
) -> None:
    every = [scope for scope in Scope if scope is not Scope.RESTRICTED]
    keys = []
    for name, scopes in (("all-other-scopes", every), ("with-that-scope", [Scope.READ, Scope.RESTRICTED])):
        keys.append(add_client(service.state.context.writer, name=name, scopes=scopes, at=A_TUESDAY))
    asked = [
        client.get(f"/v1/desk/concerns/{of_staff}", headers={"Authorization": f"Bearer {key}"}).status_code
        for key in keys
    ]

    assert asked == [404, 200]


@pytest.mark.slow
def test_webhooks_and_emails_do_not_name_a_restricted_concern(
    context: AppContext, client: TestClient, of_staff: str
) -> None:
    context.writer.run(insert_webhook, a_receiver())
    hidden, other = (raise_concern(client, concern=told)["reference"] for told in (ABOUT_STAFF, {"narrative": "."}))
    mail = context.writer.run(claim_email, now=A_TUESDAY)
    assert mail is not None
    written = build_email(mail, context.settings, at=A_TUESDAY).get_content()
    told = context.writer.run(claim_due, webhook="receiver", now=A_TUESDAY, lease=dt.timedelta(1), limit=4)

    assert "Restricted, so that not everyone at the desk can open them: 2." in written
    assert not {hidden, of_staff, other} & set(written.split())
    assert [each.data["reference"] for each in told] == [other]


def test_a_claim_of_nothing_but_restricted_concerns_goes_on_to_the_next(
    context: AppContext, client: TestClient
) -> None:
    context.writer.run(insert_webhook, a_receiver())
    for words in (ABOUT_STAFF, ABOUT_STAFF, {"narrative": "."}):
        reference = raise_concern(client, concern=words)["reference"]

    told = context.writer.run(claim_due, webhook="receiver", now=A_TUESDAY, lease=dt.timedelta(1), limit=1)

    assert [each.data["reference"] for each in told] == [reference]
