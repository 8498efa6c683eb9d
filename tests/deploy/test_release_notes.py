"""The notes of a release: what breaks, a page for operators, and what changes for callers, as people wrote them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from supply.notes import State, changes_of, release_notes

pytestmark = pytest.mark.any_database

CHANGELOG = """# Changes

## Unreleased

## 2.0.0 - 2026-12-24

What it is.

### Before you start

- **Keys.** `GUIDANCE_A` is gone ([why](docs/reference/settings.md)).

### For operators

- **Timers.** A timer is new.

### For callers and developers

- Lists follow [RFC 9457](https://example.org/rfc9457).

<!-- Lines go below. -->

## 1.0.0 - 2026-12-01

- **Old.** This is old.
"""
BEFORE = State("CREATE TABLE a;", "| `GUIDANCE_A` | 1 |\n| `GUIDANCE_B` | 2 |\n")
NOW = State("CREATE TABLE b;", "| `GUIDANCE_B` | 2 |\n| `GUIDANCE_C` | 3 |\n")

REAL = (Path(__file__).parents[2] / "CHANGELOG.md").read_text(encoding="utf-8")
BEFORE_YOU_START, OPERATORS, CALLERS = HEADS = ("Before you start", "For operators", "For callers and developers")
MOST_LINES, MOST_WORDS = 12, 500
"""Lines for operators, and words of both parts for them: a page."""
BULLET = re.compile(r"^- (.*?)(?=^- |^#|^\*\*|^$|\Z)", flags=re.MULTILINE | re.DOTALL)
SUBJECT = re.compile(r"\*\*[^*]+\.\*\* ")
VERBS = "is|are|was|were|has|have|had|can|do|does"
POINTS_BACK = re.compile(
    r"(?:\*\*[^*]+\*\* )?(?:(?:It|Its|They|Their|Them|This|These|That|Those|The (?:two|same|other|others|former)|"
    rf"[Aa]lso|[Ss]o|[Oo]r|[Aa]nd|[Ee]lse|[Oo]therwise)\b|(?:Each|Both|One) (?:{VERBS}|of)\b)"
)
"""How a line begins that points back to another."""
UNNAMED = re.compile(r"\b(?:it|them|they|these|those|both)\b", re.IGNORECASE)


def lines_of(changes: str, head: str) -> list[str]:
    """Return the lines under a heading of a version, each on one line."""
    part = re.search(rf"^### {head}\n(.*?)(?=^### |\Z)", changes, flags=re.MULTILINE | re.DOTALL)
    return [" ".join(each.split()) for each in BULLET.findall(part[1])] if part else []


def without_subject(lines: list[str], *, is_for_operators: bool) -> Iterator[str]:
    """Yield each line that nobody understands alone.

    A line for operators begins with what it is about, and its first sentence needs no other to say what 'it' is.
    """
    for line in lines:
        named = SUBJECT.match(line)
        first = re.split(r"[.:;](?: |$)", line[named.end() :] if named else line, maxsplit=1)[0]
        if POINTS_BACK.match(line) or (is_for_operators and (not named or UNNAMED.search(first))):
            yield line


def test_the_notes_are_the_words_of_the_changelog_after_what_was_compared() -> None:
    notes = release_notes("2.0.0", CHANGELOG, BEFORE, NOW, is_signed=True)

    assert notes == (
        "# 2.0.0\n\nCheck these files before you use them: the page 'Releases' of the documentation shows how.\n\n"
        "To upgrade, follow 'Upgrade' on the page 'Deploy' of the documentation. The schema of the database is "
        "**changed**: take a backup, and let `guidance migrate` or the first start migrate it. New settings: "
        "`GUIDANCE_C`. Settings that are gone: `GUIDANCE_A`.\n\nWhat it is.\n\n## Before you start\n\n"
        "- **Keys.** `GUIDANCE_A` is gone (why).\n\n## For operators\n\n- **Timers.** A timer is new.\n\n"
        "## For callers and developers\n\n- Lists follow [RFC 9457](https://example.org/rfc9457).\n"
    )


def test_the_notes_state_an_unchanged_schema_and_a_first_release() -> None:
    unchanged, first = (release_notes("2.0.0", CHANGELOG, each, NOW, is_signed=True) for each in (NOW, None))

    assert "The schema of the database is unchanged. New settings: none. Settings that are gone: none." in unchanged
    assert "No earlier release has a tag" in first


def test_the_notes_of_an_unsigned_release_begin_with_a_warning() -> None:
    unsigned = release_notes("2.0.0", CHANGELOG, BEFORE, NOW, is_signed=False)

    assert unsigned.startswith("# 2.0.0\n\n**These files are not signed.**")


def test_what_is_unreleased_begins_with_what_breaks_and_has_a_page_for_operators() -> None:
    changes = changes_of(REAL, "Unreleased")
    before, operators = (lines_of(changes, head) for head in (BEFORE_YOU_START, OPERATORS))

    assert re.findall(r"^### (.*)$", changes, re.MULTILINE) in ([], [*HEADS])
    assert len(operators) <= MOST_LINES
    assert sum(len(line.split()) for line in [*before, *operators]) <= MOST_WORDS


def test_each_line_of_what_is_unreleased_is_understood_alone() -> None:
    changes = changes_of(REAL, "Unreleased")
    for_operators = [*lines_of(changes, BEFORE_YOU_START), *lines_of(changes, OPERATORS)]

    assert list(without_subject(for_operators, is_for_operators=True)) == []
    assert list(without_subject(lines_of(changes, CALLERS), is_for_operators=False)) == []


def test_a_line_without_a_subject_would_be_found() -> None:
    lines = [
        "The two indexes of the inbox have the column.",
        "`guidance setup` writes them; add them to numbers that you set before.",
        "**Numbers.** `guidance setup` writes them.",
        "**Indexes.** Both have the column.",
        "**Timers.** A timer is new: it runs each night.",
    ]

    assert list(without_subject(lines, is_for_operators=True)) == lines[:4]
    assert list(without_subject(lines, is_for_operators=False)) == [lines[0], lines[3]]
