"""Watches: each is in metrics, readiness, the log, the doctor and the alerts once it is past its bound."""

import datetime as dt
import os
import re
import shutil
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import delete
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from app.clock import utc_now
from app.config import Settings
from app.db.database import open_database
from app.errors import SetupError
from app.http.context import AppContext
from app.main import create_app
from app.models.audit.rows import KnownTimeRow, NotedTime
from app.models.concerns.examples import SMALLEST_EXAMPLE
from app.models.events.rows import EventRow
from app.services.audit.lost_entries import read_known_ends, write_known_end
from app.services.events.dispatcher import DispatcherThread, build_dispatcher
from app.services.events.rounds import RoundNotes, find_round, note_round
from app.services.events.webhooks import insert_webhook, list_receivers
from app.services.operations import watches
from app.services.operations.jobs import TeamJobs
from app.services.operations.public_address import PublicAnswer, Validity, read_certificate
from app.services.operations.watches import WATCHES, MeasurementContext, Reading, Unmeasured, Watcher
from tests.operations.test_observability import families, rules
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.databases import Postgresql, on_postgresql, postgresql
from tests.support.delivery import a_receiver
from tests.support.log_lines import Lines
from tests.support.loops import for_each
from tests.support.mail_server import MailServer, make_certificate
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
ROOT = Path(__file__).parents[2]
BY_NAME = {each.name: each for each in WATCHES}
GIGABYTE = 10**9
HTTPS = {"public_url": "https://guidance.council.example"}
MAIL = {"smtp_host": "127.0.0.1", "smtp_from": "desk@council.example", "smtp_to": ("duty@council.example",)}


def nothing() -> None:
    """Do nothing between two measurements."""


def is_past(name: str, taken: Reading | Unmeasured) -> bool | None:
    """Return whether the reading is past its bound; None if nothing was measured."""
    return BY_NAME[name].is_past(taken) if isinstance(taken, Reading) else None


def backup(folder: Path, *, age: dt.timedelta, at: dt.datetime) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "guidance-20260101T000000Z.db"
    path.touch()
    os.utime(path, ((at - age).timestamp(),) * 2)
    return folder


def certificate(left: dt.timedelta, *, life: dt.timedelta = 90 * DAY) -> Validity:
    return Validity(A_TUESDAY + left - life, A_TUESDAY + left)


Break = Callable[[Path, pytest.MonkeyPatch, AppContext], dict[str, Any]]
"""Breaks something, and returns the settings that belong to it."""


def old_backup(folder: Path, _: pytest.MonkeyPatch, _context: AppContext) -> dict[str, Any]:
    return {"backup_folder": backup(folder / "backups", age=27 * HOUR, at=A_TUESDAY)}


def certificate_that_ends(_: Path, monkeypatch: pytest.MonkeyPatch, _context: AppContext) -> dict[str, Any]:
    monkeypatch.setattr(watches, "read_certificate", lambda _: certificate(13 * DAY))
    return HTTPS


def full_disk(_: Path, monkeypatch: pytest.MonkeyPatch, _context: AppContext) -> dict[str, Any]:
    usage = SimpleNamespace(free=4 * GIGABYTE, used=96 * GIGABYTE)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    return {}


def clock_that_is_off(_: Path, monkeypatch: pytest.MonkeyPatch, _context: AppContext) -> dict[str, Any]:
    monkeypatch.setattr(watches, "_other_clocks", lambda _: iter([("the database", A_TUESDAY - 3 * MINUTE)]))
    return {}


def set_on_the_server(name: str, value: str) -> None:
    with postgresql().connect("postgres") as connection:
        connection.execute(f"ALTER SYSTEM SET {name} = {value}")
        connection.execute("SELECT pg_reload_conf()")


def unsafe_server(_: Path, _monkeypatch: pytest.MonkeyPatch, context: AppContext) -> dict[str, Any]:
    set_on_the_server("full_page_writes", "off")
    around = MeasurementContext(context.settings, context.engine, A_TUESDAY)
    wait_until(lambda: "full_page_writes=off" in str(BY_NAME["durability"].measure(around)))
    return {}


def nobody_delivers(_: Path, _monkeypatch: pytest.MonkeyPatch, context: AppContext) -> dict[str, Any]:
    webhook = a_receiver()
    webhook.added_at = A_TUESDAY - HOUR
    context.writer.run(insert_webhook, webhook)
    return {}


def rolled_back(_: Path, _monkeypatch: pytest.MonkeyPatch, context: AppContext) -> dict[str, Any]:
    folder = context.settings.data_dir
    context.checkpoints.make(at=A_TUESDAY)
    context.lost_entries.look()
    ((name, end),) = read_known_ends(folder).items()
    write_known_end(folder, name, end.model_copy(update={"position": end.position + 5}))
    return {}


def no_team_at_night(_: Path, _monkeypatch: pytest.MonkeyPatch, _context: AppContext) -> dict[str, Any]:
    return {"council_name": "Example Council", "duty_hours": "Monday to Friday 9am to 5pm"}


BROKEN: dict[str, Break] = {
    "backup": old_backup,
    "certificate": certificate_that_ends,
    "disk": full_disk,
    "clock-drift": clock_that_is_off,
    "durability": unsafe_server,
    "delivery": nobody_delivers,
    "lost-entries": rolled_back,
    "unanswered-hours": no_team_at_night,
}
NOT_HERE = "disk" if on_postgresql() else "durability"
"""What only the other database has."""


@pytest.fixture
def safe_server() -> Iterator[None]:
    """The server as it was, after a test that changes its settings."""
    yield
    if on_postgresql():
        set_on_the_server("full_page_writes", "on")


@pytest.mark.usefixtures("safe_server")
@pytest.mark.parametrize("name", sorted(set(BROKEN) - {NOT_HERE}))
def test_a_watch_past_its_bound_is_in_readiness_metrics_and_log(
    name: str, settings: Settings, clock: SettableClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: Lines
) -> None:
    watch, service = BY_NAME[name], create_app(settings, clock)
    with TestClient(service) as client:
        context: AppContext = service.state.context
        own = settings.model_copy(update=BROKEN[name](tmp_path, monkeypatch, context))
        watcher = Watcher(own, context.engine, lambda: A_TUESDAY - DAY)
        service.state.context = context = replace(context, watcher=watcher)
        watcher.clock = clock
        watcher.look(nothing)
        ready, shown = client.get("/health/ready"), families(client)
        sent = client.post("/v1/concerns", json=SMALLEST_EXAMPLE)

    (value,) = [each.value for each in shown[watch.metric].samples]
    bounds = {each.labels["warning"]: each.value for each in shown["guidance_warning_bound"].samples}
    assert ready.status_code == 200
    assert ready.json()["warnings"][name].startswith(watch.state)
    if name == "unanswered-hours":
        assert "no team answers on Monday to Friday, 00:00 to 09:00" in ready.json()["warnings"][name]
    assert value < bounds[name] if watch.warns_below else value > bounds[name]
    assert ("bound_passed", name) in {(line["event"], line.get("reason")) for line in lines()}
    assert sent.status_code == 201


@pytest.mark.any_database
@pytest.mark.usefixtures("safe_server")
def test_a_start_measures_at_once_what_calls_no_other_service(
    settings: Settings, service: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.operations.jobs.OUTSIDE_SECONDS", 3_600.0)
    name = "durability" if on_postgresql() else "disk"
    BROKEN[name](tmp_path, monkeypatch, service.state.context)

    with TestClient(create_app(settings)) as client:
        wait_until(lambda: name in client.get("/health/ready").json()["warnings"])


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (
            {
                "council_name": "Example Council",
                "duty_hours": "Monday to Thursday 8:30am to 5pm, Friday 8:30am to 4:30pm",
            },
            "no team answers on Monday to Friday, 00:00 to 08:30; Monday to Thursday, 17:00 to 24:00; Friday, 16:30 to "
            "24:00; Saturday and Sunday, 00:00 to 24:00",
        ),
        (
            {"council_name": "Example Council", "duty_hours": "Monday to Friday 9am to 5pm"}
            | {"out_of_hours_phone": "01632 960009"},
            "a team answers at every hour of the week",
        ),
        ({"duty_hours": "Monday to Friday 9am to 5pm"}, "no team answers on Monday to Friday, 08:30 to 09:00"),
        ({"council_name": "Example Council"}, "no opening hours are known, so pages cannot say which team answers"),
    ],
)
def test_the_hours_in_which_no_team_answers_are_named(
    settings: Settings, context: AppContext, given: dict[str, Any], found: str
) -> None:
    around = MeasurementContext(Settings(data_dir=settings.data_dir, **given), context.engine, A_TUESDAY)

    taken = BY_NAME["unanswered-hours"].measure(around)

    assert (taken.found if isinstance(taken, Reading) else taken.why) == found


def test_the_time_without_a_team_is_measured_in_seconds(settings: Settings, context: AppContext) -> None:
    hours = "Monday to Friday 9am to 5pm"
    around = MeasurementContext(Settings(data_dir=settings.data_dir, duty_hours=hours), context.engine, A_TUESDAY)

    taken = BY_NAME["unanswered-hours"].measure(around)

    assert isinstance(taken, Reading)
    assert taken.value == 5 * 30 * 60


def test_each_thing_that_is_watched_is_broken_by_a_test() -> None:
    assert set(BROKEN) == set(BY_NAME)


def test_a_warning_ends_with_its_cause(settings: Settings, context: AppContext, tmp_path: Path, lines: Lines) -> None:
    folder = backup(tmp_path / "backups", age=27 * HOUR, at=A_TUESDAY)
    watcher = Watcher(settings.model_copy(update={"backup_folder": folder}), context.engine, lambda: A_TUESDAY)
    watcher.look(nothing)
    before = watcher.warnings

    backup(folder, age=HOUR, at=A_TUESDAY)
    watcher.due.clear()
    watcher.look(nothing)

    assert before["backup"] == "too old"
    assert "backup" not in watcher.warnings
    assert [line["event"] for line in lines() if line.get("reason") == "backup"] == ["bound_passed", "bound_kept_again"]


def test_a_reading_stays_while_the_database_does_not_answer(
    settings: Settings, context: AppContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody_delivers(settings.data_dir, monkeypatch, context)
    watcher = Watcher(settings, context.engine, lambda: A_TUESDAY)
    watcher.clock = lambda: A_TUESDAY + HOUR
    watcher.look(nothing)
    before = watcher.warnings

    def fail(_: Any) -> None:
        raise OperationalError("SELECT", {}, Exception())

    monkeypatch.setattr(watches, "list_receivers", fail)
    watcher.due.clear()
    watcher.look(nothing)

    assert before["delivery"] == watcher.warnings["delivery"] == "nobody delivers"


BACKUPS: list[tuple[str, dict[str, Any], bool | None]] = [
    ("a backup of 25 hours", {"age": 25 * HOUR}, False),
    ("a backup of 27 hours", {"age": 27 * HOUR}, True),
    ("a backup by a clock that was ahead", {"age": -HOUR}, False),
    ("no backup, in a new database", {"database": HOUR}, False),
    ("no backup, after two nights", {"database": 48 * HOUR}, True),
    ("no folder is set, as with Litestream or on another node", {"unset": True}, None),
]


@for_each(("case", "given", "expected"), BACKUPS)
def test_only_an_old_backup_frightens(
    tmp_path: Path, settings: Settings, context: AppContext, case: str, given: dict[str, Any], expected: bool | None
) -> None:
    folder = tmp_path / "backups"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    if "age" in given:
        backup(folder, age=given["age"], at=A_TUESDAY)
    with Session(context.engine) as session:
        first = session.exec(select(EventRow.at).order_by(col(EventRow.id))).first()
    assert first is not None
    at = first + given["database"] if "database" in given else A_TUESDAY
    own = settings.model_copy(update={"backup_folder": None if given.get("unset") else folder})

    taken = BY_NAME["backup"].measure(MeasurementContext(own, context.engine, at))

    assert is_past("backup", taken) is expected, case


def test_a_missing_folder_warns_only_beside_a_local_database(
    tmp_path: Path, settings: Settings, context: AppContext
) -> None:
    own = settings.model_copy(update={"backup_folder": tmp_path / "not-mounted"})

    taken = BY_NAME["backup"].measure(MeasurementContext(own, context.engine, A_TUESDAY + 365 * DAY))

    assert is_past("backup", taken) is (None if on_postgresql() else True)


CERTIFICATES: list[tuple[str, Validity, bool]] = [
    ("90 days, 15 left", certificate(15 * DAY), False),
    ("90 days, 13 left", certificate(13 * DAY), True),
    ("12 hours, 4 left, as inside a network", certificate(4 * HOUR, life=12 * HOUR), False),
    ("12 hours, 2 left", certificate(2 * HOUR, life=12 * HOUR), True),
    ("6 days, 2 left", certificate(2 * DAY, life=6 * DAY), False),
    ("expired yesterday", certificate(-DAY), True),
]


@for_each(("case", "validity", "expected"), CERTIFICATES)
def test_only_a_certificate_that_should_have_been_renewed_frightens(
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    context: AppContext,
    case: str,
    validity: Validity,
    expected: bool,
) -> None:
    monkeypatch.setattr(watches, "read_certificate", lambda _: validity)
    own = settings.model_copy(update=HTTPS)

    taken = BY_NAME["certificate"].measure(MeasurementContext(own, context.engine, A_TUESDAY))

    assert is_past("certificate", taken) is expected, case


@contextmanager
def https_server(path: Path) -> Iterator[str]:
    """Serve TLS with that certificate on this machine, and yield the address."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    vars(server)["handle_error"] = lambda *_: None  # a client that sends nothing ends the connection
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    with served(server):
        yield f"https://127.0.0.1:{server.server_address[1]}"


@contextmanager
def served(server: ThreadingHTTPServer) -> Iterator[None]:
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@for_each("days", [-2, 1, 30])
def test_the_end_of_any_certificate_is_read_by_connecting(tmp_path: Path, days: int) -> None:
    with https_server(make_certificate(tmp_path / f"{days}.pem", days=days)) as url:
        found = read_certificate(url)

    assert found is not None
    assert abs(found.ends - utc_now() - days * DAY) < HOUR


def test_without_a_way_to_the_public_address_nothing_is_said(settings: Settings, context: AppContext) -> None:
    own = settings.model_copy(update={"public_url": "https://127.0.0.1:1"})

    taken = BY_NAME["certificate"].measure(MeasurementContext(own, context.engine, A_TUESDAY))

    assert isinstance(taken, Unmeasured)


DISKS: list[tuple[float, float, bool]] = [
    (6, 100, False),
    (4, 100, True),
    (11, 10_000, False),
    (9, 10_000, True),
    (0.2, 1, False),
    (0.09, 1, True),
]
"""The free space and the size of a disk, in GB, and whether it is almost full."""


@pytest.mark.embedded
@for_each(("free", "size", "expected"), DISKS)
def test_only_a_disk_that_is_almost_full_frightens(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, context: AppContext, free: float, size: float, expected: bool
) -> None:
    usage = SimpleNamespace(free=free * GIGABYTE, used=(size - free) * GIGABYTE)
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda _: usage)
        taken = BY_NAME["disk"].measure(MeasurementContext(settings, context.engine, A_TUESDAY))

    assert is_past("disk", taken) is expected, (free, size)


@contextmanager
def clock_that_says(at: dt.datetime, **headers: str) -> Iterator[str]:
    """Serve whatever is asked, by a clock that says that time, and yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(404)
            for name, value in ({"Date": format_datetime(at, usegmt=True), "Content-Length": "0"} | headers).items():
                self.send_header(name, value)
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with served(server):
        yield f"http://127.0.0.1:{server.server_address[1]}"


CLOCKS: list[tuple[str, dt.timedelta, dict[str, str], bool]] = [
    ("the same time", dt.timedelta(), {}, False),
    ("half a minute ahead", MINUTE / 2, {}, False),
    ("three minutes ahead", 3 * MINUTE, {}, True),
    ("three minutes behind", -3 * MINUTE, {}, True),
    ("three minutes behind, in a response that a cache stored three minutes ago", -3 * MINUTE, {"Age": "180"}, False),
    ("a date that is none", dt.timedelta(), {"Date": "yesterday"}, False),
]


@pytest.mark.embedded
@for_each(("case", "apart", "headers", "expected"), CLOCKS)
def test_a_clock_is_compared_with_the_one_of_the_identity_provider(
    settings: Settings, context: AppContext, case: str, apart: dt.timedelta, headers: dict[str, str], expected: bool
) -> None:
    with clock_that_says(A_TUESDAY + apart, **headers) as issuer:
        own = settings.model_copy(update={"openid_issuer": issuer})
        taken = BY_NAME["clock-drift"].measure(MeasurementContext(own, context.engine, A_TUESDAY))

    assert bool(is_past("clock-drift", taken)) is expected, case


@pytest.mark.embedded
def test_a_clock_is_compared_with_the_proxy_and_the_audit_log(
    settings: Settings, context: AppContext, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watches, "call_public_address", lambda _: PublicAnswer(200, time=A_TUESDAY))
    own = settings.model_copy(update=HTTPS)
    client.get("/health/ready")

    def past(at: dt.datetime, settings: Settings) -> bool | None:
        return is_past("clock-drift", BY_NAME["clock-drift"].measure(MeasurementContext(settings, context.engine, at)))

    assert [past(A_TUESDAY + apart, own) for apart in (0 * MINUTE, 2 * MINUTE, -2 * MINUTE)] == [False, True, True]
    assert [bool(past(A_TUESDAY + apart, settings)) for apart in (0 * MINUTE, 400 * DAY)] == [False, False]


@pytest.mark.any_database
def test_only_a_server_that_does_not_flush_is_named(tmp_path: Path) -> None:
    server = Postgresql(durable=True)
    engine = open_database(tmp_path, server.address("postgres"))
    around = MeasurementContext(Settings(data_dir=tmp_path), engine, A_TUESDAY)
    try:
        safe = BY_NAME["durability"].measure(around)
        with server.connect("postgres") as connection:
            for name in ("fsync", "full_page_writes"):
                connection.execute(f"ALTER SYSTEM SET {name} = off")
            connection.execute("SELECT pg_reload_conf()")
        wait_until(lambda: BY_NAME["durability"].measure(around) != safe)
        unsafe = BY_NAME["durability"].measure(around)
    finally:
        engine.dispose()
        server.server.cleanup()

    assert (is_past("durability", safe), is_past("durability", unsafe)) == (False, True)
    assert "fsync=off and full_page_writes=off" in str(unsafe)


ROUNDS: list[tuple[str, dict[str, dt.timedelta], bool]] = [
    ("a start a minute ago", {"start": MINUTE}, False),
    ("a start six minutes ago", {"start": 6 * MINUTE}, True),
    ("a round of another node a minute ago", {"start": DAY, "round": MINUTE}, False),
    ("the last round of another node six minutes ago", {"start": DAY, "round": 6 * MINUTE}, True),
    ("a start after a stop of a day", {"start": MINUTE, "round": DAY}, False),
    ("a round by a clock that is an hour ahead", {"start": DAY, "round": -HOUR}, True),
]


@for_each(("case", "ago", "expected"), ROUNDS)
@pytest.mark.parametrize("kind", ["EMAIL_ROUND", "WEBHOOK_ROUND"])
def test_readiness_waits_five_minutes_for_a_round(
    settings: Settings, context: AppContext, kind: str, case: str, ago: dict[str, dt.timedelta], expected: bool
) -> None:
    if kind == "WEBHOOK_ROUND" and not list_receivers_of(context):
        nobody_delivers(settings.data_dir, pytest.MonkeyPatch(), context)
    own = settings.model_copy(update=MAIL if kind == "EMAIL_ROUND" else {})
    if "round" in ago:
        context.writer.run(note_round, NotedTime[kind], at=A_TUESDAY - ago["round"])
    else:
        context.writer.run(lambda session: session.connection().execute(delete(KnownTimeRow)))

    taken = BY_NAME["delivery"].measure(
        MeasurementContext(own, context.engine, A_TUESDAY, since=A_TUESDAY - ago["start"])
    )

    assert is_past("delivery", taken) is expected, case


def list_receivers_of(context: AppContext) -> list[str]:
    with Session(context.engine) as session:
        return [each.name for each in list_receivers(session)]


def test_a_webhook_that_was_just_added_frightens_nobody(settings: Settings, context: AppContext) -> None:
    webhook = a_receiver()
    webhook.added_at = A_TUESDAY - MINUTE
    context.writer.run(insert_webhook, webhook)

    taken = BY_NAME["delivery"].measure(MeasurementContext(settings, context.engine, A_TUESDAY, since=A_TUESDAY - DAY))

    assert is_past("delivery", taken) is False


def test_delivery_is_unmeasured_if_nothing_is_to_be_delivered(settings: Settings, context: AppContext) -> None:
    taken = BY_NAME["delivery"].measure(MeasurementContext(settings, context.engine, A_TUESDAY, since=A_TUESDAY - DAY))

    assert isinstance(taken, Unmeasured)


def test_every_worker_that_delivers_notes_its_rounds(
    settings: Settings, context: AppContext, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody_delivers(settings.data_dir, monkeypatch, context)
    with MailServer() as server:
        own = settings.model_copy(update=MAIL | {"smtp_port": server.port, "smtp_security": "none"})
        (email,) = TeamJobs(own, context.engine, context.writer, clock).email_workers()
        events = DispatcherThread(build_dispatcher(own, context.writer, clock), grace_seconds=0)

        def noted() -> dict[NotedTime, dt.datetime | None]:
            with Session(context.engine) as session:
                return {kind: find_round(session, kind) for kind in (NotedTime.EMAIL_ROUND, NotedTime.WEBHOOK_ROUND)}

        before = set(noted().values())
        for worker in (email, events):
            worker.start()
        wait_until(lambda: set(noted().values()) == {A_TUESDAY})
        for worker in (email, events):
            worker.stop()

    assert before == {None}


def test_without_a_webhook_no_round_of_pushing_is_written(context: AppContext, clock: SettableClock) -> None:
    dispatcher = build_dispatcher(context.settings, context.writer, clock)

    dispatcher.note_round(RoundNotes(NotedTime.WEBHOOK_ROUND, context.writer, clock))

    with Session(context.engine) as session:
        assert find_round(session, NotedTime.WEBHOOK_ROUND) is None


def test_the_alerts_compare_each_metric_with_the_bound_of_the_service() -> None:
    alerts = {rule["alert"]: rule for rule in rules()}
    expected = {
        watch.alert: (
            f"{watch.metric} {'<' if watch.warns_below else '>'} on (job, instance) "
            f'guidance_warning_bound{{warning="{watch.name}"}}',
            f"{watch.action[:1].upper()}{watch.action[1:]}.",
        )
        for watch in WATCHES
    }

    assert {name: (alerts[name]["expr"], alerts[name]["annotations"]["action"]) for name in expected} == expected


def test_the_reference_lists_every_watch_with_limit_and_action() -> None:
    reference = (ROOT / "docs" / "reference" / "operations.md").read_text()
    rows = re.findall(
        r"^\| `([\w-]+)`: ([^|]+) \| `(\w+)` \| ([^|]+) \| `(\w+)` \| ([^|]+) \|$", reference, re.MULTILINE
    )

    assert rows == [(each.name, each.state, each.metric, each.limit, each.alert, each.action) for each in WATCHES]


def test_the_reference_of_metrics_says_what_each_measures() -> None:
    reference = (ROOT / "docs" / "reference" / "metrics.md").read_text()

    assert [each.name for each in WATCHES if f"| `{each.metric}` | gauge | | {each.says} |" not in reference] == []


def test_what_an_operator_accepts_is_measured_and_frightens_nobody(
    settings: Settings, service: FastAPI, client: TestClient, tmp_path: Path
) -> None:
    folder = backup(tmp_path / "backups", age=27 * HOUR, at=A_TUESDAY)
    changes: dict[str, Any] = {"backup_folder": folder, "accepted_warnings": ("backup",)}
    own = settings.model_copy(update=changes)
    context: AppContext = service.state.context
    watcher = Watcher(own, context.engine, lambda: A_TUESDAY)
    service.state.context = replace(context, watcher=watcher)

    watcher.look(nothing)

    shown = families(client)
    assert "backup" not in client.get("/health/ready").json()["warnings"]
    assert [each.value for each in shown["guidance_backup_age_seconds"].samples] == [27 * 3600]
    assert "backup" not in {each.labels["warning"] for each in shown["guidance_warning_bound"].samples}


def test_a_misspelt_accepted_warning_stops_the_start(settings: Settings) -> None:
    misspelt = settings.model_copy(update={"accepted_warnings": ("durabilty",)})

    with pytest.raises(SetupError, match="each must be one of backup, certificate"), TestClient(create_app(misspelt)):
        pass
