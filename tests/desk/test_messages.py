"""A question to the reporter: only the holder of the status token reads it, and the desk sees when it was read."""

import base64
import datetime as dt
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyrage
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.config import Settings
from app.models.access.clients import Scope
from app.models.audit.entry_kinds import ENTRY_SPECS, EntryKind
from app.services.concerns.keys import DEVELOPMENT_IDENTITY
from app.services.concerns.receipts import CLOSED_TEXT, NEW_WORRY
from app.services.concerns.sealing import read_identities, seal_message, token_identity
from app.services.operations.verification import find_faults
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.command import guidance
from tests.support.concerns import a_concern, add, raise_concern, read_messages, status_of, token_of
from tests.support.databases import RawConnection, Unguarded, fail_writes, files_of, raw_connection
from tests.support.desk import Desk
from tests.support.live import LiveServer
from tests.support.loops import for_each
from tests.support.publishing import a_key

pytestmark = pytest.mark.slow

ANSWER_BY_ADDING = "Reply to this message"
QUESTION = "Canary: which school does Alex Example go to?"

Receipt = dict[str, Any]


@pytest.fixture
def ask(desk: Desk, receipt: Receipt) -> Callable[..., Any]:
    def send(text: str = QUESTION, **headers: str) -> Any:
        path = f"/v1/desk/concerns/{receipt['reference']}/messages"
        return desk.http.post(path, json={"text": text}, headers=desk.headers | headers)

    return send


def sent(desk: Desk, receipt: Receipt) -> Any:
    return desk.get(f"/concerns/{receipt['reference']}/messages").json()


def test_a_message_is_read_by_status_token_and_the_status_announces_it(
    client: TestClient, receipt: Receipt, ask: Callable[..., Any], clock: SettableClock
) -> None:
    answer = ask()

    before = status_of(client, receipt)
    clock.time = A_TUESDAY + dt.timedelta(hours=2)
    (message,) = read_messages(client, receipt)
    after = status_of(client, receipt)
    assert (answer.status_code, answer.json()["number"]) == (201, 1)
    assert QUESTION not in answer.text + str(before)
    assert before["messages"] == [
        {"number": 1, "sent_at": "2026-11-24T09:30:00Z", "read_at": None, "answered_at": None}
    ]
    assert "The duty team has sent you a message" in before["next_steps"][-1]
    assert (message["message"], message["read_at"]) == (QUESTION, "2026-11-24T11:30:00Z")
    assert "has sent you a message" not in str(after["next_steps"])


def test_nobody_else_reads_a_message_even_with_every_desk_key(
    client: TestClient, desk: Desk, receipt: Receipt, ask: Callable[..., Any], settings: Settings
) -> None:
    ask()
    another = raise_concern(client)
    wrong = [{}, token_of(another), {"Authorization": "Bearer 7K3M-9QXT-2W8R-VB5N"}, desk.headers]

    answers = [client.get(receipt["links"]["messages"], headers=each) for each in wrong]

    with raw_connection(settings.data_dir) as connection:
        ((sealed,),) = connection.execute("SELECT sealed FROM entries WHERE kind = 'message'").fetchall()
    assert [answer.status_code for answer in answers] == [401, 404, 404, 404]
    assert QUESTION not in sent(desk, receipt)["messages"]
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(bytes(sealed), list(read_identities(settings.data_dir / DEVELOPMENT_IDENTITY).identities))
    identity = token_identity(receipt["status_token"].lower().replace("-", " "), receipt["reference"])
    assert QUESTION in pyrage.decrypt(bytes(sealed), [identity]).decode()


def test_no_word_of_a_message_is_stored_sent_or_logged(
    client: TestClient, receipt: Receipt, ask: Callable[..., Any], settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    ask()
    read_messages(client, receipt)
    add(client, receipt)

    events = client.get("/v1/events", headers=a_key(client, Scope.EVENTS, name="case-system")).text
    found = [path.name for path, content in files_of(settings.data_dir).items() if b"Canary" in content]
    assert found == []
    assert "Canary" not in events + caplog.text


def test_the_desk_sees_when_a_message_was_read_and_which_addition_answers(
    client: TestClient, desk: Desk, receipt: Receipt, ask: Callable[..., Any], clock: SettableClock
) -> None:
    add(client, receipt, "Before the question.")
    ask()
    ask("And who is Robin?")
    unread = sent(desk, receipt)["messages"]
    add(client, receipt, "Not yet an answer: nothing was read.")
    clock.time = A_TUESDAY + dt.timedelta(hours=1)
    for _ in range(2):
        read_messages(client, receipt)
    clock.time = A_TUESDAY + dt.timedelta(hours=2)
    add(client, receipt, "Example School.")
    add(client, receipt, "And more.")

    read = sent(desk, receipt)["messages"]
    events = client.get("/v1/events", headers=a_key(client, Scope.EVENTS, name="case-system")).json()["events"]
    about = [
        (each["type"], each["data"]["message"], each["data"].get("addition"))
        for each in events
        if "message" in each["data"]
    ]
    assert {each["read_at"] for each in unread} == {None}
    assert [(each["read_at"], each["answered_by"]) for each in read] == [("2026-11-24T10:30:00Z", 3)] * 2
    assert about == [
        ("concern.message_read", 1, None),
        ("concern.message_read", 2, None),
        ("concern.message_answered", 1, 3),
        ("concern.message_answered", 2, 3),
    ]


def test_every_step_is_on_the_record_and_verify_finds_what_was_altered(
    client: TestClient, desk: Desk, service: FastAPI, receipt: Receipt, ask: Callable[..., Any], database: RawConnection
) -> None:
    ask()
    ask()
    read_messages(client, receipt)
    add(client, receipt)
    engine = service.state.context.engine
    untouched = list(find_faults(engine))
    chain = desk.get(f"/disclosures?chain={receipt['reference']}").json()["disclosures"]

    faults, another = [], "(SELECT sealed FROM entries WHERE kind = 'message' AND number = 2)"
    for change in (f"sealed = {another}", "read_at = NULL", "answered_by = 9", f"received_at = '{A_TUESDAY:%Y}-01-01'"):
        Unguarded(database).execute(f"UPDATE entries SET {change} WHERE kind = 'message' AND number = 1")  # noqa: S608  # own words
        faults.append([fault for _, fault in find_faults(engine)])
    Unguarded(database).execute("DELETE FROM entries WHERE kind = 'message' AND number = 2")

    assert untouched == []
    assert [each["act"] for each in chain] == ["received", "message_sent", "message_sent", "message_read", "added"]
    assert [len(each) for each in faults] == [1, 2, 2, 4]
    assert ["message 1 was altered since it came" in each for each in faults] == [False, False, False, True]
    assert "message 2 is missing" in [fault for _, fault in find_faults(engine)]


def test_reading_the_events_leaves_nothing_that_verify_takes_for_a_fault(client: TestClient, service: FastAPI) -> None:
    client.post("/v1/concerns", json=a_concern())
    client.get("/v1/events", headers=a_key(client, Scope.EVENTS, name="case-system"))

    assert list(find_faults(service.state.context.engine)) == []


@pytest.fixture
def read_question(client: TestClient, desk: Desk, receipt: Receipt, ask: Callable[..., Any]) -> None:
    """A message that its reporter has read, which the desk has seen."""
    ask()
    read_messages(client, receipt)
    sent(desk, receipt)


@pytest.mark.usefixtures("read_question")
@for_each(
    "change",
    [
        "UPDATE entries SET read_at = NULL WHERE kind = 'message'",
        "UPDATE entries SET read_at = '2026-11-24 09:31:00' WHERE kind = 'message'",
        "UPDATE entries SET answered_by = 1 WHERE kind = 'message'",
        "UPDATE entries SET sealed = NULL WHERE kind = 'message'",
        "UPDATE entries SET number = 7 WHERE kind = 'message'",
        "DELETE FROM entries WHERE kind = 'message'",
        "INSERT INTO entries (reference, kind, number, received_at, author, recipients, sealed, overdue_announced, "
        "due_soon_announced) "
        "SELECT reference, kind, 9, received_at, author, recipients, sealed, false, false FROM entries"
        " WHERE kind = 'message'",
        "UPDATE concerns SET message_key = status_token_sha256",
        "UPDATE concerns SET message_key = NULL",
    ],
)
def test_the_database_refuses_what_has_no_audit_log_entry(database: RawConnection, change: str) -> None:
    with pytest.raises(Exception, match=r"an entry|never altered"):
        database.execute(change)


def test_erasure_takes_the_messages_too_and_no_further_one_is_sent(
    client: TestClient, desk: Desk, service: FastAPI, receipt: Receipt, ask: Callable[..., Any], database: RawConnection
) -> None:
    ask()
    desk.act(receipt["reference"], "acknowledgement")
    desk.act(receipt["reference"], "erasure", reason="A made-up reason.")

    assert [
        tuple(row) for row in database.execute("SELECT number, sealed FROM entries WHERE kind = 'message'").fetchall()
    ] == [(1, None)]
    assert (ask().status_code, ask().json()["type"]) == (410, "/v1/problems/concern-erased")
    assert [each["message"] for each in read_messages(client, receipt)] == [None]
    assert list(find_faults(service.state.context.engine)) == []


def test_a_retry_sends_no_second_message_and_other_words_are_refused(
    desk: Desk, receipt: Receipt, ask: Callable[..., Any], clock: SettableClock
) -> None:
    first = ask(**{"Idempotency-Key": "a-key"})
    clock.time = A_TUESDAY + dt.timedelta(minutes=1)

    again, other = ask(**{"Idempotency-Key": "a-key"}), ask("Other words.", **{"Idempotency-Key": "a-key"})

    assert [each.status_code for each in (first, again, other)] == [201, 201, 422]
    assert (again.content, again.headers["Idempotency-Replayed"]) == (first.content, "true")
    assert len(sent(desk, receipt)["messages"]) == 1


def test_a_reporter_is_sent_no_more_messages_than_the_bound(
    ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENTRY_SPECS, EntryKind.MESSAGE, replace(ENTRY_SPECS[EntryKind.MESSAGE], most=2))

    assert [ask().status_code for _ in range(3)] == [201, 201, 429]


def test_a_message_sealed_by_the_worker_is_read_and_rubbish_is_not(
    client: TestClient, desk: Desk, receipt: Receipt
) -> None:
    recipient, reference = sent(desk, receipt)["recipient"], receipt["reference"]
    others = pyrage.x25519.Identity.generate().to_public()
    files = [
        seal_message(QUESTION, reference, recipient, at=A_TUESDAY),
        seal_message(QUESTION, "02FK-926W-0X3R", recipient, at=A_TUESDAY),
        pyrage.encrypt(b"rubbish", [others]),
        b"not an age file",
    ]

    answers = [desk.act(reference, "messages", sealed=base64.b64encode(each).decode()) for each in files]

    bodies: list[dict[str, Any]] = [
        {},
        {"text": "a", "sealed": base64.b64encode(files[0]).decode()},
        {"sealed": "%"},
        {"text": ""},
    ]
    refused = [desk.act(reference, "messages", **body).status_code for body in bodies]
    assert [each.status_code for each in answers] == [201, 201, 201, 422]
    assert refused == [422] * 4
    assert [each["message"] for each in read_messages(client, receipt)] == [QUESTION, None, None]


def test_the_status_page_shows_the_message_and_an_addition_answers_it(
    client: TestClient, desk: Desk, receipt: Receipt, ask: Callable[..., Any]
) -> None:
    ask("Which <school>\ndoes Alex go to?")
    entered = {"reference": receipt["reference"], "code": receipt["status_token"]}

    page = client.post("/concerns", data=entered)
    wrong = client.post("/concerns", data=entered | {"code": "7K3M-9QXT-2W8R-VB5N"})
    client.post("/concerns/additions", data=entered | {"narrative": "Example School."})

    assert "The duty team wrote" in page.text
    assert "Which &lt;school&gt;\ndoes Alex go to?" in page.text
    assert (wrong.status_code, "duty team wrote" in wrong.text) == (404, False)
    assert sent(desk, receipt)["messages"][0]["answered_by"] == 1


def test_messages_and_answers_read_in_order_without_the_reporter_s_words(
    client: TestClient, receipt: Receipt, ask: Callable[..., Any], clock: SettableClock
) -> None:
    entered = {"reference": receipt["reference"], "code": receipt["status_token"]}
    add(client, receipt, "Canary before the question.")
    clock.time = A_TUESDAY + dt.timedelta(minutes=10)
    ask("Which school?")
    clock.time = A_TUESDAY + dt.timedelta(minutes=20)
    asked = client.post("/concerns", data=entered).text
    add(client, receipt, "Canary Example School.")
    clock.time = A_TUESDAY + dt.timedelta(minutes=30)
    ask("Thank you.")

    answered = client.post("/concerns", data=entered).text

    assert ANSWER_BY_ADDING in asked
    said = ["You added something", "Which school?", "You answered this on", "09:50", "You answered<", "Thank you."]
    places = [answered.index(each) for each in said]
    assert places == sorted(places)
    assert answered.count(ANSWER_BY_ADDING) == 1, "it is asked only for what has no answer yet"
    assert "Canary" not in answered
    assert [each["answered_at"] for each in read_messages(client, receipt)] == ["2026-11-24T09:50:00Z", None]


CLOSING = "Canary: thank you. We will visit the family again."


@pytest.mark.any_database
def test_a_closing_message_is_sealed_and_sent_only_with_the_outcome(
    client: TestClient, desk: Desk, service: FastAPI, receipt: Receipt, settings: Settings
) -> None:
    reference = receipt["reference"]
    too_early = desk.act(reference, "outcome", outcome="early_help", message={"text": CLOSING})
    desk.act(reference, "acknowledgement")

    closed = desk.act(reference, "outcome", outcome="early_help", message={"text": CLOSING})

    chain = desk.get(f"/disclosures?chain={reference}").json()["disclosures"]
    assert (too_early.status_code, closed.status_code, closed.json()["state"]) == (409, 200, "closed")
    assert [each["act"] for each in chain] == ["received", "acknowledged", "message_sent", "closed"]
    assert [each["message"] for each in read_messages(client, receipt)] == [CLOSING]
    assert [path for path, content in files_of(settings.data_dir).items() if b"Canary" in content] == []
    assert list(find_faults(service.state.context.engine)) == []


def test_a_retry_of_closing_sends_one_message_and_another_outcome_sends_none(
    client: TestClient, desk: Desk, receipt: Receipt
) -> None:
    path = f"/v1/desk/concerns/{receipt['reference']}/outcome"
    desk.act(receipt["reference"], "acknowledgement")

    def close(key: str, **changes: Any) -> Any:
        body = {"outcome": "early_help", "message": {"text": CLOSING}} | changes
        return client.post(path, json=body, headers=desk.headers | {"Idempotency-Key": key})

    answers = [close("a-key"), close("a-key"), close("a-key", message={"text": "Other."}), close("b", outcome="other")]

    assert [each.status_code for each in answers] == [200, 200, 422, 409]
    assert answers[1].json() == answers[0].json()
    assert len(read_messages(client, receipt)) == 1


@pytest.mark.parametrize("message", [{}, {"text": ""}, {"text": "x" * 4001}, {"sealed": "%"}, {"words": "Canary"}])
def test_an_invalid_closing_message_is_refused_and_closes_nothing(
    client: TestClient, desk: Desk, receipt: Receipt, message: dict[str, str]
) -> None:
    desk.act(receipt["reference"], "acknowledgement")

    refused = desk.act(receipt["reference"], "outcome", outcome="early_help", message=message)

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"].startswith("#/message")
    assert "Canary" not in refused.text
    assert status_of(client, receipt)["state"] == "acknowledged"


@pytest.mark.parametrize("shared", [True, False])
def test_the_way_of_a_concern_ends_in_words_for_its_reporter(
    client: TestClient, desk: Desk, service: FastAPI, shared: bool
) -> None:
    for code in service.state.context.reference_data.get_code_list("outcome").codes:
        receipt = raise_concern(client)
        desk.act(receipt["reference"], "acknowledgement")
        before = status_of(client, receipt)
        desk.act(receipt["reference"], "outcome", outcome=code.code, shared_with_reporter=shared)

        status = status_of(client, receipt)
        page = client.post("/concerns", data={"reference": receipt["reference"], "code": receipt["status_token"]}).text
        welsh = client.post(
            "/cy/concerns", data={"reference": receipt["reference"], "code": receipt["status_token"]}
        ).text

        assert before["outcome_text"] is None
        assert code.for_reporter is not None, "every code has a sentence for the reporter"
        assert status["outcome_text"] == (code.for_reporter if shared else CLOSED_TEXT)
        assert status["next_steps"][-1] == NEW_WORRY
        assert (code.for_reporter in page, CLOSED_TEXT in page) == (shared, True)
        assert code.label not in page.replace("Other numbers", "")
        assert not {code.for_reporter, CLOSED_TEXT, NEW_WORRY} & set(re.findall(r"(?<=>)[^<]+(?=<)", welsh))


def test_a_page_shows_no_message_if_its_reading_cannot_be_recorded(
    client: TestClient, receipt: Receipt, ask: Callable[..., Any], database: RawConnection
) -> None:
    ask()
    fail_writes(database, "UPDATE", "entries")

    page = client.post("/concerns", data={"reference": receipt["reference"], "code": receipt["status_token"]})

    assert page.status_code == 200
    assert "We cannot show this message right now" in page.text
    assert "Canary" not in page.text


def test_the_receipt_says_when_to_come_back_two_working_days_on(client: TestClient, receipt: Receipt) -> None:
    status = status_of(client, receipt)

    assert receipt["come_back_by"] == status["come_back_by"] == "2026-11-26T09:30:00Z"
    assert "Check for messages by Thursday 26 November 2026, using both" in receipt["next_steps"][-1]


@pytest.mark.slow
def test_the_worker_s_command_seals_the_words_on_its_own_machine(live: LiveServer, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text(QUESTION, encoding="utf-8")
    with live.client() as http:
        receipt = raise_concern(http)
        worker = live.new_key(Scope.WRITE, Scope.READ)
        command = ("desk", "ask", receipt["reference"], "--url", live.url, "--message-file")

        run = guidance(*command, words, DESK_KEY=worker)
        empty = guidance(*command, "/dev/null", DESK_KEY=worker)
        address = ("--url", live.url)
        guidance("desk", "acknowledge", receipt["reference"], *address, DESK_KEY=worker)
        closing = ("desk", "close", receipt["reference"], "early help", *address)
        closed = guidance(*closing, "--message-file", words, DESK_KEY=worker)

        assert (run.returncode, run.stdout) == (0, f"{receipt['reference']}: message 1 sent\n")
        assert (empty.returncode, "must have 1 to 4000" in empty.stderr) == (2, True)
        assert (closed.returncode, closed.stdout) == (0, f"{receipt['reference']}: closed, early_help\n")
        assert [each["message"] for each in read_messages(http, receipt)] == [QUESTION, QUESTION]
    live.stop()
    assert [path for path, content in files_of(live.data_dir).items() if b"Canary" in content] == []
    assert b"Canary" not in live.log.read_bytes()
