"""What each act takes as a service grows: milliseconds of processor, and SQL statements, without a network.

`python -m bench.growth` fills databases with few and many concerns, guides, editions and other rows, and writes the
tables into the reference. All sizes run in one process, and each act is done on all of them in turn, so that their
ratios mean something even on a busy machine. With `--check` nothing is written: an act that takes more statements
with more rows, or more processor than its bar allows, is a failure.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from app.models.guides.editions import EditionContent
from app.models.guides.seed_files import read_seed_file
from app.services.guides.publishing import publish_edition
from bench import content
from bench.content import CONCERN, guide_of_many, made_up_guide
from bench.inside import Cost, Inside, Request, running_inside
from bench.report import RESULTS, commit, machine, write_part
from bench.rounds import Say
from tests.support.other_rows import fill_with_others
from tests.support.signed_in import SignedIn, sign_in
from tests.support.years import fill_with_years

TURNS, FEW = 10, 4  # of each act, and of one that takes long; the first is not measured
SEARCHED = ("a", "child", "the exploit", "older partner online", "vunerable whereabuots")  # a letter finds the most
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
AGAIN = "a-made-up-key-of-the-benchmark-"
BEGIN = "<!-- The recorded growth: `python -m bench.growth` writes this part. -->"
END = "<!-- End of the recorded growth. -->"
DESK = "/v1/desk/concerns"
DECISIVE_MILLISECONDS = 1.0
"""Less counts as this: the clock and the event loop are most of it."""


@dataclass(frozen=True)
class Act:
    """An act and its calls, of which the first is not measured. `before` comes before each, and is not measured.

    `most` is its bar: how many times as much processor it may take at the largest size as at the smallest.
    """

    name: str
    calls: Sequence[Callable[[], object]]
    most: float = 1.3
    before: Callable[[], object] = lambda: None
    more_statements: int = 0


@dataclass(frozen=True)
class Part:
    """What grows, how much of it there is, how a folder is filled with it, and what is done there."""

    sizes: Sequence[int]
    fill: Callable[[Path, int, Say], object]
    acts: Callable[[Inside, SignedIn], Iterator[Act]]


def acts_on_concerns(inside: Inside, who: SignedIn) -> Iterator[Act]:
    """Yield each act on concerns. Concerns to work on are submitted first."""
    receipts = [json.loads(inside.ask(Request("POST", "/v1/concerns", JSON, CONCERN))) for _ in range(TURNS)]
    references = [each["reference"] for each in receipts]
    written = who.headers | JSON

    def act(name: str, requests: Sequence[Request], **more: Any) -> Act:
        return Act(name, [partial(inside.ask, each) for each in requests], **more)

    yield act("raising a concern", [Request("POST", "/v1/concerns", JSON, CONCERN)] * TURNS)
    keys = [JSON | {"Idempotency-Key": f"{AGAIN}{time.time_ns()}-{number}"} for number in range(TURNS)]
    yield act(
        "raising a concern, with an idempotency key", [Request("POST", "/v1/concerns", key, CONCERN) for key in keys]
    )
    tokens = [{"Authorization": f"Bearer {each['status_token']}"} for each in receipts]
    statuses = zip(references, tokens, strict=True)
    yield act("following a concern", [Request("GET", f"/v1/concerns/{each}", token) for each, token in statuses])
    yield act("the inbox", [Request("GET", DESK, who.headers)] * TURNS)
    yield act("the inbox page", [Request("GET", "/desk", who.cookies)] * TURNS)
    yield act(
        "finding a reference", [Request("GET", f"/desk/find?reference={each}", who.cookies) for each in references]
    )
    yield act("opening a concern", [Request("GET", f"{DESK}/{each}", who.headers) for each in references])
    yield act("the page of a concern", [Request("GET", f"/desk/concerns/{each}", who.cookies) for each in references])
    yield act(
        "acknowledging", [Request("POST", f"{DESK}/{each}/acknowledgement", written, b"{}") for each in references]
    )
    outcome = b'{"outcome":"early_help"}'
    yield act("closing", [Request("POST", f"{DESK}/{each}/outcome", written, outcome) for each in references])
    reads = {
        "the summary": ("/v1/desk/summary", 2),
        "a scrape of /metrics": ("/metrics", 2),
        "figures of 30 days": ("/v1/desk/figures?days=30", 2),
        "events": ("/v1/events", 1.3),
        "the audit log": ("/v1/desk/disclosures", 1.3),
        "monthly statistics": ("/v1/desk/statistics.csv", 50),  # of all years
    }
    for name, (path, most) in reads.items():
        yield act(name, [Request("GET", path, who.headers)] * TURNS, most=most)
    yield act("the page of the audit log", [Request("GET", "/desk/record", who.cookies)] * TURNS)


def acts_on_editions(inside: Inside, _: SignedIn) -> Iterator[Act]:
    """Yield the reads of a guide, and publishing one edition more."""
    path, numbers = f"/v1/guides/{guide_of_many(0)}", range(2, TURNS + 2)
    yield _reading(inside, "the first read of an edition", [f"{path}/editions/{each}" for each in numbers])
    yield _reading(inside, "the first read of a section", [f"{path}/editions/{each}/indicators" for each in numbers])
    yield _reading(
        inside, "the first read of the history", [f"{path}/editions?limit={each}" for each in numbers], most=4
    )
    changes = [f"{path}/editions/{each}/changes?since=1" for each in numbers]
    yield _reading(inside, "changes between two editions", changes)
    publish = _publishing(inside, guide_of_many(0))
    yield Act("publishing an edition, without HTTP", [publish] * TURNS, most=1.6)
    current = partial(inside.ask, Request("GET", path, {}))
    yield Act("the first read of the current guide", [current] * TURNS, before=publish)


def acts_on_guides(inside: Inside, _: SignedIn) -> Iterator[Act]:
    """Yield the searches and lists of all guides, a first read, and what a publication costs each process."""
    inside.hold_again()
    first = f"/v1/guides/{made_up_guide(0)}"
    yield _reading(inside, "the first read of a guide", [f"{first}/editions/1"] * TURNS)
    yield _reading(inside, "the first read of a section", [f"{first}/editions/1/indicators"] * TURNS)
    for words in SEARCHED:
        searches = [f"/v1/search?q={words.replace(' ', '%20')}"] * TURNS
        yield _reading(inside, f"search for '{words}'", searches, most=25)
    for name, path, most in (
        ("the home page", "/", 25),
        ("the list of guides", "/v1/guides", 25),
        ("the feed", "/v1/feed.json", 25),
        ("the Open Referral list", "/open-referral/v3/services", 400),
    ):
        yield _reading(inside, name, [path] * FEW, most=most)
    publish = _publishing(inside, made_up_guide(0))
    yield Act("publishing an edition, without HTTP", [publish] * FEW, most=1.6)
    yield Act(
        "holding all again in each process after it",
        [inside.hold_again] * FEW,
        most=15,
        before=publish,
        more_statements=10,
    )


def acts_among_others(inside: Inside, who: SignedIn) -> Iterator[Act]:
    """Yield what could be slower among many people, webhooks, saved forms and entries of the audit log."""

    def reading(name: str, path: str, headers: dict[str, str], **more: Any) -> Act:
        return Act(name, [partial(inside.ask, Request("GET", path, headers))] * TURNS, **more)

    raise_concern = partial(inside.ask, Request("POST", "/v1/concerns", JSON, CONCERN))
    yield Act("raising a concern", [raise_concern] * TURNS, most=3)  # which is told to each webhook
    save = partial(inside.ask, Request("POST", "/raise-a-concern", FORM, b"immediate_danger=no&do=save"))
    yield Act("saving a form", [save] * TURNS)
    yield reading("the inbox", DESK, who.headers)
    yield reading("the inbox page", "/desk", who.cookies)
    yield reading("the page of people", "/desk/people", who.cookies, most=4)
    yield reading("the audit log", "/v1/desk/disclosures", who.headers)
    yield reading("the page of the audit log", "/desk/record", who.cookies)
    yield reading("events", "/v1/events", who.headers)
    yield reading("a scrape of /metrics", "/metrics", {}, most=2)


def _reading(inside: Inside, name: str, paths: Sequence[str], **more: Any) -> Act:
    """Return reads of which the response cache has none."""
    empty = inside.app.state.context.response_cache.clear
    return Act(name, [partial(inside.ask, Request("GET", each, {})) for each in paths], before=empty, **more)


def _publishing(inside: Inside, guide: str) -> Callable[[], object]:
    """Return a function that publishes one more edition of the guide each time."""
    context, edition, numbers = inside.app.state.context, read_seed_file(content.FIRST_EDITION, EditionContent), count()

    def publish() -> None:
        new = edition.model_copy(update={"change_note": f"One more edition, number {next(numbers)}."})
        context.writer.run(publish_edition, context.reference_data, guide, new, at=context.clock(), two_people=False)

    return publish


def _saying(say: Say) -> Callable[[str, int, int], None]:
    return lambda what, done, of: say(f"{what}: {done:,} of {of:,}")


PARTS = {
    "concerns": Part(
        (1_000, 70_000),
        lambda folder, size, say: fill_with_years(folder, size, _saying(say)),
        acts_on_concerns,
    ),
    "editions": Part((20, 150), lambda folder, size, _: content.fill_with_editions(folder, 1, size), acts_on_editions),
    "guides": Part(
        (1, 150, 1_000),
        lambda folder, size, say: content.fill_with_guides(folder, size, _saying(say)),
        acts_on_guides,
    ),
    "of each other kind": Part((1, 10), lambda folder, size, _: fill_with_others(folder, size), acts_among_others),
}


def measure(part: Part, folder: Path, say: Say) -> dict[str, tuple[Act, list[Cost]]]:
    """Fill what is missing in `folder`. Return each act with what it takes at each size: the least of all turns."""
    found = {}
    with ExitStack() as stack:
        every_size = []
        for size in part.sizes:
            place = folder / str(size)
            if not place.exists():
                part.fill(place, size, say)
            who = sign_in(place)
            every_size.append((inside := stack.enter_context(running_inside(place)), part.acts(inside, who)))
        for acts in zip(*(acts for _, acts in every_size), strict=True):
            say(acts[0].name)
            pairs = [(inside, act) for (inside, _), act in zip(every_size, acts, strict=True)]
            costs: list[list[Cost]] = [[] for _ in part.sizes]
            for turn in range(len(acts[0].calls)):
                for number, (inside, act) in enumerate(pairs):
                    act.before()
                    cost = inside.measure(act.calls[turn])
                    if turn:  # at the first call a template is compiled, or a statement prepared
                        costs[number].append(cost)
            found[acts[0].name] = (
                acts[0],
                [Cost(min(each.milliseconds for each in some), some[-1].statements) for some in costs],
            )
    return found


def faults(found: dict[str, tuple[Act, list[Cost]]]) -> Iterator[str]:
    """Yield a line for each act that takes more statements with more rows, or more processor than its bar allows."""
    for name, (act, costs) in found.items():
        statements = [each.statements for each in costs]
        ratio = _ratio(costs[0].milliseconds, costs[-1].milliseconds)
        if max(statements) > statements[0] + act.more_statements:
            yield f"{name}: {' and '.join(map(str, statements))} statements"
        if ratio > act.most:
            yield f"{name}: {ratio:.2f} times as much processor, at most {act.most:g}"


def _ratio(few: float, many: float) -> float:
    return max(many, DECISIVE_MILLISECONDS) / max(few, DECISIVE_MILLISECONDS)


def as_markdown(run: dict[str, Any]) -> str:
    """Return the recorded tables as Markdown for the reference."""
    lines = [BEGIN, ""]
    for what in run:
        sizes, about = run[what]["sizes"], run[what]["about"]
        lines.append(
            f"{about['finished']}, commit `{about['commit']}`, {about['cpu']}, Python {about['python']}, "
            f"at a load of {about['load_before']:.0f}:"
        )
        lines.append("")
        names = [f"{size:,} {what}" if what in {"concerns", "editions", "guides"} else f"× {size:,}" for size in sizes]
        lines.append(f"| ms of processor (statements) | {' | '.join(names)} | ratio | bar |")
        lines.append("|---|" + "---|" * (len(sizes) + 2))
        for act, (costs, most) in run[what]["acts"].items():
            ratio = _ratio(costs[0][0], costs[-1][0])
            cells = [f"{spent:.2f} ({statements})" for spent, statements in costs]
            verdict = f"at most {most:g}" + ("" if ratio <= most else " **missed**")
            lines.append(f"| {act} | {' | '.join(cells)} | {ratio:.2f} | {verdict} |")
        lines.append("")
    return "\n".join([*lines, END])


def main() -> int:
    """Measure every part, and write the figures and the tables, or check them. Return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="fail if an act misses its bar, and write nothing")
    parser.add_argument("--folder", type=Path, default=None, help="where the databases are, or are made and kept")
    parser.add_argument("--part", choices=PARTS, action="append", help="measure this part only (may be repeated)")
    arguments = parser.parse_args()

    def say(line: str) -> None:
        sys.stderr.write(line + "\n")

    recorded, failed = RESULTS / "growth.json", list[str]()
    run = {} if arguments.check else json.loads(recorded.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        for name in arguments.part or PARTS:
            part, about = PARTS[name], machine()
            found = measure(part, (arguments.folder or Path(temporary)) / name.replace(" ", "-"), say)
            for act, (_, costs) in found.items():
                cells = (f"{each.milliseconds:9.2f} ({each.statements:2})" for each in costs)
                sys.stdout.write(f"{act:<46}{''.join(cells)}\n")
            failed += [f"{name}: {each}" for each in faults(found)]
            about |= {"commit": commit(), "finished": time.strftime("%Y-%m-%d %H:%M")}
            acts = {each: (costs, act.most) for each, (act, costs) in found.items()}
            run[name] = {"about": about, "sizes": part.sizes, "acts": acts}
    if not arguments.check:
        recorded.write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
        write_part(BEGIN, as_markdown(run), END)
        return 0
    sys.stdout.write("\n".join(["", *failed, f"{len(failed)} acts grow more than they may.", ""]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
