"""Each sentence of the public pages that promises something is a row of a table, with what makes it true.

The sentences are those of the catalogues, which have every sentence of a page in each of its variants, and no other
(`test_languages.py`).
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from app.pages.languages import LANGUAGES, SHORT_LANGUAGES, read_catalogue
from tests.support.samples import is_test

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "reference" / "promises.md"
NO_PROMISES = "## Sentences that promise nothing"
MARKS = (
    *("will", "never", "always", "only", "nobody", "no one", "within", "delete", "locked", "stays?", "hours", "days"),
    *("tonight", "should", "works for", "you can", "can open", "can close", "cannot show", "have to", "no computer"),
    *("no cookies", "do(?:es)? not (?:save|store|show|keep|sell|track|score)"),
    "we (?:can|cannot|did not|do not|got|hide|keep|may|must|pass|read|record|show|use)",
)
"""By these words a sentence promises something."""
PROMISES = re.compile(rf"\b(?:{'|'.join(MARKS)})\b", re.IGNORECASE)
FILLED_IN = re.compile(r"%\(\w+\)[sd]|\{\w*\}")
TAGS = re.compile(r"<[^>]*>")
ROW = re.compile(r"^\| (.+) \| (.+) \| `(.+)` \| `(.+)` \|$", re.MULTILINE)


class Row(NamedTuple):
    sentences: tuple[str, ...]
    reason: str
    code: str
    test: str


def promises(text: str) -> Iterator[str]:
    """Yield each sentence that has a mark and is no question, without tags and with `…` for what is filled in."""
    plain = " ".join(TAGS.sub("", FILLED_IN.sub("…", text)).split())
    sentences = re.split(r"(?<=[.!?:])\s+", plain)
    yield from (each for each in sentences if PROMISES.search(each) and not each.endswith("?"))


def rows(table: str) -> list[Row]:
    found = [Row(tuple(said.split("<br>")), *others) for said, *others in ROW.findall(table)]
    return [each for each in found if each.code != "code"]


def without_promise(table: str) -> list[str]:
    return re.findall(r"^- (.+)$", table.partition(NO_PROMISES)[2], re.MULTILINE)


def names_in(module: Path) -> set[str]:
    """Return what the module and its classes define."""
    nodes = list(ast.walk(ast.parse(module.read_text(encoding="utf-8"))))
    defined = {each.name for each in nodes if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    return defined | {each.id for each in nodes if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}


def is_there(code: str) -> bool:
    file, _, name = code.partition(":")
    return (ROOT / file).is_file() and (not name or name in names_in(ROOT / file))


def faults(table: str, said: set[str]) -> list[str]:
    """Return what the table lacks, has too much, or names in vain, for pages that say `said`."""
    listed = [each for row in rows(table) for each in row.sentences] + without_promise(table)
    return [
        *(f"no row: {each}" for each in sorted(said - set(listed))),
        *(f"on no page: {each}" for each in listed if each not in said),
        *(f"twice: {each}" for each in sorted(set(listed)) if listed.count(each) > 1),
        *(f"no such code: {row.code}" for row in rows(table) if not is_there(row.code)),
        *(f"no such test: {row.test}" for row in rows(table) if "::" not in row.test or not is_test(row.test)),
    ]


@pytest.fixture(scope="module")
def said() -> set[str]:
    """Return the promises of all public pages."""
    catalogues = [read_catalogue(each) for each in (*LANGUAGES[1:], *SHORT_LANGUAGES)]
    messages = (each.id for catalogue in catalogues for each in catalogue)
    texts = (text for each in messages for text in ([each] if isinstance(each, str) else each))
    return {sentence for text in texts for sentence in promises(text)}


def test_each_sentence_that_promises_something_names_what_makes_it_true(said: set[str]) -> None:
    assert len(said) > 100
    assert faults(TABLE.read_text(encoding="utf-8"), said) == []


def test_a_promise_without_a_row_and_a_row_without_its_promise_code_or_test_are_found(said: set[str]) -> None:
    table = TABLE.read_text(encoding="utf-8")
    gone = "| We answer at once. | a wish | `app/pages/page.py:answer` | `tests/pages/test_promises.py::test_none` |\n"

    assert faults(table, said | {"We will call you."}) == ["no row: We will call you."]
    assert faults(gone + table, said) == [
        "on no page: We answer at once.",
        "no such code: app/pages/page.py:answer",
        "no such test: tests/pages/test_promises.py::test_none",
    ]
