"""The doctor tells the truth: it finds what is broken in a set-up, and blames nothing that is not."""

import datetime as dt
import os
import shutil
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from app.main import create_app, utc_now
from app.models.concerns.examples import SMALLEST_EXAMPLE
from app.models.events.tables import EventKind, WebhookRow
from app.services.concerns.working_days import WorkingDays
from app.services.operations.doctor import guidance_checks, machine_checks, patient, program_checks
from app.services.operations.doctor.examination import ALL_CHECKS, examine
from app.services.operations.doctor.finding import Condition, Finding, exit_status
from app.services.operations.doctor.public_address import PublicAnswer, Validity
from app.store.webhooks import insert_webhook
from tests.support.databases import drop_triggers, on_postgresql, raw_connection
from tests.support.set_ups import SetUp, make_set_up, reachable

ROOT = Path(__file__).parents[2]
HOURS, DAYS = dt.timedelta(hours=1), dt.timedelta(days=1)
Breaking = Callable[[SetUp, pytest.MonkeyPatch], Any]
OF_THE_SERVER = {"disk", "flush", "restore"} if on_postgresql() else set()
"""What cannot be seen from a node."""
FINE, WARNING, FAULT = Condition.FINE, Condition.WARNING, Condition.FAULT


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> SetUp:
    return make_set_up(tmp_path_factory.mktemp("healthy") / "place")


@pytest.fixture
def set_up(healthy: SetUp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SetUp:
    """A healthy set-up that the test may break, whose public address answers, and whose script is built."""
    reachable(monkeypatch)
    built = tmp_path / "built"
    built.mkdir()
    for name in (program_checks.BUILT, program_checks.BUILT_PAGE):
        (built / name).touch()
    monkeypatch.setattr(program_checks, "BUILT_FOLDER", built)
    return healthy.copy(tmp_path / "place")


def findings(set_up: SetUp, at: dt.datetime | None = None, *, is_quick: bool = False) -> dict[str, Finding]:
    return {each.check: each for each in examine(set_up.settings, at=at or utc_now(), is_quick=is_quick)}


def blamed(found: dict[str, Finding]) -> dict[str, Condition]:
    return {name: each.condition for name, each in found.items() if each.condition in (WARNING, FAULT)}


def post_concern(set_up: SetUp, at: dt.datetime) -> None:
    with TestClient(create_app(set_up.settings, lambda: at), base_url=set_up.settings.public_url) as client:
        assert client.post("/v1/concerns", json=SMALLEST_EXAMPLE).status_code == 201


def add_receiver(set_up: SetUp, **more: Any) -> None:
    service = create_app(set_up.settings, utc_now)
    row = WebhookRow(
        name="receiver",
        url="https://receiver.example/",
        kinds=[EventKind.CONCERN_RECEIVED.value],
        secrets=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        added_at=utc_now(),
        **more,
    )
    with TestClient(service):
        service.state.context.writer.run(lambda session: insert_webhook(session, row))


def execute(set_up: SetUp, *statements: str) -> None:
    with raw_connection(set_up.data_dir) as database:
        for statement in statements:
            database.execute(statement)


def tampered_chain(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    with raw_connection(set_up.data_dir) as database:
        drop_triggers(database)
        database.execute("UPDATE disclosures SET client = 'somebody else' WHERE act = 'acknowledged'")


def healthy_trusted_by_a_receiver(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    add_receiver(set_up)


def healthy_with_a_concern_that_waits(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    post_concern(set_up, utc_now())


def certified(*, days: float, left: dt.timedelta) -> Breaking:
    """Return a set-up with a certificate of so many days, of which that is left."""

    def answer(_: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
        ends = utc_now() + left
        certificate = Validity(ends - days * DAYS, ends)
        reachable(monkeypatch, PublicAnswer(200, {"writer": "ok"}, certificate=certificate))

    return answer


def healthy_with_a_test_key_file_of_others(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    """An identity that opens nothing here, such as what an earlier trial left."""
    stray = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX\n"
    path = set_up.data_dir / "development-identity.txt"
    path.touch(mode=0o600)
    path.write_text(stray)


def nothing(_set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    """Change nothing."""


@pytest.mark.parametrize(
    "change",
    [
        nothing,
        healthy_trusted_by_a_receiver,
        healthy_with_a_concern_that_waits,
        healthy_with_a_test_key_file_of_others,
        certified(days=90, left=15 * DAYS),
        certified(days=0.5, left=4 * HOURS),
    ],
)
def test_no_healthy_set_up_is_blamed(set_up: SetUp, monkeypatch: pytest.MonkeyPatch, change: Breaking) -> None:
    if on_postgresql():
        set_up.values |= {"limits_store": "redis://127.0.0.1:6379", "limits_secret_file": set_up.folder / "secret"}
        (set_up.folder / "secret").write_text("an invented secret of thirty-two characters")
    change(set_up, monkeypatch)

    found = findings(set_up)

    assert blamed(found) == {}
    assert {name for name, each in found.items() if each.condition is Condition.SKIPPED} == OF_THE_SERVER
    assert found.keys() == {each.name for each in ALL_CHECKS}
    assert exit_status(found.values()) == 0


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


def full_disk(_: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000))


def slow_disk(_: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_checks, "_flush", lambda _: 0.4)


def unchecked_contact(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    path = set_up.folder / "seed" / "signposts.yaml"
    path.write_text(path.read_text().replace(f"    verified_on: {utc_now().date()}", "    verified_on: null", 1))


def review_due(_: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guidance_checks, "REVIEW_SOON", dt.timedelta(days=366))


def no_holidays(_: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WorkingDays, "calendar", {})


def removed_recipient(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    first, _second = set_up.settings.seal_to
    other = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
    set_up.values["seal_to"] = f"{first},{other}"


def given_up(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    add_receiver(set_up)
    post_concern(set_up, utc_now())
    execute(set_up, "UPDATE deliveries SET state = 'dead'")


def stuck(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    add_receiver(set_up)
    post_concern(set_up, utc_now() - 3 * HOURS)


def disabled(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    add_receiver(set_up, disabled_at=utc_now(), disabled_because="it answered 410 Gone")


def lost_webhook_key(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    add_receiver(set_up)
    with TestClient(create_app(set_up.settings, utc_now)):
        pass  # the start encrypts the secret
    (set_up.data_dir / "webhook-key.txt").unlink()


def no_typst(_: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.version

    def version(name: str) -> str:
        if name == "typst":
            raise metadata.PackageNotFoundError
        return real(name)

    monkeypatch.setattr(metadata, "version", version)


def no_script(set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = set_up.folder / "pages"
    shutil.copytree(program_checks.PAGES_FOLDER, pages)
    (pages / "static" / "form.js").unlink()
    monkeypatch.setattr(program_checks, "PAGES_FOLDER", pages)


def no_desk_script(_set_up: SetUp, _monkeypatch: pytest.MonkeyPatch) -> None:
    (program_checks.BUILT_FOLDER / program_checks.BUILT_PAGE).unlink()


EVERYWHERE: list[tuple[Breaking, str, Condition]] = [
    (values(allowed_hosts="*"), "settings", WARNING),
    (without("security_contact", "security_expires"), "settings", WARNING),
    (values(security_expires="2020-01-01T00:00:00Z"), "settings", WARNING),
    (without("trusted_proxies"), "proxy", WARNING),
    (values(public_url="http://guidance.council.example"), "public-url", FAULT),
    (answered(failure="ConnectError"), "public-url", FAULT),
    (answered(status=200), "public-url", FAULT),
    (answered(status=503, checks={"writer": "stopped"}), "public-url", FAULT),
    (certified(days=90, left=3 * DAYS), "public-url", WARNING),
    (certified(days=0.5, left=2 * HOURS), "public-url", WARNING),
    (identity_left_here, "identities", FAULT),
    (lambda set_up, _: (set_up.data_dir / "receipt-key.pem").write_text("rubbish"), "receipt-key", FAULT),
    (lambda set_up, _: (set_up.data_dir / "receipt-key.pem").unlink(), "receipt-key", FAULT),
    (old_receipt_key, "receipt-key", WARNING),
    (lambda set_up, _: set_up.data_dir.chmod(0o755), "files", FAULT),
    (old_backup(40), "backup", WARNING),
    (old_backup(400), "backup", FAULT),
    (unchecked_contact, "contacts", WARNING),
    (review_due, "reviews", WARNING),
    (no_holidays, "holidays", FAULT),
    (removed_recipient, "removed-recipients", FAULT),
    (given_up, "webhooks", FAULT),
    (stuck, "webhooks", WARNING),
    (disabled, "webhooks", FAULT),
    (lost_webhook_key, "webhooks", FAULT),
    (no_typst, "print", WARNING),
    (no_script, "scripts", FAULT),
    (no_desk_script, "desk-script", WARNING),
]
OF_THE_FILE: list[tuple[Breaking, str, Condition]] = [
    (lambda set_up, _: execute(set_up, "DROP INDEX ix_concerns_received"), "schema", FAULT),
    (damaged_backup, "restore", FAULT),
    (full_disk, "disk", FAULT),
    (slow_disk, "flush", WARNING),
]


@pytest.mark.parametrize(("breaking", "check", "condition"), EVERYWHERE)
def test_what_is_broken_is_found_and_nothing_else_is_blamed(
    set_up: SetUp, monkeypatch: pytest.MonkeyPatch, breaking: Breaking, check: str, condition: Condition
) -> None:
    before = blamed(findings(set_up))

    breaking(set_up, monkeypatch)
    found = findings(set_up)

    assert before.items() <= {"settings": WARNING}.items()
    assert blamed(found) == before | {check: condition}
    assert found[check].action


@pytest.mark.embedded
@pytest.mark.parametrize(("breaking", "check", "condition"), OF_THE_FILE)
def test_what_is_broken_in_a_file_is_found(
    set_up: SetUp, monkeypatch: pytest.MonkeyPatch, breaking: Breaking, check: str, condition: Condition
) -> None:
    breaking(set_up, monkeypatch)

    assert blamed(findings(set_up)) == {check: condition}


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


def test_what_is_overdue_is_a_warning_and_a_fault_where_no_event_says_so(set_up: SetUp) -> None:
    post_concern(set_up, utc_now() - dt.timedelta(days=9))

    found = blamed(findings(set_up))

    assert (found["overdue"], found["overdue-events"]) == (WARNING, FAULT)


def test_a_clock_behind_the_record_is_found(set_up: SetUp) -> None:
    assert blamed(findings(set_up, utc_now() - 30 * HOURS))["clock"] is FAULT


def test_a_clock_ahead_of_the_server_of_the_database_is_found(set_up: SetUp) -> None:
    found = findings(set_up, utc_now() + dt.timedelta(minutes=3))

    assert found["clock"].condition is (FAULT if on_postgresql() else FINE)


def test_no_backup_is_found_and_the_advice_is_what_works_with_that_database(set_up: SetUp) -> None:
    for path in (set_up.folder / "backups").iterdir():
        path.unlink()
    found = findings(set_up)
    none = blamed(found)
    assert ("pg_dump" if on_postgresql() else "guidance backup") in found["backup"].action
    del set_up.values["backup_folder"]
    unknown = blamed(findings(set_up))

    assert none["backup"] is FAULT
    assert unknown["backup"] is WARNING


@pytest.mark.embedded
def test_without_a_database_what_needs_it_is_skipped_and_nothing_is_made(set_up: SetUp) -> None:
    shutil.rmtree(set_up.data_dir)

    found = findings(set_up)

    assert found["database"].condition is FAULT
    assert {found[each.name].condition for each in ALL_CHECKS if each.needs_database} == {Condition.SKIPPED}
    assert not set_up.data_dir.exists()


def test_a_check_that_fails_is_a_fault_of_its_own(set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OperationalError("SELECT 'Alex'", {}, Exception())

    monkeypatch.setattr(patient, "list_current", fail)

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
