"""The SQL tables of the row classes, and the statements that run when the tables are created."""

from sqlalchemy import DDL, String, Table, Text, event
from sqlmodel import AutoString, SQLModel

from app.extensions import installed, modules_of

# Each module with a table is imported, so that every table is declared.
from app.models.access import clients, people  # noqa: F401
from app.models.audit import rows as audit_rows  # noqa: F401
from app.models.concerns import card_rows, entries, rows, saved_forms  # noqa: F401
from app.models.desk import hand_overs, look_again, saved_views  # noqa: F401
from app.models.events import rows as event_rows  # noqa: F401
from app.models.guides import edition_rows  # noqa: F401

modules_of("tables", installed().values())
TABLES = frozenset(SQLModel.metadata.tables)


def table_of(row: type[SQLModel]) -> Table:
    return SQLModel.metadata.tables[str(row.__tablename__)]


def create_with_table(row: type[SQLModel], statement: str, *, dialect: str | None = None) -> None:
    """Run a statement when the table is created: on both databases, or on `dialect` only."""
    ddl = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
    event.listen(table_of(row), "after_create", ddl if dialect is None else ddl.execute_if(dialect=dialect))


def use_code_point_collation() -> None:
    """Compare text as SQLite does, in any locale."""
    for table in SQLModel.metadata.tables.values():
        for column in table.columns:
            if isinstance(column.type, String | AutoString):
                column.type = column.type.with_variant(Text(collation="C"), "postgresql")


def declare_partial_indexes() -> None:
    """Give SQLAlchemy the PostgreSQL condition of each partial index from its `info`."""
    for table in SQLModel.metadata.tables.values():
        for index in table.indexes:
            index.dialect_kwargs.update(index.info)
