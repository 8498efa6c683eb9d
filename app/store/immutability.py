"""What the database itself refuses, whoever asks: to change a published edition, to lose an unread concern."""

from sqlalchemy import DDL, Table, event
from sqlmodel import SQLModel

from app.models.concern_tables import ConcernRow
from app.models.guide_tables import (
    CautionRow,
    ContactRow,
    DefinitionRow,
    EditionRow,
    FactorRow,
    GenerationRow,
    GuideRow,
    IndicatorRow,
    LinkedRiskRow,
    ResponsibilityRow,
    WithdrawalRow,
)

NEVER_CHANGES = "a published edition never changes"

WRITTEN_ONCE: tuple[type[SQLModel], ...] = (GuideRow, EditionRow, WithdrawalRow)
SEALED_BY_THEIR_EDITION: tuple[type[SQLModel], ...] = (
    CautionRow,
    DefinitionRow,
    FactorRow,
    IndicatorRow,
    LinkedRiskRow,
    ResponsibilityRow,
    ContactRow,
)


def _table(row: type[SQLModel]) -> Table:
    return SQLModel.metadata.tables[str(row.__tablename__)]


def _ddl(statement: str) -> DDL:
    return DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped


def _trigger(row: type[SQLModel], name: str, rule: str) -> None:
    """Have the trigger made right after its table."""
    table = _table(row)
    statement = f"CREATE TRIGGER {table.name}_{name} {rule}"
    event.listen(table, "after_create", _ddl(statement).execute_if(dialect="sqlite"))


def _refuse(row: type[SQLModel], name: str, when: str, why: str) -> None:
    _trigger(row, name, f"{when} BEGIN SELECT RAISE(ABORT, '{why}'); END")


def declare_rules() -> None:
    """Attach every rule to the tables of the metadata, so that making the schema makes the rules with it."""
    for row in (*WRITTEN_ONCE, *SEALED_BY_THEIR_EDITION):
        name = _table(row).name
        _refuse(row, "are_never_altered", f"BEFORE UPDATE ON {name}", NEVER_CHANGES)
        _refuse(row, "are_never_deleted", f"BEFORE DELETE ON {name}", NEVER_CHANGES)
    for row in SEALED_BY_THEIR_EDITION:
        sealed = "EXISTS (SELECT 1 FROM editions WHERE guide = NEW.guide AND number = NEW.edition)"
        _refuse(row, "are_sealed", f"BEFORE INSERT ON {_table(row).name} WHEN {sealed}", NEVER_CHANGES)
    next_number = "(SELECT coalesce(max(number), 0) + 1 FROM editions WHERE guide = NEW.guide)"
    _refuse(
        EditionRow,
        "are_numbered_in_order",
        f"BEFORE INSERT ON editions WHEN NEW.number <> {next_number}",
        "editions are numbered 1, 2, 3 without a gap",
    )
    _refuse(
        ConcernRow,
        "unacknowledged_are_never_deleted",
        "BEFORE DELETE ON concerns WHEN OLD.state = 'received'",
        "a concern that nobody has acknowledged is never deleted",
    )
    _refuse(
        ConcernRow,
        "unacknowledged_are_never_altered",
        "BEFORE UPDATE OF sealed ON concerns WHEN OLD.state = 'received'",
        "a concern that nobody has acknowledged is never altered",
    )
    for row in (EditionRow, WithdrawalRow):
        name = _table(row).name
        _trigger(row, "raise_the_generation", f"AFTER INSERT ON {name} BEGIN {RAISE_GENERATION}; END")
    event.listen(_table(GenerationRow), "after_create", _ddl("INSERT INTO generation (id, number) VALUES (1, 0)"))


RAISE_GENERATION = "UPDATE generation SET number = number + 1 WHERE id = 1"
