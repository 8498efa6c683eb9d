"""Copies of a database that somebody tampered with, each in another way: `verify` finds what was done in every one."""

import datetime as dt
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli.commands import app
from app.config import Settings
from app.db.database import open_database
from app.main import create_app
from app.models.record import DisclosureRow
from app.services.record import hash_of
from app.services.verification import Invariant, find_broken, verify_record
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.databases import RawConnection, address_for, copy_database, drop_triggers, raw_connection
from tests.support.desk import Desk, desk_of
from tests.support.load import A_CONCERN

pytestmark = pytest.mark.slow

ROLES = ("received", "another", "acknowledged", "closed", "held", "erased")
FORGED = b"age-encryption.org/v1 forged"
LATER = A_TUESDAY + dt.timedelta(days=30)


@dataclass(frozen=True)
class History:
    """A data folder after a day's work, the folder as it was the day before, and a checkpoint of the end."""

    today: Path
    yesterday: Path
    checkpoint: Path
    references: dict[str, str]


@dataclass(frozen=True)
class Tampering:
    """The connection of somebody who has dropped every rule, and the concerns by their roles."""

    database: RawConnection
    references: dict[str, str]

    def run(self, statement: str, **values: Any) -> None:
        """Run the statement. `{received}` and so on are references; `:name` are values."""
        self.database.execute(statement.format(**{name: f"'{ref}'" for name, ref in self.references.items()}), values)

    def rows(self, statement: str) -> list[Any]:
        """Return the rows of a query."""
        rows: list[Any] = self.database.execute(
            statement.format(**{name: f"'{ref}'" for name, ref in self.references.items()})
        ).fetchall()
        return rows


def submit(http: Any, **changes: Any) -> Any:
    answer = http.post("/v1/concerns", json=A_CONCERN | changes, headers={"Idempotency-Key": str(uuid.uuid4())})
    assert answer.status_code == 201
    return answer.json()


def add(http: Any, receipt: Any, words: str, **more: Any) -> None:
    answer = http.post(
        f"{receipt['links']['self']}/additions",
        json={"concern": {"narrative": words}} | more,
        headers={"Authorization": f"Bearer {receipt['status_token']}"},
    )
    assert answer.status_code == 201


def work(desk: Desk, role: str, reference: str) -> None:
    """Bring the concern into the state that its role names."""
    if role in ("acknowledged", "closed", "erased"):
        assert desk.act(reference, "acknowledgement", up_to_addition=2).status_code == 200
    if role == "closed":
        assert desk.act(reference, "outcome", outcome="early_help").status_code == 200
    if role == "held":
        assert desk.act(reference, "hold", held=True, reason="A made-up reason.").status_code == 200
    if role == "erased":
        assert desk.act(reference, "erasure", reason="A made-up reason.").status_code == 200


def checkpoint_of(data_dir: Path, file: Path) -> Path:
    made = CliRunner().invoke(app, ["audit", "checkpoint", "--out", str(file), "--data-dir", str(data_dir)])
    assert made.exit_code == 0, made.output
    return file


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    folder = tmp_path_factory.mktemp("history")
    clock = SettableClock()
    today, yesterday = folder / "today", folder / "yesterday"
    references: dict[str, str] = {}
    with TestClient(create_app(Settings(data_dir=today, deliver=False), clock)) as http:
        for role in ROLES:
            receipt = submit(http, immediate_danger="yes", concern={"narrative": f"Alex Example, {role}."})
            add(http, receipt, "First.")
            add(http, receipt, "Second.")
            references[role] = receipt["reference"]
    copy_database(today, yesterday)
    clock.time += dt.timedelta(days=1)
    service = create_app(Settings(data_dir=today, deliver=False), clock)
    with TestClient(service) as http:
        desk = desk_of(service, http)
        for role, reference in references.items():
            work(desk, role, reference)
            desk.get(f"/concerns/{reference}")
    return History(today, yesterday, checkpoint_of(today, folder / "checkpoint.txt"), references)


@pytest.fixture
def tampered(history: History, tmp_path: Path) -> Iterator[Tampering]:
    copy_database(history.today, tmp_path / "data")
    with raw_connection(tmp_path / "data") as database:
        drop_triggers(database)
        yield Tampering(database, history.references)


def verify(data_dir: Path, *options: str | Path) -> tuple[int, str]:
    ended = CliRunner().invoke(app, ["verify", "--data-dir", str(data_dir), *map(str, options)])
    return ended.exit_code, ended.stdout


def is_found_as_a_whole(data_dir: Path) -> bool:
    engine = open_database(data_dir, address_for(data_dir))
    return any(verify_record(engine))


def is_found_while_serving(data_dir: Path) -> bool:
    """Whether the check beside the service finds it too."""
    engine = open_database(data_dir, address_for(data_dir))
    return bool(find_broken(engine, Invariant.CHAINS, recipients=(), at=LATER))


def exchange(tampering: Tampering, table: str, one: str, other: str) -> None:
    """Exchange two sealed texts, which have the same recipients."""
    texts = [tampering.rows(f"SELECT sealed FROM {table} WHERE {place}")[0][0] for place in (one, other)]  # noqa: S608  # own names
    for place, sealed in zip((other, one), texts, strict=True):
        tampering.run(f"UPDATE {table} SET sealed = :sealed WHERE {place}", sealed=sealed)  # noqa: S608  # as above


def rewrite_chain(tampering: Tampering, name: str) -> None:
    """Hash the chain again from its first row, as this service does, and put the hashes wherever they stand."""
    columns = [
        column for column in DisclosureRow.model_fields if column not in ("previous_sha256", "sha256", "at", "position")
    ]
    head, number = "0" * 64, 0
    for *values, at in tampering.rows(
        f"SELECT {', '.join(columns)}, at FROM disclosures WHERE chain = '{name}' ORDER BY number"  # noqa: S608  # own names
    ):
        moment = dt.datetime.fromisoformat(at) if isinstance(at, str) else at
        known = dict(zip(columns, values, strict=True))
        number += 1
        row = DisclosureRow(
            **known | {"number": number, "previous_sha256": head, "sha256": ""},
            at=moment.replace(tzinfo=moment.tzinfo or dt.UTC),
        )
        changed = {"n": number, "was": known["number"], "before": head, "head": hash_of(row)}
        tampering.run(
            f"UPDATE disclosures SET number = :n, previous_sha256 = :before, sha256 = :head "  # noqa: S608  # own names
            f"WHERE chain = '{name}' AND number = :was",
            **changed,
        )
        head = changed["head"]
    tampering.run(f"UPDATE chains SET length = :n, head_sha256 = :head WHERE name = '{name}'", n=number, head=head)  # noqa: S608  # own names


def forget_chain(tampering: Tampering, name: str, *, renumber: bool) -> None:
    """Delete a chain with its end; close the gaps in the order of all acts, if so."""
    for table, column in (("disclosures", "chain"), ("chains", "name")):
        tampering.run(f"DELETE FROM {table} WHERE {column} = {{{name}}}")  # noqa: S608  # own names
    if renumber:
        close_gaps(tampering)


def close_gaps(tampering: Tampering) -> None:
    for place, (position,) in enumerate(tampering.rows("SELECT position FROM disclosures ORDER BY position"), start=1):
        tampering.run("UPDATE disclosures SET position = :place WHERE position = :was", place=place, was=position)


def forget_concern(tampering: Tampering, name: str) -> None:
    for table in ("kept_receipts", "entries", "concerns"):
        tampering.run(f"DELETE FROM {table} WHERE reference = {{{name}}}")  # noqa: S608  # own names


def forget_everything_about(tampering: Tampering, name: str) -> None:
    forget_concern(tampering, name)
    forget_chain(tampering, name, renumber=True)


def remove_an_opening(tampering: Tampering) -> None:
    """Take out one 'opened', and make chain and order whole again: nothing in the database shows it."""
    reference = tampering.references["held"]
    ((number,),) = tampering.rows("SELECT number FROM disclosures WHERE chain = {held} AND act = 'opened'")
    tampering.run("DELETE FROM disclosures WHERE chain = {held} AND number = :number", number=number)
    close_gaps(tampering)
    rewrite_chain(tampering, reference)


def rewrite_an_act(tampering: Tampering) -> None:
    tampering.run("UPDATE disclosures SET client = 'nobody' WHERE chain = {held} AND act = 'opened'")
    rewrite_chain(tampering, tampering.references["held"])


def swap_positions(tampering: Tampering) -> None:
    for old, new in ((3, 9999), (4, 3), (9999, 4)):
        tampering.run("UPDATE disclosures SET position = :new WHERE position = :old", new=new, old=old)


def sql(statement: str, **values: Any) -> Callable[[Tampering], None]:
    return lambda tampering: tampering.run(statement, **values)


def concern(role: str, assignments: str, **values: Any) -> Callable[[Tampering], None]:
    return sql(f"UPDATE concerns SET {assignments} WHERE reference = {{{role}}}", **values)  # noqa: S608  # own names


def addition(role: str, assignments: str, **values: Any) -> Callable[[Tampering], None]:
    which = f"kind = 'addition' AND reference = {{{role}}} AND number = 1"
    return sql(f"UPDATE entries SET {assignments} WHERE {which}", **values)  # noqa: S608  # own names


OTHERS = '["0000000000000000"]'
TAMPERINGS: dict[str, tuple[Callable[[Tampering], None], str]] = {
    "an unread text is exchanged for another": (
        concern("received", "sealed = :forged", forged=FORGED),
        "is not the one that is recorded",
    ),
    "an unread text is resealed by nobody": (
        concern("received", f"sealed = :forged, recipients = '{OTHERS}'", forged=FORGED),
        "is not the one that is recorded",
    ),
    "the recipients of a text are changed": (
        concern("received", f"recipients = '{OTHERS}'"),
        "is not sealed to the recorded recipients",
    ),
    "an unread text is emptied": (concern("received", "sealed = NULL"), "no erasure is recorded"),
    "a text is erased without a disclosure": (
        concern("acknowledged", "sealed = NULL, erased_at = :at", at="2026-11-25 09:30:00.000000"),
        "no erasure is recorded",
    ),
    "a text that was erased is put back": (
        concern("erased", "sealed = :forged", forged=FORGED),
        "is there, although it was erased",
    ),
    "two texts are exchanged": (
        lambda each: exchange(each, "concerns", "reference = {received}", "reference = {another}"),
        "is not the one that is recorded",
    ),
    "two additions are exchanged": (
        lambda each: exchange(
            each,
            "entries",
            "kind = 'addition' AND reference = {received} AND number = 1",
            "kind = 'addition' AND reference = {received} AND number = 2",
        ),
        "addition 1 is not the one that is recorded",
    ),
    "an addition is altered": (addition("held", "sealed = :forged", forged=FORGED), "addition 1 is not the one"),
    "an addition is emptied": (addition("held", "sealed = NULL"), "addition 1 is gone"),
    "an addition is deleted": (
        sql("DELETE FROM entries WHERE kind = 'addition' AND reference = {held} AND number = 2"),
        "addition 2 is missing",
    ),
    "a concern is acknowledged by nobody": (
        concern("received", "state = 'acknowledged', acknowledged_at = :at", at="2026-11-25 09:30:00.000000"),
        "its state is acknowledged, and its disclosures lead to received",
    ),
    "a concern is closed by nobody": (
        concern("acknowledged", "state = 'closed', outcome = 'early_help'"),
        "its state is closed, and its disclosures lead to acknowledged",
    ),
    "a concern is made unread again": (
        concern("acknowledged", "state = 'received', acknowledged_at = NULL"),
        "its state is received, and its disclosures lead to acknowledged",
    ),
    "an acknowledgement is dated back": (
        concern("acknowledged", "acknowledged_at = :at", at="2026-11-24 09:30:00.000000"),
        "differ about when it was acknowledged",
    ),
    "a concern is put among those that are acknowledged together": (
        concern("received", "burst = '2026-11-24-R7KX'"),
        "its row was altered since it was received",
    ),
    "an outcome is altered": (concern("closed", "outcome = 'no_further_action'"), "its outcome is not the recorded"),
    "a hold is lifted by nobody": (concern("held", "held = false"), "it is not on hold"),
    "the clock is set back": (
        concern("received", "acknowledge_by = :at", at="2027-11-25 09:30:00.000000"),
        "its row was altered",
    ),
    "a danger is played down": (concern("received", "immediate_danger = 'no'"), "its row was altered"),
    "the time of receipt is altered": (
        concern("received", "received_at = :at", at="2026-11-23 09:30:00.000000"),
        "its row was altered",
    ),
    "a status token is exchanged": (
        concern("received", "status_token_sha256 = :forged", forged=FORGED),
        "its row was altered",
    ),
    "a concern is deleted": (lambda each: forget_concern(each, "received"), "it has disclosures, and no row"),
    "a concern is deleted with its chain": (
        lambda each: forget_everything_about(each, "received"),
        "disclosures, and there are",
    ),
    "a chain goes whole": (lambda each: forget_chain(each, "held", renumber=False), "its receipt is not recorded"),
    "a disclosure is altered": (
        sql("UPDATE disclosures SET client = 'nobody' WHERE chain = {held} AND act = 'opened'"),
        "was altered",
    ),
    "a disclosure is altered and its chain made whole": (
        rewrite_an_act,
        "disclosures are not those that it states",
    ),
    "an opening is taken from the record, which is made whole": (
        remove_an_opening,
        "disclosures, and there are",
    ),
    "the end of a chain is deleted": (sql("DELETE FROM chains WHERE name = {held}"), "its end is missing"),
    "the order of all chains has a gap": (
        sql("UPDATE disclosures SET position = 9999 WHERE position = 3"),
        "record: it ",
    ),
    "the order of all chains is altered": (swap_positions, "disclosures are not those that it states"),
    "a concern is inserted that nobody raised": (
        sql(
            "INSERT INTO concerns (reference, received_at, acknowledge_by, state, immediate_danger, guide, edition, "
            "form_version, recipients, sealed, status_token_sha256, outcome_shared, overdue_told, held, "
            "additions_waiting, test, assigned_to, changed_at, due_soon_announced, message_key, burst) "
            "SELECT '0000-0000-0000', received_at, acknowledge_by, state, immediate_danger, guide, edition, "
            "form_version, recipients, sealed, status_token_sha256, outcome_shared, overdue_told, held, "
            "additions_waiting, test, assigned_to, changed_at, due_soon_announced, message_key, burst "
            "FROM concerns WHERE reference = {received}"
        ),
        "concern 0000-0000-0000: its receipt is not recorded",
    ),
    "a stored checkpoint is altered": (
        sql("UPDATE checkpoints SET root_sha256 = :root", root="0" * 64),
        "checkpoint 1: the first",
    ),
}


def test_a_copy_that_nobody_touched_has_no_fault_and_agrees_with_the_checkpoint(
    history: History, tmp_path: Path
) -> None:
    copy_database(history.today, tmp_path / "data")

    code, said = verify(tmp_path / "data", "--checkpoint", history.checkpoint)

    assert (code, "compared with the first" in said) == (0, True), said


@pytest.mark.parametrize("name", TAMPERINGS)
def test_what_somebody_did_to_a_copy_of_the_database_is_found(
    history: History, tampered: Tampering, tmp_path: Path, name: str
) -> None:
    tamper, fault = TAMPERINGS[name]
    tamper(tampered)

    code, said = verify(tmp_path / "data", "--checkpoint", history.checkpoint)

    assert code == 1
    assert any(each in said for each in fault.split("|")), said
    assert is_found_while_serving(tmp_path / "data") is is_found_as_a_whole(tmp_path / "data")


def test_a_database_that_was_rolled_back_to_yesterday_is_found_by_the_checkpoint_of_today(
    history: History, tmp_path: Path
) -> None:
    copy_database(history.yesterday, tmp_path / "data")

    alone = verify(tmp_path / "data")
    code, said = verify(tmp_path / "data", "--checkpoint", history.checkpoint)

    assert alone[0] == 0  # by itself it is whole
    assert code == 1
    assert "the database was rolled back, or cut" in said


def test_a_database_that_was_rolled_back_and_has_grown_past_the_checkpoint_is_found_too(
    history: History, tmp_path: Path
) -> None:
    copy_database(history.yesterday, tmp_path / "data")
    service = create_app(Settings(data_dir=tmp_path / "data", deliver=False))
    with TestClient(service) as http:
        for number in range(40):
            submit(http, concern={"narrative": f"Alex Example, number {number}."})
        service.state.context.checkpoints.make(at=SettableClock()() + dt.timedelta(days=1))

    code, said = verify(tmp_path / "data", "--checkpoint", history.checkpoint)

    assert code == 1
    assert "disclosures are not those that it states" in said


@pytest.mark.usefixtures("tampered")
def test_a_rule_that_was_dropped_is_found(history: History, tmp_path: Path) -> None:
    code, _ = verify(tmp_path / "data", "--checkpoint", history.checkpoint)  # the fixture has dropped every rule

    assert code == 1


def test_a_checkpoint_that_another_key_signed_or_somebody_changed_is_refused(history: History, tmp_path: Path) -> None:
    copy_database(history.today, tmp_path / "data")
    changed = tmp_path / "changed.txt"
    origin, size, *others = history.checkpoint.read_text().split("\n")
    changed.write_text("\n".join([origin, str(int(size) - 1), *others]))
    (tmp_path / "elsewhere").mkdir()
    other = checkpoint_of(tmp_path / "elsewhere" / "data", tmp_path / "other.txt")
    shutil.copy(history.checkpoint, tmp_path / "same.txt")

    ended = [
        CliRunner().invoke(app, ["verify", "--data-dir", str(tmp_path / "data"), "--checkpoint", str(path)])
        for path in (changed, other, tmp_path / "same.txt")
    ]

    assert [each.exit_code for each in ended] == [1, 1, 0]
