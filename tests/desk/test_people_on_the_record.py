"""Who is let in at the desk, signs in or out, changes role or leaves is on the record, and `verify` covers it."""

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.http.auth import SESSION_COOKIE
from app.models.people import Role
from app.services.people import leave
from app.services.verification import find_faults
from tests.support.databases import Unguarded, raw_connection
from tests.support.desk import Desk
from tests.support.people import ADDRESS, JO, OWN_PAGE, acts_of_people, context_of_service, sign_in_as

SIGNED_IN = ("signed_in", f"passkey:desk/{JO}", ADDRESS, "")


def by_the_operator(act: str, detail: str) -> tuple[str, str, str, str]:
    return (act, "operator", "command line", detail)


def test_what_people_are_let_in_to_do_and_when_they_come_and_go_is_on_the_record(
    service: FastAPI, client: TestClient, desk: Desk
) -> None:
    client.follow_redirects = False
    sign_in_as(service, client, JO, Role.WORKER)
    client.post("/desk/sign-out", headers=OWN_PAGE)
    client.post("/desk/sign-out", headers=OWN_PAGE)  # signs nobody out
    sign_in_as(service, client, JO, Role.LEAD)
    leave(context_of_service(service).writer, JO, at=context_of_service(service).clock())
    cookie = client.cookies[SESSION_COOKIE]
    client.post("/desk/sign-out", headers=OWN_PAGE | {"Cookie": f"{SESSION_COOKIE}={cookie}"})  # nor a person who left

    assert acts_of_people(service) == [
        by_the_operator("invited", f"{JO} as worker"),
        SIGNED_IN,
        ("signed_out", f"passkey:desk/{JO}", "testclient", ""),
        by_the_operator("invited", f"{JO} as lead"),
        by_the_operator("role_changed", f"{JO} from worker to lead"),
        SIGNED_IN,
        by_the_operator("left", JO),
    ]
    shown = desk.get("/disclosures?chain=people").json()["disclosures"]
    assert [each["act"] for each in shown] == [act for act, *_ in acts_of_people(service)]
    assert list(find_faults(context_of_service(service).engine)) == []


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE disclosures SET client = 'passkey:desk/Sam Example' WHERE chain = 'people' AND act = 'signed_in'",
        "DELETE FROM disclosures WHERE chain = 'people' AND act = 'signed_in'",
    ],
)
def test_verify_finds_a_sign_in_that_was_altered_or_taken_out(
    service: FastAPI, client: TestClient, tampering: str
) -> None:
    sign_in_as(service, client, JO)

    with raw_connection(context_of_service(service).settings.data_dir) as database:
        Unguarded(database).execute(tampering)

    assert {about for about, _ in find_faults(context_of_service(service).engine)} >= {"disclosures of people"}
