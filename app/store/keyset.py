"""The rows after a position, for pages and slices that go on where the last one ended."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, literal, tuple_


def is_after(columns: Sequence[ColumnElement[Any]], position: Sequence[Any]) -> ColumnElement[bool]:
    """Return the condition that a row, ordered by these columns, comes after the one with these values."""
    values = (literal(value, column.type) for value, column in zip(position, columns, strict=True))
    return tuple_(*columns) > tuple_(*values)
