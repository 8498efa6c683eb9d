"""The doctor tells the truth: it finds what is broken in a set-up, and blames nothing that is not."""

import datetime as dt
import errno
import json
import os
import re
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli.commands import app
from app.clock import utc_now
from app.config import Part, Settings, SettingsRefused, parse_settings
from app.db.database import DATABASE_FILE
from app.errors import SetupError
from app.extensions.operator_tools.services import database_checks, guidance_checks, page_checks, settings_checks
from app.extensions.operator_tools.services.doctor import ALL_CHECKS, exit_status
from app.main import create_app
from app.models.access.clients import Scope
from app.models.access.roles import Role
from app.models.audit.rows import NotedTime
from app.models.concerns.examples import SMALLEST_EXAMPLE
from app.services.access.clients import add_client, revoke_client
from app.services.access.people import sign_in_person
from app.services.access.row_signing import ACCESS_KEY
from app.services.audit.audit_log import Actor
from app.services.audit.lost_entries import read_known_ends, write_known_end
from app.services.clock.working_days import WorkingDays
from app.services.events.emails import claim_email
from app.services.events.webhook_keys import open_webhook_keys
from app.services.events.webhooks import REMOVED
from app.services.operations import check_model, public_address, watches
from app.services.operations.check_model import Condition
from app.services.operations.external_services import KNOCKS, settings_of_service
from app.services.operations.public_address import (
    PublicAnswer,
    Validity,
    call_public_address,
    read_certificate,
    read_time,
)
from tests.support.command import guidance, guidance_on_a_terminal
from tests.support.databases import drop_triggers, on_postgresql, raw_connection
from tests.support.live import LiveServer
from tests.support.proxies import varnish
from tests.support.publishing import publish_next
from tests.support.set_ups import SetUp, add_receiver, blamed, build_script, execute, findings, post_concern, reachable
from tests.support.store import Store

pytestmark = pytest.mark.slow

HOURS, DAYS = dt.timedelta(hours=1), dt.timedelta(days=1)
Breaking = Callable[[SetUp, pytest.MonkeyPatch], Any]
FINE, WARNING, FAULT = Condition.FINE, Condition.WARNING, Condition.FAULT


def certified(*, days: float, left: dt.timedelta) -> Breaking:
    """Return a set-up with a certificate of so many days, of which that is left."""

    def answer(_: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
        ends = utc_now() + left
        reachable(monkeypatch, certificate=Validity(ends - days * DAYS, ends))

    return answer


def values(**changed: Any) -> Breaking:
    return lambda set_up, _: set_up.values.update(changed)


def without(*names: str) -> Breaking:
    return lambda set_up, _: [set_up.values.pop(name) for name in names]


def answered(**answer: Any) -> Breaking:
    return lambda _, monkeypatch: reachable(monkeypatch, PublicAnswer(**answer))


def identity_left_here(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    path = set_up.data_dir / "key.txt"
    path.touch(mode=0o600)
    path.write_text(f"# from the laptop of the desk lead\n{set_up.identities[0]}\n")


def identity_that_is_configured(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    path = set_up.folder / "identity.txt"
    path.touch(mode=0o600)
    path.write_text(f"{set_up.identities[0]}\n")
    set_up.values["seal_identity_file"] = path


def unreadable_receipt_key(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    (set_up.data_dir / "receipt-key.pem").write_text("rubbish")


def lost_receipt_key(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    (set_up.data_dir / "receipt-key.pem").unlink()


def old_receipt_key(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    past = (utc_now() - dt.timedelta(days=800)).timestamp()
    os.utime(set_up.data_dir / "receipt-key.pem", (past, past))


def old_backup(hours: int) -> Breaking:
    def age(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
        past = (utc_now() - hours * HOURS).timestamp()
        for path in (set_up.folder / "backups").iterdir():
            os.utime(path, (past, past))

    return age


def damaged_backup(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    (path,) = (set_up.folder / "backups").iterdir()
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = b"\xff" * (len(content) - len(content) // 2)
    path.write_bytes(content)


def disk(free: int, of: int) -> Breaking:
    """Return a set-up on a disk of that size, with so much free."""
    usage = SimpleNamespace(free=free, used=of - free)
    return lambda _, monkeypatch: monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)


def slow_disk(seconds: float) -> Breaking:
    return lambda _, monkeypatch: monkeypatch.setattr(database_checks, "_flush", lambda _: seconds)


def failing(module: ModuleType, name: str) -> Breaking:
    """Return a set-up in which that function meets a disk that nobody can write to."""

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    return lambda _, monkeypatch: monkeypatch.setattr(module, name, fail)


def rolled_back_log(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    """The database lacks the last five entries that were known."""
    ((name, end),) = read_known_ends(set_up.data_dir).items()
    write_known_end(set_up.data_dir, name, end.model_copy(update={"position": end.position + 5}))


def large_log(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    """A log of which nothing counts any longer, as after a program that read for days. The file is sparse."""
    path = set_up.data_dir / f"{DATABASE_FILE}-wal"
    path.touch(mode=0o600)
    os.truncate(path, database_checks.LARGE_LOG_BYTES + 1)


def much_that_is_free(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    size = database_checks.LARGE_FREE_BYTES + 1_000_000
    with raw_connection(set_up.data_dir) as database:
        database.execute("CREATE TABLE of_no_use (text BLOB)")
        database.execute("INSERT INTO of_no_use VALUES (zeroblob(?))", (size,))
        database.execute("DROP TABLE of_no_use")


def schema_of(version: str) -> Breaking:
    def write(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
        with raw_connection(set_up.data_dir) as database:
            database.execute("UPDATE alembic_version SET version_num = ?", (version,))

    return write


def unchecked_contact(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    path = set_up.seed_of_its_own() / "signposts.yaml"
    path.write_text(path.read_text().replace(f"    verified_on: {utc_now().date()}", "    verified_on: null", 1))


def contact_checked_long_ago(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    path = set_up.seed_of_its_own() / "signposts.yaml"
    today = utc_now().date()
    path.write_text(path.read_text().replace(f"    verified_on: {today}", f"    verified_on: {today - 400 * DAYS}", 1))


def unchecked_contact_of_a_guide(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    """The next edition of the guide, as it was printed: nobody says when its numbers were called."""
    service = create_app(set_up.settings, utc_now)
    with TestClient(service):
        publish_next(service, review_by=(utc_now() + 365 * DAYS).date(), change_note="A test's next edition.")


def unreadable_signposts(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    (set_up.seed_of_its_own() / "signposts.yaml").write_text("signposts: none\n")


def statement_never_compared(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    path = set_up.seed_of_its_own() / "legal-statements.yaml"
    path.write_text(path.read_text().replace(f"    verified_on: {utc_now().date()}", "    verified_on: null", 1))


def statement_due_again(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    path = set_up.seed_of_its_own() / "legal-statements.yaml"
    path.write_text(re.sub("recheck_by: .*", f"recheck_by: {utc_now().date() + 29 * DAYS}", path.read_text(), count=1))


def review_due(_: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guidance_checks, "REVIEW_SOON", dt.timedelta(days=366))


def no_holidays(_: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WorkingDays, "calendar", {})


def no_holidays_of_next_year(_: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    year = utc_now().year
    days = WorkingDays().calendar
    days.get(dt.date(year, 1, 1))  # which makes the package compute the year
    known = {day: name for day, name in days.items() if day.year == year}
    monkeypatch.setattr(WorkingDays, "calendar", known)


def removed_recipient(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    first, _second = set_up.settings.seal_to
    other = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
    set_up.values["seal_to"] = f"{first},{other}"


def given_up(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    add_receiver(set_up)
    post_concern(set_up, utc_now())
    execute(set_up, "UPDATE deliveries SET state = 'dead'")


def stuck(minutes: int) -> Breaking:
    """Return a set-up with a webhook that has not taken an event for so long."""

    def wait(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
        add_receiver(set_up)
        post_concern(set_up, utc_now() - dt.timedelta(minutes=minutes))

    return wait


def nobody_delivers(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    """A webhook, and no process that has delivered since it was added."""
    add_receiver(set_up, added_at=utc_now() - dt.timedelta(minutes=6))
    execute(set_up, f"DELETE FROM known_time WHERE id = {NotedTime.WEBHOOK_ROUND.value}")  # noqa: S608  # a number


def disabled(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    add_receiver(set_up, disabled_at=utc_now(), disabled_because="it answered 410 Gone")


def closed_port() -> int:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port: int = closed.getsockname()[1]
    return port


def receiver_that_is_away(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    add_receiver(set_up, f"http://127.0.0.1:{closed_port()}/")


def emails_that_wait(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    """The process that sends is away: nobody told the mail server of a concern of three hours ago."""
    with TestClient(create_app(set_up.settings, lambda: utc_now() - 4 * HOURS)) as client:
        client.app.state.context.writer.run(claim_email, now=utc_now() - 4 * HOURS)  # type: ignore[attr-defined]
    post_concern(set_up, utc_now() - 3 * HOURS)


def lost_webhook_key(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    add_receiver(set_up)
    (set_up.data_dir / "webhook-key.txt").unlink()


def unreadable_webhook_key(set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    lost_webhook_key(set_up, monkeypatch)
    path = set_up.data_dir / "webhook-key.txt"
    path.touch(mode=0o600)
    path.write_text("rubbish\n")


def each_node_with_a_webhook_key(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    add_receiver(set_up)
    del set_up.values["webhook_key_file"]


def no_typst(_: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.version

    def version(name: str) -> str:
        if name == "typst":
            raise metadata.PackageNotFoundError
        return real(name)

    monkeypatch.setattr(metadata, "version", version)


def no_script(set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = set_up.folder / "pages"
    shutil.copytree(page_checks.PAGES_FOLDER, pages)
    (pages / "static" / "form.js").unlink()
    monkeypatch.setattr(page_checks, "PAGES_FOLDER", pages)


def no_desk_script(_set_up: SetUp, _monkeypatch: pytest.MonkeyPatch) -> None:
    (page_checks.BUILT_FOLDER / page_checks.BUILT_PAGE).unlink()


def add_a_client(set_up: SetUp) -> None:
    service = create_app(set_up.settings, utc_now)
    with TestClient(service, base_url=set_up.settings.public_url):
        add_client(service.state.context.writer, name="case-system", scopes=[Scope.SUBMIT], at=utc_now())


def client_that_nobody_let_in(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    """A writer of the database gave a client a scope that nobody here gave it."""
    add_a_client(set_up)
    execute(set_up, "UPDATE clients SET scopes = '[\"desk\"]'")


def lost_access_key(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    add_a_client(set_up)
    (set_up.data_dir / ACCESS_KEY).unlink()


def a_test_key_in_use(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    """A system that is tried out, or that went live with its test key."""
    service = create_app(set_up.settings, utc_now)
    with TestClient(service, base_url=set_up.settings.public_url) as client:
        writer = service.state.context.writer
        key = add_client(writer, name="example-sandbox", scopes=[Scope.SUBMIT], test=True, at=utc_now())
        sent = client.post(
            "/v1/concerns", json=SMALLEST_EXAMPLE | {"test": True}, headers={"Authorization": f"Bearer {key}"}
        )
        assert sent.status_code == 201


def desk_without_a_lead(*, concern: bool) -> Breaking:
    """Somebody reads concerns, and nobody is a lead. If `concern`, one came that is about somebody who works here."""

    def break_it(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
        service = create_app(set_up.settings, utc_now)
        with TestClient(service, base_url=set_up.settings.public_url) as client:
            add_client(
                service.state.context.writer,
                name="desk-robin",
                scopes=[Scope.READ],
                person="Robin Example",
                at=utc_now(),
            )
            about = {"concern": {"narrative": "Invented.", "about_council_staff": "yes"}}
            assert not concern or client.post("/v1/concerns", json=SMALLEST_EXAMPLE | about).status_code == 201

    return break_it


BESIDE_THE_DATABASE: list[tuple[Breaking, str, Condition]] = [
    (values(allowed_hosts="*"), "settings", WARNING),
    (values(log_level="debug"), "settings", WARNING),
    (values(duty_hours="In office hours"), "settings", WARNING),
    (without("security_contact", "security_expires"), "settings", WARNING),
    (values(security_expires="2020-01-01T00:00:00Z"), "settings", WARNING),
    (without("trusted_proxies"), "proxy", WARNING),
    (answered(status=200, checks={"writer": "ok"}, warnings={"proxy": "not trusted"}), "proxy", WARNING),
    (values(public_url="http://guidance.council.example"), "public-url", FAULT),
    (values(public_url="http://127.0.0.1:8000"), "public-url", WARNING),
    (answered(failure="ConnectError"), "public-url", FAULT),
    (answered(status=200), "public-url", FAULT),
    (answered(status=503, checks={"writer": "stopped"}), "public-url", FAULT),
    (certified(days=90, left=3 * DAYS), "certificate", FAULT),
    (certified(days=0.5, left=2 * HOURS), "certificate", FAULT),
    (certified(days=90, left=-3 * DAYS), "certificate", FAULT),
    (identity_left_here, "identities", FAULT),
    (identity_that_is_configured, "identities", WARNING),
    (lambda set_up, _: set_up.data_dir.chmod(0o755), "files", FAULT),
    (unchecked_contact, "contacts", FAULT),
    (contact_checked_long_ago, "contacts", FAULT),
    (without("adults_contact"), "contacts", WARNING),
    (without("complaints_contact"), "contacts", WARNING),
    (unreadable_signposts, "contacts", FAULT),
    (values(council_name="Example Council"), "contacts", FAULT),
    (without("acknowledge_danger_minutes"), "danger-times", WARNING),
    (without("acknowledge_not_sure_minutes"), "danger-times", WARNING),
    (statement_never_compared, "statements", WARNING),
    (statement_due_again, "statements", WARNING),
    (without("council_name"), "statements", FAULT),
    (without("accessibility_contact"), "statements", FAULT),
    (without("privacy_contact"), "statements", FAULT),
    (without("data_complaints_contact"), "statements", FAULT),
    (no_holidays, "holidays", FAULT),
    (no_holidays_of_next_year, "holidays", FAULT),
    (no_typst, "print", WARNING),
    (no_script, "scripts", FAULT),
    (no_desk_script, "desk-script", WARNING),
]
EVERYWHERE: list[tuple[Breaking, str, Condition]] = [
    (unreadable_receipt_key, "receipt-key", FAULT),
    (lost_receipt_key, "receipt-key", FAULT),
    (old_receipt_key, "receipt-key", WARNING),
    (schema_of("9999"), "schema", FAULT),
    (lambda set_up, _: execute(set_up, "DROP INDEX ix_concerns_received"), "rules", FAULT),
    (old_backup(27), "backup", FAULT),
    (old_backup(400), "backup", FAULT),
    (unchecked_contact_of_a_guide, "contacts", FAULT),
    (review_due, "reviews", WARNING),
    (removed_recipient, "removed-recipients", FAULT),
    (a_test_key_in_use, "test-concerns", WARNING),
    (desk_without_a_lead(concern=False), "restricted", WARNING),
    (desk_without_a_lead(concern=True), "restricted", FAULT),
    (client_that_nobody_let_in, "access", FAULT),
    (lost_access_key, "access", FAULT),
    (given_up, "webhooks", FAULT),
    (stuck(minutes=180), "webhooks", WARNING),
    (stuck(minutes=3), "webhooks", WARNING),
    (nobody_delivers, "delivery", FAULT),
    (disabled, "webhooks", FAULT),
    (receiver_that_is_away, "webhooks", FAULT),
    (emails_that_wait, "email", FAULT),
    (values(default_guide="nope"), "start", FAULT),
    (values(accepted_warnings="durabilty"), "start", FAULT),
    (lost_webhook_key, "webhooks", FAULT),
    (unreadable_webhook_key, "webhooks", FAULT),
]
OF_THE_FILE: list[tuple[Breaking, str, Condition]] = [
    (rolled_back_log, "lost-entries", FAULT),
    (large_log, "growth", WARNING),
    (much_that_is_free, "growth", WARNING),
    (damaged_backup, "restore", FAULT),
    (failing(database_checks, "drill_restore"), "restore", WARNING),
    (disk(free=1_000, of=10**9), "disk", FAULT),
    (disk(free=99 * 10**6, of=10**9), "disk", FAULT),
    (disk(free=4 * 10**9, of=10**11), "disk", FAULT),
    (disk(free=9 * 10**9, of=10**13), "disk", FAULT),
    (slow_disk(0.4), "flush", WARNING),
    (slow_disk(1.5), "flush", FAULT),
    (failing(database_checks, "_flush"), "flush", FAULT),
]
OF_NODES: list[tuple[Breaking, str, Condition]] = [
    (without("receipt_key_file"), "receipt-key", WARNING),
    (each_node_with_a_webhook_key, "webhooks", WARNING),
    (values(limits_store="memory://"), "settings", WARNING),
]
"""What is wrong only where nodes share a database."""
ROOT = Path(__file__).parents[3]
OF_THE_SERVER = {"disk", "flush", "pages", "restore"} if on_postgresql() else set()
"""What cannot be seen from a node."""
TRIED_ALONE = {
    "first-day",
    "recipients",
    "database",
    "pages",
    "clock",
    "clock-drift",
    "durability",
    "unanswered-hours",
    "overdue",
    "overdue-events",
    "chains",
}
"""Checks of which a test of its own below has a broken set-up."""


STOPS_A_START: set[Breaking] = {unreadable_webhook_key, unreadable_signposts}
"""What keeps the service from starting too, which its own line says."""
if on_postgresql():  # where nodes name their key files by settings, and a start refuses a file that is not there
    STOPS_A_START |= {unreadable_receipt_key, lost_receipt_key, lost_webhook_key}


def tampered_chain(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    with raw_connection(set_up.data_dir) as database:
        drop_triggers(database)
        database.execute("UPDATE audit_entries SET client = 'somebody else' WHERE act = 'acknowledged'")


def healthy_with_an_old_backup_that_is_accepted(set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    old_backup(40)(set_up, monkeypatch)
    set_up.values["accepted_warnings"] = "backup"


def healthy_trusted_by_a_receiver(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    add_receiver(set_up)


def healthy_with_a_concern_that_waits(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    post_concern(set_up, utc_now())


def healthy_with_a_test_key_file_of_others(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    """An identity that opens nothing here, such as what an earlier trial left."""
    stray = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX\n"
    path = set_up.data_dir / "development-identity.txt"
    path.touch(mode=0o600)
    path.write_text(stray)


def healthy_with_a_test_whose_keys_are_over(set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    a_test_key_in_use(set_up, monkeypatch)
    service = create_app(set_up.settings, utc_now)
    with TestClient(service):
        writer, ended = service.state.context.writer, utc_now() - dt.timedelta(days=1)
        writer.run(revoke_client, "example-sandbox", at=utc_now())
        add_client(writer, name="example-trial", scopes=[Scope.SUBMIT], test=True, at=utc_now(), expires_at=ended)


def healthy_with_a_removed_webhook_of_a_lost_key(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    add_receiver(set_up, disabled_at=utc_now(), disabled_because=REMOVED)
    keys = open_webhook_keys(set_up.settings)
    keys.path.unlink()
    keys.add()


def nothing(_set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    """Change nothing."""


HEALTHY: list[Breaking] = [
    nothing,
    healthy_trusted_by_a_receiver,
    healthy_with_a_concern_that_waits,
    healthy_with_a_test_key_file_of_others,
    healthy_with_a_test_whose_keys_are_over,
    healthy_with_a_removed_webhook_of_a_lost_key,
    certified(days=90, left=15 * DAYS),
    certified(days=0.5, left=4 * HOURS),
    old_backup(25),
    healthy_with_an_old_backup_that_is_accepted,
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store that nodes share, which only they need."""
    store = Store(tmp_path)
    if on_postgresql():
        store.start()
    yield store
    store.stop()


def shared_store(set_up: SetUp, url: str) -> dict[str, Any]:
    secret = set_up.folder / "secret"
    secret.write_text("an invented secret of thirty-two characters")
    return {"limits_store": url, "limits_secret_file": secret}


@pytest.mark.parametrize("change", HEALTHY)
def test_no_healthy_set_up_is_blamed(
    set_up: SetUp, monkeypatch: pytest.MonkeyPatch, store: Store, change: Breaking
) -> None:
    if on_postgresql():
        set_up.values |= shared_store(set_up, store.url)
    change(set_up, monkeypatch)

    found = findings(set_up)

    assert blamed(found) == {}
    nothing_to_deliver = set() if change is healthy_trusted_by_a_receiver else {"delivery"}
    skipped = {name for name, each in found.items() if each.condition is Condition.SKIPPED}
    assert skipped == OF_THE_SERVER | nothing_to_deliver
    assert found.keys() == {each.name for each in ALL_CHECKS}
    assert exit_status(found.values()) == 0


@pytest.fixture(scope="module")
def before(healthy: SetUp, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Condition]:
    """Findings of the doctor in a set-up that each test breaks."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        reachable(monkeypatch)
        build_script(monkeypatch, tmp_path_factory.mktemp("before") / "built")
        return blamed(findings(healthy))


def first_of_each(table: list[tuple[Breaking, str, Condition]], *marks: pytest.MarkDecorator) -> Iterator[object]:
    """Yield the cases: by day the test runs for the first break of each check and condition, at night for all."""
    seen = set[tuple[str, Condition]]()
    for breaking, check, condition in table:
        by_night = [pytest.mark.nightly] if (check, condition) in seen else []
        seen.add((check, condition))
        yield pytest.param(breaking, check, condition, marks=[*marks, *by_night])


@pytest.mark.parametrize(
    ("breaking", "check", "condition"),
    [*first_of_each(EVERYWHERE), *first_of_each(BESIDE_THE_DATABASE, pytest.mark.any_database)],
)
def test_the_doctor_finds_a_break_and_blames_nothing_else(
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    before: dict[str, Condition],
    breaking: Breaking,
    check: str,
    condition: Condition,
) -> None:
    breaking(set_up, monkeypatch)
    found = findings(set_up)

    assert before.items() <= {"settings": WARNING}.items()
    assert blamed(found) == before | {check: condition} | ({"start": FAULT} if breaking in STOPS_A_START else {})
    assert found[check].action


@pytest.mark.embedded
@pytest.mark.parametrize(("breaking", "check", "condition"), OF_THE_FILE)
def test_the_doctor_finds_a_break_with_a_file_database(
    set_up: SetUp, monkeypatch: pytest.MonkeyPatch, breaking: Breaking, check: str, condition: Condition
) -> None:
    breaking(set_up, monkeypatch)

    assert blamed(findings(set_up)) == {check: condition}


@pytest.mark.skipif(not on_postgresql(), reason="one node has an embedded database to itself")
@pytest.mark.parametrize(("breaking", "check", "condition"), OF_NODES)
def test_what_nodes_do_not_share_is_found(
    set_up: SetUp, monkeypatch: pytest.MonkeyPatch, breaking: Breaking, check: str, condition: Condition
) -> None:
    breaking(set_up, monkeypatch)

    assert blamed(findings(set_up))[check] is condition


def test_every_check_of_the_doctor_is_tried_on_a_fault() -> None:
    tables = [*BESIDE_THE_DATABASE, *EVERYWHERE, *OF_THE_FILE, *OF_NODES]

    assert len(HEALTHY) >= 4
    assert len(tables) >= 16
    assert {check for _, check, _ in tables} | TRIED_ALONE | {part.value for part in KNOCKS} == {
        each.name for each in ALL_CHECKS
    }


EMAILS = {
    "smtp_host": "127.0.0.1",
    "smtp_security": "none",
    "smtp_from": "desk@council.example",
    "smtp_to": "duty@council.example",
}
NOT_CALLED = {"allowed_origins", "embedding_origins", "allowed_hosts", "webhook_allowed_hosts"}
"""Names of those who call the service, or frame it, and of whom webhooks may call: each webhook has its own line."""
OWN_CHECKS = {Part.DATABASE: "database", Part.PUBLIC_URL: "public-url"}


def address_settings() -> set[str]:
    """The settings that name a host or an address, by their names and by what they take."""
    return {
        name
        for name, field in Settings.model_fields.items()
        if re.search(r"(url|host|hosts|issuer|store)$", name)
        or (takes(name, "https://a.example") and not takes(name, "a b"))
    }


def address_as_set(settings: Settings) -> str | None:
    return settings.database_url.get_secret_value() if settings.database_url else None


def takes(name: str, value: str) -> bool:
    try:
        parse_settings({f"GUIDANCE_{name.upper()}": value})
    except SettingsRefused as refusal:
        return f"GUIDANCE_{name.upper()}: " not in str(refusal)
    return True


def behind_a_closed_port(set_up: SetUp, name: str, port: int) -> dict[str, Any]:
    here = f"127.0.0.1:{port}"
    openid = {"openid_issuer": "https://login.council.example", "openid_audience": "api://one-minute-guide"}
    wanted: dict[str, dict[str, Any]] = {
        "database_url": {"database_url": f"postgresql+psycopg://guidance@{here}/guidance?connect_timeout=5"},
        "smtp_host": EMAILS | {"smtp_port": port},
        "openid_issuer": openid | {"openid_issuer": f"http://{here}/tenant"},
        "openid_jwks_url": openid | {"openid_jwks_url": f"http://{here}/keys"},
        "limits_store": shared_store(set_up, f"redis://{here}/0"),
        "traces_url": {"traces_url": f"http://{here}"},
    }
    return wanted.get(name, {name: f"https://{here}"})


def test_every_setting_with_an_address_declares_how_it_is_checked() -> None:
    declared = {name for name, field in Settings.model_fields.items() if any(part in field.metadata for part in Part)}

    assert declared == address_settings() - NOT_CALLED
    assert len(declared) >= 11
    assert address_settings() >= NOT_CALLED
    assert {*KNOCKS, *OWN_CHECKS} == set(Part)


def test_the_doctor_tries_every_address_in_the_settings(set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "call_public_address", call_public_address)
    monkeypatch.setattr(watches, "read_certificate", read_certificate)
    monkeypatch.setattr(Settings, "database_address", property(address_as_set))  # tests name another by the folder
    healthy = dict(set_up.values)
    for part in Part:
        for name in settings_of_service(part):
            set_up.values = healthy | behind_a_closed_port(set_up, name, closed_port())
            found = findings(set_up, is_quick=True)
            line = found[OWN_CHECKS.get(part, part.value)]

            assert line.condition is (WARNING if part is Part.PAGES else FAULT), line
            assert f"GUIDANCE_{name.upper()}" in f"{line.found} {line.action}"


@pytest.mark.parametrize(
    "broken",
    [
        {"default_guide": "nope"},
        {"limits_store": "redis://127.0.0.1:1"},
        EMAILS | {"smtp_username": "desk", "smtp_password_file": Path("/nowhere/password.txt"), "smtp_security": "tls"},
        {
            "openid_issuer": "https://login.council.example",
            "openid_audience": "a",
            "openid_scopes": '{"Team": ["all"]}',
        },
        {"seal_identity_file": Path("/nowhere/identity.txt")},
        {"retired_receipt_keys": "/nowhere/key.pem"},
        {"webhook_key_file": Path("/nowhere/webhook-key.txt")},
    ],
)
def test_the_doctor_repeats_what_a_start_refuses_and_changes_nothing(set_up: SetUp, broken: dict[str, Any]) -> None:
    before = {path.name for path in set_up.data_dir.iterdir()}
    set_up.values |= broken

    found = findings(set_up, is_quick=True)["start"]

    assert found.condition is FAULT
    assert {path.name for path in set_up.data_dir.iterdir()} <= before | {
        f"{DATABASE_FILE}-wal",
        f"{DATABASE_FILE}-shm",
    }
    with pytest.raises(SetupError) as refusal, TestClient(create_app(set_up.settings, utc_now)):
        pass
    assert str(refusal.value) in found.found


@pytest.mark.embedded
def test_a_damaged_page_of_the_database_is_found_anywhere(set_up: SetUp) -> None:
    path = set_up.data_dir / DATABASE_FILE
    whole, places = path.read_bytes(), 7
    for place in range(places):
        damaged, begins = bytearray(whole), 4096 * ((place + 1) * (len(whole) // 4096) // (places + 1))
        damaged[begins : begins + 8192] = os.urandom(8192)
        path.write_bytes(damaged)
        found = findings(set_up)

        assert FAULT in {found["database"].condition, found["pages"].condition}, place

    assert findings(set_up, is_quick=True)["pages"].condition is Condition.SKIPPED


def test_the_first_line_names_what_is_left_of_the_first_day(set_up: SetUp, tmp_path: Path) -> None:
    empty = guidance("doctor", "--quick", DATA_DIR=str(tmp_path / "empty")).stdout.splitlines()[0]
    del set_up.values["seal_to"]
    first = next(iter(findings(set_up, is_quick=True).values()))

    steps = "council, numbers, keys, address, lead, concern, backup"
    assert empty.startswith("warning  first-day")
    assert f"left: {steps}. Run guidance setup" in empty
    assert (first.condition, first.found) == (WARNING, "the first day is not over; left: keys, lead")


def test_missing_scopes_are_named_until_somebody_has_signed_in(set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_checks, "check_outside_settings", lambda *_: iter([check_model.fine("responding")]))
    issuer = "https://login.council.example"
    set_up.values |= {"openid_issuer": issuer, "openid_audience": "api://one-minute-guide", "openid_client_id": "desk"}

    before = findings(set_up, is_quick=True)["openid"]
    service = create_app(set_up.settings, utc_now)
    with TestClient(service):
        actor = Actor("openid:desk/worker-42", "192.0.2.7", utc_now())
        known = {"provider": issuer, "subject": "worker-42"}
        service.state.context.writer.run(sign_in_person, "Robin Example", role=Role.WORKER, **known, actor=actor)

    assert (before.condition, "GUIDANCE_OPENID_SCOPES is not set" in before.found) == (WARNING, True)
    assert findings(set_up, is_quick=True)["openid"].condition is FINE


def test_one_recipient_is_a_warning_and_none_a_fault(set_up: SetUp) -> None:
    first = set_up.settings.seal_to[0]
    set_up.values["seal_to"] = first
    one = blamed(findings(set_up))
    del set_up.values["seal_to"]
    none = blamed(findings(set_up))

    assert (one["recipients"], none["recipients"]) == (WARNING, FAULT)


def test_a_tampered_record_is_found(set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    tampered_chain(set_up, monkeypatch)

    assert blamed(findings(set_up))["chains"] is FAULT
    assert (
        "chains" not in blamed(findings(set_up, is_quick=True))
        or findings(set_up, is_quick=True)["chains"].condition is Condition.SKIPPED
    )


def test_overdue_concerns_are_a_warning_and_without_an_event_a_fault(set_up: SetUp) -> None:
    post_concern(set_up, utc_now() - dt.timedelta(days=9))

    found = blamed(findings(set_up))

    assert (found["overdue"], found["overdue-events"]) == (WARNING, FAULT)


def test_a_clock_behind_the_record_is_found(set_up: SetUp) -> None:
    assert blamed(findings(set_up, utc_now() - 30 * HOURS))["clock"] is FAULT


def test_a_clock_ahead_of_the_server_of_the_database_is_found(set_up: SetUp) -> None:
    found = findings(set_up, utc_now() + dt.timedelta(minutes=3))

    assert found["clock-drift"].condition is (FAULT if on_postgresql() else FINE)


def test_missing_backups_are_found_with_advice_for_that_database(set_up: SetUp) -> None:
    for path in (set_up.folder / "backups").iterdir():
        path.unlink()
    found = findings(set_up)
    none, later = blamed(found), blamed(findings(set_up, utc_now() + 27 * HOURS))
    assert ("pg_dump" if on_postgresql() else "guidance backup") in found["backup"].action
    del set_up.values["backup_folder"]
    unknown = blamed(findings(set_up))

    assert (none["backup"], later["backup"]) == (WARNING, FAULT)  # the first night has yet to come
    assert unknown["backup"] is WARNING


@pytest.mark.embedded
def test_without_a_database_what_needs_it_is_skipped_and_nothing_is_made(set_up: SetUp) -> None:
    shutil.rmtree(set_up.data_dir)

    found = findings(set_up)

    assert found["database"].condition is FAULT
    assert {found[each.name].condition for each in ALL_CHECKS if each.needs_database} == {Condition.SKIPPED}
    assert not set_up.data_dir.exists()


def replaced_by_other_file(set_up: SetUp) -> None:
    (set_up.data_dir / DATABASE_FILE).unlink()
    execute(set_up, "CREATE TABLE recipes (words TEXT)")


def server_that_is_away(set_up: SetUp) -> None:
    set_up.values["database_url"] = "postgresql+psycopg://guidance@127.0.0.1:1/guidance?connect_timeout=5"


@pytest.mark.embedded
@pytest.mark.parametrize("take_away", [replaced_by_other_file, server_that_is_away])
def test_an_unusable_database_is_one_fault_and_skips_dependent_checks(
    set_up: SetUp, take_away: Callable[[SetUp], None]
) -> None:
    take_away(set_up)

    found = findings(set_up)

    assert found["database"].condition is FAULT
    assert "is not responding" in found["database"].found
    assert {found[each.name].condition for each in ALL_CHECKS if each.needs_database} == {Condition.SKIPPED}


@pytest.mark.embedded
def test_an_address_that_is_of_no_postgresql_is_the_one_finding(set_up: SetUp) -> None:
    set_up.values["database_url"] = "mysql://guidance:secret@127.0.0.1/guidance"

    found = findings(set_up)

    assert blamed(found) == {"settings": FAULT}
    assert len(found) == 1
    assert "secret" not in str(found)


def test_a_database_with_an_older_schema_has_only_that_fault(set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its tables are not those that the other checks read."""
    before = blamed(findings(set_up))
    monkeypatch.setattr(database_checks, "is_behind", lambda _: True)

    found = findings(set_up)

    assert blamed(found) == before | {"schema": FAULT}
    assert found["chains"].condition is Condition.SKIPPED


def test_a_check_that_fails_is_a_fault_of_its_own(set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OperationalError("SELECT 'Alex'", {}, Exception())

    monkeypatch.setattr(check_model, "list_current", fail)

    found = findings(set_up)

    assert found["contacts"].condition is FAULT
    assert "Alex" not in str(found)
    assert found["scripts"].condition is FINE


def test_every_check_names_a_document_that_is_there() -> None:
    absent = []
    for check in ALL_CHECKS:
        name, _, anchor = check.read.partition("#")
        lines = (ROOT / name).read_text().splitlines() if (ROOT / name).is_file() else []
        headings = {line.lstrip("# ").lower().replace(" ", "-") for line in lines if line.startswith("#")}
        absent += [check.read] if not lines or (anchor and anchor not in headings) else []

    assert absent == []


def test_unknown_and_refused_settings_are_faults_and_no_value_is_repeated(tmp_path: Path) -> None:
    found = guidance("doctor", "--data-dir", tmp_path / "data", SEAL_TOO="age1secret", LIMIT_DESK="lots-of-secret")

    assert found.returncode == 2
    assert "GUIDANCE_SEAL_TOO" in found.stdout
    assert "GUIDANCE_LIMIT_DESK" in found.stdout
    assert "secret" not in found.stdout + found.stderr
    assert not (tmp_path / "data").exists()


def test_the_doctor_blames_a_trial_with_advice_on_each_line(live: LiveServer) -> None:
    printed = guidance("doctor", "--data-dir", live.data_dir, PUBLIC_URL=live.url)
    as_json = guidance("doctor", "--json", "--data-dir", live.data_dir, PUBLIC_URL=live.url)
    findings = {each["check"]: each for each in json.loads(as_json.stdout)}

    assert printed.returncode == as_json.returncode == 2
    assert findings["recipients"]["condition"] == "fault"
    assert findings["public-url"]["condition"] == "warning"  # it is reached, and is only this machine
    fine = [findings[name] for name in ("database", "schema", "chains")]  # the clock of this service does not move
    assert [each for each in fine if each["condition"] != "fine"] == []
    assert len(printed.stdout.splitlines()) == len(findings)
    for each in findings.values():
        assert each["condition"] in ("fine", "skipped") or (each["action"] and each["read"])


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("removed", "status", "worst"),
    [((), 0, "fine"), (("security_contact", "security_expires"), 1, "warning"), (("seal_to",), 2, "fault")],
)
def test_the_exit_status_is_zero_one_for_warnings_two_for_faults(
    set_up: SetUp, monkeypatch: pytest.MonkeyPatch, removed: tuple[str, ...], status: int, worst: str
) -> None:
    for name in removed:
        del set_up.values[name]
    for name, value in set_up.values.items():
        monkeypatch.setenv(f"GUIDANCE_{name.upper()}", str(value))

    printed, as_json = (CliRunner().invoke(app, ["doctor", *options]) for options in ([], ["--json"]))

    assert printed.exit_code == as_json.exit_code == status
    conditions = {each["condition"] for each in json.loads(as_json.stdout)}
    assert next(each for each in ("fault", "warning", "fine") if each in conditions) == worst


@pytest.mark.any_database
@pytest.mark.slow
@pytest.mark.parametrize(("trusted", "condition"), [("192.0.2.1", "warning"), ("127.0.0.1", "fine")])
def test_the_doctor_finds_an_untrusted_proxy_by_calling_through_it(
    tmp_path: Path, trusted: str, condition: str
) -> None:
    with (
        LiveServer(tmp_path / "data", trusted_proxies=trusted) as node,
        varnish(tmp_path / "varnish", node) as proxy,
    ):
        called = {"DATA_DIR": str(node.data_dir), "PUBLIC_URL": proxy.url, "TRUSTED_PROXIES": trusted}
        said = guidance("doctor", "--quick", "--json", **called)
        direct = httpx.get(f"{node.url}/health/ready", trust_env=False, timeout=30).json()
    found = {each["check"]: each for each in json.loads(said.stdout)}

    assert found["proxy"]["condition"] == condition, found["proxy"]
    assert direct["warnings"] == {}


def test_the_public_address_is_called_as_callers_do(live: LiveServer) -> None:
    answer = call_public_address(live.url)
    live.stop()

    assert (answer.status, answer.checks["database"], answer.failure) == (200, "ok", "")
    assert call_public_address(live.url).failure == "ConnectError"


def test_a_hanging_lookup_ends_each_call_of_the_public_address(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: released.wait())
    monkeypatch.setattr(public_address, "CALL_SECONDS", 0.1)
    url = "https://hangs.example"

    try:
        answer, time, certificate = call_public_address(url), read_time(url), read_certificate(url)
    finally:
        released.set()

    assert (answer.failure, time, certificate) == ("TimeoutError", None, None)


def test_a_probe_says_whether_the_service_is_ready(live: LiveServer) -> None:
    ready = guidance("health", "--url", live.url)
    as_json = guidance("health", "--url", live.url, "--json")
    alive = guidance("health", "--url", live.url, "--live")
    live.stop()
    stopped = guidance("health", "--url", live.url)

    assert (ready.returncode, ready.stdout) == (0, "ok\n")
    assert json.loads(as_json.stdout)["status"] == "ok"
    assert alive.returncode == 0
    assert stopped.returncode == 1
    assert "no response" in stopped.stdout


@pytest.mark.parametrize(("no_color", "has_colours"), [("", True), ("1", False)])
def test_terminals_get_colours_unless_no_color_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_color: str, has_colours: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)

    shown = guidance_on_a_terminal("doctor", "--quick", "--data-dir", tmp_path / "data").stdout

    assert "recipients" in shown
    assert ("\x1b[" in shown) is has_colours
