"""Sweeps over the words and the files of the service: plain English, one meaning for each name, and small files."""

import ast
import io
import re
import statistics
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlmodel import SQLModel

import app.store.tables  # noqa: F401  # so that SQLModel knows every table
from app.config import Settings
from app.web.context import AppContext
from app.web.problem_types import ALL_PROBLEM_TYPES

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
APP, TESTS = ROOT / "app", ROOT / "tests"
SOURCES = sorted(APP.rglob("*.py"))
TEXT_SUFFIXES = {".html", ".jinja", ".typ", ".js", ".css", ".sql", ".txt", ".sh"}
BUILT = {"unseal.js", "unseal.html"}
"""What `make desk-script` builds from `desk_script/src`, and from libraries."""
TEXTS = sorted(
    path
    for folder in (APP, ROOT / "desk_script" / "src")
    for path in folder.rglob("*")
    if path.suffix in TEXT_SUFFIXES and path.name not in BUILT
)
ROUTERS = sorted((APP / "routers").glob("*.py"))

BANNED = {"told", "whoever", "whom", "asked", "shelf"}
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
TOKEN = re.compile(r"\w+")
SENTENCE_LENGTH = 20
"""From this length on, a text may be a part of a longer text of the OpenAPI document; a shorter one must be equal."""

ALLOWED_TEXTS: dict[tuple[str, str], str] = {
    ("app/models/concerns/concern.py", "whom"): "a key of the JSON",
}
"""The places where a banned word stays, with the reason: the file and the whole text of the name or the string."""

LINK_TYPES = "each model of links names its own"
REPEATED_NAMES = {
    "router": "what the application includes of each module of routes",
    "log": "the logger of each module",
    "revision": "what Alembic reads of each revision",
    "down_revision": "what Alembic reads of each revision",
    "upgrade": "what Alembic calls of each revision",
}
"""The public names that several modules define, with the reason."""
ENTRANCES = ("app/routers/", "app/cli/")
WORKERS = ("app/services/", "app/store/")

MAX_LINES = 300
MAX_MEDIAN_LINES = 80

Place = tuple[str, int, str]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def has_banned_word(text: str) -> bool:
    """Return True if a word of the text is banned, also within an identifier: `is_told`, `NotTold`."""
    return any(word.lower() in BANNED for word in WORD.findall(text))


def one_line(text: str) -> str:
    return " ".join(text.split())


@dataclass(frozen=True)
class Wire:
    """The names and the texts that callers and operators see, which do not change."""

    names: frozenset[str]
    texts: frozenset[str]

    def has_name(self, identifier: str) -> bool:
        return identifier.lower() in self.names

    def has_long_name(self, identifier: str) -> bool:
        """Return True for a name of several words, which nobody uses for anything else."""
        return "_" in identifier and self.has_name(identifier)

    def has_text(self, text: str) -> bool:
        """Return True for a text of the wire, for a long part of one, and for a path of names: `concern.whom`."""
        line = one_line(text)
        if line in self.texts or all(self.has_name(name) for name in line.split(".")):
            return True
        return len(line) >= SENTENCE_LENGTH and any(line in each for each in self.texts)


def strings_of(document: object) -> Iterator[str]:
    """Yield every string of a JSON document, its keys included."""
    if isinstance(document, dict):
        yield from document
        for member in document.values():
            yield from strings_of(member)
    elif isinstance(document, list):
        for member in document:
            yield from strings_of(member)
    elif isinstance(document, str):
        yield document


@pytest.fixture
def wire(service: FastAPI) -> Wire:
    context: AppContext = service.state.context
    document = set(strings_of(service.openapi()))
    columns = {column.name for table in SQLModel.metadata.tables.values() for column in table.columns}
    problems = {text for each in ALL_PROBLEM_TYPES for text in (each.title, each.meaning)}
    names = {*document, *columns, *Settings.model_fields, *context.reference_data.code_lists}
    return Wire(
        frozenset(name.lower() for name in names if TOKEN.fullmatch(name.replace("-", ""))),
        frozenset(map(one_line, document | problems)),
    )


def identifiers_of(source: str) -> Iterator[tuple[int, str]]:
    """Yield each identifier with its line, also those within f-strings, which are one token before Python 3.12."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute):
            yield node.lineno, node.attr


def comments_of(source: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def texts_of(source: str) -> Iterator[tuple[int, str]]:
    """Yield each string and docstring with its line; adjacent strings are one."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def banned_in_python(source: str, wire: Wire) -> Iterator[tuple[int, str]]:
    yield from (
        (line, name) for line, name in identifiers_of(source) if has_banned_word(name) and not wire.has_long_name(name)
    )
    yield from ((line, text) for line, text in comments_of(source) if has_banned_word(text))
    yield from ((line, text) for line, text in texts_of(source) if has_banned_word(text) and not wire.has_text(text))


def banned_in_text(text: str, wire: Wire) -> Iterator[tuple[int, str]]:
    """Yield each banned word of a file that is not Python, except in names of the wire that have several words."""
    for number, line in enumerate(text.splitlines(), start=1):
        for token in TOKEN.findall(line):
            if has_banned_word(token) and not wire.has_long_name(token):
                yield number, token


def banned_places(wire: Wire) -> Iterator[Place]:
    for path in (*SOURCES, *TEXTS):
        check = banned_in_python if path.suffix == ".py" else banned_in_text
        for line, text in check(path.read_text(encoding="utf-8"), wire):
            yield named(path), line, one_line(text)


def test_no_source_has_a_banned_word_outside_the_wire(wire: Wire) -> None:
    found = dict.fromkeys(banned_places(wire))

    assert [place for place in found if (place[0], place[2]) not in ALLOWED_TEXTS] == []
    assert {(path, text) for path, _, text in found} == ALLOWED_TEXTS.keys()  # none is left over


@pytest.mark.parametrize(
    "source",
    [
        "told = 1",
        "x = f'{is_told}'",
        "def ask(whom): ...",
        "class NotTold: ...",
        "x = 1  # whoever",
        '"""Return what was asked."""',
        "x = 'told'",
        "x.shelf()",
    ],
)
def test_a_banned_word_would_be_found_in_python(wire: Wire, source: str) -> None:
    assert list(banned_in_python(source, wire))


@pytest.mark.parametrize(
    "text", ["<p>{{ told }}</p>", "// whoever", "{# The SHELF #}", ".asked { color: red }", "whom"]
)
def test_a_banned_word_would_be_found_in_a_template(wire: Wire, text: str) -> None:
    assert list(banned_in_text(text, wire))


@pytest.mark.parametrize(
    "source", ["x = masked(retold)", "row.overdue_told", "x = 'told_by_child'", "x = 'concern.whom'"]
)
def test_other_words_and_names_of_the_wire_are_no_fault(wire: Wire, source: str) -> None:
    assert list(banned_in_python(source, wire)) == []


def defined_in(path: Path) -> Iterator[str]:
    """Yield the public names that the module defines at its top level, without those that it imports."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        names: list[str] = []
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names = [name]
            case ast.Assign(targets=targets):
                names = [each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)]
            case ast.AnnAssign(target=ast.Name(id=name)):
                names = [name]
        yield from (name for name in names if not name.startswith("_"))


def is_route_over_its_service(modules: set[str]) -> bool:
    """Return True for a route or a command with the name of the function that does its work."""
    entrances = {module for module in modules if module.startswith(ENTRANCES)}
    return len(modules) == 2 and len(entrances) == 1 and all(each.startswith(WORKERS) for each in modules - entrances)


def test_no_public_name_has_two_meanings() -> None:
    modules = defaultdict[str, set[str]](set)
    for path in SOURCES:
        for name in defined_in(path):
            modules[name].add(named(path))
    repeated = {name: each for name, each in modules.items() if len(each) > 1 and name not in REPEATED_NAMES}

    assert {name: each for name, each in repeated.items() if not is_route_over_its_service(each)} == {}


def imported_by(path: Path) -> Iterator[str]:
    """Yield each imported module, and each imported name as if it were one."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{each.name}" for each in node.names)


def test_tests_share_code_in_their_support_alone() -> None:
    tests = {named(path).removesuffix(".py").replace("/", ".") for path in TESTS.rglob("*.py")}
    shared = {module for path in TESTS.rglob("*.py") for module in imported_by(path) if module in tests}

    assert shared
    assert {module for module in shared if not module.startswith("tests.support.")} == set()


def test_files_are_small() -> None:
    lengths = {named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}

    assert {path: length for path, length in lengths.items() if length > MAX_LINES} == {}
    assert statistics.median(lengths.values()) <= MAX_MEDIAN_LINES


def test_every_file_of_the_routers_declares_routes_or_their_parameters() -> None:
    others = {path.name for path in ROUTERS if "router" not in defined_in(path)}

    assert others == {"__init__.py", "params.py"}


def lambdas_passed(path: Path) -> list[tuple[str, int]]:
    """Return the place of each lambda that a call gets, but for the key of a sort."""
    calls = (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))
    arguments = (each for call in calls for each in (*call.args, *(k.value for k in call.keywords if k.arg != "key")))
    return [(named(path), each.lineno) for each in arguments if isinstance(each, ast.Lambda)]


def test_routes_pass_no_lambdas() -> None:
    files = [path for path in SOURCES if "router" in defined_in(path)]

    assert {path.parent.name for path in files} >= {"routers", "desk", "edit", "form", "status"}
    assert [place for path in files for place in lambdas_passed(path)] == []


def test_routers_share_their_parameters_alone() -> None:
    shared = {module for path in (APP.rglob("*.py")) if path.name != "main.py" for module in imported_by(path)}

    assert {module for module in shared if re.match(r"app\.routers\.(?!params\b)", module)} == set()
