"""A database of the first release is migrated: every row stays, and every sealed text gets its digest on the record."""

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, column, insert, table
from sqlmodel import Session, SQLModel

from app.models.concerns.tables import AdditionRow, ConcernRow
from app.models.desk.added_texts import AddedKind
from app.models.desk.disclosure_tables import ChainRow, DeskAct, DisclosureRow
from app.models.desk.seal_entries import find_seal_entry
from app.models.guidance.guide_tables import EditionRow, GuideRow
from app.services.operations.verification import find_faults
from app.store.chain_locks import FIRST_PREVIOUS_SHA256
from app.store.database import for_writing, open_database
from app.store.disclosures import hash_of
from app.store.schema import migrate_schema
from app.store.tables import table_of
from tests.support.clock import A_TUESDAY
from tests.support.databases import on_postgresql, postgresql
from tests.support.revisions import make_first_release

pytestmark = pytest.mark.slow

ACTS = {
    "0000-0000-0001": (),
    "0000-0000-0002": (DeskAct.OPENED, DeskAct.ACKNOWLEDGED),
    "0000-0000-0003": (DeskAct.ACKNOWLEDGED, DeskAct.ERASED),
}
TABLES = ("concerns", "additions", "disclosures")


@pytest.fixture
def former(tmp_path: Path) -> Iterator[Engine]:
    """A database of the first release, with three concerns, each with an addition and the acts above."""
    address = None
    if on_postgresql():
        server = postgresql()
        with server.connect("postgres") as connection:
            connection.execute("DROP DATABASE IF EXISTS former WITH (FORCE)")
            connection.execute("CREATE DATABASE former")
        address = server.address("former")
    engine = open_database(tmp_path / "data", address)
    make_first_release(engine)
    with Session(for_writing(engine)) as session:
        fill(session)
        session.commit()
    yield engine
    engine.dispose()


def fill(session: Session) -> None:
    connection = session.connection()
    connection.execute(insert(table_of(GuideRow)), {"slug": "invented", "first_published_at": A_TUESDAY})
    edition = {
        "guide": "invented",
        "number": 1,
        "published_at": A_TUESDAY,
        "digest": "sha256:none",
        "title": "Invented",
    }
    lists: dict[str, Any] = {"publisher": {}, "source": {}, "related_codes": [], "introductions": {}}
    connection.execute(insert(table_of(EditionRow)), edition | lists | {"title": "Invented", "change_note": "None."})
    for reference, acts in ACTS.items():
        erased = DeskAct.ERASED in acts
        concern = {
            "reference": reference,
            "received_at": A_TUESDAY + dt.timedelta(microseconds=5),
            "acknowledge_by": A_TUESDAY + dt.timedelta(days=1),
            "state": "acknowledged" if acts else "received",
            "immediate_danger": "no",
            "guide": "invented",
            "edition": 1,
            "form_version": 2,
            "recipients": ["0123456789abcdef", "fedcba9876543210"],
            "sealed": None if erased else f"sealed {reference}".encode(),
            "status_token_sha256": hashlib.sha256(reference.encode()).digest(),
            "acknowledged_at": A_TUESDAY if acts else None,
            "outcome_shared": False,
            "added_at": A_TUESDAY,
            "overdue_told": False,
            "held": False,
            "erased_at": A_TUESDAY if erased else None,
        }
        insert_columns(connection, ConcernRow, concern)
        sealed = None if erased else f"added {reference}".encode()
        addition = {
            "reference": reference,
            "number": 1,
            "received_at": A_TUESDAY,
            "recipients": ["00"],
            "sealed": sealed,
        }
        insert_columns(connection, AdditionRow, addition)
        disclose(session, reference, acts)


def insert_columns(connection: Connection, row: type[SQLModel], values: dict[str, Any]) -> None:
    """Insert a row into a table that has no other columns yet."""
    columns = [column(name, table_of(row).c[name].type) for name in values]
    connection.execute(insert(table(str(row.__tablename__), *columns)), values)


def disclose(session: Session, chain: str, acts: tuple[DeskAct, ...]) -> None:
    head = FIRST_PREVIOUS_SHA256
    for number, act in enumerate(acts, start=1):
        actor: dict[str, Any] = {"client": "desk", "address": "192.0.2.1"}
        place = {"chain": chain, "number": number, "at": A_TUESDAY, "act": act, "detail": ""}
        row = DisclosureRow(**actor | place, previous_sha256=head, sha256="")
        head = row.sha256 = hash_of(row)
        session.add(row)
    if acts:
        insert_columns(session.connection(), ChainRow, {"name": chain, "length": len(acts), "head_sha256": head})


def rows(engine: Engine, table: str, columns: Sequence[str] = ("*",)) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        found = connection.exec_driver_sql(f"SELECT {', '.join(columns)} FROM {table}").mappings()  # noqa: S608  # own names
        return [dict(row) for row in found]


def test_every_row_stays_and_every_text_gets_its_digest_on_the_record(former: Engine, tmp_path: Path) -> None:
    before = {table: rows(former, table) for table in TABLES}

    migrate_schema(former, tmp_path / "data")

    after = {table: rows(former, table, list(before[table][0])) for table in TABLES}
    for row in (*before["concerns"], *after["concerns"]):
        for computed in ("waiting", "danger"):  # which additions move
            row.pop(computed)
    assert after["concerns"] == before["concerns"]
    assert after["additions"] == before["additions"]
    assert [row for row in before["disclosures"] if row not in after["disclosures"]] == []
    written = [row for row in after["disclosures"] if row["act"] == "seal_recorded"]
    recorded = [(row["chain"], find_seal_entry(row["detail"])) for row in written]
    digests = {(chain, each.added, each.sealed_sha256) for chain, each in recorded if each is not None}
    assert digests == {
        (reference, number, hashlib.sha256(f"{words} {reference}".encode()).hexdigest())
        for reference in list(ACTS)[:2]
        for number, words in ((None, "sealed"), ((AddedKind.ADDITION, 1), "added"))
    }
    assert list(find_faults(former)) == []


def test_a_text_that_changes_after_the_migration_is_found(former: Engine, tmp_path: Path) -> None:
    migrate_schema(former, tmp_path / "data")
    with for_writing(former).begin() as connection:
        if on_postgresql():
            connection.exec_driver_sql("ALTER TABLE concerns DISABLE TRIGGER USER")
        else:
            connection.exec_driver_sql("DROP TRIGGER concerns_change_with_their_disclosure")
            connection.exec_driver_sql("DROP TRIGGER concerns_keep_what_nobody_acknowledged")
            connection.exec_driver_sql("DROP TRIGGER concerns_keep_what_was_added")
        connection.exec_driver_sql("UPDATE concerns SET sealed = NULL WHERE state = 'received'")

    assert list(find_faults(former)) == [
        ("concern 0000-0000-0001", "its sealed text is gone, and no erasure is recorded")
    ]
