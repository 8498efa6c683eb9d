"""What each act takes as concerns and editions grow: milliseconds of processor, and SQL statements, without a network.

`python -m bench.growth` fills databases with 1,000, 70,000 and 700,000 concerns, with 20 and 300 editions of a guide,
and with 2, 150 and 1,000 guides, and writes the tables into the reference. With `--folder` the databases of concerns
and guides are kept there, and filled only once. With `--part` the recorded figures of the other parts stay.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import count, pairwise
from pathlib import Path
from typing import Any

from app.models.guides.editions import EditionContent
from app.models.guides.seed_files import read_seed_file
from app.services.guides.publishing import publish_edition
from bench.content import CONCERN, FIRST_EDITION, fill_with_editions, fill_with_guides, guide_of_many
from bench.inside import Cost, Inside, Request, running_inside
from bench.report import INBOX_GROWTH, RESULTS, SEARCH_GROWTH, VERIFY, VERIFY_MEMORY, commit, machine, write_part
from bench.resources import GUIDANCE, spent_by
from bench.rounds import Results, Say
from bench.signed_in import SignedIn, sign_in
from bench.years import fill_with_years

FEW, DESIGNED_FOR, TEN_TIMES = 1_000, 70_000, 700_000
EDITIONS = (20, 300)
PARTS = ("concerns", "editions", "guides")
GUIDES = (2, 150, 1_000)
SEARCHED = ("a", "child", "missing", "the exploit", "older partner", "vunerable whereabuots")  # a letter finds the most
REPEATED = 15
TURNS = 60  # of the inbox: a request each with few concerns and with many
TURNS_OF_SEARCH = 9
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
            context.writer.run(
                publish_edition, context.reference_data, guide_of_many(0), new, at=context.clock(), two_people=False
            )

        say(f"publishing after {editions}")
        found["publishing an edition, without HTTP"] = inside.measure([publish] * REPEATED)
        current = partial(inside.ask, Request("GET", path, {}))
        found["the first read of the current guide"] = inside.measure([current] * REPEATED, before=publish)
    return found


def measure_guides(folder: Path, size: int, say: Say) -> dict[str, Cost]:
    """Publish `size` guides in `folder` if it is empty, and return the figures of a search for each of `SEARCHED`."""
    _fill_guides(folder, size, say)
    say(f"searches in {size:,} guides")
    with running_inside(folder) as inside:
        return {
            f"search for '{request.target.partition('=')[2].replace('%20', ' ')}'": _search(inside, request, REPEATED)
            for request in _searches()
        }


def _fill_guides(folder: Path, size: int, say: Say) -> None:
    if not folder.exists():
        fill_with_guides(folder, size, lambda what, done, of: say(f"{what}: {done:,} of {of:,}"))


def _searches() -> list[Request]:
    return [Request("GET", f"/v1/search?q={words.replace(' ', '%20')}", {}) for words in SEARCHED]


def _search(inside: Inside, request: Request, times: int) -> Cost:
    """Return what the search takes when the response cache does not have it."""
    empty = inside.app.state.context.response_cache.clear
    return inside.measure([partial(inside.ask, request)] * times, before=empty)


def as_markdown(run: dict[str, Any]) -> str:
    """Return the recorded tables as Markdown for the reference."""
    lines = [BEGIN, ""]
    for what in PARTS:
        sizes, about = list(run[what]), run["about"][what]
        lines.append(f"{about['finished']}, commit `{about['commit']}`, {about['cpu']}, Python {about['python']}:")
        lines.append("")
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
    if results.wants(INBOX_GROWTH):
        _fill(few, FEW, say)
        _fill(many, DESIGNED_FOR, say)
        say("the inbox with few concerns and with many")
        inboxes = [partial(_inbox, sign_in(each)) for each in (many, few)]
        results.figures[INBOX_GROWTH] = _ratio((many, few), inboxes, TURNS)
    guides = {size: work / f"{size}-guides" for size in GUIDES}
    for size, folder in guides.items():
        _fill_guides(folder, size, say)
    for fewer, more in pairwise(GUIDES):
        say(f"searches in {fewer:,} guides and in {more:,}")
        pair = guides[more], guides[fewer]
        results.figures[SEARCH_GROWTH[more]] = _ratio(pair, [_search_all, _search_all], TURNS_OF_SEARCH)
    if results.wants(VERIFY):
        say("a complete verify")
        spent = spent_by([*GUIDANCE, "verify", "--data-dir", str(many)])
        results.figures |= dict(zip((VERIFY, VERIFY_MEMORY), spent, strict=True))


def _inbox(who: SignedIn, inside: Inside) -> float:
    return inside.measure([partial(inside.ask, Request("GET", DESK, who.headers))]).milliseconds


def _search_all(inside: Inside) -> float:
    return sum(_search(inside, each, 1).milliseconds for each in _searches())


def _ratio(folders: Sequence[Path], asks: Sequence[Callable[[Inside], float]], turns: int) -> float:
    """Return what the first act takes on the first folder as a multiple of the second: the median of all turns.

    Both are requested in turn, so that a slow moment of the machine affects both.
    """
    with ExitStack() as stack:
        pairs = [(ask, stack.enter_context(running_inside(each))) for each, ask in zip(folders, asks, strict=True)]
        for ask, inside in pairs:
            ask(inside)  # not measured: a statement is prepared
        each_turn = [[ask(inside) for ask, inside in pairs] for _ in range(turns)]
    return statistics.median(spent / other for spent, other in each_turn)


def main() -> None:
    """Measure every size, write the figures, and write the tables into the reference."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=None, help="where the databases are, or are made and kept")
    parser.add_argument("--concerns", type=int, nargs="+", default=[FEW, DESIGNED_FOR, TEN_TIMES])
    parser.add_argument("--part", choices=PARTS, action="append", help="measure this part only (may be repeated)")
    arguments = parser.parse_args()

    def say(line: str) -> None:
        sys.stderr.write(line + "\n")

    recorded = RESULTS / "growth.json"
    run = json.loads(recorded.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        work = arguments.folder or Path(temporary)
        measures = {
            "concerns": (measure_concerns, arguments.concerns, work),
            "editions": (measure_editions, EDITIONS, Path(temporary)),
            "guides": (measure_guides, GUIDES, work),
        }
        for part in arguments.part or PARTS:
            measure, sizes, place = measures[part]
            run[part] = {str(size): measure(place / f"{size}-{part}", size, say) for size in sizes}
            run["about"][part] = machine() | {"commit": commit(), "finished": time.strftime("%Y-%m-%d %H:%M")}
    recorded.write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    write_part(BEGIN, as_markdown(run), END)


if __name__ == "__main__":
    main()
