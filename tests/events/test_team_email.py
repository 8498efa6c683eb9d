"""Emails to the duty team: figures and a link, once, with any mail server, and never a word of a concern."""

import datetime as dt
import itertools
import re
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import ValidationError
from sqlmodel import Session, select
from starlette.testclient import TestClient

from app.config import Settings
from app.errors import SetupError
from app.http.context import AppContext
from app.models.access.clients import Scope
from app.models.concerns.examples import SMALLEST_EXAMPLE
from app.models.events.rows import EMAIL, DeliveryRow, DeliveryState, EventKind
from app.services.access.clients import add_client
from app.services.concerns.deadlines import append_due_soon_events
from app.services.events.address_guard import SsrfGuard
from app.services.events.deliveries import UNDER_WAY, find_webhooks_due
from app.services.events.dispatcher import retry_deliveries
from app.services.events.email_sender import EmailSender
from app.services.events.emails import build_test_email, claim_email, record_email, unsubscribe_email
from app.services.events.webhook_keys import (
    add_webhook,
    drop_old_secret,
    open_webhook_keys,
    remove_webhook,
    rotate_secret,
)
from app.services.operations.jobs import TeamJobs
from app.services.workers import JobsWorker
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.command import guidance
from tests.support.concerns import a_concern, add
from tests.support.databases import raw_connection
from tests.support.desk import Desk
from tests.support.live import LiveServer
from tests.support.loops import for_each
from tests.support.mail_server import MailServer, make_certificate
from tests.support.receiver import RawReceiver
from tests.support.waiting import eventually, wait_until

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

CANARY = "Canary-Alex-Example"
SIGN_IN = "an-invented-word"
TEAM = "duty@council.example"
A_MINUTE = dt.timedelta(minutes=1)
Worker = Callable[..., Callable[[], None]]


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def worker(service: FastAPI, client: TestClient, settings: Settings, clock: SettableClock) -> Worker:
    """A worker of the service that sends to that mail server."""
    assert client.get("/health/ready").is_success
    context = service.state.context

    def build(port: int, *, seconds: float = 30, **changes: Any) -> Callable[[], None]:
        given: dict[str, Any] = {
            "smtp_host": "127.0.0.1",
            "smtp_port": port,
            "smtp_from": "desk@council.example",
            "smtp_to": (TEAM, "lead@council.example"),
            "smtp_security": "none",
        } | changes
        own = Settings(data_dir=settings.data_dir, **given)
        sender = EmailSender(own, seconds=seconds)
        jobs = TeamJobs(own, context.engine, context.writer, clock)
        return partial(jobs.send_email, sender, lambda: None)

    return build


def raise_concerns(client: TestClient, *dangers: str) -> list[dict[str, Any]]:
    told = [a_concern(immediate_danger=danger, concern={"narrative": CANARY}) for danger in dangers]
    return [client.post("/v1/concerns", json=each).json() for each in told]


def test_arrivals_make_one_email_with_figures_and_nothing_of_the_concern(
    client: TestClient, worker: Worker, mail: MailServer
) -> None:
    receipts = raise_concerns(client, "no", "not_sure")
    add(client, receipts[0], CANARY)

    for _ in range(3):
        worker(mail.port)()

    (email,) = mail.emails
    words = email.as_string()
    assert email["To"] == f"{TEAM}, lead@council.example"
    assert email["Subject"] == "New in the inbox (One Minute Guide)"
    assert "2 new concerns.\n1 new addition to a concern." in email.get_content().replace("\r", "")
    assert "The desk is at http://127.0.0.1:8000/desk\n" in words
    for secret in (CANARY, *(receipt[name] for receipt in receipts for name in ("reference", "status_token"))):
        assert secret not in words
    assert email["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("by_addition", [False, True])
def test_immediate_danger_is_in_the_subject(
    client: TestClient, worker: Worker, mail: MailServer, by_addition: bool
) -> None:
    (receipt,) = raise_concerns(client, "no" if by_addition else "yes")
    if by_addition:
        add(client, receipt, CANARY, danger="yes")

    worker(mail.port)()

    assert mail.emails[0]["Subject"].startswith("Immediate danger reported: check the inbox now")
    assert "A child has been reported to be in immediate danger. Number of concerns: 1." in mail.emails[0].get_content()


def test_unacknowledged_concerns_make_one_event_and_one_email_before_they_are_due(
    service: FastAPI,
    desk: Desk,
    worker: Worker,
    mail: MailServer,
    clock: SettableClock,
) -> None:
    client = desk.http
    seen, waiting = raise_concerns(client, "no", "no")
    desk.act(seen["reference"], "acknowledgement")
    add(client, seen)
    worker(mail.port)()
    writer, found = service.state.context.writer, []
    for clock.time in (A_TUESDAY + dt.timedelta(hours=19), A_TUESDAY + dt.timedelta(hours=21)):
        within = dt.timedelta(hours=4)
        found += [append_due_soon_events(writer, now=clock.time, within=within, limit=10) for _ in range(2)]
    worker(mail.port)()

    assert found == [0, 0, 2, 0]
    assert [email["Subject"] for email in mail.emails[1:]] == [
        "Acknowledgement due: check the inbox (One Minute Guide)"
    ]
    assert "1 concern must be acknowledged soon." in mail.emails[1].get_content()
    assert "1 addition must be acknowledged soon." in mail.emails[1].get_content()
    assert waiting["reference"] not in mail.emails[1].as_string()


def test_danger_that_is_due_or_overdue_is_in_the_subject_again(
    service: FastAPI, desk: Desk, worker: Worker, mail: MailServer, clock: SettableClock
) -> None:
    client = desk.http
    raise_concerns(client, "yes")
    (other,) = raise_concerns(client, "no")
    worker(mail.port)()

    for minutes in (31, 30):
        clock.time += dt.timedelta(minutes=minutes)
        context = service.state.context
        jobs = TeamJobs(context.settings, context.engine, context.writer, clock)
        JobsWorker("clock", jobs.on_time()).run_once()
        worker(mail.port)()
    add(client, other, danger="yes")
    worker(mail.port)()
    clock.time += dt.timedelta(minutes=61)
    JobsWorker("clock", jobs.on_time()).run_once()
    worker(mail.port)()

    assert {email["Subject"] for email in mail.emails} == {
        "Immediate danger reported: check the inbox now (One Minute Guide)"
    }
    texts = [email.get_content() for email in mail.emails]
    assert "1 concern must be acknowledged soon." in texts[1]
    assert "1 concern is overdue." in texts[2]
    assert "1 addition is overdue." in texts[-1]
    assert all("Number of concerns: 1." in text for text in texts)


@pytest.mark.parametrize("reply", ["451 try later", "554 refused"])
def test_an_email_that_a_server_refuses_is_sent_once_later(
    client: TestClient, worker: Worker, clock: SettableClock, reply: str
) -> None:
    raise_concerns(client, "no")
    with MailServer(lambda number: reply if number < 3 else "250 OK") as mail:
        for minutes in range(0, 60, 5):
            clock.time = A_TUESDAY + minutes * A_MINUTE
            worker(mail.port)()

        assert (mail.tried, len(mail.emails)) == (3, 1)


def test_a_mail_server_that_hangs_or_is_away_delays_no_concern(
    client: TestClient, worker: Worker, clock: SettableClock, mail: MailServer
) -> None:
    raise_concerns(client, "no")
    mail.hangs = True
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it accepts, and says nothing
        worker(silent.getsockname()[1], seconds=0.3)()
        gone = silent.getsockname()[1]
    for minutes, port in ((10, mail.port), (20, gone)):
        clock.time = A_TUESDAY + minutes * A_MINUTE
        worker(port, seconds=0.3)()
    mail.hangs, clock.time = False, A_TUESDAY + 60 * A_MINUTE
    worker(mail.port)()

    assert len(mail.emails) == 1
    assert raise_concerns(client, "no")[0]["reference"]


def test_one_process_sends_and_takes_over_a_claim_after_its_lease(
    client: TestClient, service: FastAPI, worker: Worker, mail: MailServer, clock: SettableClock
) -> None:
    raise_concerns(client, "no")
    writer = service.state.context.writer
    claimed = writer.run(claim_email, now=clock.time)  # of a process that dies, or is slow

    worker(mail.port)()
    before = len(mail.emails)
    clock.time = A_TUESDAY + 2 * A_MINUTE
    worker(mail.port)()
    assert claimed is not None
    raise_concerns(client, "no")
    clock.time = A_TUESDAY + 4 * A_MINUTE
    worker(mail.port)()
    writer.run(record_email, claimed, now=clock.time)  # the slow one is too late, and changes nothing
    clock.time = A_TUESDAY + 6 * A_MINUTE
    worker(mail.port)()

    assert (before, len(mail.emails)) == (0, 2)
    assert mail.emails[0]["Message-ID"] != mail.emails[1]["Message-ID"]


def test_each_test_email_has_its_own_id_so_that_no_mailbox_drops_the_second(settings: Settings) -> None:
    first, second = (build_test_email(settings, at=A_TUESDAY) for _ in range(2))

    assert first["Message-ID"] != second["Message-ID"]


def test_what_comes_within_a_minute_is_in_one_email(
    client: TestClient, worker: Worker, mail: MailServer, clock: SettableClock
) -> None:
    for seconds in range(0, 61, 6):
        clock.time = A_TUESDAY + dt.timedelta(seconds=seconds)
        raise_concerns(client, "no")
        worker(mail.port)()

    assert [email.get_content().split()[0] for email in mail.emails] == ["1", "10"]


def test_events_from_before_emails_were_switched_on_are_not_sent(
    client: TestClient, service: FastAPI, worker: Worker, mail: MailServer, clock: SettableClock
) -> None:
    raise_concerns(client, "no")
    clock.time = A_TUESDAY + 90 * A_MINUTE
    raise_concerns(client, "no")

    worker(mail.port)()

    with Session(service.state.context.engine) as session:
        states = session.exec(select(DeliveryRow.state).where(DeliveryRow.webhook == EMAIL)).all()
    assert states == [DeliveryState.DELIVERED]
    assert [email.get_content().split("\n")[0].strip() for email in mail.emails] == ["1 new concern."]


def test_a_server_that_answers_letter_by_letter_is_left_at_the_deadline(client: TestClient, worker: Worker) -> None:
    raise_concerns(client, "no")

    def trickle(connection: socket.socket, released: threading.Event) -> None:
        try:
            while not released.wait(0.05):
                connection.sendall(b"2")
        except OSError:
            broken_off.set()
        ended.set()

    broken_off, ended = threading.Event(), threading.Event()
    server = RawReceiver(trickle)
    try:
        worker(server.port, seconds=0.3)()

        assert ended.wait(30)
        assert broken_off.is_set()
    finally:
        server.close()


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_the_mail_server_is_checked_and_the_password_comes_from_a_file(  # fixtures
    client: TestClient,
    worker: Worker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    security: str,
    clock: SettableClock,
) -> None:
    certificate, password = make_certificate(tmp_path / "mail.pem"), tmp_path / "password.txt"
    password.write_text(f"{SIGN_IN}\n")
    signing_in = {"smtp_username": "desk", "smtp_password_file": password, "smtp_security": security}
    raise_concerns(client, "no")
    with MailServer(certificate=certificate, tls_at_once=security == "tls", password=SIGN_IN) as mail:
        worker(mail.port, **signing_in)()
        distrusted = len(mail.emails)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        clock.time = A_TUESDAY + 10 * A_MINUTE
        worker(mail.port, **signing_in)()

        assert (distrusted, mail.signed_in) == (0, [True])


def test_a_server_without_tls_gets_nothing_if_tls_is_set(client: TestClient, worker: Worker, mail: MailServer) -> None:
    raise_concerns(client, "no")

    worker(mail.port, smtp_security="starttls")()

    assert (mail.tried, mail.emails) == (0, [])


def test_a_test_of_a_developer_sends_no_email(
    client: TestClient, service: FastAPI, worker: Worker, mail: MailServer
) -> None:
    key = add_client(service.state.context.writer, name="trial", scopes=(Scope.SUBMIT,), test=True, at=A_TUESDAY)
    sent = client.post("/v1/concerns", json=a_concern(test=True), headers={"Authorization": f"Bearer {key}"})

    worker(mail.port)()

    assert (sent.status_code, mail.emails) == (201, [])


@for_each(
    "changes",
    [
        {"smtp_host": "mail.council.example"},
        {"smtp_to": (TEAM,)},
        {"smtp_host": "mail.council.example", "smtp_from": TEAM, "smtp_to": ("no address",)},
        {"smtp_host": "mail.council.example", "smtp_from": TEAM, "smtp_to": (TEAM,), "smtp_username": "desk"},
        {
            "smtp_host": "mail.council.example",
            "smtp_from": TEAM,
            "smtp_to": (TEAM,),
            "smtp_username": "desk",
            "smtp_password_file": Path("password.txt"),
            "smtp_security": "none",
        },
    ],
)
def test_settings_that_would_send_nothing_or_a_password_in_clear_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(**changes)


def test_a_password_file_that_is_missing_stops_the_start(worker: Worker, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="GUIDANCE_SMTP_PASSWORD_FILE"):
        worker(25, smtp_username="desk", smtp_password_file=tmp_path / "none.txt", smtp_security="tls")


def warnings_of(client: TestClient, service: FastAPI) -> dict[str, str]:
    """Return the warnings of readiness, once the process has looked."""
    service.state.context.outside.look(lambda: None)
    found: dict[str, str] = client.get("/health/ready").json()["warnings"]
    return found


def age_of_emails(client: TestClient) -> str:
    age: str = re.findall(r'guidance_outbox_age_seconds{webhook="email"} (.*)', client.get("/metrics").text)[0]
    return age


def test_emails_waiting_for_a_dead_server_are_reported_and_sent_as_one(
    client: TestClient, service: FastAPI, worker: Worker, mail: MailServer, clock: SettableClock
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        gone = closed.getsockname()[1]
    raise_concerns(client, "no")
    worker(gone)()
    at_once = warnings_of(client, service), age_of_emails(client)
    for seconds in range(10, 200, 10):
        clock.time = A_TUESDAY + dt.timedelta(seconds=seconds)
        raise_concerns(client, "yes")
        worker(gone)()
    late = warnings_of(client, service), age_of_emails(client)
    clock.time = A_TUESDAY + 60 * A_MINUTE
    worker(mail.port)()

    assert at_once == ({}, "0.0")
    assert late == ({"email": "fails"}, "190.0")
    assert warnings_of(client, service) == {}
    assert age_of_emails(client) == "0.0"
    assert [email["Subject"].partition(":")[0] for email in mail.emails] == ["Immediate danger reported"]
    assert "20 new concerns." in mail.emails[0].get_content()


def test_new_concerns_make_no_attempt_and_pauses_grow_to_ten_minutes(
    client: TestClient, worker: Worker, clock: SettableClock
) -> None:
    tried: list[int] = []
    with MailServer(lambda _: "451 try later") as mail:
        for seconds in range(0, 3600, 5):
            clock.time, before = A_TUESDAY + dt.timedelta(seconds=seconds), mail.tried
            if seconds % 600 == 0:
                raise_concerns(client, "no")
            worker(mail.port)()
            tried += [seconds] if mail.tried > before else []
    pauses = [later - earlier for earlier, later in itertools.pairwise(tried)]

    assert pauses[:3] == sorted(pauses[:3])
    assert 5 <= pauses[0] <= 10
    assert {480 <= pause <= 725 for pause in pauses[3:]} == {True}


def test_a_clock_that_was_wrong_for_a_moment_silences_no_later_email(
    client: TestClient, worker: Worker, mail: MailServer, clock: SettableClock
) -> None:
    clock.time = A_TUESDAY + dt.timedelta(days=400)
    raise_concerns(client, "no")
    worker(mail.port)()
    clock.time = A_TUESDAY
    raise_concerns(client, "no")

    worker(mail.port)()

    assert len(mail.emails) == 2


def test_emails_switched_on_again_tell_the_last_hour_and_nothing_twice(  # fixtures
    client: TestClient, service: FastAPI, worker: Worker, mail: MailServer, clock: SettableClock
) -> None:
    context: AppContext = service.state.context
    raise_concerns(client, "no")
    worker(mail.port)()
    raise_concerns(client, "no", "no")
    off = [context.writer.run(unsubscribe_email, now=clock.time) for _ in range(2)]
    raise_concerns(client, "no")
    clock.time = A_TUESDAY + 2 * A_MINUTE

    worker(mail.port)()

    assert off == [2, 0]
    assert [email.get_content().split()[0] for email in mail.emails] == ["1", "3"]


def test_a_start_without_a_mail_server_only_switches_the_mailbox_off(
    client: TestClient, service: FastAPI, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/health/ready").is_success
    context: AppContext = service.state.context
    jobs = TeamJobs(context.settings, context.engine, context.writer, clock)
    run, written = context.writer.run, list[Any]()

    def count(operation: Any, *given: Any, **values: Any) -> Any:
        written.append(operation)
        return run(operation, *given, **values)

    def writes() -> int:
        written.clear()
        assert list(jobs.email_workers()) == []
        return len(written)

    monkeypatch.setattr(context.writer, "run", count)
    never = writes()
    context.writer.run(claim_email, now=clock.time)

    assert (never, writes(), writes()) == (0, 1, 0)


def test_the_mailbox_is_a_receiver_among_others_which_only_the_settings_change(
    client: TestClient, service: FastAPI, worker: Worker, mail: MailServer, clock: SettableClock
) -> None:
    context: AppContext = service.state.context
    keys = open_webhook_keys(context.settings)
    raise_concerns(client, "no")
    worker(1)()
    hastened = context.writer.run(retry_deliveries, EMAIL, now=clock.time)
    worker(mail.port)()

    assert (hastened, len(mail.emails)) == (1, 1)
    assert find_webhooks_due(context.engine, now=clock.time + 60 * A_MINUTE) == []
    for change in (
        partial(remove_webhook, at=clock.time),
        partial(rotate_secret, keys=keys, at=clock.time),
        partial(drop_old_secret, at=clock.time),
    ):
        with pytest.raises(SetupError, match="GUIDANCE_SMTP_HOST"):
            context.writer.run(change, EMAIL)
    with pytest.raises(SetupError, match="GUIDANCE_SMTP_HOST"):
        add_webhook(
            context.writer,
            EMAIL,
            "https://receiver.example/",
            [EventKind.CONCERN_RECEIVED],
            guard=SsrfGuard(),
            keys=keys,
            at=clock.time,
        )


def is_recorded_as_failed(data_dir: Path) -> bool:
    with raw_connection(data_dir) as database:
        answers = database.execute("SELECT last_answer FROM deliveries WHERE last_answer IS NOT NULL").fetchall()
    return bool(answers) and all(answer != UNDER_WAY for (answer,) in answers)


def test_a_process_killed_while_the_server_is_away_loses_no_email(tmp_path: Path) -> None:
    """Real processes: concerns come, the first process dies, and the next one tells of all of them at once."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    server = LiveServer(
        tmp_path / "data",
        smtp_host="127.0.0.1",
        smtp_port=str(port),
        smtp_security="none",
        smtp_from="desk@council.example",
        smtp_to=TEAM,
    )
    with server:
        told = SMALLEST_EXAMPLE | {"immediate_danger": "yes"}
        statuses = [httpx.post(f"{server.url}/v1/concerns", json=told, trust_env=False).status_code for _ in range(3)]
        wait_until(lambda: is_recorded_as_failed(server.data_dir))  # until then it is under way, and nobody else's
        server.kill()
        server.start()
        with MailServer(port=port) as mail:
            assert guidance("webhooks", "retry", EMAIL, "--data-dir", server.data_dir).returncode == 0
            assert eventually(lambda: mail.emails, patience_seconds=120)

    assert statuses == [201] * 3
    assert "Number of concerns: 3." in mail.emails[0].get_content()
    assert len(mail.emails) == 1


@pytest.mark.parametrize("reply", ["250 OK", "554 refused"])
def test_a_test_email_s_exit_status_says_whether_it_was_taken(tmp_path: Path, reply: str) -> None:
    with MailServer(lambda _: reply) as mail:
        mail_settings = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(mail.port), "SMTP_SECURITY": "none"}
        addresses = {"SMTP_FROM": "desk@council.example", "SMTP_TO": TEAM}
        told = guidance("webhooks", "test", EMAIL, "--data-dir", tmp_path / "data", **mail_settings, **addresses)

    assert (told.returncode, len(mail.emails)) == ((0, 1) if reply.startswith("250") else (1, 0))
    assert guidance("webhooks", "test", EMAIL, "--data-dir", tmp_path / "data").returncode == 1


def test_the_thread_of_the_clock_announces_what_is_due_soon(
    client: TestClient, service: FastAPI, clock: SettableClock
) -> None:
    raise_concerns(client, "no")
    clock.time = A_TUESDAY + dt.timedelta(hours=23)
    context = service.state.context
    jobs = TeamJobs(
        context.settings.model_copy(update={"due_soon_minutes": 240}), context.engine, context.writer, clock
    )

    wait = JobsWorker("clock", jobs.on_time()).run_once()

    assert 0 < wait <= 1
    assert append_due_soon_events(context.writer, now=clock.time, within=A_MINUTE * 240, limit=1) == 0
