"""What each act takes as concerns and editions grow: milliseconds of processor, and SQL statements, without a network.

`python -m bench.growth` fills databases with 1,000, 70,000 and 700,000 concerns, and guides with 20 and 300 editions,
and writes the tables into the reference. With `--folder` the databases are kept there, and filled only once.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from app.models.guides.editions import EditionContent
from app.models.guides.seed_files import read_seed_file
from app.services.guides.publishing import NewEdition, publish_edition
from bench.content import CONCERN, FIRST_EDITION, fill_with_editions, guide_of_many
from bench.inside import Cost, Inside, Request, running_inside
from bench.report import INBOX_GROWTH, RESULTS, VERIFY, VERIFY_MEMORY, commit, machine, write_part
from bench.resources import GUIDANCE, spent_by
from bench.rounds import Results, Say
from bench.signed_in import SignedIn, sign_in
from bench.years import fill_with_years

FEW, DESIGNED_FOR, TEN_TIMES = 1_000, 70_000, 700_000
EDITIONS = (20, 300)
REPEATED = 15
TURNS = 60  # of the inbox: a request each with few concerns and with many
JSON = {"Content-Type": "application/json"}
AGAIN = "a-made-up-key-of-the-benchmark-"
BEGIN = "<!-- The recorded growth: `python -m bench.growth` writes this part. -->"
END = "<!-- End of the recorded growth. -->"
DESK = "/v1/desk/concerns"


def acts_on_concerns(inside: Inside, who: SignedIn) -> Iterator[tuple[str, list[Request]]]:
    """Yield each act on concerns with its requests. Concerns to work on are submitted first."""
    receipts = [json.loads(inside.ask(Request("POST", "/v1/concerns", JSON, CONCERN))) for _ in range(REPEATED)]
    references = [each["reference"] for each in receipts]
    written = who.headers | JSON
    yield "raising a concern", [Request("POST", "/v1/concerns", JSON, CONCERN)] * REPEATED
    keys = [JSON | {"Idempotency-Key": f"{AGAIN}{time.time_ns()}-{number}"} for number in range(REPEATED)]
    yield "raising a concern, with an idempotency key", [Request("POST", "/v1/concerns", key, CONCERN) for key in keys]
    tokens = [{"Authorization": f"Bearer {each['status_token']}"} for each in receipts]
    statuses = zip(references, tokens, strict=True)
    yield "following a concern", [Request("GET", f"/v1/concerns/{each}", token) for each, token in statuses]
    yield "the inbox", [Request("GET", DESK, who.headers)] * REPEATED
    yield "the inbox page", [Request("GET", "/desk", who.cookies)] * REPEATED
    yield "finding a reference", [Request("GET", f"/desk/find?reference={each}", who.cookies) for each in references]
    yield "opening a concern", [Request("GET", f"{DESK}/{each}", who.headers) for each in references]
    yield "the page of a concern", [Request("GET", f"/desk/concerns/{each}", who.cookies) for each in references]
    yield "acknowledging", [Request("POST", f"{DESK}/{each}/acknowledgement", written, b"{}") for each in references]
    outcome = b'{"outcome":"early_help"}'
    yield "closing", [Request("POST", f"{DESK}/{each}/outcome", written, outcome) for each in references]
    reads = {
        "the summary": "/v1/desk/summary",
        "a scrape of /metrics": "/metrics",
        "figures of 30 days": "/v1/desk/figures?days=30",
        "events": "/v1/events",
        "the audit log": "/v1/desk/disclosures",
        "monthly statistics": "/v1/desk/statistics.csv",
    }
    for name, path in reads.items():
        yield name, [Request("GET", path, who.headers)] * REPEATED
    yield "the page of the audit log", [Request("GET", "/desk/record", who.cookies)] * REPEATED


def measure_concerns(folder: Path, size: int, say: Say) -> dict[str, Cost]:
    """Fill `folder` with `size` concerns if it is empty, and return the figures of each act."""
    _fill(folder, size, say)
    who = sign_in(folder)
    found = {}
    with running_inside(folder) as inside:
        for name, requests in acts_on_concerns(inside, who):
            say(f"{name} with {size:,} concerns")
            inside.ask(requests[0])  # not measured: a template is compiled, or a statement prepared
            found[name] = inside.measure(partial(inside.ask, each) for each in requests[1:])
    return found


def _fill(folder: Path, size: int, say: Say) -> None:
    if not folder.exists():
        fill_with_years(folder, size, lambda what, done, of: say(f"{what}: {done:,} of {of:,}"))


def measure_editions(folder: Path, editions: int, say: Say) -> dict[str, Cost]:
    """Publish a guide with `editions` editions in `folder`, and return the figures of its reads and of publishing."""
    fill_with_editions(folder, 1, editions)
    path, content = f"/v1/guides/{guide_of_many(0)}", read_seed_file(FIRST_EDITION, EditionContent)
    last = min(editions, REPEATED + 1)
    reads = {
        "the first read of an edition": [f"{path}/editions/{number}" for number in range(1, last)],
        "the first read of a section": [f"{path}/editions/{number}/indicators" for number in range(1, last)],
        "the first read of the history": [f"{path}/editions?limit={limit}" for limit in range(1, last)],
        "changes between two editions": [f"{path}/editions/{number}/changes?since=1" for number in range(2, last)],
    }
    found = {}
    with running_inside(folder) as inside:
        context = inside.app.state.context
        for name, paths in reads.items():
            say(f"{name} of {editions}")
            context.invalidate_caches()
            found[name] = inside.measure(partial(inside.ask, Request("GET", each, {})) for each in paths)
        numbers = count()

        def publish() -> None:
            new = content.model_copy(update={"change_note": f"One more edition, number {next(numbers)}."})
            edition = NewEdition(guide_of_many(0), new)
            context.writer.run(publish_edition, context.reference_data, edition, at=context.clock(), two_people=False)

        say(f"publishing after {editions}")
        found["publishing an edition, without HTTP"] = inside.measure([publish] * REPEATED)
        current = partial(inside.ask, Request("GET", path, {}))
        found["the first read of the current guide"] = inside.measure([current] * REPEATED, before=publish)
    return found


def as_markdown(run: dict[str, Any]) -> str:
    """Return the recorded tables as Markdown for the reference."""
    about = run["about"]
    lines = [
        BEGIN,
        "",
        f"{about['finished']}, commit `{about['commit']}`, {about['cpu']}, Python {about['python']}:",
        "",
    ]
    for what in ("concerns", "editions"):
        sizes = list(run[what])
        lines.append(f"| ms of processor (statements) | {' | '.join(f'{int(size):,} {what}' for size in sizes)} |")
        lines.append("|---|" + "---|" * len(sizes))
        for act in run[what][sizes[0]]:
            cells = [f"{run[what][size][act][0]:.2f} ({run[what][size][act][1]})" for size in sizes]
            lines.append(f"| {act} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join([*lines, END])


def measure_growth(results: Results, work: Path, say: Say) -> None:
    """Add to `results` what the inbox takes with the concerns of seven years, as a multiple of what few take.

    Also add the processor seconds and the memory of a complete `guidance verify`, unless only some tasks are wanted.
    """
    few, many = (work / f"{size}-concerns" for size in (FEW, DESIGNED_FOR))
    _fill(few, FEW, say)
    _fill(many, DESIGNED_FOR, say)
    say("the inbox with few concerns and with many")
    results.figures[INBOX_GROWTH] = _inbox_ratio(many, few)
    if results.wanted is None:
        say("a complete verify")
        spent = spent_by([*GUIDANCE, "verify", "--data-dir", str(many)])
        results.figures |= dict(zip((VERIFY, VERIFY_MEMORY), spent, strict=True))


def _inbox_ratio(folder: Path, to: Path) -> float:
    """Return the processor time of the inbox on `folder` as a multiple of the same on `to`: the median of all turns.

    Both inboxes are requested in turn, so that a slow moment of the machine affects both.
    """
    asks = []
    with ExitStack() as stack:
        for each in (folder, to):
            request = Request("GET", DESK, sign_in(each).headers)
            inside = stack.enter_context(running_inside(each))
            inside.ask(request)  # not measured: a statement is prepared
            asks.append(partial(inside.measure, [partial(inside.ask, request)]))
        turns = [[ask().milliseconds for ask in asks] for _ in range(TURNS)]
    return statistics.median(spent / other for spent, other in turns)


def main() -> None:
    """Measure every size, write the figures, and write the tables into the reference."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=None, help="where the databases are, or are made and kept")
    parser.add_argument("--concerns", type=int, nargs="+", default=[FEW, DESIGNED_FOR, TEN_TIMES])
    arguments = parser.parse_args()

    def say(line: str) -> None:
        sys.stderr.write(line + "\n")

    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        work = arguments.folder or Path(temporary)
        run = {
            "about": machine() | {"commit": commit(), "finished": time.strftime("%Y-%m-%d %H:%M")},
            "concerns": {size: measure_concerns(work / f"{size}-concerns", size, say) for size in arguments.concerns},
            "editions": {size: measure_editions(Path(temporary) / f"{size}-editions", size, say) for size in EDITIONS},
        }
    recorded = RESULTS / "growth.json"
    recorded.write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    write_part(BEGIN, as_markdown(run), END)


if __name__ == "__main__":
    main()
