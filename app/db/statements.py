"""Statements that run with every concern, compiled once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, CursorResult, Dialect, Insert, Select, Table, Update
from sqlalchemy.sql.compiler import SQLCompiler

from app.errors import RowNotStored

Compiled = tuple[str, Callable[[Mapping[str, Any]], Any]]
"""SQL, and the function that makes the driver's parameters from a row."""


class FixedStatement:
    """A statement that is compiled once for each kind of database, because a look-up would cost more than running it.

    `columns` are those that it sets, or None if it names them. Results are the driver's, and are not converted.
    """

    def __init__(self, statement: Insert | Update | Select[Any], columns: Sequence[str] | None = None) -> None:
        self._statement = statement
        self._columns = columns
        self._compiled: dict[str, Compiled] = {}

    def run(self, connection: Connection, *rows: Mapping[str, Any]) -> CursorResult[Any]:
        """Run the statement with at least one row.

        Raise `RowNotStored` if an INSERT writes fewer rows, which a foreign trigger can discard.
        """
        sql, parameters_of = self._compiled.get(connection.dialect.name) or self._compile(connection.dialect)
        result = connection.exec_driver_sql(sql, [parameters_of(row) for row in rows])
        if self._statement.is_insert and result.rowcount < len(rows):
            raise RowNotStored
        return result

    def _compile(self, dialect: Dialect) -> Compiled:
        compiled = self._statement.compile(dialect=dialect, column_keys=self._columns)
        made = self._compiled[dialect.name] = compiled.string, _parameters_of(compiled, dialect)
        return made


def _parameters_of(compiled: SQLCompiler, dialect: Dialect) -> Callable[[Mapping[str, Any]], Any]:
    names = compiled.positiontup or list(compiled.binds)
    processors = [compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]
    takes = list(zip(names, processors, strict=True))
    if compiled.positiontup is None:
        return lambda row: {name: row[name] if process is None else process(row[name]) for name, process in takes}
    return lambda row: tuple([row[name] if process is None else process(row[name]) for name, process in takes])


def fixed_insert(table: Table, **expressions: Any) -> FixedStatement:
    """Return an INSERT of every column except computed ones. `expressions` are SQL that sets a column, by its name."""
    columns = [each.name for each in table.c if each.computed is None and each.name not in expressions]
    return FixedStatement(table.insert().values(**expressions) if expressions else table.insert(), columns)
