"""The threat model names tests that are there, and no threat goes without one."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODEL = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
COLUMNS = ["actor", "asset", "way in", "what stops it", "shown by"]


def rows() -> list[list[str]]:
    """The rows of the tables, cell by cell."""
    told = [line.strip("|").split("|") for line in MODEL.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in row] for row in told]
    return [row for row in cells if row != COLUMNS and set(row) != {"---"}]


def test_every_threat_tells_its_actor_asset_way_in_and_what_stops_it() -> None:
    assert len(rows()) > 20
    assert [row for row in rows() if len(row) != len(COLUMNS) or not all(row)] == []


def test_every_threat_names_a_test_that_shows_it() -> None:
    assert [row for row in rows() if not NAMED.search(row[-1])] == []


def test_every_test_that_is_named_is_there() -> None:
    named = set(NAMED.findall(MODEL))

    missing = [
        f"{file}::{test}"
        for file, test in named
        if not re.search(rf"^(async )?def {test}\(", (ROOT / file).read_text(encoding="utf-8"), flags=re.MULTILINE)
    ]

    assert len(named) > 40
    assert sorted(missing) == []
    assert len(re.findall(r"`tests/[\w/]+\.py::", MODEL)) == len(NAMED.findall(MODEL))
