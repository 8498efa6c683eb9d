"""The inbox pages as a signed-in person reads them: each filter, by a plain HTTP client and in Chromium."""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
from playwright.sync_api import Page

from app.http.visitors import SESSION_COOKIE
from app.pages.desk.inbox_filters import InboxTab
from bench.browser import is_browser_installed, running_browser
from bench.content import GUIDE, Progress
from bench.growth import MANY_CONCERNS
from bench.report import SLOWEST_FIRST
from bench.rounds import Results, Say
from bench.servers import Server, guidance, postgresql
from bench.signed_in import SignedIn, sign_in
from bench.years import fill_with_years

VIEWS = {each.value: f"?show={each.value}" for each in InboxTab} | {
    "not overdue": "?overdue=false",
    "danger not sure": "?danger=not_sure",
    "a guide": f"?guide={GUIDE}",
    "a person": "?who=person:Worker+7",
    "closed and overdue": "?state=closed&overdue=true",
    "received and danger": "?state=received&danger=yes",
}
READS = 5
LOADED = "() => performance.getEntriesByType('navigation')[0].duration"


@dataclass(frozen=True)
class Deskside:
    """A server with a filled database, and a person who is signed in to its pages.

    `database` is the process of the database server, if there is one.
    """

    name: str
    server: Server
    who: SignedIn
    database: psutil.Process | None = None

    def cpu_seconds(self) -> float:
        """Return the processor seconds that the server and its database have used so far."""
        return self.server.cpu_seconds() + (cpu_of(self.database) if self.database else 0.0)


def cpu_of(process: psutil.Process) -> float:
    """Return the processor seconds that the process and its children have used so far, including ended children."""
    own = process.cpu_times()
    used: float = own.children_user + own.children_system
    for each in (process, *process.children(recursive=True)):
        times = each.cpu_times()
        used += times.user + times.system
    return used


def measure_desk(results: Results, work: Path, arguments: argparse.Namespace, progress: Progress, say: Say) -> None:
    """Fill an SQLite and a PostgreSQL database with seven years of concerns, and measure the inbox pages of each."""
    with ExitStack() as stack:
        folder = work / MANY_CONCERNS
        if not folder.exists():  # the part `growth` may have filled it
            fill_with_years(folder, arguments.concerns, progress)
        desks = [stack.enter_context(at_the_desk("SQLite", folder))]
        database = stack.enter_context(postgresql())
        address = database.get_uri(driver="psycopg")
        fill_with_years(work / "desk-postgresql", arguments.concerns, progress, database_url=address)
        process = psutil.Process(database.get_pid())
        desks.append(
            stack.enter_context(at_the_desk("PostgreSQL", work / "desk-postgresql", address=address, process=process))
        )
        read_desks(results, desks, say)


@contextmanager
def at_the_desk(
    name: str, data_dir: Path, *, address: str | None = None, process: psutil.Process | None = None
) -> Iterator[Deskside]:
    """Sign a person in, start a server on the database, yield both, and stop the server afterwards."""
    who = sign_in(data_dir, address)
    more = {"GUIDANCE_DATABASE_URL": address} if address else {}
    with guidance(name, data_dir, "--trial", **more) as server:
        yield Deskside(name, server, who, process)


def read_desks(results: Results, desks: list[Deskside], say: Say) -> None:
    """Read each page of each desk several times: first by the client, then in the browser. Add the figures.

    The desks take turns at each read, so that a slow moment of the machine affects both.
    """
    with ExitStack() as stack:
        readers: dict[str, Callable[[Deskside, str], float]] = {"": by_client(stack)}
        if is_browser_installed():
            readers[", in Chromium"] = in_browser(stack)
        else:
            results.skipped["the desk in Chromium"] = "chromium is not installed"
        for how, read in readers.items():
            found: dict[str, list[tuple[int, float, float]]] = {desk.name: [] for desk in desks}
            for view, query in VIEWS.items():
                for number in range(READS):
                    for desk in desks:
                        say(f"desk of {desk.name}{how}: {view}, {number + 1} of {READS}")
                        before = desk.cpu_seconds()
                        took = read(desk, query)
                        found[desk.name].append((number, took * 1000, (desk.cpu_seconds() - before) * 1000))
            for name, pages in found.items():
                results.figures |= summary(f"{name}{how}", pages)


def summary(name: str, pages: list[tuple[int, float, float]]) -> dict[str, float]:
    """Return the figures of a desk. `pages` are reads: number, elapsed milliseconds, and processor milliseconds."""
    firsts, later = [each for each in pages if each[0] == 0], [each for each in pages if each[0]]
    return {
        f"{SLOWEST_FIRST} {name}": max(took for _, took, _ in firsts),
        f"milliseconds of processor of the costliest first page of the desk, {name}": max(cpu for _, _, cpu in firsts),
        f"milliseconds of a later page of the desk, {name}": statistics.median(took for _, took, _ in later),
        f"milliseconds of processor of a later page of the desk, {name}": statistics.median(c for *_, c in later),
    }


def by_client(stack: ExitStack) -> Callable[[Deskside, str], float]:
    """Return a function that reads a page without a browser, and returns the elapsed seconds."""
    client = stack.enter_context(httpx.Client(timeout=120, trust_env=False))

    def read(desk: Deskside, query: str) -> float:
        began = time.perf_counter()
        client.get(f"{desk.server.url}/desk{query}", headers=desk.who.cookies).raise_for_status()
        return time.perf_counter() - began

    return read


def in_browser(stack: ExitStack) -> Callable[[Deskside, str], float]:
    """Return a function that opens a page in Chromium, and returns the seconds until the page is loaded."""
    browser = stack.enter_context(running_browser())
    pages: dict[str, Page] = {}

    def read(desk: Deskside, query: str) -> float:
        if desk.name not in pages:
            context = browser.new_context()
            token = desk.who.cookies["Cookie"].removeprefix(f"{SESSION_COOKIE}=")
            context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": desk.server.url}])
            pages[desk.name] = context.new_page()
            # The first page that a worker sees. Opening it also starts the browser's processes.
            pages[desk.name].goto(f"{desk.server.url}/desk/sign-in")
        page: Any = pages[desk.name]
        page.goto(f"{desk.server.url}/desk{query}", timeout=120_000)
        milliseconds: float = page.evaluate(LOADED)
        return milliseconds / 1000

    return read
