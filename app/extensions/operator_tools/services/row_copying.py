"""Copies of the whole database into an empty one, from SQLite to PostgreSQL and back, in one transaction.

Rows are written before the rules exist, which would refuse most of them: they expect each right after its audit log
entry. Then each row is read again and compared.
"""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, inspect, select, text
from sqlmodel import SQLModel

from app.db.database import for_writing
from app.db.schema import (
    declared_statements,
    find_schema_faults,
    newest_revision,
    note_newest_revision,
    read_schema_version,
)
from app.db.search import rebuild_full_text
from app.errors import CopyRefused, SchemaAltered, SchemaBehind
from app.models.base import OnStep, steps_of_part

ROWS_AT_ONCE = 200
"""A sealed text can be large."""
FIRST = "CREATE TABLE"
ROW_OF_ITS_OWN = "INSERT"
"""A copy has the first rows of the source."""
OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = 'guidance' AND pid <> pg_backend_pid()"
)
MAY_BE_IDLE = "SET LOCAL idle_in_transaction_session_timeout = 0"
"""The source waits while the target creates its indexes."""


def copy_rows(source: Engine, target: Engine, on_step: OnStep) -> tuple[int, bool]:
    """Copy every table into the empty `target` in one transaction, and compare every row. Nothing else can write then.

    Return the number of rows, and True if `target` had exactly these already: then nothing is written. `on_step` gets
    the rows written and compared so far, and in all. After an error `target` is as it was: `CopyRefused` if `source` is
    empty or in use (seen on PostgreSQL), if `target` has other rows or another program's table, or if a row differs;
    errors of `read_schema_version`; `SchemaBehind`; `SchemaAltered`.
    """
    with for_writing(source).begin() as reading, for_writing(target).begin() as writing:
        for each in (reading, writing):
            if each.dialect.name == "postgresql":
                each.exec_driver_sql(MAY_BE_IDLE)
        total = _count_rows(reading)
        was_there = not _is_empty(writing)
        if not was_there:
            _create(writing, tables=True)
            _write_rows(reading, writing, steps_of_part(on_step, after=0, total=2 * total))
            _create(writing, tables=False)
            _finish(writing)
        if faults := find_schema_faults(writing):
            raise SchemaAltered(faults)
        different = _find_difference(reading, writing, steps_of_part(on_step, after=total, total=2 * total))
        if different is not None and was_there:
            raise CopyRefused(
                f"the target is not empty, and its table {different} differs from the source: name an empty database"
            )
        if different is not None:
            raise CopyRefused(f"a row of the table {different} was not copied as it is")
        return total, was_there


def _count_rows(reading: Connection) -> int:
    version = read_schema_version(reading)
    if version is None:
        raise CopyRefused("there is nothing to copy: the database is empty until the first start")
    if version != newest_revision():
        raise SchemaBehind
    if reading.dialect.name == "postgresql" and reading.execute(text(OTHERS)).scalar_one():
        raise CopyRefused("the database is in use: stop the service on every node first")
    tables = SQLModel.metadata.sorted_tables
    return sum(reading.scalar(select(func.count()).select_from(table)) or 0 for table in tables)


def _is_empty(writing: Connection) -> bool:
    """Raise `CopyRefused` if there is anything of another program."""
    version, found = read_schema_version(writing), inspect(writing)
    if version is None and (others := [*found.get_table_names(), *found.get_view_names()]):
        raise CopyRefused(f"the target has a table {min(others)} of another program: name an empty database")
    if version not in (None, newest_revision()):
        raise SchemaBehind
    return version is None


def _create(writing: Connection, *, tables: bool) -> None:
    """Create the tables, or if not `tables` all else but the first rows."""
    for statement in declared_statements(writing.dialect.name):
        if statement.startswith(FIRST) == tables and not statement.startswith(ROW_OF_ITS_OWN):
            writing.exec_driver_sql(statement)


def _write_rows(reading: Connection, writing: Connection, on_step: OnStep) -> None:
    done = 0
    for table in SQLModel.metadata.sorted_tables:  # each comes after those to which its rows refer
        stored = [column for column in table.columns if column.computed is None]
        ordered = select(*stored).order_by(*table.primary_key).execution_options(yield_per=ROWS_AT_ONCE)
        for rows in reading.execute(ordered).mappings().partitions():
            writing.execute(table.insert(), [dict(row) for row in rows])
            done += len(rows)
            on_step(done, 0)


def _finish(writing: Connection) -> None:
    rebuild_full_text(writing)
    if writing.dialect.name == "postgresql":
        for table in SQLModel.metadata.sorted_tables:
            _continue_numbers(writing, table)
        writing.exec_driver_sql("ANALYZE")  # for the comparison below: the server has no statistics yet
    note_newest_revision(writing)


def _continue_numbers(writing: Connection, table: Table) -> None:
    column = table.autoincrement_column
    if column is None:
        return
    sequence = func.pg_get_serial_sequence(table.name, column.name)
    last = writing.scalar(select(func.max(column)))
    if last is not None and writing.scalar(select(sequence)) is not None:
        writing.execute(select(func.setval(sequence, last)))


def _find_difference(reading: Connection, writing: Connection, on_step: OnStep) -> str | None:
    done = 0
    for table in SQLModel.metadata.sorted_tables:
        for rows, others in zip_longest(_pages(reading, table), _pages(writing, table)):
            if rows != others:
                return table.name
            done += len(rows)
            on_step(done, 0)
    return None


def _pages(connection: Connection, table: Table) -> Iterator[Sequence[Any]]:
    ordered = select(table).order_by(*table.primary_key).execution_options(yield_per=ROWS_AT_ONCE)
    yield from connection.execute(ordered).partitions()
