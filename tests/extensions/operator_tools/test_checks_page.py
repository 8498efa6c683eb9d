"""The page of checks: each step of the first day and each check of the doctor, for leads, at most once a minute."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.config import Settings
from app.errors import SetupError
from app.extensions.operator_tools.services import settings_checks
from app.extensions.operator_tools.services.doctor import ALL_CHECKS, HELD_FOR, Examiner, Finding
from app.extensions.operator_tools.services.first_day import STEPS
from app.models.access.roles import Role
from app.services.operations.check_model import Verdict
from tests.support.clock import SettableClock
from tests.support.desk import text_of
from tests.support.people import context_of_service, sign_in_as

pytestmark = pytest.mark.any_database


def in_words(text: str) -> str:
    return " ".join(f"{text[:1].upper()}{text[1:]}".split())


@pytest.mark.slow
def test_a_lead_sees_each_step_and_check_with_what_to_do(service: FastAPI, client: TestClient) -> None:
    sign_in_as(service, client, "Lee Example", Role.LEAD)

    page = text_of(client.get("/desk/checks"))

    held = context_of_service(service).of_extensions[Examiner].examine()
    assert held is not None
    assert [each.check for each in held.findings] == [each.name for each in ALL_CHECKS]
    assert [step for step, _verdict in held.steps] == list(STEPS)
    told: list[Finding | Verdict] = [*held.findings, *(verdict for _step, verdict in held.steps)]
    expected = {in_words(words) for each in told for words in (each.found, each.action)}
    expected |= {step.title for step in STEPS} | {each.name for each in ALL_CHECKS}
    assert {each for each in expected if each not in page} == set()


@pytest.mark.parametrize("role", [Role.WORKER, Role.AUDITOR])
def test_nobody_but_a_lead_sees_the_checks(service: FastAPI, client: TestClient, role: Role) -> None:
    sign_in_as(service, client, role=role)

    assert client.get("/desk/checks").status_code == 403
    assert "/desk/checks" not in client.get("/desk/key").text


@pytest.mark.slow
@pytest.mark.usefixtures("service")
def test_the_checks_run_once_a_minute_and_never_twice_together(
    settings: Settings, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, starts, ends = [], threading.Event(), threading.Event()

    def rehearse(_: Settings) -> None:
        runs.append(clock())
        starts.set()
        assert ends.wait(30)
        raise SetupError

    monkeypatch.setattr(settings_checks, "create_app", rehearse)
    examiner = Examiner(settings, clock)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(examiner.examine)
        assert starts.wait(30)
        meanwhile = examiner.examine()
        ends.set()
        found = first.result()
    again = examiner.examine()
    clock.time += HELD_FOR + dt.timedelta(seconds=1)
    later = examiner.examine()

    assert (meanwhile, again is found, len(runs)) == (None, True, 2)
    assert later is not None
    assert later.at == clock.time
