"""`python -m bench.structure`: the size and coupling of the code, and how much of it a request passes.

A profiling hook in every thread traces the second of two equal requests. Only the first entry of each function counts.
A request passes a file if it enters one of the file's functions. A move leads from one file to another.
"""

import ast
import asyncio
import re
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any

import httpx

from app.config import Settings
from app.main import create_app

ROOT = Path(__file__).parents[1]
APP = ROOT / "app"
TESTS = ROOT / "tests"
MOST_PARAMETERS = 6
BANNER = re.compile(r"(?:^|\n)\n# [^\n]+\n(?=\n)")
"""A comment at the margin with blank lines above and below: a sign that a file contains two subjects."""
CONCERN = {
    "immediate_danger": "no",
    "reporter": {"kind": "professional"},
    "children": [{}],
    "concern": {"narrative": "Alex Example was collected from school by an adult that staff do not know."},
}
GUIDE = "/v1/guides/child-sexual-exploitation"
MOST = {"a concern": (25, 90, 130), "an acknowledgement": (22, 75, 110), "a cold read": (16, 45, 85)}
"""Maximum numbers of files, moves and functions that a request should pass."""
Row = tuple[str, str, str]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def main() -> int:
    """Print a table of the figures, each with its maximum."""
    rows = [*_static_rows(), *asyncio.run(_request_rows())]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in [("figure", "is", "at most"), *rows]:
        sys.stdout.write(f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}\n")
    return 0


def _static_rows() -> Iterator[Row]:
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(APP.rglob("*.py"))}
    modules = {path: ast.parse(text) for path, text in texts.items()}
    yield "Python files of app/", str(len(texts)), "260"
    yield "lines of them", f"{sum(len(text.splitlines()) for text in texts.values()):,}", "41,500"
    yield "lines of tests/", f"{sum(len(path.read_text().splitlines()) for path in TESTS.rglob('*.py')):,}", "45,000"
    yield "banners between definitions", str(sum(len(BANNER.findall(text)) for text in texts.values())), "0"
    yield "blocks of constants below a definition", str(sum(map(count_blocks_below, modules.values()))), "0"
    yield "signatures that are written", str(sum(text.count('"__signature__"') for text in texts.values())), "0"
    yield "public names in two modules", str(len(_names_of_two(modules))), "18"
    functions = [each for tree in modules.values() for each in ast.walk(tree) if isinstance(each, Function)]
    yield "functions with over six parameters", str(sum(_parameters(each) > MOST_PARAMETERS for each in functions)), "0"
    yield "imports inside functions", str(sum(map(_inner_imports, functions))), "6"


def count_blocks_below(tree: ast.Module) -> int:
    """Return the number of blocks of constants below the first definition.

    Blocks that use one of the definitions do not count, because they cannot be higher up.
    """
    defined: set[str] = set()
    blocks, in_block = 0, False
    for node in tree.body:
        if isinstance(node, Function | ast.ClassDef):
            defined.add(node.name)
            in_block = False
        elif isinstance(node, ast.Assign | ast.AnnAssign) and defined:
            named = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
            if named & defined:
                defined |= named
            else:
                blocks, in_block = blocks + (not in_block), True
    return blocks


def _names_of_two(modules: dict[Path, ast.Module]) -> set[str]:
    """Return the public names of functions and classes that are defined in more than one module."""
    homes: defaultdict[str, set[Path]] = defaultdict(set)
    for path, tree in modules.items():
        for node in tree.body:
            if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].add(path)
    return {name for name, paths in homes.items() if len(paths) > 1}


def _parameters(function: Function) -> int:
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return sum(each.arg not in {"self", "cls"} for each in every)


def _inner_imports(function: Function) -> int:
    return sum(isinstance(each, ast.Import | ast.ImportFrom) for each in ast.walk(function))


class _Trace:
    """A profiling hook that notes the functions of `app/` with their files, in the order of their first entry."""

    def __init__(self) -> None:
        self.entered: dict[tuple[str, str, int], None] = {}

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(str(APP)) and not code.co_name.startswith("<"):
            self.entered.setdefault((code.co_filename, code.co_qualname, code.co_firstlineno))

    def counts(self) -> tuple[int, int, int]:
        """Return the numbers of files, moves and functions."""
        files = [name for name, *_ in self.entered]
        return len(set(files)), sum(before != after for before, after in pairwise(files)), len(files)


async def _request_rows() -> list[Row]:
    trace = _Trace()
    threading.setprofile(trace)  # the hook must be set before a thread of the service starts
    with tempfile.TemporaryDirectory(prefix="structure-") as folder:
        app = create_app(Settings(data_dir=Path(folder), deliver=False), lambda: datetime.now(UTC))
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
                rows = await _request_rows_of(client, {"Authorization": f"Bearer {_desk_key(Path(folder))}"}, trace)
    threading.setprofile(None)
    return rows


async def _request_rows_of(client: httpx.AsyncClient, key: dict[str, str], trace: _Trace) -> list[Row]:
    async def raise_concern() -> httpx.Response:
        return await client.post("/v1/concerns", json=CONCERN)

    ids = iter([each["id"] for each in (await client.get(f"{GUIDE}/indicators")).json()["indicators"]])
    references = iter([(await raise_concern()).json()["reference"] for _ in range(2)])
    measured: dict[str, Callable[[], Awaitable[httpx.Response]]] = {
        "a concern": raise_concern,
        "an acknowledgement": lambda: client.post(
            f"/v1/desk/concerns/{next(references)}/acknowledgement", json={}, headers=key
        ),
        "a cold read": lambda: client.get(f"{GUIDE}/indicators/{next(ids)}"),
    }
    rows: list[Row] = []
    for name, send in measured.items():
        (await send()).raise_for_status()
        trace.entered.clear()
        sys.setprofile(trace)
        answer = await send()
        sys.setprofile(None)
        answer.raise_for_status()
        for what, count, most in zip(("files", "moves", "functions"), trace.counts(), MOST[name], strict=True):
            rows.append((f"{what} of {name}", str(count), str(most)))
    return rows


def _desk_key(folder: Path) -> str:
    command = [sys.executable, "-m", "app.cli", "clients", "add", "example-desk", "--data-dir", str(folder)]
    scopes = ["--scope", "concerns:read", "--scope", "concerns:write"]
    return subprocess.run([*command, *scopes], check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
