"""Figures for a board: a period of months, with small counts hidden and no figures of people."""

import datetime as dt

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.models.access.clients import Scope
from app.models.access.roles import Role
from app.services.access.clients import add_client
from tests.support.clock import SettableClock
from tests.support.concerns import a_concern, raise_concern
from tests.support.desk import acts_on, press, text_of
from tests.support.people import context_of_service, sign_in_as

pytestmark = pytest.mark.any_database
LEE = "Lee Example"
QUESTION = "/desk/figures?from=2026-11&to=2026-11"


@pytest.fixture
def lee(service: FastAPI, client: TestClient) -> TestClient:
    """The browser of a lead."""
    client.follow_redirects = False
    sign_in_as(service, client, LEE, Role.LEAD)
    return client


@pytest.mark.slow
def test_the_figures_of_a_period_hide_what_is_small(service: FastAPI, lee: TestClient, clock: SettableClock) -> None:
    references = [raise_concern(lee)["reference"] for _ in range(8)]
    tester = add_client(
        context_of_service(service).writer,
        name="a-tester",
        scopes=(Scope.SUBMIT,),
        test=True,
        at=clock.time,
    )
    of_test = lee.post("/v1/concerns", json=a_concern(test=True), headers={"Authorization": f"Bearer {tester}"})
    assert of_test.status_code == 201
    for number, reference in enumerate(references):
        clock.time += dt.timedelta(minutes=1)
        press(lee, reference, "acknowledgement")
        if number < 6:
            press(lee, reference, "outcome", outcome="early_help" if number else "no_further_action")

    page = lee.get(QUESTION)

    words = text_of(page)
    assert "8 concerns received 6 closed" in words
    assert "within 4 minutes , and nine of ten within 7 minutes" in words
    of_outcomes = words.partition("Closed, by outcome")[2]
    assert of_outcomes.count("fewer than 5, or hidden") == 2
    assert LEE not in page.text.partition("<main")[2].partition("</main>")[0]
    assert acts_on(service, "audit")[-1][2] == "figures from 2026-11 to 2026-11"


def test_a_period_without_concerns_shows_no_times(lee: TestClient) -> None:
    words = text_of(lee.get("/desk/figures"))

    assert "Figures: August 2026 to October 2026" in words
    assert "0 concerns received 0 closed" in words
    assert "no times are shown" in words


@pytest.mark.parametrize("months", ["from=2026-13&to=2026-12", "from=november", "from=2026-11&to=2026-10"])
def test_a_month_that_is_none_is_an_error_in_words(service: FastAPI, lee: TestClient, months: str) -> None:
    page = lee.get(f"/desk/figures?{months}")

    assert page.status_code == 400
    assert 'class="fault"' in page.text
    assert acts_on(service, "audit") == []
