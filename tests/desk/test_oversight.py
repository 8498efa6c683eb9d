"""Oversight: one page of four tabs, each with its own address. Each role sees what its scopes allow."""

import datetime as dt
import re
from urllib.parse import urlencode

import httpx
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Route, expect
from starlette.testclient import TestClient

from app.models.access.roles import Role
from tests.support.browsing import accessibility_violations
from tests.support.clock import SettableClock
from tests.support.concerns import raise_concern
from tests.support.desk import FORM, Served, acts_on, ask_for_file, look, press, text_of
from tests.support.desk_states import session_of, sign_in
from tests.support.people import JO, OWN_PAGE, sign_in_as
from tests.support.unsealing import unlock

LEE, KIM = "Lee Example", "Kim Example"
A_DAY = dt.timedelta(days=1)
TABS = {
    "/desk/day": "Work",
    "/desk/figures": "Figures",
    "/desk/record": "Who read what",
    "/desk/retention": "To be erased",
}


@pytest.fixture
def lee(service: FastAPI, client: TestClient) -> TestClient:
    """The browser of a lead."""
    client.follow_redirects = False
    sign_in_as(service, client, LEE, Role.LEAD)
    return client


@pytest.mark.parametrize(
    ("role", "tabs"),
    [
        (Role.LEAD, TABS),
        (Role.AUDITOR, TABS),
        (Role.WORKER, {"/desk/day": "Work", "/desk/record": "What you read and did"}),
    ],
)
def test_each_tab_has_an_address_and_leads_to_the_others(
    service: FastAPI, client: TestClient, role: Role, tabs: dict[str, str]
) -> None:
    sign_in_as(service, client, LEE, role)

    pages = {path: client.get(path) for path in TABS}

    assert {path for path, page in pages.items() if page.status_code == 200} == set(tabs)
    for path in tabs:
        (bar,) = re.findall(r'<nav class="tabs.*?</nav>', pages[path].text, re.DOTALL)
        assert dict(re.findall(r'href="([^"]+)"[^>]*>([^<]+)<', bar)) == tabs
        assert re.findall(r'href="([^"]+)" aria-current="page"', bar) == [path]


@pytest.mark.slow
def test_work_shows_the_days_on_which_something_happened(
    service: FastAPI, lee: TestClient, clock: SettableClock
) -> None:
    for _ in range(9):
        raise_concern(lee)
        clock.time += 5 * A_DAY
    sign_in_as(service, lee, LEE, Role.LEAD)

    page = lee.get("/desk/day")

    days = re.findall(r'<tr><th scope="row">([^<]+)</th><td>(\d+)</td>', page.text)
    assert [count for _day, count in days] == ["0", *["1"] * 6]
    assert [day for day, _count in days[:3]] == ["Today", "3 January 2027", "29 December 2026"]
    assert "0 received today 9 not acknowledged 9 are overdue" in text_of(page)


@pytest.mark.slow
def test_an_auditor_sees_who_has_what_and_a_worker_the_days(service: FastAPI, lee: TestClient) -> None:
    reference = raise_concern(lee)["reference"]

    sign_in_as(service, lee, LEE, Role.AUDITOR)
    of_auditor = lee.get("/desk/day").text
    sign_in_as(service, lee, LEE, Role.WORKER)
    of_worker = lee.get("/desk/day").text
    sign_in_as(service, lee, LEE, Role.EDITOR)

    assert ("Who has what" in of_auditor, "received today" in of_auditor, reference in of_auditor) == (
        True,
        False,
        False,
    )
    assert ("Who has what" in of_worker, "received today" in of_worker) == (False, True)
    assert lee.get("/desk/day").status_code == 403


@pytest.mark.slow
def test_a_lead_sees_a_list_of_what_is_restricted(service: FastAPI, lee: TestClient) -> None:
    other = TestClient(service, follow_redirects=False)
    sign_in_as(service, other, KIM, Role.LEAD)
    ordinary, to_leads, to_both, to_kim, closed = (raise_concern(lee)["reference"] for _ in range(5))
    sign_in_as(service, TestClient(service), JO)
    named: dict[str, tuple[str, ...]] = {to_leads: (), to_both: (KIM, LEE), to_kim: (KIM, JO), closed: ()}
    for reference, people in named.items():
        form = {"seen": look(other, reference), "restricted": "yes", "reason": "About somebody here.", "people": people}
        sent = urlencode(form, doseq=True)
        assert other.post(f"/desk/concerns/{reference}/restriction", content=sent, headers=OWN_PAGE | FORM).is_redirect
    press(other, closed, "acknowledgement")
    press(other, closed, "outcome", outcome="early_help")

    page = lee.get("/desk/day")

    (table,) = re.findall(r"Open restricted concerns that you may open.*?</table>", page.text, re.DOTALL)
    assert set(re.findall(r'href="/desk/concerns/([^"]+)"', table)) == {to_leads, to_both}
    assert [each in table for each in (ordinary, closed)] == [False, False]
    assert to_kim not in page.text
    assert "Leads" in table
    assert f"{KIM}, {LEE}" in table
    assert "1 open concern is restricted to other people" in text_of(page)
    (shown,) = [what for act, who, what in acts_on(service, "inbox") if act == "listed" and who.endswith(LEE)]
    assert set(shown.split()) == {to_leads, to_both}


@pytest.mark.slow
def test_retention_names_the_child_once_unlocked_and_finds_a_row_by_name(browser: Browser, served: Served) -> None:
    """A concern that was closed long ago too: its card is among the earlier ones."""
    names, references = ("Zymurgia", "Quetzal", "Alex"), {}
    with httpx.Client(base_url=served.url, trust_env=False, timeout=30) as http:
        for name in names:
            reference = raise_concern(http, children=[{"given_names": name, "family_name": "Example"}])["reference"]
            of_jo = {"Cookie": f"desk={session_of(served.service)}"} | OWN_PAGE
            for act, fields in (
                ("acknowledgement", {"up_to_addition": "0"}),
                ("outcome", {"outcome": "early_help"}),
                ("hold", {"held": "yes", "reason": "Court proceedings."}),
            ):
                assert http.post(f"/desk/concerns/{reference}/{act}", data=fields, headers=of_jo).status_code == 303
            references[name] = reference
    with browser.new_context(base_url=served.url) as context:
        page = context.new_page()
        sign_in(page, served.service)
        page.route("**/desk/cards?*", lambda route: answer_late(route, references["Alex"]))
        page.goto(ask_for_file(served.service))
        unlock(page, served.identity)
        expect(page.locator("[data-lock].unlocked")).to_be_visible()
        page.locator("[href='/desk/day']").first.evaluate("(link) => link.click()")
        page.get_by_role("link", name="To be erased").click()
        page.get_by_label("List").select_option("held")
        page.get_by_role("button", name="Show").press("Enter")
        rows = page.locator("#retention tbody tr")

        expect(rows.filter(has_text="Alex Example")).to_have_count(1)
        page.get_by_label("Find in this list").fill("quetzal")
        expect(rows.locator("visible=true")).to_have_count(1)
        expect(page.locator(".find-row [role=status]")).to_have_text("1 of 3")
        expect(rows.locator("visible=true")).to_contain_text(references["Quetzal"])
        assert accessibility_violations(page) == []
        page.get_by_label("Find in this list").press("Enter")
        assert page.url.endswith("?list=held&state=&days=60")


def answer_late(route: Route, reference: str) -> None:
    """Move the card of one concern to the earlier ones, as if it had been closed for months."""
    is_earlier = "scope=earlier" in route.request.url
    current = route.fetch(url=route.request.url.replace("scope=earlier", "scope=current")).json()
    cards = [each for each in current["cards"] if (each["reference"] == reference) is is_earlier]
    route.fulfill(json=current | {"cards": cards})
