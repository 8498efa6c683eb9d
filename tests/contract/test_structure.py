"""The layout of `app/`: the same subjects on each floor, one thing a file, constants on top, within its weights."""

import ast
import asyncio
import re
from pathlib import Path

import pytest

from tests.support import structure, walks

pytestmark = pytest.mark.any_database

ROOT = Path(__file__).parents[2]
FILES = [path for path in sorted((ROOT / "app").rglob("*.py")) if "versions" not in path.parts]
FLOORS = ("cli", "models", "pages", "routers", "services")
SUBJECTS = {"access", "audit", "concerns", "desk", "events", "guides", "operations"}
BANNER = re.compile(r"(?:^|\n)\n# [^\n]+\n(?=\n)")
"""A comment at the margin with blank lines above and below: a sign that a file contains two subjects."""
FIFTY = "pass\n" * 50


def count_blocks_below(tree: ast.Module) -> int:
    """Return the number of blocks of constants below the first definition, but for those that use a definition."""
    defined: set[str] = set()
    blocks, in_block = 0, False
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            defined.add(node.name)
            in_block = False
        elif isinstance(node, ast.Assign | ast.AnnAssign) and defined:
            named = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
            if named & defined:
                defined |= named
            else:
                blocks, in_block = blocks + (not in_block), True
    return blocks


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small tree with the weights that its document states."""
    for name in ("main.py", "models/a/b.py", "extensions/__init__.py", "extensions/hello/models/greeting.py"):
        (tmp_path / "app" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "app" / name).write_text(f'"""One.\n\nThree."""\n{FIFTY}', encoding="utf-8")
    (tmp_path / "docs").mkdir()
    (tmp_path / structure.ARCHITECTURE).write_text(f"# Before\n\n{structure.MARK}\n## After\n", encoding="utf-8")
    structure.write_weights(tmp_path, {"a read": 7})
    return tmp_path


def test_every_floor_has_the_same_subjects() -> None:
    floors = {floor: {path.parent.name for path in (ROOT / "app" / floor).glob("*/__init__.py")} for floor in FLOORS}

    assert floors["models"] == SUBJECTS
    assert floors["services"] == SUBJECTS | {"clock"}
    assert {floor for floor, folders in floors.items() if not folders <= SUBJECTS | {"clock"}} == set()


def test_no_banner_separates_definitions() -> None:
    assert len(FILES) > 100
    assert [str(path) for path in FILES if BANNER.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.slow
def test_constants_are_above_definitions_that_they_do_not_need() -> None:
    found = {str(path): count_blocks_below(ast.parse(path.read_text(encoding="utf-8"))) for path in FILES}

    assert {path: blocks for path, blocks in found.items() if blocks} == {}


@pytest.mark.slow
def test_no_part_of_the_tree_outgrew_its_weight() -> None:
    assert list(structure.find_growth(structure.read_weights(ROOT), structure.weigh(ROOT))) == []


def test_floors_and_extensions_have_three_figures_each(tree: Path) -> None:
    document = (tree / structure.ARCHITECTURE).read_text(encoding="utf-8")

    assert structure.read_weights(tree) == {
        part: structure.Weight(50 * files, 3 * files, files)
        for part, files in {"*.py": 1, "extensions/": 1, "extensions/hello/": 1, "models/": 1, "all": 4}.items()
    }
    assert structure.read_walks(tree) == {"a read": 7}
    assert document.startswith("# Before\n")
    assert document.endswith("\n\n## After\n")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("models/a/b.py", FIFTY + "pass\n" * 2, "models/ has 52 statements, and 50 in docs/architecture.md."),
        ("main.py", FIFTY + 'A = 1\n"""1\n2\n3\n4"""', "*.py has 4 docstring lines, and 3 in docs/architecture.md."),
        ("models/c.py", "", "models/ has 2 files, and 1 in docs/architecture.md."),
        ("extensions/more/hello.py", "", "extensions/more/ has no row in docs/architecture.md."),
    ],
    ids=["statements", "docstrings", "files", "a new part"],
)
def test_the_check_fails_if_a_part_outgrows_its_weight(
    tree: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, told: str
) -> None:
    (tree / "app" / name).parent.mkdir(exist_ok=True)
    (tree / "app" / name).write_text(text, encoding="utf-8")

    status = structure.main(tree)

    assert status == 1
    assert told in capsys.readouterr().err


def test_the_check_passes_with_two_per_cent_more_and_with_less(tree: Path) -> None:
    (tree / "app" / "models" / "a" / "b.py").write_text(FIFTY + "pass\n", encoding="utf-8")
    (tree / "app" / "main.py").unlink()

    assert structure.main(tree) == 0


@pytest.mark.nightly
@pytest.mark.slow
def test_the_walks_of_the_table_are_those_of_the_tree() -> None:
    recorded, counted = structure.read_walks(ROOT), asyncio.run(walks.count_functions())

    assert recorded.keys() == counted.keys()
    assert {name for name, functions in counted.items() if functions > recorded[name] * 1.02} == set()
