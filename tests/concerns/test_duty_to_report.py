"""A statement that the law makes a professional report: asked from the council's day on, and signed, never demanded."""

import datetime as dt
import re
from typing import Any

import jwt
import pytest
from starlette.testclient import TestClient

from app.config import Settings
from app.main import create_app
from app.services.concerns.receipts import UNDER_DUTY
from tests.support.clock import SettableClock

pytestmark = pytest.mark.any_database

FORM = "/raise-a-concern"
ASKED = 'name="reporter.duty_to_report.made_under_duty"'
ACT = "Crime and Policing Act 2026"
CONCERN = {"immediate_danger": "no", "children": [{}], "concern": {"narrative": "Alex Example came with a bruise."}}
STATED = {"made_under_duty": "yes", "reason_for_delay": "Reporting that day would have put Alex at risk."}
FIELDS = {
    "immediate_danger": "no",
    "reporter.kind": "professional",
    "concern.narrative": "Alex Example came with a bruise.",
    "count:children": "1",
    "reporter.duty_to_report.made_under_duty": "yes",
    "do": "send",
}


def claims_of(receipt: str) -> dict[str, Any]:
    return dict(jwt.decode(receipt, options={"verify_signature": False}))


def send(client: TestClient, kind: str, stated: dict[str, Any] | None) -> dict[str, Any]:
    response = client.post("/v1/concerns", json=CONCERN | {"reporter": {"kind": kind, "duty_to_report": stated}})
    assert response.status_code == 201, response.text
    return dict(response.json())


@pytest.mark.parametrize("answer", ["yes", "no", "not_known"])
def test_a_professional_s_receipt_states_the_duty_and_time_without_the_reason(client: TestClient, answer: str) -> None:
    receipt = send(client, "professional", STATED | {"made_under_duty": answer})

    claims = claims_of(receipt["receipt"])
    assert (claims["made_under_duty"], claims["received_at"]) == (answer, receipt["received_at"])
    assert (UNDER_DUTY in receipt["next_steps"]) == (answer == "yes")
    assert "at risk" not in f"{claims}{receipt}"


def test_a_receipt_names_a_duty_only_if_a_professional_stated_it(client: TestClient) -> None:
    for kind, stated in (("professional", None), ("professional", {}), ("member_of_public", STATED), ("child", STATED)):
        receipt = send(client, kind, stated)

        assert "made_under_duty" not in claims_of(receipt["receipt"])
        assert UNDER_DUTY not in receipt["next_steps"]


@pytest.mark.slow
def test_a_form_asks_from_the_council_s_day_in_london_or_never(settings: Settings) -> None:
    clock = SettableClock()
    midnight = dt.datetime(2027, 8, 31, 23, 0, tzinfo=dt.UTC)  # of 1 September in London
    asked = {}
    for name, changed in (
        ("never", {}),
        ("by the register", {"duty_to_report_from": dt.date(2027, 9, 1)}),
        ("in own words", {"duty_to_report_from": dt.date(2027, 9, 1), "duty_to_report_text": "Our lawyers say so."}),
    ):
        with TestClient(create_app(settings.model_copy(update=changed), clock)) as client:
            for when, moment in (("before", midnight - dt.timedelta(seconds=1)), ("from then on", midnight)):
                clock.time = moment
                page = client.get(FORM).text
                asked[name, when] = (ASKED in page, ACT in page, "Our lawyers say so." in page)
            assert ASKED not in client.get("/worried-about-yourself").text

    assert asked == {
        ("never", "before"): (False, False, False),
        ("never", "from then on"): (False, False, False),
        ("by the register", "before"): (False, False, False),
        ("by the register", "from then on"): (True, True, False),
        ("in own words", "before"): (False, False, False),
        ("in own words", "from then on"): (True, False, True),
    }


def test_a_page_s_optional_answer_is_in_the_receipt(settings: Settings) -> None:
    on = settings.model_copy(update={"duty_to_report_from": dt.date(2026, 1, 1)})
    with TestClient(create_app(on, SettableClock())) as client:
        stated = client.post(FORM, data=FIELDS)
        silent = client.post(FORM, data=FIELDS | {"reporter.duty_to_report.made_under_duty": ""})

    assert [stated.status_code, silent.status_code] == [201, 201]
    signed = [claims_of(re.findall(r'name="receipt" value="([^"]*)"', page.text)[0]) for page in (stated, silent)]
    assert [each.get("made_under_duty") for each in signed] == ["yes", None]
    assert UNDER_DUTY in stated.text
    assert UNDER_DUTY not in silent.text
