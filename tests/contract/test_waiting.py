"""No test waits a fixed time for something to happen: it waits until it has, by `tests/support/waiting.py`.

And a time limit that only ends a failing test is so long that a busy machine keeps it.
"""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.waiting import LONG_ENOUGH

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
WAITING = TESTS / "support" / "waiting.py"
SLEEPS = {"sleep", "wait_for_timeout", "Timer"}  # of time, asyncio, anyio; of Playwright; of threading
IN_OTHER_LANGUAGES = re.compile(r"setTimeout\(.*,|(^|[;&| ])sleep [0-9]")
PAUSE = "pause"
LIMITS = {"timeout", "patience_seconds"}
FIVE_SECONDS = {f"httpx.{each}" for each in ("get", "post", "request", "stream", "Client", "AsyncClient")}
"""What has that limit where no other is given."""
WAITS = {"wait", "join", "result", "eventually"}

PAUSES = {
    ("tests/http/test_slow_clients.py", "test_a_connection_that_is_used_again_and_again_stays_open"): "a slow client",
    ("tests/http/test_slow_clients.py", "test_a_body_that_comes_slowly_and_in_time_is_taken"): "a slow client",
    ("tests/operations/test_metric_values.py", "slow"): "a slow disk",
    ("tests/operations/test_nodes.py", "append_slowly"): "transactions are open for a random time",
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
Rule = Callable[[ast.AST, ast.AST], bool]


def nodes(tree: ast.AST, function: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Each node, with the innermost function around it."""
    for child in ast.iter_child_nodes(tree):
        yield child, function
        yield from nodes(child, child if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function)


def name_of(node: ast.AST) -> str:
    """The last part of the name of what is called; empty where nothing is."""
    function = node.func if isinstance(node, ast.Call) else None
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def limit_of(call: ast.Call) -> ast.expr | None:
    """The time after which the call goes on, in any case: of an event, a thread, a process, a future, a condition."""
    given = [each.value for each in call.keywords if each.arg in LIMITS]
    is_words = (
        name_of(call) == "join" and isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Constant)
    )
    if name_of(call) in WAITS - {"eventually"} and not is_words:
        given += call.args
    return given[0] if given else None


def is_sleep(node: ast.AST, _function: ast.AST) -> bool:
    """Whether it lets a time pass. One of no time only gives others their turn."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return bool(IN_OTHER_LANGUAGES.search(node.value))
    if not isinstance(node, ast.Call):
        return False
    arguments = [ast.unparse(each) for each in node.args]
    if name_of(node) == "select":
        return arguments[:3] == ["[]", "[]", "[]"]
    return name_of(node) in SLEEPS and arguments != ["0"]


def is_unseen(node: ast.AST, function: ast.AST) -> bool:
    """Whether it waits for something up to a time, and nobody looks whether it came: so it may be a pause.

    The wait for a process raises an error when the time is over. The join of a thread says nothing: `is_alive` does.
    """
    if not isinstance(node, ast.Expr) or not isinstance(call := node.value, ast.Call) or name_of(call) not in WAITS:
        return False
    if name_of(call) == "join":
        return limit_of(call) is not None and "is_alive" not in ast.unparse(function)
    if name_of(call) == "wait":
        return limit_of(call) is not None and "process" not in ast.unparse(call.func).lower()
    return name_of(call) == "eventually"


def is_hasty(node: ast.AST, _function: ast.AST) -> bool:
    """Whether it fails, on a busy machine, after a time that is too short. A loop may be paced by any time."""
    if not isinstance(node, ast.Call):
        return False
    if ast.unparse(node.func) in FIVE_SECONDS and limit_of(node) is None:
        return True
    milliseconds = name_of(node) == "set_default_timeout"
    limit = node.args[0] if milliseconds else limit_of(node)
    shown = limit.value if isinstance(limit, ast.Constant) else None
    return isinstance(shown, int | float) and shown < LONG_ENOUGH * (1000 if milliseconds else 1)


def is_pause(node: ast.AST, _function: ast.AST) -> bool:
    return name_of(node) == PAUSE


def paces(tree: ast.AST) -> set[ast.AST]:
    """The waits for a stop that pace a loop: `while not stop.wait(0.1)`, and `if stop.wait(0.1): return`."""
    tests = [node.test for node in ast.walk(tree) if isinstance(node, ast.While | ast.If)]
    return {inner for test in tests for inner in ast.walk(test) if name_of(inner) == "wait"}


def places(file: str, text: str, rule: Rule) -> list[Place]:
    """Where the file has what the rule is about."""
    tree = ast.parse(text)
    left_out = paces(tree) if rule is is_hasty else set()
    return [
        (file, getattr(function, "name", ""))
        for node, function in nodes(tree, tree)
        if node not in left_out and rule(node, function)
    ]


def everywhere(rule: Rule) -> list[Place]:
    found = []
    for path in sorted(TESTS.rglob("*.py")):
        if path not in (WAITING, Path(__file__)):
            found += places(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"), rule)
    return found


def test_no_test_sleeps() -> None:
    assert everywhere(is_sleep) == []


def test_who_waits_looks_whether_it_came() -> None:
    assert everywhere(is_unseen) == []


def test_no_time_limit_ends_a_test_on_a_busy_machine() -> None:
    assert everywhere(is_hasty) == []


def test_a_test_pauses_only_where_time_is_the_subject() -> None:
    assert set(everywhere(is_pause)) == set(PAUSES)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        *((is_sleep, text) for text in ("time.sleep(1)", "sleep(0.1)", "asyncio.sleep(x)", "anyio.sleep(1)")),
        *(
            (is_sleep, text)
            for text in ("page.wait_for_timeout(9)", "threading.Timer(0.3, f)", "select([], [], [], 1)")
        ),
        *((is_sleep, text) for text in ("page.evaluate('setTimeout(f, 100)')", "run(['sh', '-c', 'true; sleep 1'])")),
        *((is_unseen, text) for text in ("event.wait(60)", "event.wait(timeout=x)", "eventually(ready)")),
        *((is_unseen, text) for text in ("thread.join(60)", "thread.join(timeout=x)")),
        *(
            (is_hasty, text)
            for text in ("assert event.wait(5)", "future.result(timeout=0.2)", "process.wait(timeout=9)")
        ),
        *((is_hasty, text) for text in ("get(url, timeout=5)", "eventually(f, patience_seconds=2)")),
        *((is_hasty, text) for text in ("context.set_default_timeout(5000)", "httpx.get(url)", "httpx.Client()")),
    ],
)
def test_what_is_not_allowed_would_be_found(rule: Rule, text: str) -> None:
    assert places("a.py", f"def f():\n    if x:\n        {text}\n    asyncio.sleep(0)", rule) == [("a.py", "f")]


@pytest.mark.parametrize(
    "text",
    [
        "assert event.wait(60)",
        "process.wait(timeout=30)",
        "event.wait()",
        "thread.join()",
        "thread.join(timeout=30)\n        assert not thread.is_alive()",
        "assert ', '.join(words)",
        "while not stop.wait(0.1):\n            send()",
        "wait_until(ready)",
        "httpx.get(url, timeout=30)",
    ],
)
def test_what_is_allowed_is_not_found(text: str) -> None:
    for rule in (is_sleep, is_unseen, is_hasty):
        assert places("a.py", f"def f():\n    if x:\n        {text}", rule) == []
