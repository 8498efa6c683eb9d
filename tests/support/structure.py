"""`python -m tests.support.structure`: whether a part of `app/` outgrew the table of weights in `docs/architecture.md`.

Reads files only. `python -m tests.support.walks` writes the table.
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
ARCHITECTURE = Path("docs") / "architecture.md"
MARK = "<!-- `make weights` writes from here to the next heading. -->\n"
PARTS = "| part of `app/` | statements | lines of docstrings | files |\n|---|---:|---:|---:|\n"
WALKS = "| request | functions that it enters |\n|---|---:|\n"
ROW = re.compile(r"^\| `([^`]+)` \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", re.MULTILINE)
WALK = re.compile(r"^\| ([^|`]+) \| (\d+) \|$", re.MULTILINE)
MOST_GROWTH = 0.02
ALL = "all"


class Weight(NamedTuple):
    """A text that stands alone is a docstring, also below a field, and no statement."""

    statements: int = 0
    docstring_lines: int = 0
    files: int = 0


def main(root: Path = ROOT) -> int:
    """Print what is heavier than its row. Return the exit status."""
    faults = list(find_growth(read_weights(root), weigh(root)))
    if faults:
        sys.stderr.write("\n".join([*faults, "Make it lighter, or run `make weights` and say in the commit why.", ""]))
    return 1 if faults else 0


def weigh(root: Path) -> dict[str, Weight]:
    """Return the weight of each floor and extension, of the files beside them, and of all."""
    found: defaultdict[str, list[Weight]] = defaultdict(list)
    for path in sorted((root / "app").rglob("*.py")):
        weight = _weigh_file(path)
        for part in (_part_of(path.relative_to(root / "app")), ALL):
            found[part].append(weight)
    parts = sorted(found, key=lambda part: (part == ALL, part))
    return {part: Weight(*map(sum, zip(*found[part], strict=True))) for part in parts}


def _part_of(path: Path) -> str:
    """Return the floor of the file, or its extension; `*.py` for a file beside the floors."""
    depth = 2 if path.parts[0] == "extensions" else 1
    return "/".join([*path.parts[:-1][:depth], ""]) or "*.py"


def _weigh_file(path: Path) -> Weight:
    statements = [each for each in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(each, ast.stmt)]
    texts = [each for each in statements if _is_text(each)]
    lines = sum((each.end_lineno or each.lineno) - each.lineno + 1 for each in texts)
    return Weight(len(statements) - len(texts), lines, 1)


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def find_growth(recorded: dict[str, Weight], found: dict[str, Weight]) -> Iterator[str]:
    """Yield a sentence for each figure that is more than 2 % above its row, and for each part without a row."""
    for part, weight in found.items():
        if part not in recorded:
            yield f"{part} has no row in {ARCHITECTURE}."
            continue
        for name, before, now in zip(Weight._fields, recorded[part], weight, strict=True):
            if now > before * (1 + MOST_GROWTH):
                yield f"{part} has {now:,} {name.replace('_', ' ')}, and {before:,} in {ARCHITECTURE}."


def read_weights(root: Path) -> dict[str, Weight]:
    """Return the rows of the table, by part."""
    rows = ROW.findall(_split(root)[1])
    return {part: Weight(*(int(each.replace(",", "")) for each in figures)) for part, *figures in rows}


def read_walks(root: Path) -> dict[str, int]:
    """Return the numbers of functions, by request."""
    return {request: int(functions) for request, functions in WALK.findall(_split(root)[1])}


def write_weights(root: Path, walks: dict[str, int]) -> None:
    """Write the weights of the tree and these numbers of functions into the document."""
    before, _, after = _split(root)
    parts = [f"| `{part}` | {' | '.join(f'{each:,}' for each in weight)} |\n" for part, weight in weigh(root).items()]
    requests = [f"| {request} | {functions} |\n" for request, functions in walks.items()]
    text = "".join([before, "\n", PARTS, *parts, "\n", WALKS, *requests, "\n", after])
    (root / ARCHITECTURE).write_text(text, encoding="utf-8")


def _split(root: Path) -> tuple[str, str, str]:
    """Return the document up to the mark, the tables, and the rest from the next heading."""
    before, mark, rest = (root / ARCHITECTURE).read_text(encoding="utf-8").partition(MARK)
    tables, heading, after = rest.partition("## ")
    return before + mark, tables, heading + after


if __name__ == "__main__":
    sys.exit(main())
