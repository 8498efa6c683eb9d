"""Calls, letters, emails and visits that a worker writes down: concerns and additions like any others."""

import base64
import csv
import datetime as dt
import io
from typing import Any

import orjson
import pytest
from fastapi import FastAPI
from sqlmodel import Session
from starlette.testclient import TestClient

from app.age.keys import Sealer
from app.models.access.clients import Scope
from app.models.concerns.channels import LONGEST_AGO
from app.models.concerns.concern import FORM_VERSION
from app.models.references import new_reference
from app.services.concerns.deadlines import find_unannounced
from app.services.operations.verification import find_faults
from tests.support.canaries import CANARY
from tests.support.clock import A_TUESDAY
from tests.support.concerns import a_concern, add, token_of
from tests.support.databases import RawConnection, Unguarded
from tests.support.desk import Desk, worker_of
from tests.support.people import context_of_service

HALF_AN_HOUR = dt.timedelta(minutes=30)
BEFORE = A_TUESDAY - HALF_AN_HOUR
CALL = {"channel": "call", "came_at": BEFORE.isoformat()}
WORDS = f"{CANARY} rang twice."
ADDITION = {"immediate_danger": "no", "concern": {"narrative": WORDS}}
ROBIN = "desk-of-robin/Robin Example"


def write(desk: Desk, body: dict[str, Any], key: str = "") -> Any:
    headers = desk.headers | ({"Idempotency-Key": key} if key else {})
    return desk.http.post("/v1/desk/concerns", json=CALL | body, headers=headers)


def write_more(desk: Desk, reference: str, body: dict[str, Any], key: str = "") -> Any:
    headers = desk.headers | ({"Idempotency-Key": key} if key else {})
    return desk.http.post(f"/v1/desk/concerns/{reference}/additions", json=CALL | body, headers=headers)


def keys_of(service: FastAPI) -> tuple[Sealer, list[str]]:
    sealer = context_of_service(service).submissions.sealer
    return sealer, list(map(str, sealer.recipients))


def sealed_body(service: FastAPI, submission: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a concern that was encrypted where it was typed."""
    (sealer, recipients), reference = keys_of(service), new_reference()
    file = sealer.seal(orjson.dumps({"reference": reference, "submission": submission}))
    return {
        "sealed": base64.b64encode(file).decode(),
        "recipients": recipients,
        "reference": reference,
        "immediate_danger": submission["immediate_danger"],
        "form_version": FORM_VERSION,
    } | changes


def sealed_addition(service: FastAPI, reference: str, addition: dict[str, Any]) -> dict[str, Any]:
    sealer, recipients = keys_of(service)
    file = sealer.seal(orjson.dumps({"reference": reference, "addition": addition}))
    sealed = base64.b64encode(file).decode()
    return {"sealed": sealed, "recipients": recipients, "immediate_danger": addition["immediate_danger"]}


def faults_of(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [each["pointer"] for each in answer.json()["errors"]]


def test_a_call_is_a_concern_whose_clock_starts_when_it_came(robin: Desk, desk: Desk) -> None:
    written = write(robin, {"submission": a_concern(immediate_danger="yes")})

    receipt = written.json()
    entry = next(each for each in desk.get("/concerns").json()["concerns"])
    opened = desk.get(f"/concerns/{receipt['reference']}").json()
    chain = desk.get(f"/disclosures?chain={receipt['reference']}").json()["disclosures"]
    assert written.status_code == 201
    assert written.headers["location"] == f"/v1/desk/concerns/{receipt['reference']}"
    assert (receipt["received_at"], receipt["came_at"]) == ("2026-11-24T09:30:00Z", "2026-11-24T09:00:00Z")
    assert receipt["acknowledge_by"] == "2026-11-24T10:00:00Z"  # an hour after the call
    assert (entry["reference"], entry["acknowledge_by"]) == (receipt["reference"], "2026-11-24T10:00:00Z")
    assert (opened["channel"], opened["came_at"], opened["received_by"]) == ("call", "2026-11-24T09:00:00Z", ROBIN)
    assert (chain[0]["act"], chain[0]["client"]) == ("received", ROBIN)


@pytest.mark.slow
def test_without_a_code_no_code_works_and_no_message_is_sent(
    robin: Desk, client: TestClient, database: RawConnection
) -> None:
    receipt = write(robin, {"submission": a_concern()}).json()
    path = f"/v1/desk/concerns/{receipt['reference']}"

    status = client.get(f"/v1/concerns/{receipt['reference']}", headers={"Authorization": "Bearer "})
    zero = client.get(f"/v1/concerns/{receipt['reference']}", headers={"Authorization": "Bearer 0000-0000-0000-0000"})
    listed = robin.get(f"/concerns/{receipt['reference']}/messages").json()
    sent = robin.act(receipt["reference"], "messages", text="Which school?")
    robin.act(receipt["reference"], "acknowledgement")
    closed = robin.http.post(
        f"{path}/outcome", json={"outcome": "early_help", "message": {"text": "Thank you."}}, headers=robin.headers
    )

    ((digest, key),) = database.execute("SELECT status_token_sha256, message_key FROM concerns").fetchall()
    assert (receipt["status_token"], receipt["come_back_by"]) == (None, None)
    assert not any("status token" in step for step in receipt["next_steps"])
    assert (bytes(digest), bytes(key)) == (b"", b"")
    assert (status.status_code, zero.status_code) == (401, 404)
    assert listed["recipient"] == ""
    assert (sent.status_code, sent.json()["type"].rpartition("/")[2]) == (409, "reporter-has-no-code")
    assert closed.status_code == 409
    assert robin.get(f"/concerns/{receipt['reference']}").json()["state"] == "acknowledged"


def test_a_sealed_message_that_nobody_could_read_is_refused(robin: Desk) -> None:
    reference = write(robin, {"submission": a_concern()}).json()["reference"]

    sealed = base64.b64encode(b"age-encryption.org/v1\n-> X25519 ...").decode()
    for message in ({"sealed": sealed}, {"text": "Which school?"}):
        assert robin.act(reference, "messages", **message).status_code == 409
    assert robin.get(f"/concerns/{reference}/messages").json()["messages"] == []


def test_with_a_code_the_caller_follows_the_concern(robin: Desk, client: TestClient) -> None:
    receipt = write(robin, {"submission": a_concern(), "wants_code": True}).json()
    own = {"Authorization": f"Bearer {receipt['status_token']}"}
    path = f"/v1/concerns/{receipt['reference']}"

    status = client.get(path, headers=own)
    sent = robin.act(receipt["reference"], "messages", text="Which school?")
    read = client.get(f"{path}/messages", headers=own).json()

    assert (status.status_code, sent.status_code) == (200, 201)
    assert [each["message"] for each in read["messages"]] == ["Which school?"]
    assert robin.get(f"/concerns/{receipt['reference']}").json()["reporter_has_code"] is True


def test_a_retry_stores_nothing_twice_and_shows_the_code_again(robin: Desk) -> None:
    body = {"submission": a_concern(), "wants_code": True}
    first, again = (write(robin, body, key="the-key-of-a-call") for _ in range(2))
    other = write(robin, body | {"channel": "letter"}, key="the-key-of-a-call")

    assert again.json()["status_token"] == first.json()["status_token"]
    assert again.headers["idempotency-replayed"] == "true"
    assert (other.status_code, other.json()["type"].rpartition("/")[2]) == (422, "key-reused")
    assert len(robin.get("/concerns").json()["concerns"]) == 1


def test_a_call_written_down_has_the_events_of_any_concern(robin: Desk, service: FastAPI, client: TestClient) -> None:
    receipt = write(robin, {"submission": a_concern()}).json()
    write_more(robin, receipt["reference"], {"addition": ADDITION})

    follower = worker_of(service, client, None, Scope.EVENTS)
    events = client.get("/v1/events", headers=follower.headers).json()["events"]
    about = [each for each in events if each["data"].get("reference") == receipt["reference"]]
    assert [each["type"] for each in about] == ["concern.received", "concern.added"]


def test_a_further_call_is_an_addition_with_its_own_clock(robin: Desk, desk: Desk, receipt: dict[str, Any]) -> None:
    reference = receipt["reference"]
    written = write_more(robin, reference, {"addition": ADDITION | {"immediate_danger": "yes"}})

    (addition,) = desk.get(f"/concerns/{reference}/additions").json()["additions"]
    entry = desk.get(f"/concerns/{reference}").json()
    assert (written.status_code, written.json()["number"], written.json()["addition"]) == (201, 1, None)
    assert addition["addition"] == ADDITION | {"immediate_danger": "yes"}
    assert (addition["channel"], addition["came_at"], addition["received_by"]) == (
        "call",
        "2026-11-24T09:00:00Z",
        ROBIN,
    )
    assert addition["acknowledge_by"] == entry["addition_acknowledge_by"] == "2026-11-24T10:00:00Z"
    assert (entry["immediate_danger"], entry["addition_danger"]) == ("yes", "yes")


@pytest.mark.slow
def test_the_reporter_does_not_learn_that_someone_else_called(
    robin: Desk, service: FastAPI, client: TestClient, receipt: dict[str, Any]
) -> None:
    reference, own, path = receipt["reference"], token_of(receipt), receipt["links"]["self"]
    robin.act(reference, "acknowledgement")
    robin.act(reference, "messages", text="Which school?")
    client.get(f"{path}/messages", headers=own)
    before = client.get(path, headers=own).json()
    write_more(robin, reference, {"addition": ADDITION})
    after = client.get(path, headers=own).json()
    add(client, receipt)
    answered = client.get(path, headers=own).json()

    assert after == before
    assert [each["number"] for each in answered["additions"]] == [1]
    assert robin.get(f"/concerns/{reference}/messages").json()["messages"][0]["answered_by"] == 2
    assert answered["messages"][0]["answered_at"] is not None
    assert list(find_faults(context_of_service(service).engine)) == []


def test_a_reporter_s_own_addition_names_no_worker(desk: Desk, client: TestClient, receipt: dict[str, Any]) -> None:
    add(client, receipt)

    (addition,) = desk.get(f"/concerns/{receipt['reference']}/additions").json()["additions"]
    assert (addition["channel"], addition["came_at"], addition["received_by"]) == ("api", addition["received_at"], None)


def test_danger_is_asked_and_text_is_required(robin: Desk, service: FastAPI, receipt: dict[str, Any]) -> None:
    unasked = write_more(robin, receipt["reference"], {"addition": {"concern": {"narrative": WORDS}}})
    sealed = sealed_body(service, a_concern())
    del sealed["immediate_danger"]

    for answer in (
        unasked,
        write(robin, sealed),
        write(robin, {}),
        write(robin, {"submission": a_concern(), **sealed}),
    ):
        assert answer.status_code == 422
        assert CANARY not in answer.text
    assert len(robin.get("/concerns").json()["concerns"]) == 1


@pytest.mark.parametrize("ago", [-dt.timedelta(hours=1), LONGEST_AGO + dt.timedelta(days=1)])
def test_a_time_in_the_future_or_long_ago_is_refused(robin: Desk, receipt: dict[str, Any], ago: dt.timedelta) -> None:
    came_at = (A_TUESDAY - ago).isoformat()

    assert faults_of(write(robin, {"submission": a_concern(), "came_at": came_at})) == ["#/came_at"]
    more = write_more(robin, receipt["reference"], {"addition": ADDITION, "came_at": came_at})
    assert faults_of(more) == ["#/came_at"]


def test_a_fault_of_the_concern_is_told_at_its_place(robin: Desk) -> None:
    wrong = a_concern()
    wrong["children"] = [{"sex": "X9"}]

    assert faults_of(write(robin, {"submission": wrong})) == ["#/submission/children/0/sex"]
    assert faults_of(write(robin, {"submission": a_concern(test=True)})) == ["#/submission/test"]


def test_a_sealed_concern_is_stored_as_received_and_opens(robin: Desk, desk: Desk, service: FastAPI) -> None:
    told = a_concern(immediate_danger="yes")
    body = sealed_body(service, told, referral_source="2A")
    written = write(robin, body, key="the-key-of-a-sealed-call")
    again = write(robin, body, key="the-key-of-a-sealed-call")
    without_key = write(robin, body)

    opened = desk.get(f"/concerns/{body['reference']}").json()
    assert (written.status_code, written.json()["reference"]) == (201, body["reference"])
    assert again.json() == written.json()
    assert faults_of(without_key) == ["#/reference"]
    assert opened["submission"] == told
    assert (opened["referral_source"], opened["immediate_danger"]) == ("2A", "yes")
    assert list(find_faults(context_of_service(service).engine)) == []


def test_a_sealed_addition_is_stored_as_received_and_opens(
    robin: Desk, desk: Desk, service: FastAPI, receipt: dict[str, Any]
) -> None:
    reference = receipt["reference"]
    written = write_more(robin, reference, sealed_addition(service, reference, ADDITION))

    (addition,) = desk.get(f"/concerns/{reference}/additions").json()["additions"]
    assert written.status_code == 201
    assert addition["addition"] == ADDITION


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"immediate_danger": "no"}, "#/immediate_danger"),
        ({"recipients": ["age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"]}, "#/recipients"),
        ({"reference": new_reference()}, "#/sealed"),
        ({"restricted": True}, "#/restricted"),
        ({"guide": "no-such-guide"}, "#/guide"),
        ({"referral_source": "99Z"}, "#/referral_source"),
        ({"card": base64.b64encode(b"age-encryption.org/v1\n").decode()}, "#/card"),
    ],
)
def test_a_sealed_file_that_the_desk_could_not_use_is_refused(
    robin: Desk, service: FastAPI, changes: dict[str, Any], pointer: str
) -> None:
    body = sealed_body(service, a_concern(immediate_danger="yes")) | changes

    assert faults_of(write(robin, body)) == [pointer]
    assert robin.get("/concerns").json()["concerns"] == []


def test_a_sealed_file_that_was_altered_on_its_way_is_refused(robin: Desk, service: FastAPI) -> None:
    body = sealed_body(service, a_concern())
    file = base64.b64decode(body["sealed"])

    assert faults_of(write(robin, body | {"sealed": base64.b64encode(file[:-1] + b"\0").decode()})) == ["#/sealed"]


def test_a_reader_may_not_write_down(service: FastAPI, client: TestClient) -> None:
    reader = worker_of(service, client, "Robin Example", Scope.READ)

    assert write(reader, {"submission": a_concern()}).status_code == 403


@pytest.mark.slow
def test_an_erased_concern_takes_no_further_call(robin: Desk, receipt: dict[str, Any]) -> None:
    reference = receipt["reference"]
    kept = write_more(robin, reference, {"addition": ADDITION}, key="the-key-before-erasure")
    robin.act(reference, "acknowledgement", up_to_addition=1)
    robin.act(reference, "erasure", reason="A made-up reason.")

    assert write_more(robin, reference, {"addition": ADDITION}).status_code == 410
    again = write_more(robin, reference, {"addition": ADDITION}, key="the-key-before-erasure")
    assert again.json() == kept.json()


@pytest.mark.slow
def test_statistics_count_channels(robin: Desk, desk: Desk, client: TestClient) -> None:
    for _ in range(6):
        write(robin, {"submission": a_concern(), "channel": "visit"})
        client.post("/v1/concerns", json=a_concern())

    sheet = csv.DictReader(io.StringIO(desk.get("/statistics.csv").text))
    counts = {row["value"]: row["concerns"] for row in sheet if row["measure"] == "channel"}
    assert counts == {"visit": "6", "api": "6"}


def test_a_call_that_is_overdue_when_written_down_is_no_broken_promise(robin: Desk, service: FastAPI) -> None:
    write(robin, {"submission": a_concern(), "came_at": (A_TUESDAY - dt.timedelta(days=7)).isoformat()})

    minute = dt.timedelta(minutes=1)
    with Session(context_of_service(service).engine) as session:
        assert find_unannounced(session, before=A_TUESDAY - minute) == []
        assert len(find_unannounced(session, before=A_TUESDAY + minute)) == 1
    assert robin.get("/summary").json()["overdue"] == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE concerns SET received_by = ''",
        "UPDATE concerns SET channel = 'form'",
        "UPDATE concerns SET came_at = received_at",
        "UPDATE entries SET came_at = received_at",
        "UPDATE entries SET channel = 'form'",
    ],
)
def test_who_received_it_cannot_be_altered_unseen(
    robin: Desk, service: FastAPI, database: RawConnection, change: str
) -> None:
    reference = write(robin, {"submission": a_concern()}).json()["reference"]
    write_more(robin, reference, {"addition": ADDITION})

    with pytest.raises(Exception, match=r"never altered|keeps its number"):
        database.execute(change)
    Unguarded(database).execute(change)

    assert list(find_faults(context_of_service(service).engine)) != []
