"""The status page: what works, for people, whatever does not."""

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.config import Settings
from app.http import health
from app.main import create_app
from app.models.events.rows import EMAIL
from tests.support.clock import SettableClock
from tests.support.desk import text_of

pytestmark = pytest.mark.any_database

PARTS = ("Reading the guides", "Raising a concern", "Following a concern, and messages")


def test_the_status_page_says_that_everything_works(client: TestClient) -> None:
    page = client.get("/status")

    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert "Everything works." in text_of(page)
    assert all(f"{part} Working" in text_of(page) for part in PARTS)
    assert "Emails" not in text_of(page)


def test_without_its_database_the_status_page_says_whom_to_call(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get("/status")
    monkeypatch.setattr(health, "_database", lambda _: "no answer")

    page = client.get("/status")

    assert page.status_code == 200
    assert "Something does not work at the moment." in text_of(page)
    assert all(f"{part} Not working" in text_of(page) for part in PARTS)
    assert 'href="tel:' in page.text


def test_the_status_page_tells_if_emails_are_not_sent(settings: Settings, clock: SettableClock) -> None:
    mail: dict[str, Any] = {"smtp_host": "mail.example", "smtp_from": "guidance@council.example"}
    service: FastAPI = create_app(settings.model_copy(update=mail | {"smtp_to": "team@council.example"}), clock)
    service.state.context.outside.failures = {EMAIL: "no answer"}
    with TestClient(service) as client:
        page = text_of(client.get("/status"))

    assert "Emails to the duty team Not working. The duty team still has every concern" in page
    assert "Raising a concern Working" in page
