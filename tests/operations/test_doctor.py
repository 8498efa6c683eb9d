"""The doctor tells the truth: it finds what is broken in a set-up, and blames nothing that is not."""

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from app.db.database import DATABASE_FILE
from app.main import utc_now
from app.services import doctor
from app.services.doctor import ALL_CHECKS, Condition, exit_status
from tests.support.broken_set_ups import (
    DAYS,
    EVERYWHERE,
    FAULT,
    FINE,
    HOURS,
    OF_NODES,
    OF_THE_FILE,
    WARNING,
    Breaking,
    certified,
)
from tests.support.databases import drop_triggers, on_postgresql, raw_connection
from tests.support.set_ups import SetUp, add_receiver, blamed, execute, findings, post_concern

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
OF_THE_SERVER = {"disk", "flush", "restore"} if on_postgresql() else set()
"""What cannot be seen from a node."""
TRIED_ALONE = {"recipients", "database", "clock", "overdue", "overdue-events", "chains"}
"""Checks of which a test of its own below has a broken set-up."""


def tampered_chain(set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    with raw_connection(set_up.data_dir) as database:
        drop_triggers(database)
        database.execute("UPDATE disclosures SET client = 'somebody else' WHERE act = 'acknowledged'")


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


def nothing(_set_up: SetUp, _: pytest.MonkeyPatch) -> None:
    """Change nothing."""


HEALTHY: list[Breaking] = [
    nothing,
    healthy_trusted_by_a_receiver,
    healthy_with_a_concern_that_waits,
    healthy_with_a_test_key_file_of_others,
    certified(days=90, left=15 * DAYS),
    certified(days=0.5, left=4 * HOURS),
]


@pytest.mark.parametrize("change", HEALTHY)
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


@pytest.mark.skipif(not on_postgresql(), reason="one node has an embedded database to itself")
@pytest.mark.parametrize(("breaking", "check", "condition"), OF_NODES)
def test_what_nodes_do_not_share_is_found(
    set_up: SetUp, monkeypatch: pytest.MonkeyPatch, breaking: Breaking, check: str, condition: Condition
) -> None:
    breaking(set_up, monkeypatch)

    assert blamed(findings(set_up))[check] is condition


def test_the_doctor_is_tried_in_more_set_ups_than_twenty_and_every_check_finds_one_that_is_broken() -> None:
    tables = [*EVERYWHERE, *OF_THE_FILE, *OF_NODES]

    assert len(HEALTHY) >= 4
    assert len(tables) >= 16
    assert {check for _, check, _ in tables} | TRIED_ALONE == {each.name for each in ALL_CHECKS}


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


def replaced_by_other_file(set_up: SetUp) -> None:
    (set_up.data_dir / DATABASE_FILE).unlink()
    execute(set_up, "CREATE TABLE recipes (words TEXT)")


def server_that_is_away(set_up: SetUp) -> None:
    set_up.values["database_url"] = "postgresql+psycopg://guidance@127.0.0.1:1/guidance?connect_timeout=5"


@pytest.mark.embedded
@pytest.mark.parametrize("take_away", [replaced_by_other_file, server_that_is_away])
def test_a_database_that_is_another_or_does_not_answer_is_one_fault_and_what_needs_it_is_skipped(
    set_up: SetUp, take_away: Callable[[SetUp], None]
) -> None:
    take_away(set_up)

    found = findings(set_up)

    assert found["database"].condition is FAULT
    assert "does not answer" in found["database"].found
    assert {found[each.name].condition for each in ALL_CHECKS if each.needs_database} == {Condition.SKIPPED}


@pytest.mark.embedded
def test_an_address_that_is_of_no_postgresql_is_the_one_finding(set_up: SetUp) -> None:
    set_up.values["database_url"] = "mysql://guidance:secret@127.0.0.1/guidance"

    found = findings(set_up)

    assert blamed(found) == {"settings": FAULT}
    assert len(found) == 1
    assert "secret" not in str(found)


def test_of_a_database_with_an_older_schema_its_age_alone_is_blamed(
    set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tables are not those that the other checks read."""
    monkeypatch.setattr(doctor, "is_behind", lambda _: True)

    found = findings(set_up)

    assert blamed(found) == {"schema": FAULT}
    assert found["chains"].condition is Condition.SKIPPED


def test_a_check_that_fails_is_a_fault_of_its_own(set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OperationalError("SELECT 'Alex'", {}, Exception())

    monkeypatch.setattr(doctor, "list_current", fail)

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
