"""Growth: the same reads on small and large databases, and with one worker process and two."""

import argparse
import time
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path

import httpx

from bench.content import CONCERN, GUIDE, fill_with_guides
from bench.load import raw_request, read, send, with_cpu
from bench.report import VERIFY, VERIFY_MEMORY
from bench.resources import GUIDANCE, spent_by
from bench.rounds import Results, Say, Task
from bench.servers import EVERY_CPU, UNLIMITED, Server, guidance
from bench.signed_in import SignedIn, sign_in
from bench.years import fill_with_years

SECTION = f"/v1/guides/{GUIDE}/indicators"
INBOX = "/v1/desk/concerns"
FEW_GUIDES, FEW_CONCERNS = 10, 100
CONNECTIONS = 4
OPENED = 50
MANY_CONCERNS = "many-concerns"


def measure_growth(results: Results, work: Path, arguments: argparse.Namespace, say: Say) -> None:
    """Fill small and large databases, and measure reads of sections and operations on concerns on each.

    Also measure reads with one worker process and with two, and a complete `guidance verify`.
    """
    results.figures |= {
        "guides of the large database": arguments.guides,
        "concerns of the large one": arguments.concerns,
    }

    def reading(url: str, headers: dict[str, str] | None = None) -> Task:
        return lambda _number: read(url, connections=CONNECTIONS, seconds=arguments.seconds, headers=headers)

    tasks: dict[str, Task] = {}
    with ExitStack() as stack:
        for size, guides in (("few", FEW_GUIDES), ("many", arguments.guides)):
            fill_with_guides(work / f"{size}-guides", guides, Bar(say))
            server = stack.enter_context(guidance(f"{size} guides", work / f"{size}-guides"))
            tasks[f"section, {size} guides"] = reading(server.url + SECTION)
        for size, folder, concerns in (
            ("few", work / "few-concerns", FEW_CONCERNS),
            ("many", work / MANY_CONCERNS, arguments.concerns),
        ):
            fill_with_years(folder, concerns, Bar(say))
            who = sign_in(folder)
            server = stack.enter_context(guidance(f"{size} concerns", folder, **UNLIMITED))
            tasks |= tasks_of_concerns(server, who, size, arguments.seconds)
        for number, name in ((1, "1 worker"), (2, "2 workers")):
            options = ("--workers", str(number))
            server = stack.enter_context(guidance(name, work / f"workers-{number}", *options, cpu=EVERY_CPU))
            tasks[f"section, {name}"] = reading(server.url + SECTION)
        results.run(tasks, arguments.rounds, say)
    say("a complete verify")
    seconds, megabytes = spent_by([*GUIDANCE, "verify", "--data-dir", str(work / MANY_CONCERNS)])
    results.figures |= {VERIFY: seconds, VERIFY_MEMORY: megabytes}


def tasks_of_concerns(server: Server, who: SignedIn, size: str, seconds: float) -> dict[str, Task]:
    """Submit some concerns, and return the tasks on concerns.

    The tasks are submitting a concern, reading the inbox and its page, opening a concern, and reading a status.
    """
    json = {"Content-Type": "application/json"}
    with httpx.Client(base_url=server.url, trust_env=False, timeout=60) as client:
        answers = [client.post("/v1/concerns", content=CONCERN, headers=json) for _ in range(OPENED)]
    receipts = [each.raise_for_status().json() for each in answers]
    concerns = f"{server.url}/v1/concerns"
    requests = {
        "post": [raw_request(concerns, "POST", json, CONCERN)],
        "inbox": [raw_request(server.url + INBOX, "GET", who.headers)],
        "inbox page": [raw_request(f"{server.url}/desk", "GET", who.cookies)],
        "open": [raw_request(f"{server.url}{INBOX}/{each['reference']}", "GET", who.headers) for each in receipts],
        "status": [
            raw_request(f"{concerns}/{each['reference']}", "GET", {"Authorization": f"Bearer {each['status_token']}"})
            for each in receipts
        ],
    }

    def doing(each: list[bytes]) -> Task:
        turn = cycle(each)
        return lambda _number: with_cpu(
            server, lambda: send(server.url, lambda: next(turn), connections=CONNECTIONS, seconds=seconds)
        )

    return {f"{name}, {size}": doing(each) for name, each in requests.items()}


class Bar:
    """A progress bar in one line. It is updated at most once a second, and at the end."""

    WIDTH = 40

    def __init__(self, say: Say) -> None:
        self._say = say
        self._told_at = 0.0

    def __call__(self, what: str, done: int, of: int) -> None:
        """Show that `done` of `of` steps are done."""
        now = time.monotonic()
        if done == of or now - self._told_at > 1:
            self._told_at = now
            full = self.WIDTH * done // max(of, 1)
            self._say(f"{what} [{'#' * full}{'.' * (self.WIDTH - full)}] {done:,} of {of:,}")
