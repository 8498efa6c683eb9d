"""Copies of a database that somebody tampered with, each in another way: `verify` finds what was done in every one."""

import datetime as dt
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli.commands import app
from app.config import Settings
from app.db.database import open_database
from app.db.search import find_full_text_faults
from app.main import create_app
from app.models.access.clients import Scope
from app.models.access.names import MAX_NAME_LENGTH
from app.models.audit.rows import AuditEntryRow
from app.models.concerns.entries import RECIPIENT
from app.services.audit.chains import hash_of
from app.services.events.webhooks import insert_webhook
from app.services.operations import audit_verification, concern_verification
from app.services.operations.invariants import Invariant, find_broken
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import token_of
from tests.support.databases import RawConnection, address_for, copy_database, drop_triggers, raw_connection
from tests.support.delivery import a_receiver
from tests.support.desk import Desk, desk_of
from tests.support.load import A_CONCERN
from tests.support.publishing import a_key, publish_next, withdraw

pytestmark = pytest.mark.slow

ROLES = ("received", "another", "acknowledged", "closed", "reopened", "held", "erased")
FORGED = b"age-encryption.org/v1 forged"
LATER = A_TUESDAY + dt.timedelta(days=30)


@pytest.fixture(autouse=True)
def _few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the record read in many steps, as a long one is."""
    monkeypatch.setattr(audit_verification, "STEP_ROWS", 3)
    monkeypatch.setattr(concern_verification, "CONCERNS_AT_ONCE", 2)


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
        headers=token_of(receipt),
    )
    assert answer.status_code == 201


def work(desk: Desk, role: str, reference: str) -> None:
    """Bring the concern into the state that its role names."""
    if role in ("acknowledged", "closed", "reopened", "erased"):
        assert desk.act(reference, "acknowledgement", up_to_addition=2).status_code == 200
    if role in ("closed", "reopened"):
        assert desk.act(reference, "outcome", outcome="early_help").status_code == 200
    if role == "reopened":
        assert desk.act(reference, "reopening", reason="A made-up reason.").status_code == 200
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
    service = create_app(Settings(data_dir=today, deliver=False), clock)
    with TestClient(service) as http:
        service.state.context.writer.run(insert_webhook, a_receiver())
        publish_next(service, change_note="The second.")
        publish_next(service, change_note="The third.")
        withdraw(service, 3)
        for role in ROLES:
            receipt = submit(http, immediate_danger="yes", concern={"narrative": f"Alex Example, {role}."})
            add(http, receipt, "First.", immediate_danger="yes")
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
        follower = a_key(http, Scope.EVENTS, name="case-system")
        shown = http.get("/v1/events?limit=5", headers=follower).json()
        assert http.get(f"/v1/events?after={shown['next_cursor']}", headers=follower).status_code == 200
    checkpoint_of(today, folder / "first.txt")
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


def is_found_while_serving(data_dir: Path) -> bool:
    """Return whether the check beside the service finds it too."""
    engine = open_database(data_dir, address_for(data_dir))
    return bool(find_broken(engine, Invariant.CHAINS, recipients=(), at=LATER))


def exchange(tampering: Tampering, table: str, one: str, other: str) -> None:
    """Exchange two sealed texts, which have the same recipients."""
    texts = [tampering.rows(f"SELECT sealed FROM {table} WHERE {place}")[0][0] for place in (one, other)]  # noqa: S608  # own names
    for place, sealed in zip((other, one), texts, strict=True):
        tampering.run(f"UPDATE {table} SET sealed = :sealed WHERE {place}", sealed=sealed)  # noqa: S608  # as above


def rewrite_chain(tampering: Tampering, name: str) -> None:
    """Hash the chain again from its first row, as this service does, and put the new hashes in every place."""
    columns = [
        column for column in AuditEntryRow.model_fields if column not in ("previous_sha256", "sha256", "at", "position")
    ]
    head, number = "0" * 64, 0
    for *values, at in tampering.rows(
        f"SELECT {', '.join(columns)}, at FROM audit_entries WHERE chain = '{name}' ORDER BY number"  # noqa: S608  # own names
    ):
        moment = dt.datetime.fromisoformat(at) if isinstance(at, str) else at
        known = dict(zip(columns, values, strict=True))
        number += 1
        row = AuditEntryRow(
            **known | {"number": number, "previous_sha256": head, "sha256": ""},
            at=moment.replace(tzinfo=moment.tzinfo or dt.UTC),
        )
        changed = {"n": number, "was": known["number"], "before": head, "head": hash_of(row)}
        tampering.run(
            f"UPDATE audit_entries SET number = :n, previous_sha256 = :before, sha256 = :head "  # noqa: S608  # own names
            f"WHERE chain = '{name}' AND number = :was",
            **changed,
        )
        head = changed["head"]
    tampering.run(f"UPDATE chains SET length = :n, head_sha256 = :head WHERE name = '{name}'", n=number, head=head)  # noqa: S608  # own names


def forget_chain(tampering: Tampering, name: str, *, renumber: bool) -> None:
    """Delete a chain with its end; close the gaps in the order of all acts, if so."""
    for table, column in (("audit_entries", "chain"), ("chains", "name")):
        tampering.run(f"DELETE FROM {table} WHERE {column} = {{{name}}}")  # noqa: S608  # own names
    if renumber:
        close_gaps(tampering)


def close_gaps(tampering: Tampering) -> None:
    for place, (position,) in enumerate(
        tampering.rows("SELECT position FROM audit_entries ORDER BY position"), start=1
    ):
        tampering.run("UPDATE audit_entries SET position = :place WHERE position = :was", place=place, was=position)


def forget_concern(tampering: Tampering, name: str) -> None:
    for table in ("stored_receipts", "entries", "cards", "concerns"):
        tampering.run(f"DELETE FROM {table} WHERE reference = {{{name}}}")  # noqa: S608  # own names


def forget_everything_about(tampering: Tampering, name: str) -> None:
    forget_concern(tampering, name)
    forget_chain(tampering, name, renumber=True)


def remove_an_opening(tampering: Tampering) -> None:
    """Take out one 'opened', and make chain and order whole again: nothing in the database shows it."""
    reference = tampering.references["held"]
    ((number,),) = tampering.rows("SELECT number FROM audit_entries WHERE chain = {held} AND act = 'opened'")
    tampering.run("DELETE FROM audit_entries WHERE chain = {held} AND number = :number", number=number)
    close_gaps(tampering)
    rewrite_chain(tampering, reference)


def rewrite_an_act(tampering: Tampering) -> None:
    tampering.run("UPDATE audit_entries SET client = 'nobody' WHERE chain = {held} AND act = 'opened'")
    rewrite_chain(tampering, tampering.references["held"])


def swap_positions(tampering: Tampering) -> None:
    for old, new in ((3, 9999), (4, 3), (9999, 4)):
        tampering.run("UPDATE audit_entries SET position = :new WHERE position = :old", new=new, old=old)


def sql(statement: str, **values: Any) -> Callable[[Tampering], None]:
    return lambda tampering: tampering.run(statement, **values)


def concern(role: str, assignments: str, **values: Any) -> Callable[[Tampering], None]:
    return sql(f"UPDATE concerns SET {assignments} WHERE reference = {{{role}}}", **values)  # noqa: S608  # own names


def addition(role: str, assignments: str, **values: Any) -> Callable[[Tampering], None]:
    which = f"kind = 'addition' AND reference = {{{role}}} AND number = 1"
    return sql(f"UPDATE entries SET {assignments} WHERE {which}", **values)  # noqa: S608  # own names


def of_events(role: str, tampering: Tampering) -> str:
    return f"CAST(data AS TEXT) LIKE '%{tampering.references[role]}%'"


def forget_events(tampering: Tampering, which: str) -> None:
    """Delete events, and what waits to be sent of them."""
    ids = f"SELECT id FROM events WHERE {which}"  # noqa: S608  # own names
    tampering.run(f"DELETE FROM deliveries WHERE event_id IN ({ids})")  # noqa: S608  # as above
    tampering.run(f"DELETE FROM events WHERE {which}")  # noqa: S608  # as above


def forget_last_events(tampering: Tampering) -> None:
    """Delete the last two events, and put the end of their chain where the others end."""
    ((last,),) = tampering.rows("SELECT max(id) FROM events")
    forget_events(tampering, f"id > {last - 2}")
    tampering.run(
        "UPDATE chains SET length = :last, head_sha256 = (SELECT sha256 FROM events WHERE id = :last) "
        "WHERE name = 'outbox'",
        last=last - 2,
    )


PUT_IN_AN_EDITION = (
    "INSERT INTO editions (guide, language, number, edition, published_at, digest, details, words) "
    "SELECT guide, language, 4, 4, published_at, digest, details, words FROM editions "
    "WHERE number = 2 AND language = ''"
)
PUT_IN_A_WITHDRAWAL = (
    "INSERT INTO withdrawals (guide, language, number, withdrawn_at, reason) "
    "SELECT guide, language, number, published_at, 'Call 0900 000000 instead.' FROM editions "
    "WHERE number = 2 AND language = ''"
)
PUT_IN_AN_EVENT = (
    "INSERT INTO events (id, kind, at, data, webhooks, sha256) "
    "SELECT id + 1, kind, at, data, webhooks, sha256 FROM events ORDER BY id DESC LIMIT 1"
)
PUT_IN_A_WEBHOOK = (
    "INSERT INTO webhooks (name, url, kinds, secrets, added_at) "
    "SELECT 'invented', 'https://invented.example/', kinds, secrets, added_at FROM webhooks"
)
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
    "a text is erased without an audit log entry": (
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
    "an addition is emptied": (addition("held", "sealed = NULL"), "addition 1 is missing"),
    "an addition is deleted": (
        sql("DELETE FROM entries WHERE kind = 'addition' AND reference = {held} AND number = 2"),
        "addition 2 is missing",
    ),
    "a concern is acknowledged by nobody": (
        concern("received", "state = 'acknowledged', acknowledged_at = :at", at="2026-11-25 09:30:00.000000"),
        "its state is acknowledged, and its audit log leads to received",
    ),
    "a concern is closed by nobody": (
        concern("acknowledged", "state = 'closed', outcome = 'early_help'"),
        "its state is closed, and its audit log leads to acknowledged",
    ),
    "a concern is reopened by nobody": (
        concern("closed", "state = 'acknowledged', closed_at = NULL, outcome = NULL"),
        "its state is acknowledged, and its audit log leads to closed",
    ),
    "a reopened concern is closed by nobody": (
        concern("reopened", "state = 'closed', closed_at = acknowledged_at, outcome = 'early_help'"),
        "its state is closed, and its audit log leads to acknowledged",
    ),
    "a reopening is dated back": (
        concern("reopened", "reopened_at = :at", at="2026-11-24 09:30:00.000000"),
        "differ about when it was reopened",
    ),
    "a concern was never reopened": (
        concern("reopened", "reopened_at = NULL"),
        "differ about when it was reopened",
    ),
    "the outcome of a reopened concern comes back": (
        concern("reopened", "outcome = 'early_help'"),
        "its outcome is not the recorded",
    ),
    "a concern is made unread again": (
        concern("acknowledged", "state = 'received', acknowledged_at = NULL"),
        "its state is received, and its audit log leads to acknowledged",
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
    "a concern is deleted": (lambda each: forget_concern(each, "received"), "it has an audit log, and no row"),
    "a concern is deleted with its chain": (
        lambda each: forget_everything_about(each, "received"),
        "audit log entries, and there are",
    ),
    "a chain goes whole": (lambda each: forget_chain(each, "held", renumber=False), "its receipt is not recorded"),
    "an audit log entry is altered": (
        sql("UPDATE audit_entries SET client = 'nobody' WHERE chain = {held} AND act = 'opened'"),
        "was altered",
    ),
    "an audit log entry is altered and its chain made whole": (
        rewrite_an_act,
        "audit log entries are not those that it states",
    ),
    "an opening is taken from the record, which is made whole": (
        remove_an_opening,
        "audit log entries, and there are",
    ),
    "the end of a chain is deleted": (sql("DELETE FROM chains WHERE name = {held}"), "its end is missing"),
    "the order of all chains has a gap": (
        sql("UPDATE audit_entries SET position = 9999 WHERE position = 3"),
        "record: it ",
    ),
    "the order of all chains is altered": (swap_positions, "audit log entries are not those that it states"),
    "a concern is inserted that nobody raised": (
        sql(
            "INSERT INTO concerns (reference, received_at, acknowledge_by, state, immediate_danger, guide, edition, "
            "form_version, recipients, sealed, status_token_sha256, outcome_shared, overdue_announced, held, "
            "additions_waiting, test, assigned_to, changed_at, due_soon_announced, message_key, burst, channel, "
            "came_at, received_by, limited_to) "
            "SELECT '0000-0000-0000', received_at, acknowledge_by, state, immediate_danger, guide, edition, "
            "form_version, recipients, sealed, status_token_sha256, outcome_shared, overdue_announced, held, "
            "additions_waiting, test, assigned_to, changed_at, due_soon_announced, message_key, burst, channel, "
            "came_at, received_by, limited_to "
            "FROM concerns WHERE reference = {received}"
        ),
        "concern 0000-0000-0000: its receipt is not recorded",
    ),
    "a stored checkpoint is altered": (
        sql("UPDATE checkpoints SET root_sha256 = :root", root="0" * 64),
        "checkpoint 1: the first",
    ),
    "the note of a stored checkpoint is altered": (
        sql("UPDATE checkpoints SET note = 'another' WHERE number = 1"),
        "checkpoint 1: it is not the one that its event names",
    ),
    "a stored checkpoint is deleted": (
        sql("DELETE FROM checkpoints WHERE number = 1"),
        "checkpoint 1: an event names it, and it is missing",
    ),
    "an addition may wait for years": (
        addition("held", "acknowledge_by = :at", at="2030-01-01 09:30:00.000000"),
        "addition 1 was altered since it came",
    ),
    "the danger of an addition is played down": (
        addition("held", "immediate_danger = 'no'"),
        "addition 1 was altered since it came",
    ),
    "an addition has another author": (addition("held", "author = 'nobody'"), "has another time or author"),
    "an addition is acknowledged by nobody": (
        addition("held", "acknowledged_at = :at", at="2026-11-25 09:30:00.000000"),
        "differ about when that was acknowledged",
    ),
    "an addition waits for nobody": (
        concern("held", "additions_waiting = 0, addition_acknowledge_by = NULL, addition_danger = NULL"),
        "its row does not match its unacknowledged additions",
    ),
    "the time of the last addition is altered": (
        concern("held", "added_at = :at", at="2026-11-23 09:30:00.000000"),
        "differ about when something was last added",
    ),
    "nobody is told that a concern is overdue": (
        concern("received", "overdue_announced = true"),
        "its row says that concern.overdue was sent",
    ),
    "nobody is told that an addition is due": (
        addition("held", "overdue_announced = true, due_soon_announced = true"),
        "its row says that concern.addition_overdue was sent",
    ),
    "the kind of an event is altered": (
        sql("UPDATE events SET kind = 'concern.closed' WHERE kind = 'concern.acknowledged'"),
        "it was altered",
    ),
    "the data of an event are altered": (
        sql("UPDATE events SET data = '{{}}' WHERE kind = 'concern.acknowledged'"),
        "it was altered",
    ),
    "the time of an event is altered": (
        sql("UPDATE events SET at = :at WHERE kind = 'concern.closed'", at="2026-11-23 09:30:00.000000"),
        "it was altered",
    ),
    "the receivers of an event are altered": (
        sql("UPDATE events SET webhooks = '[]' WHERE kind = 'concern.received'"),
        "it was altered",
    ),
    "an event is deleted": (
        lambda each: forget_events(each, "kind = 'concern.closed'"),
        "events: there is none between",
    ),
    "all events of a concern are deleted": (
        lambda each: forget_events(each, of_events("received", each)),
        "events: there is none between",
    ),
    "the last event is deleted": (
        lambda each: forget_events(each, "id = (SELECT max(id) FROM events)"),
        "which differs from the recorded end of the chain",
    ),
    "the last events are deleted, and the rest made whole": (
        forget_last_events,
        "events: the audit log names event",
    ),
    "an event is put in": (sql(PUT_IN_AN_EVENT), "it was altered"),
    "the receipts for retries are deleted": (
        sql("DELETE FROM stored_receipts"),
        "a receipt that was stored for a retry is missing",
    ),
    "a receipt for a retry is altered": (
        sql("UPDATE stored_receipts SET sealed_receipt = :forged WHERE reference = {received}", forged=FORGED),
        "a receipt that was stored for a retry is missing, or was altered",
    ),
    "an edition is put in": (sql(PUT_IN_AN_EDITION), "publication of"),
    "an edition is published earlier": (
        sql("UPDATE editions SET published_at = :at WHERE number = 2", at="2020-11-23 09:30:00.000000"),
        "publication of",
    ),
    "a rendition is deleted": (
        sql("DELETE FROM editions WHERE language = 'cy'"),
        "an event names it, and it is missing",
    ),
    "a withdrawal is put in": (sql(PUT_IN_A_WITHDRAWAL), "no event names it"),
    "the reason of a withdrawal is altered": (
        sql("UPDATE withdrawals SET reason = 'Call 0900 000000 instead.'"),
        "withdrawal of",
    ),
    "a withdrawal is taken back": (sql("DELETE FROM withdrawals"), "an event names it, and it is missing"),
    "a webhook leads elsewhere": (
        sql("UPDATE webhooks SET url = 'https://invented.example/'"),
        "webhook receiver: it is not as it was recorded",
    ),
    "a webhook gets fewer events": (
        sql("UPDATE webhooks SET kinds = '[]'"),
        "webhook receiver: it is not as it was recorded",
    ),
    "a webhook is removed": (sql("DELETE FROM webhooks"), "webhook receiver: it is gone"),
    "deliveries are removed": (sql("DELETE FROM deliveries"), "a delivery of it is missing"),
    "a reader of events has confirmed more": (
        sql("UPDATE event_readers SET confirmed = 999999"),
        "reader case-system: it confirmed 5 events, and its row says 999999",
    ),
    "a reader of events is gone": (sql("DELETE FROM event_readers"), "reader case-system"),
    "the generation is set back": (sql("UPDATE generation SET number = 0"), "generation: it is 0"),
    "search is emptied": (sql("DELETE FROM catalogue"), "its entries are not those of the current edition"),
    "search gets an item of no guide": (
        sql(
            "INSERT INTO catalogue (guide, edition, part, item_id, position, codes, words) "
            "VALUES ('invented', 1, 'contacts', 'invented', 1, '', 'invented')"
        ),
        "search of invented: its entries are not those of the current edition",
    ),
    "an item cannot be found": (
        sql("UPDATE catalogue SET words = 'nothing'"),
        "its entries are not those of the current edition",
    ),
}
FOUND_BY_A_CHECKPOINT_ALONE = {
    "a concern is deleted with its chain",
    "an audit log entry is altered and its chain made whole",
    "an opening is taken from the record, which is made whole",
    "the order of all chains is altered",
}
"""What agrees with itself: the check beside the service has no checkpoint from elsewhere."""

REFUSED = "refused"
BY_ROWS_ALONE: dict[str, tuple[str, str]] = {
    "a webhook leads elsewhere": (
        "UPDATE webhooks SET url = 'https://invented.example/'",
        "it is not as it was recorded",
    ),
    "a webhook is switched off": ("UPDATE webhooks SET disabled_at = added_at", "it is not as it was recorded"),
    "a webhook is removed": ("DELETE FROM webhooks", "webhook receiver: it is gone"),
    "a webhook is put in": (PUT_IN_A_WEBHOOK, "webhook invented: nobody added it"),
    "deliveries are removed": ("DELETE FROM deliveries", REFUSED),
    "a delivery is of another event": ("UPDATE deliveries SET event_id = 1", REFUSED),
    "an event is put in": (PUT_IN_AN_EVENT, "it was altered"),
    "an event is deleted": ("DELETE FROM events", REFUSED),
    "a reader of events has confirmed more": (
        "UPDATE event_readers SET confirmed = 999999",
        "it confirmed 5 events, and its row says 999999",
    ),
    "a reader of events is gone": ("DELETE FROM event_readers", "reader case-system"),
    "an edition is put in": (PUT_IN_AN_EDITION, "no event names it"),
    "a withdrawal is put in": (PUT_IN_A_WITHDRAWAL, "no event names it"),
    "the generation is set back": ("UPDATE generation SET number = 0", REFUSED),
    "the generation goes on": ("UPDATE generation SET number = number + 1", "generation: it is"),
    "search is emptied": ("DELETE FROM catalogue", "its entries are not those of the current edition"),
    "nobody is told that a concern is overdue": (
        "UPDATE concerns SET overdue_announced = true WHERE state = 'received'",
        "its row says that concern.overdue was sent",
    ),
    "an addition waits for nobody": (
        "UPDATE concerns SET additions_waiting = 0, addition_acknowledge_by = NULL, addition_danger = NULL",
        "its row does not match its unacknowledged additions",
    ),
    "a closed concern is opened": (
        "UPDATE concerns SET state = 'acknowledged', closed_at = NULL, outcome = NULL WHERE state = 'closed'",
        REFUSED,
    ),
    "a reopened concern is closed": (
        "UPDATE concerns SET state = 'closed', closed_at = reopened_at WHERE reopened_at IS NOT NULL",
        REFUSED,
    ),
    "a reopening is dated back": (
        "UPDATE concerns SET reopened_at = received_at WHERE reopened_at IS NOT NULL",
        REFUSED,
    ),
    "the danger of an addition is played down": (
        "UPDATE entries SET immediate_danger = 'no' WHERE kind = 'addition'",
        REFUSED,
    ),
    "receipts for retries are deleted": ("DELETE FROM stored_receipts", REFUSED),
    "a client may do more": (
        "UPDATE clients SET scopes = '[\"audit:read\"]' WHERE name = 'case-system'",
        "case-system",
    ),
}
"""What somebody does who can write rows and leaves the rules: the database refuses it, or `verify` finds it."""


def test_an_untouched_copy_has_no_fault_and_matches_the_checkpoint(history: History, tmp_path: Path) -> None:
    copy_database(history.today, tmp_path / "data")

    code, said = verify(tmp_path / "data", "--checkpoint", history.checkpoint)

    assert (code, "matches the first" in said) == (0, True), said


@pytest.mark.parametrize("name", TAMPERINGS)
def test_what_somebody_did_to_a_copy_of_the_database_is_found(
    history: History, tampered: Tampering, tmp_path: Path, name: str
) -> None:
    tamper, fault = TAMPERINGS[name]
    tamper(tampered)

    code, said = verify(tmp_path / "data", "--checkpoint", history.checkpoint)

    assert code == 1
    assert any(each in said for each in fault.split("|")), said
    assert is_found_while_serving(tmp_path / "data") is (name not in FOUND_BY_A_CHECKPOINT_ALONE)


@pytest.mark.parametrize("name", BY_ROWS_ALONE)
def test_a_change_to_rows_is_refused_or_found(history: History, tmp_path: Path, name: str) -> None:
    statement, fault = BY_ROWS_ALONE[name]
    copy_database(history.today, tmp_path / "data")

    with raw_connection(tmp_path / "data") as database:
        try:
            database.execute(statement)
        except Exception:  # the drivers' errors have no common class
            said = REFUSED
        else:
            _, said = verify(tmp_path / "data")

    assert fault in said


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        (concern("received", "received_at = 'no time'"), "one of its rows can no longer be read"),
        (concern("received", "recipients = 'no list'"), "one of its rows can no longer be read"),
        (sql("UPDATE editions SET published_at = 'no time'"), "publications: a row can no longer be read"),
        (sql("UPDATE event_readers SET confirmed = 'no number'"), "reader case-system"),
    ],
)
def test_a_value_that_cannot_be_read_is_found_and_hides_no_other_fault(
    tampered: Tampering, tmp_path: Path, tamper: Callable[[Tampering], None], fault: str
) -> None:
    tamper(tampered)
    concern("another", "assigned_to = 'Sam Invented'")(tampered)
    sql("UPDATE webhooks SET url = 'https://another.example'")(tampered)

    code, said = verify(tmp_path / "data")

    assert code == 1
    assert all(each in said for each in (fault, "not assigned to the recorded person", "webhook ")), said


@pytest.mark.embedded
def test_an_emptied_full_text_index_is_found(history: History, tmp_path: Path) -> None:
    copy_database(history.today, tmp_path / "data")
    with raw_connection(tmp_path / "data") as database:
        database.execute("INSERT INTO catalogue_forms (catalogue_forms) VALUES ('delete-all')")

    code, said = verify(tmp_path / "data")

    assert (code, "search index catalogue_forms: it does not hold the words" in said) == (1, True), said


def test_the_tables_have_as_many_changes_as_they_promise() -> None:
    assert len(TAMPERINGS) >= 53
    assert len(BY_ROWS_ALONE) >= 22


def test_today_s_checkpoint_finds_a_database_rolled_back_to_yesterday(history: History, tmp_path: Path) -> None:
    copy_database(history.yesterday, tmp_path / "data")

    alone = verify(tmp_path / "data")
    code, said = verify(tmp_path / "data", "--checkpoint", history.checkpoint)

    assert alone[0] == 0  # without a checkpoint it is whole
    assert code == 1
    assert "the database was rolled back, or cut" in said
    assert "matches the first" not in said


def test_the_checkpoint_finds_a_rolled_back_database_that_has_grown_past_it(history: History, tmp_path: Path) -> None:
    copy_database(history.yesterday, tmp_path / "data")
    service = create_app(Settings(data_dir=tmp_path / "data", deliver=False))
    with TestClient(service) as http:
        for number in range(40):
            submit(http, concern={"narrative": f"Alex Example, number {number}."})
        service.state.context.checkpoints.make(at=SettableClock()() + dt.timedelta(days=1))

    code, said = verify(tmp_path / "data", "--checkpoint", history.checkpoint)

    assert code == 1
    assert "audit log entries are not those that it states" in said
    assert "matches the first" not in said


@pytest.mark.usefixtures("tampered")
def test_a_rule_that_was_dropped_is_found(history: History, tmp_path: Path) -> None:
    code, _ = verify(tmp_path / "data", "--checkpoint", history.checkpoint)  # the fixture has dropped every rule

    assert code == 1


def test_a_checkpoint_that_another_key_signed_or_somebody_changed_is_refused(history: History, tmp_path: Path) -> None:
    copy_database(history.today, tmp_path / "data")
    changed = tmp_path / "changed.txt"
    origin, size, *others = history.checkpoint.read_text().split("\n")
    changed.write_text("\n".join([origin, str(int(size) - 1), *others]))
    with TestClient(create_app(Settings(data_dir=tmp_path / "elsewhere" / "data", deliver=False))):
        pass
    other = checkpoint_of(tmp_path / "elsewhere" / "data", tmp_path / "other.txt")
    shutil.copy(history.checkpoint, tmp_path / "same.txt")

    ended = [
        CliRunner().invoke(app, ["verify", "--data-dir", str(tmp_path / "data"), "--checkpoint", str(path)])
        for path in (changed, other, tmp_path / "same.txt")
    ]

    assert [each.exit_code for each in ended] == [1, 1, 0]


@pytest.mark.embedded
def test_a_locked_full_text_index_does_not_pass_for_sound(history: History, tmp_path: Path) -> None:
    copy_database(history.today, tmp_path / "data")
    database = open_database(tmp_path / "data")
    event.listen(database, "connect", lambda raw, _record: raw.execute("PRAGMA busy_timeout=0"))
    with raw_connection(tmp_path / "data") as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(OperationalError, match="locked"):
            find_full_text_faults(database)

        other.execute("ROLLBACK")
    assert find_full_text_faults(database) == []
    database.dispose()


MISLEADING = (
    "addition 1",
    "with additions 1 to 9; together, 2 of BURST",
    "early_help, shared with the reporter",
    f"sha256:{'0' * 64} to 0000000000000000; columns sha256:{'0' * 64}",
    "Jo Example as lead; link 0123456789abcdef",
    '{"person":"Jo Example"}',
    "every session",
)
"""Words of other sentences of the log, and of its JSON."""


def test_no_words_that_somebody_types_change_what_verify_finds(tmp_path: Path) -> None:
    service = create_app(Settings(data_dir=tmp_path / "data", deliver=False), SettableClock())
    with TestClient(service) as http:
        desk, references = desk_of(service, http), [submit(http)["reference"] for _ in MISLEADING]
        for reference, words in zip(references, MISLEADING, strict=True):
            path = f"/v1/desk/concerns/{reference}/assignment"
            answers = [
                desk.act(reference, "acknowledgement"),
                http.put(path, json={"person": words[:MAX_NAME_LENGTH]}, headers=desk.headers),
                desk.act(reference, "hold", held=True, reason=words),
                desk.act(reference, "hold", held=False, reason=words),
                desk.act(reference, "hand-over", recipient=RECIPIENT, body=words, reason=words),
                desk.act(reference, "erasure", reason=words),
            ]
            assert {answer.status_code for answer in answers} <= {200, 201}
        record = desk.get("/disclosures?limit=200").json()["disclosures"]

    assert verify(tmp_path / "data")[0] == 0
    said = [row["detail"] for row in record if row["act"] in ("held", "released", "erased")]
    assert sorted(said) == sorted(MISLEADING * 3)
