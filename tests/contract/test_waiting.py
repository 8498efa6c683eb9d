"""No test waits a fixed time for something to happen: it waits until it has, by `tests/support/waiting.py`."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
WAITING = TESTS / "support" / "waiting.py"
SLEEPS = {"sleep", "wait_for_timeout"}  # of time, asyncio, anyio; of Playwright
PAUSE = "pause"

PAUSES = {
    ("tests/http/test_slow_clients.py", "trickle"): "a client that sends a line at a time",
    ("tests/http/test_slow_clients.py", "test_a_connection_that_is_used_again_and_again_stays_open"): "a slow client",
    ("tests/http/test_slow_clients.py", "test_a_body_that_comes_slowly_and_in_time_is_taken"): "a slow client",
    (
        "tests/operations/test_faults.py",
        "test_a_kill_at_any_moment_loses_nothing_that_was_acknowledged_and_doubles_nothing",
    ): "a fault comes at a random moment",
    (
        "tests/operations/test_faults.py",
        "test_a_database_server_that_is_killed_and_comes_back_is_used_again_and_has_everything",
    ): "a fault comes at a random moment",
}
"""The places where time itself is the subject: the file, the function, and the reason."""

Place = tuple[str, str]


def name_of(call: ast.Call) -> str:
    """The last part of the name of what is called."""
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def only_yields(call: ast.Call) -> bool:
    """Whether it waits no time, and only gives others their turn."""
    return [ast.unparse(argument) for argument in call.args] == ["0"]


def calls(tree: ast.AST, function: str = "") -> Iterator[tuple[str, ast.Call]]:
    """Each call, with the innermost function around it."""
    for child in ast.iter_child_nodes(tree):
        inside = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
        if isinstance(child, ast.Call):
            yield inside, child
        yield from calls(child, inside)


def waits(file: str, text: str) -> tuple[list[Place], list[Place]]:
    """The bare waits and the pauses of a file."""
    found = list(calls(ast.parse(text)))
    bare = [(file, inside) for inside, call in found if name_of(call) in SLEEPS and not only_yields(call)]
    return bare, [(file, inside) for inside, call in found if name_of(call) == PAUSE]


def all_waits() -> tuple[list[Place], list[Place]]:
    bare, pauses = [], []
    for path in sorted(TESTS.rglob("*.py")):
        if path != WAITING:
            more = waits(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
            bare += more[0]
            pauses += more[1]
    return bare, pauses


def test_no_test_sleeps() -> None:
    bare, _ = all_waits()

    assert bare == []


def test_a_test_pauses_only_where_time_is_the_subject() -> None:
    _, pauses = all_waits()

    assert set(pauses) == set(PAUSES)


@pytest.mark.parametrize(
    "sleeps", ["time.sleep(1)", "sleep(0.1)", "asyncio.sleep(x)", "anyio.sleep(1)", "page.wait_for_timeout(9)"]
)
def test_a_sleep_would_be_found(sleeps: str) -> None:
    bare, _ = waits("a.py", f"def f():\n    if x:\n        {sleeps}\n    asyncio.sleep(0)")

    assert bare == [("a.py", "f")]
