"""The cards of seven years of concerns, opened and searched in a Chromium with little memory.

`python -m tests.support.seven_years_of_cards` prints the figures.
The heap of the page is limited, and the memory of all processes of the browser is measured.
"""

import argparse
import itertools
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from re import Pattern
from typing import Any

import psutil
from playwright.sync_api import Locator, Page, expect, sync_playwright

from app.http.visitors import SESSION_COOKIE
from app.services.concerns.keys import DEVELOPMENT_IDENTITY
from bench.servers import Server, guidance
from tests.support.browsing import FLAGS
from tests.support.invented_concerns import invent_concerns
from tests.support.signed_in import SignedIn, sign_in
from tests.support.unsealing import unlock
from tests.support.years import fill_with_years

CONCERNS = 70_000
HEAP_MEGABYTES = 700
MOST_MEGABYTES = 1000
LONGEST_STEP = 1_800_000  # milliseconds that a step may take on a busy machine
NAMES = ("alexander", "exampleton primary", "kowalski", "01632 960001")
FOUND = re.compile("^(May be|No match)")
"""The beginning of what the page of a call says about other concerns."""
LONGEST = "() => { const longest = window.longestTask ?? 0; window.longestTask = 0; return longest; }"
OBSERVE = (
    "new PerformanceObserver((list) => list.getEntries().forEach((each) => {"
    " window.longestTask = Math.max(window.longestTask ?? 0, each.duration); })).observe({ entryTypes: ['longtask'] })"
)


@dataclass(frozen=True)
class Deskside:
    """A server with a filled database, and a person who is signed in to its pages."""

    server: Server
    who: SignedIn


@contextmanager
def at_the_desk(name: str, data_dir: Path) -> Iterator[Deskside]:
    """Sign a person in, start a server on the database, yield both, and stop the server afterwards."""
    who = sign_in(data_dir)
    with guidance(name, data_dir, "--trial") as server:
        yield Deskside(server, who)


@dataclass
class Memory:
    """The memory of a process and its children: the largest number of megabytes that belonged to them at once."""

    process: psutil.Process
    most: float = 0
    is_over: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        """Measure again and again until `is_over` is set."""
        while not self.is_over.wait(1):
            self.most = max(self.most, self.now())

    def now(self) -> float:
        """Return the memory of all processes now, each shared page in equal parts."""
        shares = 0
        for each in (self.process, *self.process.children(recursive=True)):
            try:
                shares += each.memory_full_info().pss
            except psutil.Error:
                continue
        return shares / 1e6


def card_texts(number: int) -> Iterator[Mapping[str, Any]]:
    """Yield `number` invented cards, a thousand of each seed."""
    cards = (concern.card for seed in itertools.count() for concern in invent_concerns(seed))
    return itertools.islice(cards, number)


@contextmanager
def small_browser(desk: Deskside) -> Iterator[tuple[Page, Memory]]:
    """Start a Chromium whose pages have a small heap, signed in to `desk`. Yield a page and the browser's memory."""
    flags = (*FLAGS, f"--js-flags=--max-old-space-size={HEAP_MEGABYTES}", "--enable-precise-memory-info")
    before = {each.pid for each in psutil.Process().children(recursive=True)}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        found = [each for each in psutil.Process().children(recursive=True) if each.pid not in before]
        program = next(each for each in found if "chrom" in each.name())
        memory = Memory(program)
        watcher = threading.Thread(target=memory.watch, daemon=True)
        watcher.start()
        token = desk.who.cookies["Cookie"].removeprefix(f"{SESSION_COOKIE}=")
        context = browser.new_context(base_url=desk.server.url, viewport={"width": 1280, "height": 800})
        context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": desk.server.url}])
        yield context.new_page(), memory
        memory.is_over.set()
        watcher.join()
        browser.close()


def measure(page: Page, identity: Path, memory: Memory) -> None:
    """Unlock, open the cards of now and of the past, search, and write down a call. Print the figures of each step."""
    page.set_default_timeout(LONGEST_STEP)
    page.goto("/desk")
    page.evaluate(OBSERVE)
    state = page.locator("#find-state")

    def step(name: str, line: Locator, words: str | Pattern[str], *, before: str | None = None) -> None:
        began = time.perf_counter()
        if before is not None:
            expect(line).not_to_have_text(before, timeout=LONGEST_STEP)
        expect(line).to_contain_text(words, timeout=LONGEST_STEP)
        seconds, heap = time.perf_counter() - began, page.evaluate("performance.memory.usedJSHeapSize") / 1e6
        sys.stdout.write(
            f"{name}: {seconds:.1f} s, longest task {page.evaluate(LONGEST):.0f} ms, heap {heap:.0f} MB, "
            f"browser {memory.now():.0f} MB ({line.inner_text().strip()})\n"
        )
        sys.stdout.flush()

    unlock(page, identity)
    step("current cards", state, "can be searched")
    page.locator("#reference").fill(NAMES[0])
    step("search of current cards", state, " found. ")
    page.get_by_role("button", name="Search earlier concerns too").click()
    step("earlier cards, while searching", state, "can be searched.", before=state.inner_text())
    for name in NAMES[1:]:
        page.locator("#reference").fill("")
        expect(state).not_to_contain_text(" found. ", timeout=LONGEST_STEP)
        page.locator("#reference").fill(name)
        step(f"search for {name!r}", state, " found. ")
    page.get_by_role("link", name="Write down a call").click()
    page.get_by_label("What was said").fill("Alexander Exampleton was crying. Kowalski rang from 01632 960001.")
    known = page.locator("aside [data-known-state]")
    step("perhaps known while typing", known, FOUND)
    sys.stdout.write(f"most memory of the browser: {memory.most:.0f} MB (at most {MOST_MEGABYTES})\n")


def main() -> int:
    """Fill a database, and measure. Return 1 if the browser took more memory than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--concerns", type=int, default=CONCERNS)
    parser.add_argument("--work", type=Path, help="folder that is filled once and kept")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.work or Path(temporary)) / "cards"
        if not folder.exists():
            fill_with_years(folder, arguments.concerns, _no_progress, card_texts=card_texts(arguments.concerns))
        with at_the_desk("cards", folder) as desk, small_browser(desk) as (page, memory):
            measure(page, folder / DEVELOPMENT_IDENTITY, memory)
        return 0 if memory.most <= MOST_MEGABYTES else 1


def _no_progress(_what: str, _done: int, _of: int) -> None:
    """Print nothing."""


if __name__ == "__main__":
    raise SystemExit(main())
