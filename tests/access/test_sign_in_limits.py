"""Signing in: nobody writes before they sign in, and tries from an address keep nobody there out."""

import secrets

import pytest
from fastapi import FastAPI
from sqlalchemy import func
from sqlmodel import Session, select
from starlette.testclient import TestClient

from app.config import Settings
from app.http.context import AppContext
from app.main import create_app
from app.models.access.people import ChallengeRow
from app.services.access import passkeys
from tests.support.authenticators import ORIGIN, Authenticator, encoded
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.people import JO, OWN_PAGE, invited

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

AN_OFFICE = "192.0.2.7"
SIGN_IN, OPTIONS = "/desk/sign-in", "/desk/sign-in/options"


def context_of(service: FastAPI) -> AppContext:
    context: AppContext = service.state.context
    return context


def office(service: FastAPI) -> TestClient:
    return TestClient(service, base_url=ORIGIN, client=(AN_OFFICE, 50_000), headers=OWN_PAGE)


def challenges(service: FastAPI) -> int:
    with Session(context_of(service).engine) as session:
        return session.exec(select(func.count()).select_from(ChallengeRow)).one()


@pytest.mark.usefixtures("client")
def test_a_person_who_has_not_signed_in_writes_nothing(service: FastAPI) -> None:
    link = invited(service, JO)
    context_of(service).writer.stop()

    offers = [office(service).post(OPTIONS) for _ in range(5)]
    invitations = [office(service).post("/desk/invitation/options", data={"token": token}) for token in (link, "x")]
    wrong = office(service).post(SIGN_IN, data={"credential": Authenticator().sign(offers[0].json())})

    assert [each.status_code for each in offers] == [200] * 5
    assert [each.status_code for each in invitations] == [200, 401]
    assert wrong.status_code == 401
    assert len({each.json()["challenge"] for each in offers}) == 5
    assert challenges(service) == 0


@pytest.mark.usefixtures("client")
def test_a_challenge_of_this_service_is_signed_once_before_its_end(service: FastAPI, clock: SettableClock) -> None:
    device, browser = Authenticator(), office(service)
    device.register(service)
    before = challenges(service)
    signed, late = (device.sign(browser.post(OPTIONS).json()) for _ in range(2))
    made_up = device.sign({"challenge": encoded(secrets.token_bytes(72)), "rpId": "localhost"})

    statuses = [browser.post(SIGN_IN, data={"credential": each}).status_code for each in (signed, signed, made_up)]
    clock.time += passkeys.CHALLENGE_LIFETIME
    too_late = browser.post(SIGN_IN, data={"credential": late})

    assert statuses == [204, 401, 401]
    assert too_late.status_code == 401
    assert challenges(service) == before + 1


def test_what_others_try_from_an_office_keeps_nobody_out_of_the_desk(settings: Settings) -> None:
    few = settings.model_copy(update={"limit_sign_in": "3/minute", "limit_desk": "3/minute"})
    service, device = create_app(few, lambda: A_TUESDAY), Authenticator()
    with TestClient(service):
        device.register(service)
        browser = office(service)
        stranger = Authenticator()
        tries = [browser.post(SIGN_IN, data={"credential": stranger.sign(browser.post(OPTIONS).json())}) for _ in "123"]
        posts = [office(service).post("/desk/concerns/4F7K-926W-0X3R/acknowledgement") for _ in range(5)]

        entered = browser.post(SIGN_IN, data={"credential": device.sign(browser.post(OPTIONS).json())})
        act = browser.post("/desk/concerns/4F7K-926W-0X3R/acknowledgement", data={"seen": "1"})

    assert [each.status_code for each in tries] == [401, 429, 429]
    assert int(tries[-1].headers["Retry-After"]) > 0
    assert posts[-1].status_code == 429
    assert (entered.status_code, act.status_code) == (204, 404)
