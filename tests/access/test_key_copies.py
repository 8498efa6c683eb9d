"""Locked copies of the team's key: who stores, fetches and deletes them, and what no copy and no service can open."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyrage
import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from fastapi import FastAPI
from sqlmodel import Session, SQLModel, select
from starlette.testclient import TestClient

from app.age.keys import Sealer, fingerprint_of, identity_of
from app.models.access.clients import Scope
from app.models.access.people import KeyCopyRow, PasskeyRow
from app.models.access.roles import Role
from app.services.access.key_copies import MAX_COPY_BYTES, MAX_PER_MINUTE
from tests.support.authenticators import ORIGIN, Authenticator
from tests.support.desk import send, text_of, worker_of
from tests.support.people import (
    OWN_PAGE,
    acts_of_people,
    context_of_service,
    invited,
    sign_in_as,
    store_passkey,
)
from tests.support.service import a_service

pytestmark = pytest.mark.any_database

JO, SAM, LEE = "Jo Example", "Sam Example", "Lee Example"
TEAM = pyrage.x25519.Identity.generate()
KEY = str(TEAM.to_public())
SECRETS = {JO: b"what the passkey of Jo says here", SAM: b"what the passkey of Sam says here"}
COPIES = "/desk/key/copies"


def identity_with(secret: bytes) -> Any:
    """Return the identity that a browser makes of a passkey's secret."""
    return identity_of(HKDF(SHA256(), 32, None, b"council guidance: identity of a passkey, 1").derive(secret))


def recipient_with(secret: bytes) -> str:
    return str(identity_with(secret).to_public())


@pytest.fixture
def service(tmp_path: Path) -> Iterator[FastAPI]:
    service = a_service(data_dir=tmp_path / "data", seal_to=(KEY,))
    with TestClient(service):
        yield service


@pytest.fixture
def passkeys(service: FastAPI) -> dict[str, str]:
    """The fingerprint of the passkey of each person."""
    return {
        name: store_passkey(service, invited(service, name), name.encode(), recipient=recipient_with(secret))
        for name, secret in SECRETS.items()
    }


def browser_of(service: FastAPI, name: str, role: Role = Role.WORKER) -> TestClient:
    browser = TestClient(service, follow_redirects=False)
    sign_in_as(service, browser, name, role)
    return browser


def copy_for(passkey: str, secret: bytes, **changes: str) -> dict[str, str]:
    """Return the form by which a browser stores a copy for the passkey."""
    sealed = Sealer.to(recipient_with(secret)).seal(str(TEAM).encode())
    return {"passkey": passkey, "sealed": base64.b64encode(sealed).decode(), "keys": KEY} | changes


def stored(service: FastAPI) -> list[KeyCopyRow]:
    with Session(context_of_service(service).engine) as session:
        return list(session.exec(select(KeyCopyRow).order_by(KeyCopyRow.person)))


@pytest.mark.slow
def test_only_the_persons_own_session_stores_and_fetches_their_copy(service: FastAPI, passkeys: dict[str, str]) -> None:
    jo, sam = browser_of(service, JO), browser_of(service, SAM)
    form = copy_for(passkeys[JO], SECRETS[JO])
    by_key = worker_of(service, TestClient(service), JO, Scope.READ)

    refused = [
        send(sam, COPIES, **form).status_code,
        send(sam, "/desk/people/key", name=JO, **form).status_code,
        by_key.http.post(COPIES, data=form, headers=by_key.headers | OWN_PAGE).status_code,
        by_key.http.get(COPIES, headers=by_key.headers).status_code,
        jo.post(COPIES, data=form, headers={"Sec-Fetch-Site": "cross-site"}).status_code,
    ]
    nothing = stored(service)
    assert send(jo, COPIES, **form).status_code == 303

    assert (refused, nothing) == ([404, 403, 403, 403, 403], [])
    assert [each["sealed"] for each in jo.get(COPIES).json()["copies"]] == [form["sealed"]]
    assert sam.get(COPIES).json()["copies"] == []


@pytest.mark.slow
def test_a_lead_gives_a_first_copy_and_replaces_no_current_one(service: FastAPI, passkeys: dict[str, str]) -> None:
    lee, form = browser_of(service, LEE, Role.LEAD), copy_for(passkeys[JO], SECRETS[JO])

    given = send(lee, "/desk/people/key", name=JO, **form)
    again = send(lee, "/desk/people/key", name=JO, **form)
    own = send(browser_of(service, JO), COPIES, **form)

    assert (given.status_code, again.status_code, own.status_code) == (303, 403, 303)
    said = [(act, client.partition("/")[2]) for act, client, *_ in acts_of_people(service) if "copy" in act]
    assert said == [("key_copy_stored", LEE), ("key_copy_stored", JO)]
    assert "in place of an earlier copy" in acts_of_people(service)[-1][3]


@pytest.mark.parametrize(
    "changes",
    [
        {"sealed": base64.b64encode(str(TEAM).encode()).decode()},
        {"sealed": base64.b64encode(Sealer.to(KEY, KEY).seal(b"x")).decode()},
        {"sealed": base64.b64encode(Sealer.to(KEY).seal(b"x" * MAX_COPY_BYTES)).decode()},
        {"sealed": "not base64!"},
        {"keys": ""},
        {"keys": str(TEAM)},
    ],
    ids=["in the clear", "for two keys", "too long", "not base64", "without a key", "an identity as its key"],
)
def test_only_an_age_file_for_one_passkey_is_a_copy(
    service: FastAPI, passkeys: dict[str, str], changes: dict[str, str]
) -> None:
    answer = send(browser_of(service, JO), COPIES, **copy_for(passkeys[JO], SECRETS[JO], **changes))

    assert (answer.status_code, stored(service)) == (400, [])
    assert str(TEAM) not in answer.text


ENDINGS: dict[str, Callable[[TestClient, str], Any]] = {
    "leaving": lambda lee, _: send(lee, "/desk/people/leaving", name=JO, sure="yes"),
    "a lost device": lambda lee, _: send(lee, "/desk/people/sign-out", name=JO),
    "a removed passkey": lambda lee, passkey: send(lee, "/desk/people/passkey", name=JO, passkey=passkey),
    "a role that reads no concerns": lambda lee, _: send(lee, "/desk/people/role", name=JO, role="auditor"),
}


@pytest.mark.slow
@pytest.mark.parametrize("ending", ENDINGS)
def test_copies_end_with_the_person_the_device_and_the_role(
    service: FastAPI, passkeys: dict[str, str], ending: str
) -> None:
    jo, lee = browser_of(service, JO), browser_of(service, LEE, Role.LEAD)
    for browser, name in ((jo, JO), (browser_of(service, SAM), SAM)):
        assert send(browser, COPIES, **copy_for(passkeys[name], SECRETS[name])).status_code == 303

    assert ENDINGS[ending](lee, passkeys[JO]).status_code == 303

    assert [row.person for row in stored(service)] == [SAM]
    assert jo.get(COPIES).status_code in (303, 403)
    deleted = [(client, detail) for act, client, _, detail in acts_of_people(service) if act == "key_copy_deleted"]
    assert [(client, JO in detail) for client, detail in deleted] == [(f"passkey:desk/{LEE}", True)]


@pytest.mark.slow
def test_the_page_says_which_key_to_change_until_it_is_changed(
    service: FastAPI, passkeys: dict[str, str], tmp_path: Path
) -> None:
    lee = browser_of(service, LEE, Role.LEAD)
    send(browser_of(service, JO), COPIES, **copy_for(passkeys[JO], SECRETS[JO]))
    send(browser_of(service, SAM), COPIES, **copy_for(passkeys[SAM], SECRETS[SAM]))
    left = send(lee, "/desk/people/leaving", name=JO, sure="yes")

    before = text_of(lee.get(left.headers["Location"]))
    changed = a_service(data_dir=tmp_path / "data", seal_to=(recipient_with(b"another key"),))
    with TestClient(changed):
        after = text_of(browser_of(changed, LEE, Role.LEAD).get("/desk/people/keys"))

    assert f"{JO} left on" in before
    assert "guidance keys reseal --identity OLD-FILE" in before
    assert f"{SAM} A phone {fingerprint_of(KEY)} " in before.replace("Passkey ", "").replace("Key ", "")
    assert f"{JO} left on" not in after
    assert f"{fingerprint_of(KEY)} old key" in after


@pytest.mark.slow
def test_a_flood_of_fetches_is_refused_for_that_person_only(service: FastAPI, passkeys: dict[str, str]) -> None:
    jo, sam = browser_of(service, JO), browser_of(service, SAM)
    send(jo, COPIES, **copy_for(passkeys[JO], SECRETS[JO]))

    statuses = [jo.get(COPIES).status_code for _ in range(MAX_PER_MINUTE)]

    assert (statuses[-2:], sam.get(COPIES).status_code) == ([200, 429], 200)


@pytest.mark.slow
def test_a_sign_in_stores_the_recipient_and_makes_no_link(service: FastAPI) -> None:
    device = Authenticator()
    device.register(service)
    browser = TestClient(service, base_url=ORIGIN, headers=OWN_PAGE, follow_redirects=False)
    signed = [device.sign(browser.post("/desk/sign-in/options").json()) for _ in range(3)]

    right = browser.post("/desk/sign-in", data={"credential": signed[0], "recipient": KEY})
    odd = browser.post("/desk/sign-in", data={"credential": signed[1], "recipient": "age1nothing"})
    without = browser.post("/desk/key/link", data={"credential": signed[0]})
    link = browser.post("/desk/key/link", data={"credential": signed[2]})

    with Session(context_of_service(service).engine) as session:
        assert [row.recipient for row in session.exec(select(PasskeyRow))] == [KEY]
    assert (right.status_code, odd.status_code, without.status_code) == (204, 204, 401)
    assert "/desk/invitation#" in link.text
    assert [act for act, client, *_ in acts_of_people(service) if client.endswith(JO) and act == "invited"] == [
        "invited"
    ]


@pytest.mark.slow
def test_everything_in_the_database_opens_no_copy(service: FastAPI, passkeys: dict[str, str]) -> None:
    send(browser_of(service, JO), COPIES, **copy_for(passkeys[JO], SECRETS[JO]))
    (row,) = stored(service)
    with Session(context_of_service(service).engine) as session:
        rows = [each for table in SQLModel.metadata.sorted_tables for each in session.execute(table.select())]

    held = {as_bytes(value) for each in rows for value in each if value is not None}
    tried = [identity_with(value) for value in held] + [identity_of(value[:32]) for value in held if len(value) >= 32]
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(row.sealed, [*tried, identity_with(SECRETS[SAM])])
    assert pyrage.decrypt(row.sealed, [identity_with(SECRETS[JO])]) == str(TEAM).encode()


def as_bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def test_the_secret_of_a_tab_is_that_of_one_session(service: FastAPI, client: TestClient) -> None:
    secrets = []
    for _ in range(2):
        sign_in_as(service, client)
        secrets.append([client.get("/desk/key/tab").json()["secret"] for _ in range(2)])
    client.cookies.clear()

    assert [len(set(each)) for each in secrets] == [1, 1]
    assert secrets[0] != secrets[1]
    assert client.get("/desk/key/tab", follow_redirects=False).status_code == 303
