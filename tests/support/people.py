"""People at the desk, for tests that work in its pages."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from fastapi import FastAPI
from playwright.sync_api import BrowserContext, Page
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from app.http.context import AppContext
from app.http.visitors import SESSION_COOKIE
from app.models.access.roles import Role
from app.models.audit.details import sentence_of
from app.models.audit.rows import PEOPLE, AuditEntryRow
from app.services.access import passkeys
from app.services.access.access_record import fingerprint
from app.services.access.key_copies import Device
from app.services.access.people import invite

JO = "Jo Example"
ADDRESS = "192.0.2.7"
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
    token = context.desk_sign_in.begin_with_passkey(name, address=ADDRESS, at=context.clock(), former=None)
    client.cookies.set(SESSION_COOKIE, token)
    return token


def store_passkey(
    service: FastAPI, link: str, credential_id: bytes, public_key: bytes = b"a public key", recipient: str = ""
) -> str:
    """Exchange the invitation for a passkey, as if a device had made it, and return its fingerprint."""
    context = context_of_service(service)
    made: Any = SimpleNamespace(credential_id=credential_id, credential_public_key=public_key, sign_count=0)
    context.writer.run(
        lambda session: passkeys._store_passkey(
            session,
            secrets.token_bytes(32),
            link,
            made,
            Device("A phone", recipient),
            address=ADDRESS,
            at=context.clock(),
        )
    )
    return fingerprint(credential_id, public_key)


FINGERPRINTS = re.compile(r"(; link|session|passkey|by link) [0-9a-f]{16} ?")
OF_CLIENTS = ("client_added", "key_added", "client_revoked")


def acts_of_people(service: FastAPI) -> list[tuple[str, str, str, str]]:
    """Return what is on the record of people, in order: the act, who did it, from where, and the detail.

    What random links, passkeys and sessions are called is left out, and what was done with clients.
    """
    with Session(context_of_service(service).engine) as session:
        of_people = select(AuditEntryRow).where(AuditEntryRow.chain == PEOPLE)
        rows = session.exec(of_people.order_by(col(AuditEntryRow.number)))
        said = [(row.act, row.client, row.address, FINGERPRINTS.sub("", sentence_of(row))) for row in rows]
        return [each for each in said if each[0] not in OF_CLIENTS]


def accept_invitation(page: Page, token: str) -> None:
    """Exchange the invitation for a passkey in the browser, and go to the inbox."""
    page.goto(f"/desk/invitation#{token}")
    page.get_by_role("button", name="Create a passkey and sign in").press("Enter")
    page.locator("body[data-person]").wait_for(state="attached")
    page.goto("/desk")


@contextmanager
def virtual_authenticator(context: BrowserContext, page: Any, *, has_prf: bool = True) -> Iterator[str]:
    """Give the page a device that holds passkeys, verifies its person, and has the extension PRF unless told."""
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "ctap2Version": "ctap2_1",
        "hasPrf": has_prf,
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    added = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    yield added["authenticatorId"]
    session.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": added["authenticatorId"]})
