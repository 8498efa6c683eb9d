"""Data to measure with: databases that are filled by the service's functions, and the same rows for the baselines."""

import asyncio
import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from app.config import SEED_DIR, Settings
from app.db.schema import prepare_schema
from app.http.context import AppContext
from app.main import create_app
from app.models.concerns.concern import Concern
from app.models.concerns.examples import FULL_EXAMPLE
from app.models.guides.editions import EditionContent
from app.models.guides.seed_files import read_seed_file
from app.services.guides.publishing import publish_edition, publish_seed
from bench.servers import Server, baseline

GUIDE = "child-sexual-exploitation"
FIRST_EDITION = SEED_DIR / "guides" / GUIDE / "1.yaml"
CONCERN = (
    b'{"immediate_danger":"no","reporter":{"kind":"professional"},"children":[{}],'
    b'"concern":{"narrative":"Alex Example was collected from school by an adult whom staff do not know."}}'
)
FULL_CONCERN = json.dumps(FULL_EXAMPLE).encode()
A_BATCH = 100
AT_ONCE = 32  # editions that are published at the same time, and share a commit
NAIVE_DATABASE = "naive.db"
NAME = "BENCH_NAIVE_DATABASE"

Progress = Callable[[str, int, int], None]
"""Progress function: called with what is being done, how much is done, and how much there is."""


@contextmanager
def running_context(data_dir: Path) -> Iterator[AppContext]:
    """Yield the context of a service on the folder `data_dir`, with the writer running but without a server.

    The seed is published first.
    """
    context: AppContext = create_app(Settings(data_dir=data_dir)).state.context
    prepare_schema(context.engine, data_dir, migrates=True)
    context.writer.start()
    publish_seed(context.engine, context.writer, context.reference_data, SEED_DIR, at=context.clock())
    yield context
    context.writer.stop()
    context.engine.dispose()


def fill_with_guides(data_dir: Path, number: int, progress: Progress) -> None:
    """Publish `number` invented guides with the seed's text, many in each transaction."""
    content = read_seed_file(FIRST_EDITION, EditionContent)
    with running_context(data_dir) as context, ThreadPoolExecutor(AT_ONCE) as publishers:

        def publish(place: int) -> None:
            title = f"A made-up guide, number {place}"
            context.writer.run(
                publish_edition,
                context.reference_data,
                made_up_guide(place),
                content.model_copy(update={"title": title}),
                at=context.clock(),
                two_people=False,
            )

        for begin in range(0, number, A_BATCH):
            end = min(begin + A_BATCH, number)
            list(publishers.map(publish, range(begin, end)))
            progress("guides", end, number)


def fill_with_editions(data_dir: Path, guides: int, editions: int) -> None:
    """Publish `guides` invented guides with `editions` editions each."""
    content = read_seed_file(FIRST_EDITION, EditionContent)
    with running_context(data_dir) as context, ThreadPoolExecutor(AT_ONCE) as publishers:

        def publish_all(place: int) -> None:
            for number in range(1, editions + 1):
                context.writer.run(
                    publish_edition,
                    context.reference_data,
                    guide_of_many(place),
                    content.model_copy(update={"change_note": f"Edition {number}."}),
                    at=context.clock(),
                    two_people=False,
                )

        list(publishers.map(publish_all, range(guides)))


def guide_of_many(place: int) -> str:
    """Return the name of invented guide number `place` with many editions."""
    return f"a-guide-with-many-editions-{place}"


def made_up_guide(place: int) -> str:
    """Return the name of invented guide number `place`."""
    return f"a-made-up-guide-{place}"


def receive(data_dir: Path, number: int) -> int:
    """Submit `number` concerns to a service in this process, and return `number`."""
    concern = Concern.model_validate_json(CONCERN)

    async def a_batch(context: AppContext, size: int) -> None:
        at = dt.datetime.now(dt.UTC)
        await asyncio.gather(*(context.submissions.submit(concern, keys=None, at=at) for _ in range(size)))

    with running_context(data_dir) as context, asyncio.Runner() as runner:
        for begin in range(0, number, A_BATCH):
            runner.run(a_batch(context, min(A_BATCH, number - begin)))
    return number


@contextmanager
def naive_server(work: Path) -> Iterator[Server]:
    """Start the naive application on the items of the seed's guide, yield its server, and stop it afterwards."""
    database = str(work / NAIVE_DATABASE)
    if not Path(database).exists():
        subprocess.run([sys.executable, "-m", "bench.naive_content"], env={**os.environ, NAME: database}, check=True)
    with baseline("naive", "bench.naive:app", f"/guides/{GUIDE}", **{NAME: database}) as server:
        yield server


@contextmanager
def floor_server(work: Path) -> Iterator[Server]:
    """Start the floor on its own database, yield its server, and stop it afterwards."""
    with baseline("floor", "bench.floor:app", "/ready", BENCH_FLOOR_DATABASE=str(work / "floor.db")) as server:
        yield server
