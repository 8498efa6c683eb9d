"""Tables as SQL sees them: what the rows' classes are to the database."""

from sqlalchemy import DDL, Table, event
from sqlmodel import SQLModel


def table_of(row: type[SQLModel]) -> Table:
    """The table that holds such rows."""
    return SQLModel.metadata.tables[str(row.__tablename__)]


def make_with(row: type[SQLModel], statement: str, *, dialect: str | None = None) -> None:
    """Run the statement right after the table of such rows is made; on one dialect alone, where it is named."""
    ddl = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
    event.listen(table_of(row), "after_create", ddl if dialect is None else ddl.execute_if(dialect=dialect))
