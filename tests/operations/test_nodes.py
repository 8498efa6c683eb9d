"""Nodes take turns to write to one PostgreSQL: no event is missed, no chain has a gap, a dead one is no obstacle."""

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session

from app.db.database import for_writing, open_database
from app.db.writer import Writer
from app.errors import StoreBusy
from app.models.audit.details import SummaryDetails
from app.models.audit.rows import AUDIT, DeskAct
from app.models.events.rows import EventKind
from app.services.audit.audit_log import Actor, record_action
from app.services.events.outbox import append_event, events_after
from app.services.operations.verification import find_faults
from tests.support.clock import A_TUESDAY
from tests.support.databases import postgresql
from tests.support.loops import first_by_day
from tests.support.waiting import pause

pytestmark = pytest.mark.slow  # threads that wait for each other

NODES = 3
EACH = 40
ACTOR = Actor("desk/Kim Example", "192.0.2.1", A_TUESDAY)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    address = postgresql().address(postgresql().database_of(tmp_path / "shared"))
    engine = open_database(tmp_path, address)
    yield engine
    engine.dispose()


@contextmanager
def nodes(engine: Engine, *, count: int = NODES, wait_seconds: float = 60) -> Iterator[list[Writer]]:
    """Writers with connections of their own, as processes on several machines have them."""
    engines = [open_database(Path("unused"), engine.url.render_as_string(hide_password=False)) for _ in range(count)]
    writers = [Writer(each, queue_size=2000, wait_seconds=wait_seconds) for each in engines]
    for writer in writers:
        writer.start()
    try:
        yield writers
    finally:
        for writer in writers:
            writer.stop()
        for each in engines:
            each.dispose()


def append_slowly(session: Session, *, name: str, pauses: tuple[float, float, float]) -> None:
    """Append two events, and wait before, between and after them: the commit comes in any order."""
    before, between, after = pauses
    pause(before)
    append_event(session, EventKind.CONCERN_RECEIVED, at=A_TUESDAY, data={"reference": f"{name}-first"})
    pause(between)
    append_event(session, EventKind.CONCERN_RECEIVED, at=A_TUESDAY, data={"reference": f"{name}-second"})
    pause(after)


def follow(reader: Engine, done: threading.Event, seen: list[int]) -> None:
    """Pull what is new after the last event, over and over, until there is no more to come."""
    while True:
        is_last = done.is_set()
        with Session(reader) as session:
            new = events_after(session, after=seen[-1] if seen else 0, limit=7)
        seen.extend(int(event.id or 0) for event in new)
        if is_last and not new:
            return


@pytest.mark.parametrize("seed", first_by_day([1, 2]))
def test_a_reader_gets_every_event_once_however_long_transactions_take(engine: Engine, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # delays, not secrets
    done, seen = threading.Event(), list[int]()
    follower = threading.Thread(target=follow, args=(engine, done, seen))
    follower.start()
    with nodes(engine) as writers, ThreadPoolExecutor(2 * NODES) as pool:

        def write(number: int) -> None:
            first, second, third = (chance.choice((0, 0, 0.001, 0.01)) for _ in range(3))
            operation = partial(append_slowly, name=f"number-{number}", pauses=(first, second, third))
            writers[number % NODES].run(operation)

        list(pool.map(write, range(NODES * EACH)))
    done.set()
    follower.join()

    with engine.connect() as connection:
        numbers = list(connection.execute(text("SELECT id FROM events ORDER BY id")).scalars())
    assert len(numbers) == 2 * NODES * EACH
    assert seen == numbers


def test_a_chain_written_by_several_nodes_has_each_act_once(engine: Engine) -> None:
    def act(session: Session, *, number: int) -> None:
        record_action(session, AUDIT, DeskAct.SUMMARY_READ, ACTOR, SummaryDetails(days=number))

    with nodes(engine, count=2) as writers, ThreadPoolExecutor(8) as pool:
        operations = [partial(act, number=number) for number in range(120)]
        list(pool.map(lambda pair: writers[pair[0] % 2].run(pair[1]), enumerate(operations)))

    with engine.connect() as connection:
        details = list(connection.execute(text("SELECT detail FROM audit_entries WHERE chain = 'audit'")).scalars())
    assert sorted(details) == sorted(SummaryDetails(days=number).stored for number in range(120))
    assert list(find_faults(engine)) == []


def test_nodes_take_turns_and_a_node_that_dies_gives_its_turn_away(engine: Engine) -> None:
    append = partial(append_event, kind=EventKind.CONCERN_RECEIVED, at=A_TUESDAY, data={"reference": "another"})
    with nodes(engine, count=1, wait_seconds=0.5) as (writer,):
        other = for_writing(engine).connect()
        other.execute(text("UPDATE generation SET number = number"))
        process = other.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with pytest.raises(StoreBusy):
            writer.run(append)
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_terminate_backend(:process)"), {"process": process})
        with nodes(engine, count=1) as (next_writer,):
            next_writer.run(append)
        other.invalidate()
        other.close()
