"""The hosted desk in each state in which it has a page, for a test that looks at all of them."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
from fastapi import FastAPI
from playwright.sync_api import Page, Route, expect
from starlette.requests import Request

from app.models.access.roles import Role
from app.models.concerns.examples import FULL_EXAMPLE
from app.pages.frame import DeskSite
from tests.support.browsing import Keyboard
from tests.support.concerns import add, raise_concern
from tests.support.people import ADDRESS, JO, OWN_PAGE, context_of_service, invited

SAM = "Sam Example"
MANY = 51
NO_CONCERN = "/desk/concerns/4F7K-926W-0X3R"
States = Iterator[str]


def session_of(service: FastAPI, name: str = JO, role: Role = Role.LEAD) -> str:
    """Return the cookie of a session of that person, with that role from now on."""
    context = context_of_service(service)
    invited(service, name, role)
    return context.desk_sign_in.begin_with_passkey(name, address=ADDRESS, at=context.clock(), former=None)


def sign_in(page: Page, service: FastAPI, role: Role = Role.LEAD) -> None:
    """Give the browser a session, as a passkey would."""
    cookie = {"name": "desk", "value": session_of(service, role=role), "domain": "localhost", "path": "/"}
    page.context.add_cookies([{**cookie, "sameSite": "Strict"}])  # type: ignore[typeddict-item]  # any text


def raised(http: httpx.Client, **changes: Any) -> dict[str, Any]:
    """Raise the fullest concern, and return its receipt."""
    return raise_concern(http, **FULL_EXAMPLE | changes)


def before_signing_in(page: Page, service: FastAPI, url: str) -> States:
    """Nobody is signed in."""
    page.goto("/desk/sign-in")
    yield "sign in"
    page.goto(url.replace("localhost", "127.0.0.1") + "/desk/sign-in")
    yield "sign in elsewhere"
    page.goto("/desk/invitation#used")
    page.get_by_role("button").press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    yield "an invitation that was used"
    site = DeskSite.of(Request({"type": "http", "method": "GET", "app": service}))
    provider: dict[str, Any] = {"elsewhere": None, "has_provider": True, "page_after": "/desk"}
    for name, values in {"desk_sign_in": provider, "desk_signing_in": {"finish": "/desk"}}.items():
        body = bytes(site.page(f"{name}.html", **values).body)
        page.route(f"**/{name}", answering(body.replace(b"http-equiv", b"data-was")))  # it would lead on at once
        page.goto(f"/{name}")
        yield f"{name} with a provider"


def answering(body: bytes) -> Callable[[Route], None]:
    """Return what gives a browser that page."""
    return lambda route: route.fulfill(body=body, content_type="text/html")


def inbox(page: Page, http: httpx.Client) -> States:
    """The inbox, without a concern and with more than a page of them, and what one does there."""
    page.goto("/desk")
    yield "empty inbox"
    for number in range(MANY):
        http.post("/v1/concerns", json={**FULL_EXAMPLE, "immediate_danger": ("no", "not_sure", "yes")[number % 3]})
    page.goto("/desk?state=received")
    yield "full inbox with filters"
    page.locator("summary", has_text="More").press("Enter")
    yield "the inbox with more filters open"
    page.goto("/desk/key")
    yield "the own key"
    page.get_by_role("button", name="Keys of the desk").press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    yield "the keys of the desk"
    page.goto("/desk/find?reference=no")
    yield "a reference that is none"
    page.goto("/desk?show=changed")
    yield "never looked"
    page.goto("/desk?show=overdue")
    yield "nothing is overdue"
    for path in (
        "/desk?ended=true",
        "/desk/day",
        "/desk/record",
        "/desk/record?chain=audit",
        "/desk/nothing",
        NO_CONCERN,
        "/desk/blank",
    ):
        page.goto(path)
        yield path


def concern(page: Page, service: FastAPI, http: httpx.Client, body: str) -> States:
    """One concern, from its arrival to its erasure."""
    keys, receipt = Keyboard(page), raised(http, immediate_danger="yes")
    path, sam = f"/desk/concerns/{receipt['reference']}", session_of(service, SAM, Role.WORKER)
    assert add(http, receipt, "Alex Example came home. " * 20, "yes").is_success
    page.goto(path)
    yield "a concern that waits"
    assert act(http, sam, f"{path}/notes", text="A made-up note. " * 20) == [303]
    assert act(http, sam, f"{path}/assignment", person=SAM) == [303]
    keys.write("New message to the reporter", "Which school?")
    keys.press("button", "Send the message")
    expect(page.get_by_role("heading", name="Someone else changed this concern")).to_be_visible()
    yield "what another did meanwhile"
    keys.press("button", "Send the message")
    expect(page.get_by_text("Not read yet")).to_be_visible()
    keys.press("button", "Acknowledge with addition 1")
    expect(page.get_by_text("Done: acknowledged")).to_be_visible()
    keys.open_up("Note")
    page.get_by_label("New note").evaluate("(field) => { field.form.noValidate = true; }")
    keys.press("button", "Add the note")
    expect(page.locator("#fault-text")).to_be_visible()
    yield "a note without words"
    page.goto(path)
    for summary in page.locator("summary").all():
        summary.press("Enter")
    yield "an acknowledged concern with all that is folded"
    assert len(act(http, sam, f"{path}/hand-over", body=body, reason="The child lives there.")) == 1
    keys.write("Reason. Recorded, and sent to the organisation", "The child lives there.")
    page.get_by_label("Which organisation").select_option(body)
    keys.press("button", "Hand it over")
    expect(page.get_by_role("heading", name="Someone else changed this concern")).to_be_visible()
    keys.press("button", "Hand it over")
    expect(page.get_by_role("heading", name="Hand-over recorded")).to_be_visible()
    yield "handed over"
    for further in ("additions", "notes"):
        page.goto(f"{path}/{further}")
        yield further
    assert act(http, sam, f"{path}/outcome", outcome="early_help") == [303]
    page.goto(path)
    yield "a closed concern with hand-overs"
    yield from reopened(keys, http, sam, path)
    keys.open_up("Erase this concern")
    keys.write("Reason for erasing", "Requested in writing.")
    keys.press("button", "Erase this concern")
    expect(page.get_by_role("heading", name="What stays")).to_be_visible()
    yield "a question before erasing"
    keys.press("button", "Erase permanently")
    yield "the reference is not typed again"
    keys.write("Type the reference again", receipt["reference"])
    keys.press("button", "Erase permanently")
    expect(page.get_by_text("Done: erased")).to_be_visible()
    yield "an erased concern"


def reopened(keys: Keyboard, http: httpx.Client, sam: str, path: str) -> States:
    """A closed concern that somebody reopens, takes over, and loses again, and that is closed once more."""
    page = keys.page
    keys.open_up("Reopen this concern")
    keys.write("Reason. Recorded: do not name anyone", "Closed by mistake.")
    keys.press("button", "Reopen the concern")
    expect(page.get_by_text("Done: reopened")).to_be_visible()
    yield "a reopened concern"
    keys.press("button", "Assign to me")
    expect(page.get_by_role("heading", name="Take it over?")).to_be_visible()
    yield "a question before taking over"
    keys.press("button", "Take it over")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    yield "a concern that was taken over"
    assert act(http, sam, f"{path}/assignment", person=SAM, replaces=JO) == [303]
    page.goto("/desk?show=mine")
    yield "a concern that another took over"
    assert act(http, sam, f"{path}/outcome", outcome="early_help") == [303]
    page.goto(path)


def written_down(page: Page) -> States:
    """The page on which a call is written down: empty, refused, unfolded and sent."""
    keys = Keyboard(page)
    page.goto("/desk/new")
    yield "no call yet"
    page.get_by_label("What was said").fill("Rang twice.")
    page.get_by_role("radio", name="Yes", exact=True).check()
    page.get_by_label("Time").fill("23:59")
    keys.press("button", "Write it down")
    expect(page.locator("#fault-came_at")).to_be_visible()
    yield "a call in the future"
    page.get_by_label("Time").fill("09:00")
    for summary in page.locator("main summary").all():
        summary.press("Enter")
    page.get_by_label("The caller wants a code").check()
    yield "a call with all that is folded"
    keys.press("button", "Write it down")
    expect(page.get_by_role("heading", name="Written down")).to_be_visible()
    yield "a call that is written down"


def oversight(page: Page, service: FastAPI, http: httpx.Client) -> States:
    """What a lead sees of people, the audit log, figures and retention, and what an auditor sees of the same."""
    reference = raised(http)["reference"]
    session_of(service, SAM, Role.WORKER)
    for role in (Role.LEAD, Role.AUDITOR):
        sign_in(page, service, role)
        for path in (
            "/desk/people",
            "/desk/people/keys",
            f"/desk/people/person?name={SAM}",
            "/desk/key",
            "/desk/record",
            f"/desk/record?person={JO}",
            "/desk/record?chain=nobody",
            "/desk/day",
            "/desk/figures",
            "/desk/checks",
            "/desk/retention",
            "/desk/retention?list=held",
        ):
            page.goto(path)
            yield f"{path} as {role}"
    sign_in(page, service, Role.LEAD)
    sam = session_of(service, SAM, Role.WORKER)
    assert act(http, sam, f"/desk/concerns/{reference}/assignment", person=SAM) == [303]
    page.goto(f"/desk/people/person?name={SAM}")
    yield "a person with a concern"
    page.get_by_role("button", name=f"Remove {SAM}").press("Enter")
    expect(page.get_by_role("heading", name="from the desk?")).to_be_visible()
    yield "a question before removing a person"
    page.goto("/desk/people")
    page.get_by_label("Name, as the audit log shows it").fill("Robin Example")
    page.get_by_label("Worker: reads concerns and acts on them").check()
    page.get_by_role("button", name="Make the link").press("Enter")
    expect(page.get_by_role("heading", name="Invitation for")).to_be_visible()
    yield "an invitation"


def roles(page: Page, service: FastAPI, http: httpx.Client) -> States:
    """What a reader and an auditor see, and what happens at the press of somebody who is signed out."""
    path = f"/desk/concerns/{raised(http)['reference']}"
    for role in (Role.READER, Role.AUDITOR):
        sign_in(page, service, role)
        page.goto(path)
        yield f"a concern as {role}"
    sign_in(page, service)
    page.goto(path)
    page.context.clear_cookies()
    Keyboard(page).press("button", "Acknowledge")
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    yield "a press after the end of the session"


def act(http: httpx.Client, session: str, path: str, **fields: str) -> list[int]:
    """Send a form of the desk as the person of that session, who has not seen the page. Return the status."""
    return [http.post(path, data=fields, headers=OWN_PAGE | {"Cookie": f"desk={session}"}).status_code]
