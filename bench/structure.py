"""`python -m bench.structure`: how much code there is, how it hangs together, and how much of it a request passes.

Files and moves of a request are counted by a profiling hook in every thread, on the second of two equal requests. A
move is a call from a function of one file of `app/` into a function of another.
"""

import ast
import asyncio
import subprocess
import sys
import tempfile
import threading
from collections import Counter
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
MOST_PARAMETERS = 6
NO_SUBJECT = {"__init__", "__main__"}
CONCERN = {
    "immediate_danger": "no",
    "reporter": {"kind": "professional"},
    "children": [{}],
    "concern": {"narrative": "Alex Example was collected from school by an adult that staff do not know."},
}
GUIDE = "/v1/guides/child-sexual-exploitation"
Row = tuple[str, str, str]
Definition = ast.FunctionDef | ast.AsyncFunctionDef


def main() -> int:
    """Print the table."""
    rows = [*_static_rows(), *asyncio.run(_request_rows())]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in [("figure", "is", "at most"), *rows]:
        sys.stdout.write(f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}\n")
    return 0


def _static_rows() -> Iterator[Row]:
    paths = [path for path in sorted(APP.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
    modules = {path: ast.parse(path.read_text(encoding="utf-8")) for path in paths if path.suffix == ".py"}
    lines = Counter({path: _count_lines(path) for path in paths})
    yield "Python files of app/", str(len(modules)), "220"
    yield "lines of them", f"{sum(lines[path] for path in modules):,}", "31,000"
    yield "lines of app/", f"{lines.total():,}", "37,000"
    yield "modules with one importer", str(_with_one_importer(modules)), "40"
    yield "basenames twice on a floor", str(_twice_on_a_floor(modules)), "0"
    functions = [each for tree in modules.values() for each in ast.walk(tree) if isinstance(each, Definition)]
    yield "functions with over six parameters", str(sum(_parameters(each) > MOST_PARAMETERS for each in functions)), "0"
    yield "imports inside functions", str(sum(map(_inner_imports, functions))), "6"


def _count_lines(path: Path) -> int:
    try:
        return len(path.read_text(encoding="utf-8").splitlines())
    except UnicodeDecodeError:
        return 0  # a font or a picture


def _with_one_importer(modules: dict[Path, ast.Module]) -> int:
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in modules}
    importers: Counter[str] = Counter()
    for tree in modules.values():
        imported = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module in names:
                imported.add(node.module)
            if isinstance(node, ast.ImportFrom) and node.module:
                imported |= {f"{node.module}.{each.name}" for each in node.names} & set(names)
        importers.update(imported)
    return sum(importers[name] == 1 for name in names if name.rsplit(".", 1)[-1] not in NO_SUBJECT)


def _twice_on_a_floor(modules: dict[Path, ast.Module]) -> int:
    named = Counter((path.relative_to(APP).parts[0], path.stem) for path in modules if path.stem not in NO_SUBJECT)
    return sum(count - 1 for count in named.values())


def _parameters(function: Definition) -> int:
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return sum(each.arg not in {"self", "cls"} for each in every)


def _inner_imports(function: Definition) -> int:
    return sum(isinstance(each, ast.Import | ast.ImportFrom) for each in ast.walk(function))


class _Trace:
    """The files of `app/` that are entered, in order, each thread for itself."""

    def __init__(self) -> None:
        self.entered: dict[int, list[str]] = {}

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        name = frame.f_code.co_filename
        if event == "call" and name.startswith(str(APP)):
            self.entered.setdefault(threading.get_ident(), []).append(name)

    def files(self) -> int:
        return len({name for entered in self.entered.values() for name in entered})

    def moves(self) -> int:
        return sum(before != after for entered in self.entered.values() for before, after in pairwise(entered))


async def _request_rows() -> list[Row]:
    rows: list[Row] = []
    trace = _Trace()
    threading.setprofile(trace)  # before any thread of the service starts
    with tempfile.TemporaryDirectory(prefix="structure-") as folder:
        app = create_app(Settings(data_dir=Path(folder), deliver=False), lambda: datetime.now(UTC))
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
                rows += await _request_rows_of(client, {"Authorization": f"Bearer {_desk_key(Path(folder))}"}, trace)
    threading.setprofile(None)
    return rows


async def _request_rows_of(client: httpx.AsyncClient, key: dict[str, str], trace: _Trace) -> list[Row]:
    async def raise_concern() -> httpx.Response:
        return await client.post("/v1/concerns", json=CONCERN)

    ids = iter([each["id"] for each in (await client.get(f"{GUIDE}/indicators")).json()["indicators"]])
    references = iter([(await raise_concern()).json()["reference"] for _ in range(2)])
    measured: list[tuple[str, Callable[[], Awaitable[httpx.Response]], tuple[int, int]]] = [
        ("a concern", raise_concern, (22, 80)),
        ("a cold read", lambda: client.get(f"{GUIDE}/indicators/{next(ids)}"), (14, 50)),
        (
            "an acknowledgement",
            lambda: client.post(f"/v1/desk/concerns/{next(references)}/acknowledgement", json={}, headers=key),
            (20, 90),
        ),
    ]
    rows: list[Row] = []
    for name, send, (most_files, most_moves) in measured:
        (await send()).raise_for_status()
        trace.entered.clear()
        sys.setprofile(trace)
        answer = await send()
        sys.setprofile(None)
        answer.raise_for_status()
        rows.append((f"files that pass {name}", str(trace.files()), str(most_files)))
        rows.append((f"moves between files of {name}", str(trace.moves()), str(most_moves)))
    return rows


def _desk_key(folder: Path) -> str:
    command = [sys.executable, "-m", "app.cli", "clients", "add", "example-desk", "--data-dir", str(folder)]
    scopes = ["--scope", "concerns:read", "--scope", "concerns:write"]
    return subprocess.run([*command, *scopes], check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
