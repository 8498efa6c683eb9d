"""Statements that run with every concern or first read, compiled once."""

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


class FixedSelect(FixedStatement):
    """A query for one row, whose values are converted."""

    def __init__(self, statement: Select[Any]) -> None:
        super().__init__(statement)
        self._types = [column.type for column in statement.selected_columns]
        self._readers: dict[str, list[Callable[[Any], Any] | None]] = {}

    def first(self, connection: Connection, **parameters: Any) -> list[Any] | None:
        row, dialect = self.run(connection, parameters).first(), connection.dialect
        if dialect.name not in self._readers:
            types = [each.dialect_impl(dialect) for each in self._types]
            self._readers[dialect.name] = [each.result_processor(dialect, None) for each in types]
        if row is None:
            return None
        return [
            each if read is None else read(each) for read, each in zip(self._readers[dialect.name], row, strict=True)
        ]


def _parameters_of(compiled: SQLCompiler, dialect: Dialect) -> Callable[[Mapping[str, Any]], Any]:
    names = compiled.positiontup or list(compiled.binds)
    processors = [compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]
    takes = list(zip(names, processors, strict=True))
    own = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}  # its constants

    def values_of(row: Mapping[str, Any]) -> list[Any]:
        given = {**own, **row} if own else row
        return [given[name] if process is None else process(given[name]) for name, process in takes]

    if compiled.positiontup is None:
        return lambda row: dict(zip(names, values_of(row), strict=True))
    return lambda row: tuple(values_of(row))


def fixed_insert(table: Table, **expressions: Any) -> FixedStatement:
    """Return an INSERT of every column except computed ones. `expressions` are SQL that sets a column, by its name."""
    columns = [each.name for each in table.c if each.computed is None and each.name not in expressions]
    return FixedStatement(table.insert().values(**expressions) if expressions else table.insert(), columns)
