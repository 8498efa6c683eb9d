"""Statements that run with every concern, compiled once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, CursorResult, Dialect, Insert, Select, Table, Update
from sqlalchemy.sql.compiler import SQLCompiler

from app.errors import RowNotStored


class _Compiled(NamedTuple):
    """The SQL of a statement, and the function that makes its parameters from the values of a row."""

    sql: str
    parameters: Callable[[Mapping[str, Any]], Any]


class FixedStatement:
    """A statement whose SQL is compiled once for each kind of database. `columns` are the columns that it sets.

    If `columns` is None, the statement itself names its columns.

    SQLAlchemy would look the SQL up in a cache at each execution, which takes longer than the execution in the
    database. Values are converted, and errors raised, as SQLAlchemy does for the same statement. Every parameter of the
    statement is a value of a row. The values of a result come from the driver, and are not converted.
    """

    def __init__(self, statement: Insert | Update | Select[Any], columns: Sequence[str] | None = None) -> None:
        self._statement = statement
        self._columns = columns
        self._compiled: dict[str, _Compiled] = {}

    def run(self, connection: Connection, *rows: Mapping[str, Any]) -> CursorResult[Any]:
        """Run the statement with the values of each of `rows`, and return the result.

        There must be at least one row. Raise `RowNotStored` if an INSERT writes fewer rows than `rows`. A trigger that
        another program added to the database can discard rows without an error.
        """
        compiled = self._compiled.get(connection.dialect.name) or self._compile(connection.dialect)
        result = connection.exec_driver_sql(compiled.sql, [compiled.parameters(row) for row in rows])
        if self._statement.is_insert and result.rowcount < len(rows):
            raise RowNotStored
        return result

    def _compile(self, dialect: Dialect) -> _Compiled:
        compiled = self._statement.compile(dialect=dialect, column_keys=self._columns)
        made = self._compiled[dialect.name] = _Compiled(compiled.string, _parameters_of(compiled, dialect))
        return made


def _parameters_of(compiled: SQLCompiler, dialect: Dialect) -> Callable[[Mapping[str, Any]], Any]:
    """Return a function that converts the values of a row, by name, to the parameters of the statement `compiled`.

    The values are converted as the driver of `dialect` expects them. The function returns a tuple, or a mapping if the
    driver expects named parameters.
    """
    names = compiled.positiontup or list(compiled.binds)
    processors = [compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]
    takes = list(zip(names, processors, strict=True))
    if compiled.positiontup is None:
        return lambda row: {name: row[name] if process is None else process(row[name]) for name, process in takes}
    return lambda row: tuple([row[name] if process is None else process(row[name]) for name, process in takes])


def fixed_insert(table: Table, **expressions: Any) -> FixedStatement:
    """Return an INSERT into `table` that takes a value for each column, except for the columns in `expressions`.

    `expressions` has the SQL expression that sets a column, by the column's name. Computed columns are left out.
    """
    columns = [each.name for each in table.c if each.computed is None and each.name not in expressions]
    return FixedStatement(table.insert().values(**expressions) if expressions else table.insert(), columns)
