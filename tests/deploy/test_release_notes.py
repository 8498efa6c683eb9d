"""The notes of a release: what an operator has to do, and what changes for callers."""

import pytest

from supply.notes import State, release_notes

pytestmark = pytest.mark.any_database

CHANGELOG = """# Changes

## Unreleased

## 2.0.0 - 2026-12-24

### Added

- **Cards.** A short summary. **Operators:** `guidance keys reseal` makes
  those that are missing ([how](docs/how-to/keys.md)).
- A list for callers, by [RFC 9457](https://example.org/rfc9457).
- **Operators:** the timer is new.

## 1.0.0 - 2026-12-01

- **Operators:** this is old.
"""
BEFORE = State("CREATE TABLE a;", "| `GUIDANCE_A` | 1 |\n| `GUIDANCE_B` | 2 |\n")
NOW = State("CREATE TABLE b;", "| `GUIDANCE_B` | 2 |\n| `GUIDANCE_C` | 3 |\n")


def for_operators(before: State | None, now: State) -> str:
    """Return the list of the notes for operators."""
    notes = release_notes("2.0.0", CHANGELOG, before, now, is_signed=True)
    return notes.partition("## For operators")[2].partition("## For callers")[0]


def test_operators_read_of_schema_settings_and_each_line_for_them() -> None:
    lines = [line for line in for_operators(BEFORE, NOW).splitlines() if line.startswith("- ")]

    assert lines == [
        "- The schema of the database is **changed**: take a backup, and let `guidance migrate` or the first start "
        "migrate it.",
        "- New settings: `GUIDANCE_C`.",
        "- Settings that are gone: `GUIDANCE_A`.",
        "- Cards: `guidance keys reseal` makes those that are missing (how).",
        "- The timer is new.",
    ]


def test_the_notes_state_an_unchanged_schema_and_a_first_release() -> None:
    assert "- The schema of the database is unchanged.\n- New settings: none.\n" in for_operators(NOW, NOW)
    assert "- No earlier release has a tag" in for_operators(None, NOW)


def test_callers_read_their_changes_without_links_into_a_clone() -> None:
    notes = release_notes("2.0.0", CHANGELOG, BEFORE, NOW, is_signed=True)

    assert "[RFC 9457](https://example.org/rfc9457)" in notes.partition("## For callers")[2]
    assert "docs/how-to" not in notes
    assert "this is old" not in notes


def test_the_notes_of_an_unsigned_release_begin_with_a_warning() -> None:
    signed, unsigned = (release_notes("2.0.0", CHANGELOG, BEFORE, NOW, is_signed=each) for each in (True, False))

    assert signed.startswith("# 2.0.0\n\nCheck these files")
    assert unsigned.startswith("# 2.0.0\n\n**These files are not signed.**")
