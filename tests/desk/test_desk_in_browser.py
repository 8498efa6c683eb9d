"""The desk in a real browser: an invitation, a passkey, the inbox, a concern, and the way out."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pypdf
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlmodel import Session, select

from app.errors import TokenInvalid
from app.models.access.people import PasskeyRow
from app.models.access.roles import Role
from tests.support.browsing import Keyboard
from tests.support.clock import A_TUESDAY
from tests.support.concerns import raise_at
from tests.support.desk import acts_on
from tests.support.loops import by_day
from tests.support.people import (
    ADDRESS,
    JO,
    OWN_PAGE,
    context_of_service,
    invited,
    virtual_authenticator,
)
from tests.support.service import a_service

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

WORDS = "Alex Example was collected from school by an adult whom staff do not know."


@pytest.fixture
def service(tmp_path: Path) -> FastAPI:
    return a_service(data_dir=tmp_path / "data")


@pytest.fixture
def context(browser: Browser, url: str) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(30_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    with virtual_authenticator(context, page):
        yield page


def accept_invitation(page: Page, service: FastAPI, role: Role = Role.LEAD) -> None:
    page.goto(f"/desk/invitation#{invited(service, JO, role)}")
    Keyboard(page).press("button", "Create a passkey and sign in")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()


def forget_counts(session: Session) -> None:
    """Make every passkey one of a device that counts nothing, as many do: the count refuses no answer then."""
    for passkey in session.exec(select(PasskeyRow)):
        passkey.sign_count = 0


@pytest.mark.nightly
def test_figures_and_retention_print_on_one_page_without_controls(page: Page, service: FastAPI, url: str) -> None:
    raise_at(url)
    accept_invitation(page, service)

    for path, heading in (("figures?from=2026-11&to=2026-11", "Figures: November 2026"), ("retention", "To be erased")):
        page.goto(f"/desk/{path}")
        (printed,) = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages
        words = printed.extract_text()
        assert heading in words
        controls = ("First month", "Print", "Sign out", "Save the list", "Write down a call", JO)
        assert [each for each in controls if each in words] == []


def test_an_invitation_opened_at_a_wrong_address_links_to_the_right_one(page: Page, service: FastAPI, url: str) -> None:
    there = url.replace("localhost", "127.0.0.1")
    page.goto(f"{there}/desk/invitation#{invited(service)}")

    Keyboard(page).press("link", f"Open your invitation at {url}/desk/invitation")
    Keyboard(page).press("button", "Create a passkey and sign in")

    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    page.goto(f"{there}/desk/sign-in")
    expect(page.get_by_role("link", name=f"Sign in at {url}/desk/sign-in")).to_be_visible()


def test_an_invitation_works_once(page: Page, service: FastAPI) -> None:
    link = f"/desk/invitation#{invited(service)}"
    page.goto(link)
    Keyboard(page).press("button", "Create a passkey and sign in")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()

    page.goto(link)
    Keyboard(page).press("button", "Create a passkey and sign in")

    expect(page.get_by_role("alert")).to_contain_text("This invitation was used, or has expired")


def test_a_sign_in_gives_a_new_session_and_a_challenge_works_once(
    page: Page, context: BrowserContext, service: FastAPI, url: str
) -> None:
    accept_invitation(page, service)
    planted = context.cookies()[0]["value"]
    page.goto("/desk/sign-in")

    with page.expect_request(lambda request: request.method == "POST" and request.url.endswith("/sign-in")) as sent:
        Keyboard(page).press("button", "Sign in with a passkey")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()

    (cookie,) = context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("desk", True, "Strict")
    assert cookie["value"] != planted
    sessions = context_of_service(service).desk_sign_in.sessions
    assert sessions.find(cookie["value"], at=A_TUESDAY).person == JO
    with pytest.raises(TokenInvalid):
        sessions.find(planted, at=A_TUESDAY)
    context_of_service(service).writer.run(forget_counts)
    headers = OWN_PAGE | {"Content-Type": "application/x-www-form-urlencoded"}
    again = httpx.post(
        f"{url}/desk/sign-in", content=sent.value.post_data, headers=headers, trust_env=False, timeout=30
    )
    assert (again.status_code, "set-cookie" in again.headers) == (401, False)


@contextmanager
def served(page: str) -> Iterator[int]:
    """Serve one page at a port of its own: a page that a test gives a browser may not show this machine's pages."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class calls it so
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("host", by_day(["127.0.0.1", "localhost"], ["localhost"]))
def test_another_site_can_neither_frame_the_desk_nor_post_its_forms(
    page: Page, service: FastAPI, url: str, host: str
) -> None:
    reference = raise_at(url)["reference"]
    accept_invitation(page, service)
    target = f"{url}/desk/concerns/{reference}"
    form = f'<form method="post" action="{target}/acknowledgement"><button>A prize</button></form>'
    with served(f'<iframe src="{target}"></iframe>{form}') as port:
        page.goto(f"http://{host}:{port}/")
        page.wait_for_load_state("load")
        assert [WORDS in each.content() or "Sign in" in each.content() for each in page.main_frame.child_frames] == [
            False
        ]
        Keyboard(page).press("button", "A prize")
        expect(page.get_by_role("heading", name="Use the form on this website")).to_be_visible()
    assert "acknowledged" not in [act for act, *_ in acts_on(service, reference)]


def test_without_scripts_the_desk_works_but_for_the_passkey(browser: Browser, service: FastAPI, url: str) -> None:
    reference = raise_at(url)["reference"]
    context = context_of_service(service)
    invited(service)
    token = context.desk_sign_in.begin_with_passkey(JO, address=ADDRESS, at=context.clock(), former=None)
    plain = browser.new_context(base_url=url, java_script_enabled=False)
    plain.add_cookies([{"name": "desk", "value": token, "url": url, "sameSite": "Strict"}])
    page = plain.new_page()

    page.goto("/desk")
    page.get_by_label("Find by reference").fill(reference.lower().replace("-", " "))
    page.get_by_role("button", name="Find").click()
    page.get_by_role("button", name="Acknowledge", exact=True).click()

    expect(page.get_by_text("Done: acknowledged")).to_be_visible()
    plain.close()
