"""Nodes on one PostgreSQL: what an act costs node and database, and what three nodes store to one.

`python -m bench.nodes`. Each flush is made slow, so that nodes wait for their disk, and not for processors that this
machine does not have: what several nodes store then shows which of them wait for each other.
"""

import argparse
import asyncio
import datetime as dt
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import orjson
import psutil
from sqlalchemy import Engine, event
from sqlmodel import Session

from app.config import SEED_DIR, Settings
from app.main import create_app
from app.models.concerns.addition import Addition
from app.models.concerns.concern import Concern
from app.models.desk.inbox import InboxOrder
from app.services.concerns.idempotency import IdempotentResult
from app.services.desk.actions import acknowledge, read_inbox
from app.services.desk.opening import open_concern
from app.services.events.pulling import read_events_after
from app.services.guidance.seeding import publish_seed
from app.store.database import WRITES
from app.store.disclosures import Actor
from app.store.inbox import InboxFilters, InboxQuery
from app.store.schema import prepare_schema
from app.web.context import AppContext
from bench.content import CONCERN
from bench.servers import postgresql

ACTOR = Actor("desk/Kim Example", "192.0.2.1")
TIMES = 40
TOGETHER = 64
CALLERS = 8


class Costs:
    """Counts statements, and the seconds from the first lock to the end of the transaction, on one engine."""

    def __init__(self, engine: Engine) -> None:
        self.statements = 0
        self.transactions = 0
        self.held = 0.0
        self._engine = engine
        self._began = threading.local()
        event.listen(engine, "before_cursor_execute", self._count)
        event.listen(engine, "begin", self._begin)
        event.listen(engine, "checkin", self._end)

    def read(self, server: psutil.Process) -> tuple[float, ...]:
        """Return what was counted, bytes of the write-ahead log, and seconds of processor of node and database."""
        counted = (self.statements, self.transactions, self.held)
        with self._engine.connect() as connection:
            wal = connection.exec_driver_sql("SELECT (pg_current_wal_lsn() - '0/0')::float").scalar_one()
        self.statements -= 1
        return (*counted, wal, time.process_time(), cpu_of(server))

    def _count(self, *_: object) -> None:
        self.statements += 1

    def _begin(self, connection: Any) -> None:
        if WRITES in connection.get_execution_options():
            self.transactions += 1
            self._began.at = time.perf_counter()

    def _end(self, *_: object) -> None:
        began = getattr(self._began, "at", None)
        if began is not None:
            self.held += time.perf_counter() - began
            self._began.at = None


@contextmanager
def database() -> Iterator[tuple[str, psutil.Process]]:
    """Yield the address of a PostgreSQL of its own, and its process."""
    with postgresql() as server:
        yield server.get_uri(driver="psycopg"), psutil.Process(server.get_pid())


def cpu_of(process: psutil.Process) -> float:
    """Return the seconds of processor of the process and its children; those that ended count with their parent."""
    own = process.cpu_times()
    used: float = own.children_user + own.children_system
    for each in (process, *process.children(recursive=True)):
        times = each.cpu_times()
        used += times.user + times.system
    return used


@contextmanager
def opened(address: str, data_dir: Path) -> Iterator[AppContext]:
    """Yield the context of a node on that database, with its writer and without a server."""
    settings = Settings.model_validate({"data_dir": data_dir, "database_url": address, "deliver": False})
    context: AppContext = create_app(settings).state.context
    prepare_schema(context.engine, data_dir)
    context.writer.start()
    publish_seed(context.engine, context.writer, context.reference_data, SEED_DIR, at=context.clock())
    yield context
    context.writer.stop()
    context.engine.dispose()


class Acts:
    """The acts that are measured, each on a concern of its own."""

    def __init__(self, context: AppContext, runner: asyncio.Runner) -> None:
        self.context = context
        self._runner = runner
        self._concern = Concern.model_validate_json(CONCERN)
        self._addition = Addition.model_validate({"concern": {"narrative": "Alex Example came home."}})
        self._now = dt.datetime.now(dt.UTC)
        stored = [self._stored(1)[0] for _ in range(TIMES + 1)]
        self._tokens = {each.reference: orjson.loads(each.receipt)["status_token"] for each in stored}
        self._next = cycle(self._tokens)

    def _stored(self, number: int) -> list[IdempotentResult]:
        async def all_of_them() -> list[IdempotentResult]:
            submit = partial(self.context.submissions.submit, self._concern, keys=None, at=self._now)
            return await asyncio.gather(*(submit() for _ in range(number)))

        return self._runner.run(all_of_them())

    def concern(self) -> None:
        """Store a concern."""
        self._stored(1)

    def concerns_together(self) -> None:
        """Store as many concerns as share a transaction."""
        self._stored(TOGETHER)

    def addition(self) -> None:
        """Add to a concern."""
        reference = next(self._next)
        self.context.follow_ups.add(
            self._addition,
            typed_reference=reference,
            status_token=self._tokens[reference],
            idempotency_key=None,
            at=self._now,
        )

    def opening(self) -> None:
        """Open a concern."""
        open_concern(self.context.writer, next(self._next), actor=ACTOR, at=self._now, how="opened", limit=9)

    def acknowledgement(self) -> None:
        """Acknowledge a concern."""
        acknowledge(self.context.writer, next(self._next), actor=ACTOR, at=self._now)

    def page_of_inbox(self) -> None:
        """List a page of the inbox."""
        query = InboxQuery(InboxOrder.URGENT, InboxFilters())
        read_inbox(self.context.writer, query, actor=ACTOR, at=self._now, after=None, limit=50)

    def page_of_events(self) -> None:
        """Pull a page of events."""
        with Session(self.context.engine) as session:
            read_events_after(session, self.context.writer, after=0, limit=50, actor=ACTOR, at=self._now)


def measure_acts(address: str, server: psutil.Process, say: Callable[[str], None]) -> None:
    """Say what each act takes: statements, transactions, time with locks, processor of the node and the database."""
    with (
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner() as runner,
        opened(address, Path(folder)) as context,
    ):
        acts, costs = Acts(context, runner), Costs(context.engine)
        say("an act | statements | transactions that write | ms with locks | bytes of WAL | us node | us database")
        for act, size in (
            (acts.concern, 1),
            (acts.concerns_together, TOGETHER),
            (acts.addition, 1),
            (acts.opening, 1),
            (acts.acknowledgement, 1),
            (acts.page_of_inbox, 1),
            (acts.page_of_events, 1),
        ):
            before = costs.read(server)
            for _ in range(TIMES):
                act()
            each = [(b - a) / (TIMES * size) for a, b in zip(before, costs.read(server), strict=True)]
            statements, transactions, held, wal, node, base = each
            say(
                f"{act.__name__} | {statements:.2f} | {transactions:.2f} | {held * 1e3:.2f}"
                f" | {wal:.0f} | {node * 1e6:.0f} | {base * 1e6:.0f}"
            )


def measure_nodes(address: str, counts: list[int], *, flush: int, seconds: float, say: Callable[[str], None]) -> None:
    """Say how many concerns a second so many nodes store, each with its own callers, and with that flush."""
    say(f"nodes | concerns a second at {flush} ms a flush, {CALLERS} callers to a node")
    for count in counts:
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            contexts = [stack.enter_context(opened(address, Path(folder))) for _ in range(count)]
            for context in contexts:
                event.listen(context.engine, "commit", lambda _connection: time.sleep(flush / 1000))
            began = time.monotonic()
            stored = asyncio.run(_store_until(contexts, began + seconds))
            say(f"{count} | {stored / (time.monotonic() - began):.1f}")


async def _store_until(contexts: list[AppContext], until: float) -> int:
    concern = Concern.model_validate_json(CONCERN)

    async def store(context: AppContext) -> int:
        stored = 0
        while time.monotonic() < until:
            await context.submissions.submit(concern, keys=None, at=dt.datetime.now(dt.UTC))
            stored += 1
        return stored

    return sum(await asyncio.gather(*(store(context) for context in contexts for _ in range(CALLERS))))


def main() -> int:
    """Measure both."""
    parser = argparse.ArgumentParser(prog="python -m bench.nodes", description=__doc__)
    parser.add_argument("--flush", type=int, default=50, help="milliseconds that are added to each flush")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--nodes", type=int, nargs="*", default=[1, 3])
    parser.add_argument("--no-acts", action="store_true", help="measure the nodes alone")
    wanted = parser.parse_args()

    def say(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    with database() as (address, server):
        if not wanted.no_acts:
            measure_acts(address, server, say)
        if wanted.nodes:
            measure_nodes(address, wanted.nodes, flush=wanted.flush, seconds=wanted.seconds, say=say)
    return 0


if __name__ == "__main__":
    sys.exit(main())
