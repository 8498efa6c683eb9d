"""People at the desk, for tests that work in its pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import FastAPI
from playwright.sync_api import BrowserContext
from starlette.testclient import TestClient

from app.models.roles import Role
from app.services.access.people import invite
from app.web.context import AppContext
from app.web.people import SESSION_COOKIE

JO = "Jo Example"
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}


def context_of_service(service: FastAPI) -> AppContext:
    context: AppContext = service.state.context
    return context


def invited(service: FastAPI, name: str = JO, role: Role = Role.WORKER) -> str:
    """Return the token of an invitation."""
    context = context_of_service(service)
    now = context.clock()
    return invite(context.writer, name, role=role, expires_at=now.replace(year=now.year + 1), at=now)


def sign_in_as(service: FastAPI, client: TestClient, name: str = JO, role: Role = Role.WORKER) -> str:
    """Give the client the cookie of a session of that person, as a passkey would, and return it."""
    context = context_of_service(service)
    invited(service, name, role)
    token = context.desk_sign_in.begin_with_passkey(name, at=context.clock(), former=None)
    client.cookies.set(SESSION_COOKIE, token)
    return token


def received(client: TestClient, a_concern: Any, **changes: Any) -> str:
    """Raise a concern, and return its reference."""
    response = client.post("/v1/concerns", json=a_concern(**changes))
    assert response.status_code == 201, response.text
    reference: str = response.json()["reference"]
    return reference


@contextmanager
def virtual_authenticator(context: BrowserContext, page: Any) -> Iterator[str]:
    """Give the page a device that holds passkeys, verifies its person, and has the extension PRF."""
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "ctap2Version": "ctap2_1",
        "hasPrf": True,
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    added = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    yield added["authenticatorId"]
    session.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": added["authenticatorId"]})
