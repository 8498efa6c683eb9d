"""Functions that write pieces of Markdown."""

from collections.abc import Iterable, Sequence


def cell(text: object) -> str:
    """Return the text as one cell of a table."""
    return " ".join(str(text).split()).replace("|", "\\|").replace("<", "&lt;")


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table with the column headings `heads`, or an empty string if there are no rows."""
    lines = [f"| {' | '.join(map(cell, row))} |" for row in rows]
    if not lines:
        return ""
    return "\n".join([f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", *lines]) + "\n"


def page(*blocks: str) -> str:
    """Return the blocks as a page, with a blank line between them. Empty blocks are left out."""
    return "\n\n".join(block.strip() for block in blocks if block.strip()) + "\n"
