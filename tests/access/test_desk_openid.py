"""Signing in to the desk by an OpenID provider: by code, with PKCE, state and nonce, and a role by group."""

import datetime as dt
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from httpx2 import Response
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect
from sqlmodel import Session
from starlette.testclient import TestClient

from app.config import Settings, SettingsRefused, parse_settings
from app.errors import TokenInvalid
from app.http.visitors import SESSION_COOKIE
from app.main import create_app
from app.models.access.people import PersonRow
from app.models.access.roles import Role
from app.services.access.people import DeskSessions, list_workers, remove_person_access
from app.services.access.row_signing import verify_access
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.desk import text_of
from tests.support.loops import for_each
from tests.support.openid import CLIENT_ID, CLIENT_SECRET, STRANGER, PeopleProvider, people_provider, way_on
from tests.support.people import JO, OWN_PAGE, acts_of_people, context_of_service, invited, sign_in_as
from tests.support.proxies import free_port
from tests.support.service import a_service
from tests.support.threaded import run_server

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

ON_RECORD = "openid:api:%2F%2Fthe-desk"
"""The client on the record: a slash in its own name is escaped."""
SCOPES = {"Duty Team": ["concerns:read", "concerns:write"], "Audit": ["audit:read"]}


@pytest.fixture
def provider() -> Iterator[PeopleProvider]:
    with people_provider() as provider:
        yield provider


@pytest.fixture
def service(provider: PeopleProvider, tmp_path: Path) -> FastAPI:
    return a_service(
        data_dir=tmp_path / "data",
        openid_issuer=provider.issuer,
        openid_audience="api://one-minute-guide",
        openid_claims=("groups",),
        openid_scopes=SCOPES,
        openid_client_id=CLIENT_ID,
        openid_client_secret=CLIENT_SECRET,
    )


@pytest.fixture
def browser_of_jo(service: FastAPI) -> Iterator[TestClient]:
    with TestClient(service, base_url="http://127.0.0.1:8000", follow_redirects=False) as client:
        yield client


def way_back(client: TestClient) -> str:
    """Go to the provider as the browser does, and return the path by which it comes back."""
    there = client.get("/desk/sign-in/openid")
    back = urlsplit(httpx.get(there.headers["Location"], trust_env=False, timeout=30).headers["Location"])
    assert f"{back.scheme}://{back.netloc}" == "http://127.0.0.1:8000"
    return f"{back.path}?{back.query}"


def finish(client: TestClient, back: str) -> Response:
    """Come back by that path, and go where its page leads on to."""
    page = client.get(back)
    assert (page.status_code, "set-cookie" in page.headers) == (200, False)
    return client.get(way_on(page.text))


def sign_in(client: TestClient) -> Response:
    return finish(client, way_back(client))


def test_a_person_signs_in_with_their_group_s_role_and_own_name(
    browser_of_jo: TestClient, service: FastAPI, provider: PeopleProvider
) -> None:
    end = sign_in(browser_of_jo)

    assert (end.status_code, end.headers["Location"]) == (303, "/desk")
    principal = context_of_service(service).desk_sign_in.sessions.find(
        browser_of_jo.cookies[SESSION_COOKIE], at=A_TUESDAY
    )
    assert (principal.name_on_record, principal.scopes) == (
        f"{ON_RECORD}/Jo Example",
        frozenset(SCOPES["Duty Team"]),
    )
    assert "Signed in as </span>Jo Example<" in browser_of_jo.get("/desk").text
    assert provider.refusals == []


def test_a_code_that_another_browser_fetched_signs_nobody_in(
    browser_of_jo: TestClient, service: FastAPI, provider: PeopleProvider
) -> None:
    planted = way_back(TestClient(service, base_url="http://127.0.0.1:8000", follow_redirects=False))

    without_a_way = finish(browser_of_jo, planted)
    browser_of_jo.get("/desk/sign-in/openid")
    on_another_way = finish(browser_of_jo, planted)

    assert (without_a_way.status_code, on_another_way.status_code) == (401, 401)
    assert SESSION_COOKIE not in browser_of_jo.cookies
    assert len(provider.codes) == 1  # nobody asked for the token


def test_a_code_works_once(browser_of_jo: TestClient) -> None:
    back = way_back(browser_of_jo)
    ways = dict(browser_of_jo.cookies)
    assert finish(browser_of_jo, back).status_code == 303
    browser_of_jo.cookies.clear()
    browser_of_jo.cookies.update(ways)

    assert finish(browser_of_jo, back).status_code == 401


WRONG: dict[str, dict[str, Any]] = {
    "another nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "another client": {"aud": "another-client"},
    "a token that another client asked for": {"aud": [CLIENT_ID, "another"], "azp": "another"},
    "several clients, and no word for which": {"aud": [CLIENT_ID, "another"]},
    "issued a year ago": {"iat": 1_700_000_000},
    "issued too long ago for a sign-in": {"iat": int(time.time()) - 700},
    "another issuer": {"iss": "https://login.another.example"},
    "a group without a role": {"groups": ["Cleaners"]},
    "no name for the record": {"sub": "a\nb"},
    "expired": {"exp": 1_700_000_000},
}


@for_each("what", WRONG)
def test_a_token_for_another_browser_or_service_signs_nobody_in(
    browser_of_jo: TestClient, provider: PeopleProvider, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(provider, "claims", provider.claims | WRONG[what])
        assert sign_in(browser_of_jo).status_code == 401
    assert SESSION_COOKIE not in browser_of_jo.cookies


def test_a_token_of_a_stranger_signs_nobody_in(browser_of_jo: TestClient, provider: PeopleProvider) -> None:
    provider.key = STRANGER

    assert sign_in(browser_of_jo).status_code == 401


def test_a_provider_that_sends_another_issuer_s_code_is_not_believed(
    browser_of_jo: TestClient, provider: PeopleProvider
) -> None:
    back = way_back(browser_of_jo).replace("iss=http", "iss=https")

    assert finish(browser_of_jo, back).status_code == 401
    assert len(provider.codes) == 1


def test_a_person_has_the_role_of_their_last_sign_in(
    browser_of_jo: TestClient, service: FastAPI, provider: PeopleProvider
) -> None:
    sign_in(browser_of_jo)
    former = browser_of_jo.cookies[SESSION_COOKIE]
    provider.claims["groups"] = ["Audit"]
    sign_in(browser_of_jo)

    browser_of_jo.cookies.set(SESSION_COOKIE, former)

    with Session(context_of_service(service).engine) as session:
        person = session.get(PersonRow, JO)
    assert person is not None
    assert (person.role, person.provider) == (Role.AUDITOR, provider.issuer)
    by_jo = (f"{ON_RECORD}/{JO}", "testclient")
    assert acts_of_people(service) == [
        ("role_changed", *by_jo, f"{JO} from no role to worker"),
        ("signed_in", *by_jo, ""),
        ("role_changed", *by_jo, f"{JO} from worker to auditor"),
        ("signed_in", *by_jo, ""),
    ]
    assert browser_of_jo.get("/desk/find?reference=x").status_code == 403


NAVIGATES = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"}


def test_people_of_the_provider_have_their_names_and_ids_beside_them(
    browser_of_jo: TestClient, service: FastAPI, provider: PeopleProvider
) -> None:
    provider.claims |= {"sub": "worker-42", "name": "Robin Example", "groups": ["Duty Team", "Audit"]}
    sign_in(browser_of_jo)
    first = browser_of_jo.get("/desk/people/person?name=Robin Example").text
    provider.claims["name"] = "Another Name"
    sign_in(browser_of_jo)
    provider.claims |= {"sub": "worker-43", "name": "Robin Example"}
    other = TestClient(service, base_url="http://127.0.0.1:8000", follow_redirects=False)
    sign_in(other)

    assert "worker-42" in first
    assert 'data-person="Robin Example"' in browser_of_jo.get("/desk").text
    assert 'data-person="Robin Example (worker-43)"' in other.get("/desk").text
    log = text_of(browser_of_jo.get("/desk/record?person=Robin Example"))
    assert "Robin Example (worker-42 at the provider) from no role to lead" in log
    assert list(verify_access(context_of_service(service).engine)) == []
    context_of_service(service).writer.run(remove_person_access, "Robin Example", at=A_TUESDAY)
    provider.claims["sub"] = "worker-42"
    assert sign_in(other).status_code == 401


def test_a_refused_sign_in_ends_the_person_s_sessions_and_their_role(
    browser_of_jo: TestClient, service: FastAPI, provider: PeopleProvider
) -> None:
    provider.claims["groups"] = ["Duty Team", "Audit"]
    sign_in(browser_of_jo)
    assert browser_of_jo.get("/desk/record").status_code == 200
    older = browser_of_jo.cookies[SESSION_COOKIE]
    provider.claims["groups"] = []
    other = TestClient(service, base_url="http://127.0.0.1:8000", follow_redirects=False)

    assert [sign_in(other).status_code for _ in range(2)] == [401, 401]

    assert browser_of_jo.cookies[SESSION_COOKIE] == older
    assert [browser_of_jo.get(path).status_code for path in ("/desk", "/desk/record")] == [303, 303]
    by_jo = (f"{ON_RECORD}/{JO}", "testclient")
    assert acts_of_people(service)[-1] == ("role_changed", *by_jo, f"{JO} from lead to no role")
    assert list(verify_access(context_of_service(service).engine)) == []
    assert JO not in list_workers(Session(context_of_service(service).engine))


def test_a_person_whose_role_is_given_back_comes_in_again(
    browser_of_jo: TestClient, service: FastAPI, provider: PeopleProvider
) -> None:
    sign_in(browser_of_jo)
    groups = provider.claims["groups"]
    provider.claims["groups"] = []
    sign_in(browser_of_jo)
    provider.claims["groups"] = groups

    assert sign_in(browser_of_jo).status_code == 303

    assert browser_of_jo.get("/desk").status_code == 200
    assert list(verify_access(context_of_service(service).engine)) == []


def test_the_provider_cannot_take_the_role_of_a_person_with_a_passkey(
    browser_of_jo: TestClient, service: FastAPI, provider: PeopleProvider
) -> None:
    sign_in_as(service, browser_of_jo, JO, Role.LEAD)
    cookie = browser_of_jo.cookies[SESSION_COOKIE]
    provider.claims["groups"] = []

    assert sign_in(browser_of_jo).status_code == 401

    browser_of_jo.cookies.set(SESSION_COOKIE, cookie)
    assert browser_of_jo.get("/desk/record").status_code == 200


def test_the_provider_is_asked_within_the_hour_and_the_page_returns(
    browser_of_jo: TestClient, service: FastAPI
) -> None:
    clock = context_of_service(service).clock
    assert isinstance(clock, SettableClock)
    sign_in(browser_of_jo)
    former = browser_of_jo.cookies[SESSION_COOKIE]
    pages = []
    for _ in range(3):
        clock.time += dt.timedelta(minutes=16)
        pages.append(browser_of_jo.get("/desk?show=all", headers=NAVIGATES))

    asked = pages[-1]
    assert [page.status_code for page in pages] == [200, 200, 303]
    assert asked.headers["Location"] == "/desk/sign-in/openid?page=%2Fdesk%3Fshow%3Dall"
    there = browser_of_jo.get(asked.headers["Location"]).headers["Location"]
    assert "prompt=none" in there
    back = urlsplit(httpx.get(there, trust_env=False, timeout=30).headers["Location"])
    end = finish(browser_of_jo, f"{back.path}?{back.query}")

    assert (end.status_code, end.headers["Location"]) == (303, "/desk?show=all")
    assert browser_of_jo.cookies[SESSION_COOKIE] != former
    assert browser_of_jo.get("/desk?show=all", headers=NAVIGATES).status_code == 200


def test_only_a_provider_s_session_ends_after_an_hour_without_confirmation(
    browser_of_jo: TestClient, service: FastAPI
) -> None:
    clock = context_of_service(service).clock
    assert isinstance(clock, SettableClock)
    sign_in(browser_of_jo)
    by_passkey = TestClient(service, base_url="http://127.0.0.1:8000", follow_redirects=False)
    sign_in_as(service, by_passkey, "Sam Example")
    for _ in range(3):
        clock.time += dt.timedelta(minutes=19)
        assert [each.get("/desk").status_code for each in (browser_of_jo, by_passkey)] == [200, 200]
    clock.time += dt.timedelta(minutes=3)

    posted = browser_of_jo.post("/desk/looked", headers=OWN_PAGE)

    assert posted.status_code == 401
    assert browser_of_jo.get("/desk").headers["Location"] == "/desk/sign-in"
    assert by_passkey.get("/desk", headers=NAVIGATES).status_code == 200


def test_a_person_the_provider_no_longer_knows_is_led_to_sign_in(
    browser_of_jo: TestClient, service: FastAPI, provider: PeopleProvider
) -> None:
    clock = context_of_service(service).clock
    assert isinstance(clock, SettableClock)
    sign_in(browser_of_jo)
    provider.knows_the_person = False

    there = browser_of_jo.get("/desk/sign-in/openid?page=/desk").headers["Location"]
    back = urlsplit(httpx.get(there, trust_env=False, timeout=30).headers["Location"])
    end = finish(browser_of_jo, f"{back.path}?{back.query}")

    assert (end.status_code, end.headers["Location"]) == (303, "/desk/sign-in")


def test_a_sign_in_by_the_provider_leads_to_the_page_asked_for(browser_of_jo: TestClient) -> None:
    page = "/desk/concerns/4F7K-926W-0X3R"
    assert f"page={quote(page, safe='')}&amp;asks=true" in browser_of_jo.get(f"/desk/sign-in?page={page}").text

    there = browser_of_jo.get("/desk/sign-in/openid", params={"page": page, "asks": "true"}).headers["Location"]
    back = urlsplit(httpx.get(there, trust_env=False, timeout=30).headers["Location"])
    end = finish(browser_of_jo, f"{back.path}?{back.query}")

    assert "prompt" not in there
    assert (end.status_code, end.headers["Location"]) == (303, page)


@for_each("page", ["https://attacker.example", "//attacker.example/desk", "/desk\r\nX: y", "/deskx", "/v1", "/desk é"])
def test_a_sign_in_leads_back_only_to_the_desk_s_own_pages(browser_of_jo: TestClient, page: str) -> None:
    there = browser_of_jo.get("/desk/sign-in/openid", params={"page": page}).headers["Location"]
    back = urlsplit(httpx.get(there, trust_env=False, timeout=30).headers["Location"])

    end = finish(browser_of_jo, f"{back.path}?{back.query}")

    assert (end.status_code, end.headers["Location"]) == (303, "/desk")


def test_a_session_that_goes_on_ends_when_the_first_one_would_have(browser_of_jo: TestClient, service: FastAPI) -> None:
    sessions, start = context_of_service(service).desk_sign_in.sessions, A_TUESDAY
    sign_in(browser_of_jo)
    token = browser_of_jo.cookies[SESSION_COOKIE]
    for hour in range(1, 13):
        at = start + hour * dt.timedelta(minutes=55)
        for minutes in (27, 54):
            sessions.find(token, at=at - dt.timedelta(minutes=55 - minutes))
        token = sessions.start(
            JO, client="openid:api://the-desk", address="192.0.2.7", at=at, former=token, goes_on=True
        )

    with pytest.raises(TokenInvalid, match="the session has ended"):
        sessions.find(token, at=start + dt.timedelta(hours=12))


def test_a_person_who_left_is_not_let_in_by_the_provider(browser_of_jo: TestClient, service: FastAPI) -> None:
    sign_in(browser_of_jo)
    context_of_service(service).writer.run(remove_person_access, JO, at=A_TUESDAY)

    assert browser_of_jo.get("/desk").status_code == 303
    assert sign_in(browser_of_jo).status_code == 401


def test_the_provider_gives_nobody_the_name_of_somebody_with_a_passkey(
    browser_of_jo: TestClient, service: FastAPI
) -> None:
    invited(service, JO, Role.LEAD)

    assert sign_in(browser_of_jo).status_code == 401


def test_a_provider_with_another_fault_is_not_the_person_s_fault(
    browser_of_jo: TestClient, provider: PeopleProvider
) -> None:
    provider.fault = "temporarily_unavailable"

    assert sign_in(browser_of_jo).status_code == 503


def test_a_provider_that_is_away_is_said_in_plain_words(browser_of_jo: TestClient, provider: PeopleProvider) -> None:
    provider.configuration["authorization_endpoint"] = "http://login.council.example/plain"

    response = browser_of_jo.get("/desk/sign-in/openid")

    assert response.status_code == 503
    assert "The sign-in service is not responding" in response.text


def test_the_sign_in_offers_no_provider_without_a_client(settings: Settings) -> None:
    with TestClient(create_app(settings, SettableClock())) as client:
        assert client.get("/desk/sign-in/openid").status_code == 404
        assert "work account" not in client.get("/desk/sign-in").text


@pytest.mark.parametrize(
    "given",
    [
        {"GUIDANCE_OPENID_CLIENT_ID": "the-desk"},
        {"GUIDANCE_OPENID_CLIENT_SECRET": "x"},
        {
            "GUIDANCE_OPENID_CLIENT_ID": "the-desk",
            "GUIDANCE_OPENID_ISSUER": "urn:council",
            "GUIDANCE_OPENID_AUDIENCE": "x",
            "GUIDANCE_OPENID_JWKS_URL": "https://login.council.example/keys",
        },
    ],
)
def test_incomplete_sign_in_settings_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(SettingsRefused):
        parse_settings(given)


WORK_ACCOUNT = "Sign in with your work account"
RETURN, FINISH = "/desk/sign-in/openid/return", "/desk/sign-in/openid/finish"


@dataclass(frozen=True)
class Council:
    """A service, where it is served, and the provider at which its people sign in by a press."""

    service: FastAPI
    url: str
    provider: PeopleProvider

    @property
    def sessions(self) -> DeskSessions:
        return context_of_service(self.service).desk_sign_in.sessions


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Council]:
    port = free_port()
    with people_provider() as provider:
        provider.has_page = True
        settings = Settings.model_validate(
            {
                "data_dir": tmp_path_factory.mktemp("council") / "data",
                "deliver": False,
                "public_url": f"http://localhost:{port}",
                "openid_issuer": provider.issuer,
                "openid_audience": "api://one-minute-guide",
                "openid_claims": ("groups",),
                "openid_scopes": {"Duty Team": ["concerns:read", "concerns:write"]},
                "openid_client_id": CLIENT_ID,
                "openid_client_secret": CLIENT_SECRET,
            }
        )
        service = create_app(settings, SettableClock())
        with run_server(service, port=port):
            yield Council(service, settings.public_url, provider)


@pytest.fixture
def context(browser: Browser, council: Council) -> Iterator[BrowserContext]:
    council.provider.codes.clear()
    context = browser.new_context(base_url=council.url)
    context.set_default_timeout(30_000)
    yield context
    context.close()
    assert council.provider.refusals == []  # of verifiers, addresses to come back to, and clients


def begin(page: Page) -> None:
    """Go from the sign-in to the provider's page."""
    page.goto("/desk/sign-in")
    page.get_by_role("link", name=WORK_ACCOUNT).press("Enter")
    expect(page.get_by_role("button", name="Go on as Jo Example")).to_be_visible()


def end(page: Page) -> str:
    """Sign in at the provider, and return the token of the session that the browser has in the inbox."""
    page.get_by_role("button", name="Go on as Jo Example").press("Enter")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    expect(page.get_by_role("button", name=f"Signed in as {JO}")).to_be_visible()
    return token_of(page.context)


def token_of(context: BrowserContext) -> str:
    (token,) = (each["value"] for each in context.cookies() if each["name"] == SESSION_COOKIE)
    return token


def is_over(council: Council, token: str) -> bool:
    try:
        council.sessions.find(token, at=A_TUESDAY)
    except TokenInvalid:
        return True
    return False


def planted_by_another(council: Council) -> str:
    """Return the address with a code that somebody else fetched in a browser of their own."""
    with httpx.Client(trust_env=False, timeout=30) as other:
        there = other.get(f"{council.url}/desk/sign-in/openid").headers["Location"]
        return other.post(there).headers["Location"]


def lure(page: Page, council: Council, address: str) -> None:
    """Lead from a page of another site to the address."""
    page.goto(f"{council.provider.issuer}/.well-known/openid-configuration")
    page.evaluate("address => { location.href = address }", address)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_strict_cookies_sign_in_a_person_from_a_provider_on_another_site(
    browser: Browser, council: Council, scripts: bool
) -> None:
    context = browser.new_context(base_url=council.url, java_script_enabled=scripts)
    context.set_default_timeout(30_000)
    page, seen = context.new_page(), dict[str, tuple[str | None, list[str]]]()
    page.on("request", lambda request: seen.update([sent_with(request)]))
    begin(page)
    ways = context.cookies()

    end(page)

    (cookie,) = context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("desk", True, "Strict")
    assert [(each["name"][:8], each["httpOnly"], each["sameSite"]) for each in ways] == [("desk-way", True, "Strict")]
    assert seen[RETURN] == ("cross-site", [])
    assert seen[FINISH] == ("same-origin", [ways[0]["name"]])
    assert seen["/desk"] == ("same-origin", ["desk"])
    assert page.url == f"{council.url}/desk"
    assert (council.provider.refusals, council.provider.codes) == ([], {})
    context.close()


def sent_with(request: Request) -> tuple[str, tuple[str | None, list[str]]]:
    """Return the path of a request, what the browser says of the site that began it, and the names of its cookies."""
    headers = request.all_headers()
    names = [each.partition("=")[0] for each in headers.get("cookie", "").split("; ") if each]
    return httpx.URL(request.url).path, (headers.get("sec-fetch-site"), names)


def test_a_sign_in_begun_elsewhere_signs_nobody_in_and_ends_no_session(
    context: BrowserContext, council: Council
) -> None:
    page = context.new_page()
    lure(page, council, planted_by_another(council))
    expect(page.get_by_role("heading", name="You cannot sign in")).to_be_visible()
    assert context.cookies() == []
    begin(page)
    token = end(page)

    lure(page, council, planted_by_another(council))

    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    assert (token_of(context), is_over(council, token)) == (token, False)
    assert len(council.provider.codes) == 2  # nobody asked for a token of theirs


def test_going_back_and_signing_in_again_keeps_the_same_session(context: BrowserContext, council: Council) -> None:
    page = context.new_page()
    begin(page)
    token = end(page)

    page.go_back()
    again = end(page)

    assert again == token
    page.goto(f"{council.url}{RETURN}?code=x&state=y")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()


def test_two_tabs_sign_in_and_the_later_session_ends_the_earlier(context: BrowserContext, council: Council) -> None:
    first, second = context.new_page(), context.new_page()
    begin(first)
    begin(second)

    tokens = [end(first), end(second)]

    assert [is_over(council, each) for each in tokens] == [True, False]
    first.reload()
    expect(first.get_by_role("heading", name="Inbox")).to_be_visible()
    first.goto("/desk/sign-in")
    first.get_by_role("link", name=WORK_ACCOUNT).dblclick()
    assert not is_over(council, end(first))


def test_a_person_who_declines_at_the_provider_returns_to_sign_in(context: BrowserContext, council: Council) -> None:
    page = context.new_page()
    begin(page)

    page.goto(f"{council.url}{RETURN}?error=access_denied&state=x")

    expect(page.get_by_role("heading", name="You cannot sign in")).to_be_visible()
    page.get_by_role("link", name="Go to the inbox").press("Enter")
    expect(page.get_by_role("heading", name="Sign in to the desk")).to_be_visible()
