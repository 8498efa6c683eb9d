"""The writer's sessions: one for each operation, which sees no rows of another and leaves nothing of a failed run."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlmodel import Session, select

from app.db.database import open_database
from app.db.schema import prepare_schema
from app.db.writer import WriteOp, Writer
from app.errors import NoSuchClient, StoreBusy
from app.models.events import EventReaderRow
from tests.support.databases import address_for


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path, address_for(tmp_path))
    prepare_schema(engine, tmp_path)
    yield engine
    engine.dispose()


def run_in_one_batch(engine: Engine, *operations: WriteOp[Any]) -> list[Any]:
    """Queue the operations before the writer starts, and return their results or errors."""
    writer = Writer(engine, queue_size=100, wait_seconds=30)

    async def run() -> list[Any]:
        waiting = [asyncio.create_task(writer.run_async(operation)) for operation in operations]
        await asyncio.sleep(0)  # each is in the queue
        writer.start()
        return await asyncio.gather(*waiting, return_exceptions=True)

    results = asyncio.run(run())
    writer.stop()
    return results


def stored(engine: Engine) -> dict[str, int]:
    """What another session reads."""
    with Session(engine) as session:
        return {reader.client: reader.confirmed for reader in session.exec(select(EventReaderRow))}


def add(client: str, confirmed: int = 0, then: Exception | None = None) -> WriteOp[EventReaderRow]:
    """Return an operation that adds a row without a flush of its own, and then fails if it has an error to raise."""

    def write(session: Session) -> EventReaderRow:
        row = EventReaderRow(client=client, confirmed=confirmed)
        session.add(row)
        if then is not None:
            session.flush()
            raise then
        return row

    return write


def confirmed_by(session: Session) -> int:
    return session.get_one(EventReaderRow, "reader").confirmed


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (add("lost", then=NoSuchClient()), NoSuchClient),
        (add("lost", then=RuntimeError("a defect")), RuntimeError),
        (add("first"), StoreBusy),  # the constraint refuses it, in the flush that ends the operation
    ],
    ids=["refusal", "defect", "constraint"],
)
def test_an_operation_that_fails_with_rows_in_its_session_leaves_the_others(
    engine: Engine, fault: WriteOp[Any], error: type[Exception]
) -> None:
    first, failed, last = run_in_one_batch(engine, add("first"), fault, add("last", 7))

    assert (first.client, type(failed), last.confirmed) == ("first", error, 7)
    assert stored(engine) == {"first": 0, "last": 7}


def test_what_one_operation_changes_by_a_statement_the_next_reads_anew(engine: Engine) -> None:
    def change_by_statement(session: Session) -> int:
        before = confirmed_by(session)
        session.connection().execute(text("UPDATE event_readers SET confirmed = 5"))
        return before

    results = run_in_one_batch(engine, add("reader", 1), confirmed_by, change_by_statement, confirmed_by)

    assert results[1:] == [1, 1, 5]


def test_what_a_refused_operation_set_is_not_seen_by_the_next(engine: Engine) -> None:
    def set_and_refuse(session: Session) -> None:
        session.get_one(EventReaderRow, "reader").confirmed = 9
        raise NoSuchClient

    _, refused, seen = run_in_one_batch(engine, add("reader", 1), set_and_refuse, confirmed_by)

    assert (type(refused), seen) == (NoSuchClient, 1)
    assert stored(engine) == {"reader": 1}


def test_after_a_commit_that_failed_each_operation_has_its_effect_once(engine: Engine) -> None:
    failures = iter([RuntimeError("the commit failed")])

    def fail_once(_connection: object) -> None:
        for failure in failures:
            raise failure

    def count_up(session: Session) -> int:
        reader = session.get_one(EventReaderRow, "reader")
        reader.confirmed += 1
        return reader.confirmed

    event.listen(engine, "commit", fail_once)
    results = run_in_one_batch(engine, add("reader"), count_up, count_up, add("other", 3))

    assert results[1:3] == [1, 2]
    assert stored(engine) == {"reader": 2, "other": 3}


def test_a_row_that_an_operation_returns_can_be_read_after_its_session(engine: Engine) -> None:
    (row,) = run_in_one_batch(engine, add("reader", 4))

    assert (row.client, row.confirmed) == ("reader", 4)
