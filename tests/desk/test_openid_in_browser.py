"""Signing in by an OpenID provider of another site, in a real browser: `127.0.0.1` there, `localhost` here."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from app.config import Settings
from app.errors import TokenInvalid
from app.http.auth import SESSION_COOKIE
from app.main import create_app
from app.services.people import DeskSessions
from tests.support.browsing import run_server
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.openid import CLIENT_ID, CLIENT_SECRET, PeopleProvider, people_provider
from tests.support.people import JO, context_of_service
from tests.support.proxies import free_port

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

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
    expect(page.get_by_text(f"Signed in as {JO}")).to_be_visible()
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
def test_a_person_comes_back_from_a_provider_of_another_site_and_is_signed_in_by_strict_cookies_alone(
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


def test_a_sign_in_that_another_browser_began_signs_nobody_in_and_ends_no_session(
    context: BrowserContext, council: Council
) -> None:
    page = context.new_page()
    lure(page, council, planted_by_another(council))
    expect(page.get_by_role("heading", name="You are not let in")).to_be_visible()
    assert context.cookies() == []
    begin(page)
    token = end(page)

    lure(page, council, planted_by_another(council))

    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    assert (token_of(context), is_over(council, token)) == (token, False)
    assert len(council.provider.codes) == 2  # nobody asked for a token of theirs


def test_going_back_and_pressing_again_leads_to_the_inbox_with_the_same_session(
    context: BrowserContext, council: Council
) -> None:
    page = context.new_page()
    begin(page)
    token = end(page)

    page.go_back()
    again = end(page)

    assert again == token
    page.goto(f"{council.url}{RETURN}?code=x&state=y")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()


def test_two_tabs_sign_in_side_by_side_and_the_later_session_ends_the_former(
    context: BrowserContext, council: Council
) -> None:
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


def test_who_does_not_sign_in_at_the_provider_is_led_back_to_the_sign_in(
    context: BrowserContext, council: Council
) -> None:
    page = context.new_page()
    begin(page)

    page.goto(f"{council.url}{RETURN}?error=access_denied&state=x")

    expect(page.get_by_role("heading", name="You are not let in")).to_be_visible()
    page.get_by_role("link", name="Go to the inbox").press("Enter")
    expect(page.get_by_role("heading", name="Sign in to the desk")).to_be_visible()
