"""Sessions of people at the desk: who is let in, for how long, and what another site or a thief can do with one."""

import dataclasses
import datetime as dt
from pathlib import Path

import pytest
from fastapi import FastAPI, Response
from fastapi.routing import iter_route_contexts
from sqlmodel import Session, select
from starlette.testclient import TestClient

from app.config import Settings
from app.errors import NoSuchPerson
from app.http.visitors import SESSION_COOKIE, set_cookie
from app.models.access.clients import Scope
from app.models.access.people import PersonRow, SessionRow
from app.models.access.roles import NO_ROLE, Role
from app.services.access.clients import add_client
from app.services.access.people import remove_person_access
from app.services.access.row_signing import verify_access
from app.services.concerns.rows import get_concern
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import raise_concern
from tests.support.desk import Desk
from tests.support.loops import for_each
from tests.support.people import (
    ADDRESS,
    JO,
    OWN_PAGE,
    acts_of_people,
    context_of_service,
    invited,
    sign_in_as,
)
from tests.support.service import a_service

pytestmark = pytest.mark.slow

ELSEWHERE = {
    "another site": {"Sec-Fetch-Site": "cross-site", "Origin": "https://attacker.example"},
    "a neighbour of this host": {"Sec-Fetch-Site": "same-site"},
    "an address that was typed": {"Sec-Fetch-Site": "none"},
    "an old browser on another site": {"Origin": "https://attacker.example"},
    "a page that hides its origin": {"Origin": "null"},
    "something that says nothing": {},
}
HTTPS = "https://guidance.council.example"


@pytest.fixture
def visitor(service: FastAPI, client: TestClient) -> TestClient:
    """A client that follows no redirect, as the person Jo Example would be seen by it."""
    client.follow_redirects = False
    sign_in_as(service, client)
    return client


def acknowledge(client: TestClient, reference: str, headers: dict[str, str]) -> int:
    path = f"/desk/concerns/{reference}/acknowledgement"
    return client.post(path, data={"up_to_addition": "0"}, headers=headers).status_code


def state_of(service: FastAPI, reference: str) -> str:
    with Session(context_of_service(service).engine) as session:
        return str(get_concern(session, reference).state)


@pytest.mark.parametrize("headers", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_form_that_another_site_sends_changes_nothing(
    service: FastAPI, visitor: TestClient, headers: dict[str, str]
) -> None:
    reference = raise_concern(visitor)["reference"]

    assert acknowledge(visitor, reference, headers) == 403
    assert state_of(service, reference) == "received"
    assert acknowledge(visitor, reference, OWN_PAGE) == 303
    assert state_of(service, reference) == "acknowledged"


def test_an_allowed_origin_can_neither_post_to_the_desk_nor_frame_it(tmp_path: Path) -> None:
    partner = "https://www.council.example"
    service = a_service(data_dir=tmp_path / "data", allowed_origins=(partner,), embedding_origins=(partner,))
    with TestClient(service, follow_redirects=False) as client:
        sign_in_as(service, client)
        reference = raise_concern(client)["reference"]

        pages = [client.get(path) for path in ("/desk", f"/desk/concerns/{reference}", "/desk/sign-in", "/desk/blank")]
        status = acknowledge(client, reference, {"Origin": partner, "Sec-Fetch-Site": "cross-site"})

    assert status == 403
    assert [page.status_code for page in pages] == [200] * 4
    for page in pages:
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
        assert page.headers["X-Frame-Options"] == "DENY"
        assert page.headers["Cache-Control"] == "no-store"
        assert "Access-Control-Allow-Origin" not in page.headers


def test_a_session_planted_in_the_browser_is_not_kept_after_signing_in(service: FastAPI, client: TestClient) -> None:
    client.follow_redirects = False
    planted = sign_in_as(service, client, "Mallory Example")
    sign_in = context_of_service(service).desk_sign_in

    sign_in_as(service, client, JO)
    now = context_of_service(service).clock()
    fresh = sign_in.begin_with_passkey(JO, address=ADDRESS, at=now, former=planted)

    assert fresh != planted
    client.cookies.set(SESSION_COOKIE, planted)
    assert client.get("/desk").status_code == 303
    client.cookies.set(SESSION_COOKIE, "chosen-by-somebody-else")
    assert client.get("/desk").status_code == 303


def test_a_session_that_was_stolen_opens_nothing_after_the_person_left(service: FastAPI, visitor: TestClient) -> None:
    reference = raise_concern(visitor)["reference"]
    context = context_of_service(service)
    assert visitor.get(f"/desk/concerns/{reference}").status_code == 200

    context.writer.run(remove_person_access, JO, at=context.clock())

    paths = {"/desk": "", f"/desk/concerns/{reference}": f"?page=%2Fdesk%2Fconcerns%2F{reference}"}
    paths["/desk/find?reference=x"] = "?page=%2Fdesk%2Ffind%3Freference%3Dx"
    responses = {path: visitor.get(path) for path in paths}
    assert {each.status_code for each in responses.values()} == {303}
    assert {path: each.headers["Location"] for path, each in responses.items()} == {
        path: f"/desk/sign-in{leads_back}" for path, leads_back in paths.items()
    }
    assert acknowledge(visitor, reference, OWN_PAGE) == 401
    assert state_of(service, reference) == "received"


def test_the_key_of_a_person_who_left_opens_nothing(service: FastAPI, client: TestClient, clock: SettableClock) -> None:
    reference, writer = raise_concern(client)["reference"], context_of_service(service).writer
    keys = {
        name: add_client(writer, name=name, scopes=[Scope.READ, Scope.WRITE], person=person, at=clock())
        for name, person in (("desk-of-jo", JO), ("desk-of-sam", "Sam Example"), ("case-system", None))
    }

    def statuses(name: str) -> tuple[int, int]:
        headers = {"Authorization": f"Bearer {keys[name]}"}
        paths = (f"/desk/concerns/{reference}", f"/v1/desk/concerns/{reference}")
        page, api = (client.get(path, headers=headers, follow_redirects=False).status_code for path in paths)
        return page, api

    assert statuses("desk-of-jo") == (200, 200)
    assert writer.run(remove_person_access, JO, at=clock()) == ["desk-of-jo"]

    assert statuses("desk-of-jo") == (303, 401)
    assert statuses("desk-of-sam") == (200, 200)
    assert statuses("case-system") == (303, 200)
    invited(service)
    assert statuses("desk-of-jo") == (303, 401)
    with pytest.raises(NoSuchPerson):
        writer.run(remove_person_access, "Nobody Example", at=clock())


@pytest.mark.slow
def test_a_role_that_changes_in_mid_session_counts_at_once(service: FastAPI, visitor: TestClient) -> None:
    reference = raise_concern(visitor)["reference"]
    cookie = visitor.cookies[SESSION_COOKIE]

    for role, statuses in {
        Role.READER: (200, 403, 403),
        Role.AUDITOR: (403, 403, 200),
        Role.LEAD: (200, 303, 200),
    }.items():
        sign_in_as(service, visitor, JO, role)
        visitor.cookies.set(SESSION_COOKIE, cookie)
        concern, record = visitor.get(f"/desk/concerns/{reference}"), visitor.get("/desk/people")

        assert (concern.status_code, acknowledge(visitor, reference, OWN_PAGE), record.status_code) == statuses, role


def test_a_session_that_outlives_the_role_of_its_person_opens_nothing(service: FastAPI, visitor: TestClient) -> None:
    def take_the_role_alone(session: Session) -> None:
        person = session.get_one(PersonRow, JO)
        person.role = NO_ROLE
        session.add(person)

    assert visitor.get("/desk").status_code == 200
    context_of_service(service).writer.run(take_the_role_alone)

    assert visitor.get("/desk").status_code == 303


@pytest.mark.slow
def test_a_session_in_use_ends_after_twelve_hours(visitor: TestClient, clock: SettableClock) -> None:
    started = clock.time
    while clock.time < started + dt.timedelta(hours=12) - dt.timedelta(minutes=29):
        clock.time += dt.timedelta(minutes=29)
        assert visitor.get("/desk").status_code == 200, clock.time - started

    clock.time = started + dt.timedelta(hours=12)

    assert visitor.get("/desk").status_code == 303


def test_a_session_ends_after_half_an_hour_without_a_request(visitor: TestClient, clock: SettableClock) -> None:
    clock.time += dt.timedelta(minutes=30)

    assert visitor.get("/desk").status_code == 303


def test_signing_out_ends_the_session_on_the_server_too(visitor: TestClient) -> None:
    cookie = visitor.cookies[SESSION_COOKIE]

    response = visitor.post("/desk/sign-out", headers=OWN_PAGE)

    assert (response.status_code, response.headers["Location"]) == (303, "/desk/sign-in")
    visitor.cookies.set(SESSION_COOKIE, cookie)
    assert visitor.get("/desk").status_code == 303


def test_signing_out_everywhere_ends_every_session_of_that_person_only(service: FastAPI, visitor: TestClient) -> None:
    cookies = {name: sign_in_as(service, visitor, name) for name in ("Sam Example", JO)}
    cookies["former"] = sign_in_as(service, visitor, JO)
    assert "Sign out everywhere" in visitor.get("/desk/key").text

    from_elsewhere = visitor.post("/desk/sign-out/everywhere", headers=ELSEWHERE["another site"])
    response = visitor.post("/desk/sign-out/everywhere", headers=OWN_PAGE)

    assert (from_elsewhere.status_code, response.status_code) == (403, 303)
    assert response.headers["Location"] == "/desk/sign-in"
    statuses = {}
    for name, cookie in cookies.items():
        visitor.cookies.set(SESSION_COOKIE, cookie)
        statuses[name] = visitor.get("/desk").status_code
    assert statuses == {"Sam Example": 200, JO: 303, "former": 303}
    assert acts_of_people(service)[-1] == ("signed_out", f"passkey:desk/{JO}", "testclient", "every session")
    assert list(verify_access(context_of_service(service).engine)) == []
    visitor.cookies.set(SESSION_COOKIE, cookies["former"])
    assert visitor.post("/desk/sign-out/everywhere", headers=OWN_PAGE).status_code == 401


def test_only_a_hash_of_the_session_is_stored(service: FastAPI, visitor: TestClient) -> None:
    with Session(context_of_service(service).engine) as session:
        (row,) = session.exec(select(SessionRow)).all()

    assert visitor.cookies[SESSION_COOKIE] not in repr(dict(row))
    assert len(row.token_sha256) == 32


@pytest.mark.parametrize(
    ("public_url", "expected"),
    [
        (HTTPS, "__Host-desk=T; HttpOnly; Path=/; SameSite=strict; Secure"),
        ("http://127.0.0.1:8000", "desk=T; HttpOnly; Path=/; SameSite=strict"),
    ],
)
def test_no_script_and_no_other_site_has_the_cookie(tmp_path: Path, public_url: str, expected: str) -> None:
    response = Response()
    set_cookie(response, Settings(data_dir=tmp_path, public_url=public_url), SESSION_COOKIE, "T")

    assert response.headers["Set-Cookie"] == expected


def test_only_the_sign_in_pages_of_the_desk_open_without_a_session(service: FastAPI, client: TestClient) -> None:
    client.follow_redirects = False
    open_pages = {
        "/desk/sign-in",
        "/desk/invitation",
        "/desk/blank",
        "/desk/sign-in/openid/return",
        "/desk/unseal.html",
    }
    routes = [each for each in iter_route_contexts(service.routes) if (each.path or "").startswith("/desk")]
    closed = {each.path or "": each.methods for each in routes if each.path not in open_pages}

    assert len(closed) > 8
    for path, methods in closed.items():
        if path.startswith(("/desk/sign-", "/desk/invitation")):
            continue
        for method in methods or ():
            response = client.request(method, path.replace("{reference}", "4F7K-926W-0X3R"), headers=OWN_PAGE)
            assert response.status_code == (401 if method == "POST" else 303), (method, path)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_answer_to_an_ended_session_sets_no_cookie(client: TestClient, method: str) -> None:
    client.cookies.set(SESSION_COOKIE, "a-session-that-ended")
    path = {"GET": "/desk", "POST": "/desk/concerns/4F7K-926W-0X3R/acknowledgement"}[method]

    response = client.request(method, path, headers=OWN_PAGE, follow_redirects=False)

    assert response.status_code == (401 if method == "POST" else 303)
    assert "Set-Cookie" not in response.headers


def test_the_record_tells_a_person_from_a_client_of_the_same_name(service: FastAPI, visitor: TestClient) -> None:
    principal = context_of_service(service).desk_sign_in.sessions.find(
        visitor.cookies[SESSION_COOKIE], at=context_of_service(service).clock()
    )

    assert principal.name_on_record == "passkey:desk/Jo Example"
    assert dataclasses.replace(principal, person=None).name_on_record == "passkey:desk"


def test_the_pages_take_the_key_of_a_person_and_record_the_name(
    service: FastAPI, client: TestClient, desk: Desk
) -> None:
    reference = raise_concern(client)["reference"]
    keys = {
        person: add_client(
            service.state.context.writer,
            name=name,
            scopes=[Scope.READ, Scope.WRITE],
            person=person,
            at=A_TUESDAY,
        )
        for name, person in (("robin", "Robin Example"), ("system", None))
    }
    page = f"/desk/concerns/{reference}"

    def call(method: str, path: str, headers: dict[str, str]) -> int:
        form = {"up_to_addition": "0"} if method == "POST" else None
        status: int = client.request(method, path, headers=headers, data=form, follow_redirects=False).status_code
        return status

    robin, system = ({"Authorization": f"Bearer {key}"} for key in keys.values())

    assert call("GET", page, robin) == 200
    assert call("POST", f"{page}/acknowledgement", robin | OWN_PAGE) == 303
    assert call("POST", f"{page}/acknowledgement", robin | {"Sec-Fetch-Site": "cross-site"}) == 403
    assert call("GET", page, system) == 303  # to the sign-in
    assert call("GET", page, {"Authorization": f"Basic {keys['Robin Example']}"}) == 303
    assert call("GET", page, {"Cookie": f"desk={keys['Robin Example']}"}) == 303
    rows = desk.get(f"/disclosures?chain={reference}").json()["disclosures"]
    assert [(row["client"], row["act"]) for row in rows[1:]] == [
        ("robin/Robin Example", "opened"),
        ("robin/Robin Example", "acknowledged"),
    ]


@for_each("page", ["https://attacker.example", "//attacker.example/desk", "/deskx", "/v1"])
def test_a_sign_in_leads_to_the_desk_s_own_pages_only(client: TestClient, page: str) -> None:
    led = client.get("/desk/sign-in", params={"page": "/desk/day"}).text
    assert "page=%2Fdesk%2Fday" in led
    assert "page=" not in client.get("/desk/sign-in", params={"page": page}).text
