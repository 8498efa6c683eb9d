"""Emails to the duty team: figures and a link, once, whatever the mail server does, and never a word of a concern."""

import asyncio
import datetime as dt
import ipaddress
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fastapi import FastAPI
from pydantic import ValidationError
from sqlmodel import Session, select
from starlette.testclient import TestClient

from app.config import Settings
from app.errors import SetupError
from app.models.clients import Scope
from app.models.events import EmailStateRow
from app.services.clients import NewClient, add_client
from app.services.deadlines import append_due_soon_events
from app.services.jobs import TeamJobs
from app.services.mail import EmailSender, claim_email, record_sent
from app.services.workers import JobsWorker
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import Concern, add
from tests.support.desk import Desk
from tests.support.loops import for_each
from tests.support.receiver import RawReceiver

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

ACCEPTED = "250 OK"


class MailServer:
    """Accepts what `answer` accepts: it returns the reply to each email by its number, from 1."""

    def __init__(
        self,
        answer: Callable[[int], str] = lambda _: ACCEPTED,
        *,
        certificate: Path | None = None,
        tls_at_once: bool = False,
        password: str | None = None,
    ) -> None:
        self.answer, self.tried, self.emails = answer, 0, list[EmailMessage]()
        self.hangs = False
        self.signed_in: list[bool] = []
        self._protocols: list[SMTP] = []
        self._tls = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)
        self._at_once, self._password = tls_at_once, password
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    async def handle_DATA(self, _server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802  # its name there
        """Take an email."""
        self.tried += 1
        if self.hangs:
            await asyncio.Event().wait()
        reply = self.answer(self.tried)
        if reply.startswith("250"):
            self.signed_in.append(bool(session.authenticated))
            parsed = BytesParser(policy=default).parsebytes(cast(bytes, envelope.content))
            self.emails.append(parsed)
        return reply

    def _authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: Any, login: Any) -> AuthResult:
        return AuthResult(success=login.password.decode() == self._password)

    def _protocol(self) -> SMTP:
        starts_tls = self._tls is not None and not self._at_once
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it does not see that the connection has TLS from its first byte
            protocol = SMTP(
                self,
                loop=self._loop,
                tls_context=self._tls if starts_tls else None,
                require_starttls=starts_tls,
                authenticator=self._authenticate,
                auth_required=self._password is not None,
                auth_require_tls=not self._at_once,
            )
        self._protocols.append(protocol)
        return protocol

    def __enter__(self) -> "MailServer":
        """Start."""
        self._thread.start()
        at_once = self._tls if self._at_once else None
        serving = self._loop.create_server(self._protocol, "127.0.0.1", 0, ssl=at_once)
        self._server = asyncio.run_coroutine_threadsafe(serving, self._loop).result(30)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, whatever is under way."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        assert not self._thread.is_alive()
        self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        for protocol in self._protocols:
            if protocol.transport is not None:
                protocol.transport.close()
        others = [each for each in asyncio.all_tasks() if each is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


def make_certificate(path: Path) -> Path:
    """Write a key and a certificate of this machine, which a client trusts that has the file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    return path


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


def raise_concerns(client: TestClient, a_concern: Concern, *dangers: str) -> list[dict[str, Any]]:
    told = [a_concern(immediate_danger=danger, concern={"narrative": CANARY}) for danger in dangers]
    return [client.post("/v1/concerns", json=each).json() for each in told]


def test_an_arrival_is_one_email_with_figures_a_link_and_nothing_of_the_concern(
    client: TestClient, a_concern: Concern, worker: Worker, mail: MailServer
) -> None:
    receipts = raise_concerns(client, a_concern, "no", "not_sure")
    add(client, receipts[0], CANARY)

    for _ in range(3):
        worker(mail.port)()

    (email,) = mail.emails
    words = email.as_string()
    assert email["To"] == f"{TEAM}, lead@council.example"
    assert email["Subject"] == "Something new is at the desk (One Minute Guide)"
    assert "2 concerns came.\n1 addition to a concern came." in email.get_content().replace("\r", "")
    assert "The desk is at http://127.0.0.1:8000/desk\n" in words
    for secret in (CANARY, *(receipt[name] for receipt in receipts for name in ("reference", "status_token"))):
        assert secret not in words
    assert email["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("by_addition", [False, True])
def test_immediate_danger_is_in_the_subject(
    client: TestClient, a_concern: Concern, worker: Worker, mail: MailServer, by_addition: bool
) -> None:
    (receipt,) = raise_concerns(client, a_concern, "no" if by_addition else "yes")
    if by_addition:
        add(client, receipt, CANARY, danger="yes")

    worker(mail.port)()

    assert mail.emails[0]["Subject"].startswith("Immediate danger: look at the desk now")
    assert (
        "A reporter says that a child is in immediate danger. Concerns that say so: 1." in mail.emails[0].get_content()
    )


def test_before_the_clock_runs_out_there_is_one_event_and_one_email_and_none_for_what_was_acknowledged(
    service: FastAPI,
    desk: Desk,
    a_concern: Concern,
    worker: Worker,
    mail: MailServer,
    clock: SettableClock,
) -> None:
    client = desk.http
    seen, waiting = raise_concerns(client, a_concern, "no", "no")
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
        "An acknowledgement is due: look at the desk (One Minute Guide)"
    ]
    assert "1 concern is due for its acknowledgement soon." in mail.emails[1].get_content()
    assert "1 addition is due for its acknowledgement soon." in mail.emails[1].get_content()
    assert waiting["reference"] not in mail.emails[1].as_string()


@pytest.mark.parametrize("reply", ["451 try later", "554 refused"])
def test_a_server_that_refuses_is_tried_again_later_and_the_email_is_sent_once(
    client: TestClient, a_concern: Concern, worker: Worker, clock: SettableClock, reply: str
) -> None:
    raise_concerns(client, a_concern, "no")
    with MailServer(lambda number: reply if number < 3 else "250 OK") as mail:
        for minutes in range(0, 60, 5):
            clock.time = A_TUESDAY + minutes * A_MINUTE
            worker(mail.port)()

        assert (mail.tried, len(mail.emails)) == (3, 1)


def test_a_server_that_hangs_or_is_away_holds_nothing_up_for_longer_than_the_deadline(
    client: TestClient, a_concern: Concern, worker: Worker, clock: SettableClock, mail: MailServer
) -> None:
    raise_concerns(client, a_concern, "no")
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
    assert raise_concerns(client, a_concern, "no")[0]["reference"]


def test_of_two_processes_one_sends_and_what_a_dead_one_claimed_is_sent_after_its_lease(
    client: TestClient, service: FastAPI, a_concern: Concern, worker: Worker, mail: MailServer, clock: SettableClock
) -> None:
    raise_concerns(client, a_concern, "no")
    writer = service.state.context.writer
    claimed = claim_email(writer, now=clock.time)  # of a process that dies, or is slow

    worker(mail.port)()
    before = len(mail.emails)
    clock.time = A_TUESDAY + 2 * A_MINUTE
    worker(mail.port)()
    assert claimed is not None
    raise_concerns(client, a_concern, "no")
    clock.time = A_TUESDAY + 4 * A_MINUTE
    worker(mail.port)()
    record_sent(writer, claimed, now=clock.time)  # the slow one is too late, and changes nothing
    clock.time = A_TUESDAY + 6 * A_MINUTE
    worker(mail.port)()

    assert (before, len(mail.emails)) == (0, 2)
    assert mail.emails[0]["Message-ID"] != mail.emails[1]["Message-ID"]


def test_what_comes_within_a_minute_is_in_one_email(
    client: TestClient, a_concern: Concern, worker: Worker, mail: MailServer, clock: SettableClock
) -> None:
    for seconds in range(0, 61, 6):
        clock.time = A_TUESDAY + dt.timedelta(seconds=seconds)
        raise_concerns(client, a_concern, "no")
        worker(mail.port)()

    assert [email.get_content().split()[0] for email in mail.emails] == ["1", "10"]


def test_events_from_before_emails_were_switched_on_are_not_sent(
    client: TestClient, service: FastAPI, a_concern: Concern, worker: Worker, mail: MailServer, clock: SettableClock
) -> None:
    raise_concerns(client, a_concern, "no")
    clock.time = A_TUESDAY + 90 * A_MINUTE
    raise_concerns(client, a_concern, "no")

    worker(mail.port)()

    with Session(service.state.context.engine) as session:
        assert session.exec(select(EmailStateRow.sent_up_to)).one() > 1
    assert [email.get_content().split("\n")[0].strip() for email in mail.emails] == ["1 concern came."]


def test_a_server_that_says_a_letter_now_and_then_is_left_at_the_deadline(
    client: TestClient, a_concern: Concern, worker: Worker
) -> None:
    raise_concerns(client, a_concern, "no")

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
def test_the_connection_is_protected_the_server_is_checked_and_the_password_comes_from_a_file(  # noqa: PLR0917  # fixtures
    client: TestClient,
    a_concern: Concern,
    worker: Worker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    security: str,
    clock: SettableClock,
) -> None:
    certificate, password = make_certificate(tmp_path / "mail.pem"), tmp_path / "password.txt"
    password.write_text(f"{SIGN_IN}\n")
    signing_in = {"smtp_username": "desk", "smtp_password_file": password, "smtp_security": security}
    raise_concerns(client, a_concern, "no")
    with MailServer(certificate=certificate, tls_at_once=security == "tls", password=SIGN_IN) as mail:
        worker(mail.port, **signing_in)()
        distrusted = len(mail.emails)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        clock.time = A_TUESDAY + 10 * A_MINUTE
        worker(mail.port, **signing_in)()

        assert (distrusted, mail.signed_in) == (0, [True])


def test_a_server_without_tls_gets_nothing_where_tls_is_set(
    client: TestClient, a_concern: Concern, worker: Worker, mail: MailServer
) -> None:
    raise_concerns(client, a_concern, "no")

    worker(mail.port, smtp_security="starttls")()

    assert (mail.tried, mail.emails) == (0, [])


def test_a_test_of_a_developer_sends_no_email(
    client: TestClient, service: FastAPI, a_concern: Concern, worker: Worker, mail: MailServer
) -> None:
    key = add_client(
        service.state.context.writer, NewClient(name="trial", scopes=(Scope.SUBMIT,), test=True), at=A_TUESDAY
    )
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


def test_the_thread_of_the_clock_announces_what_is_due_soon(
    client: TestClient, service: FastAPI, a_concern: Concern, clock: SettableClock
) -> None:
    raise_concerns(client, a_concern, "no")
    clock.time = A_TUESDAY + dt.timedelta(hours=23)
    context = service.state.context
    jobs = TeamJobs(
        context.settings.model_copy(update={"due_soon_minutes": 240}), context.engine, context.writer, clock
    )

    wait = JobsWorker("clock", jobs.on_time()).run_once()

    assert 0 < wait <= 1
    assert append_due_soon_events(context.writer, now=clock.time, within=A_MINUTE * 240, limit=1) == 0
