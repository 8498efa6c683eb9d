"""Rules that the database itself enforces: no published edition is changed, and no unread concern is lost."""

from typing import Literal

from sqlmodel import SQLModel

from app.models.concerns.tables import AdditionRow, ConcernRow
from app.models.desk.disclosure_tables import ChainRow, DisclosureRow
from app.models.guidance.guide_tables import EditionRow, GenerationRow, GuideRow, WithdrawalRow
from app.models.guidance.sections import ITEM_LISTS
from app.store.tables import create_with_table, table_of

TriggerEvent = Literal["INSERT", "UPDATE", "DELETE"]

NEVER_CHANGES = "a published edition never changes"

WRITTEN_ONCE: tuple[type[SQLModel], ...] = (GuideRow, EditionRow, WithdrawalRow)
SEALED_BY_THEIR_EDITION = tuple(entry.row for entry in ITEM_LISTS.values())
RAISE_GENERATION = "UPDATE generation SET number = number + 1 WHERE id = 1"
# Resealing the same words to other recipients loses nothing; every other change of the sealed text does.
LOSES_ITS_WORDS = (
    "NEW.sealed IS DISTINCT FROM OLD.sealed"
    " AND (NEW.sealed IS NULL OR CAST(NEW.recipients AS TEXT) = CAST(OLD.recipients AS TEXT))"
)


def declare_rules() -> None:
    """Attach every rule to the tables of the metadata, so that the rules are created with the schema."""
    for row in (*WRITTEN_ONCE, *SEALED_BY_THEIR_EDITION):
        _refuse(row, "are_never_altered", "UPDATE", NEVER_CHANGES)
        _refuse_losing(row, NEVER_CHANGES)
    for row in SEALED_BY_THEIR_EDITION:
        sealed = "EXISTS (SELECT 1 FROM editions WHERE guide = NEW.guide AND number = NEW.edition)"
        _refuse(row, "are_sealed", "INSERT", NEVER_CHANGES, when=sealed)
    next_number = "(SELECT coalesce(max(number), 0) + 1 FROM editions WHERE guide = NEW.guide)"
    _refuse(
        EditionRow,
        "are_numbered_in_order",
        "INSERT",
        "editions are numbered 1, 2, 3 without a gap",
        when=f"NEW.number <> {next_number}",
    )
    _declare_rules_of_concerns()
    _declare_rules_of_disclosures()
    for row in (EditionRow, WithdrawalRow):
        _raise_generation(row)
    create_with_table(GenerationRow, "INSERT INTO generation (id, number) VALUES (1, 0)")


def _declare_rules_of_concerns() -> None:
    """Declare that a concern's row is never deleted, and its text only if it is acknowledged and not on hold."""
    _refuse_losing(ConcernRow, "a concern is never deleted")
    _refuse(
        ConcernRow,
        "keep_their_reference",
        "UPDATE",
        "a concern keeps its reference",
        when="NEW.reference <> OLD.reference",
    )
    _refuse_moving(ConcernRow, "a concern keeps its reference")  # and never takes the rowid of another
    _refuse(
        ConcernRow,
        "keep_what_nobody_acknowledged",
        "UPDATE",
        "a concern that is not acknowledged, or is on hold, is not erased",
        when=f"{LOSES_ITS_WORDS} AND (OLD.state = 'received' OR OLD.held)",
    )
    _refuse(
        ConcernRow,
        "never_go_back",
        "UPDATE",
        "a concern is received, then acknowledged, then closed",
        when="NEW.state <> OLD.state AND OLD.state || NEW.state NOT IN ('receivedacknowledged', 'acknowledgedclosed')",
    )
    unread = "EXISTS (SELECT 1 FROM concerns WHERE reference = OLD.reference AND (state = 'received' OR held))"
    _refuse_losing(AdditionRow, "an addition is never deleted")
    _refuse(
        AdditionRow,
        "keep_what_nobody_acknowledged",
        "UPDATE",
        "an addition to a concern that is not acknowledged, or is on hold, is not erased",
        when=f"{LOSES_ITS_WORDS} AND {unread}",
    )


def _declare_rules_of_disclosures() -> None:
    """Declare that a disclosure never changes, and that a chain only grows."""
    _refuse(DisclosureRow, "are_never_altered", "UPDATE", "a disclosure is never altered")
    _refuse_losing(DisclosureRow, "a disclosure is never deleted")
    _refuse_losing(ChainRow, "a chain of disclosures is never deleted")
    _refuse(
        ChainRow,
        "only_grow",
        "UPDATE",
        "a chain of disclosures grows by one",
        when="NEW.name <> OLD.name OR NEW.length <> OLD.length + 1",
    )


def _refuse(row: type[SQLModel], name: str, operation: TriggerEvent, why: str, *, when: str = "TRUE") -> None:
    """Refuse the operation, on either database, where the condition is true."""
    table = row.__tablename__
    rule = f"{table}_{name}"
    create_with_table(
        row,
        f"CREATE TRIGGER {rule} BEFORE {operation} ON {table} WHEN {when} BEGIN SELECT RAISE(ABORT, '{why}'); END",
        dialect="sqlite",
    )
    refusal = f"IF {when} THEN RAISE EXCEPTION '{why}' USING ERRCODE = 'restrict_violation'; END IF;"
    _make_function(row, rule, f"{refusal} RETURN {'OLD' if operation == 'DELETE' else 'NEW'};")
    _call_function(row, rule, f"BEFORE {operation} ON {table} FOR EACH ROW")


def _refuse_losing(row: type[SQLModel], why: str) -> None:
    """Refuse every way to lose a row: DELETE, REPLACE, or TRUNCATE of the whole table."""
    table = table_of(row)
    _refuse(row, "are_never_deleted", "DELETE", why)
    # INSERT OR REPLACE: on a connection without `recursive_triggers` it deletes without the delete trigger.
    same_key = " AND ".join(f"{column.name} = NEW.{column.name}" for column in table.primary_key)
    taken = f"EXISTS (SELECT 1 FROM {table.name} WHERE ({same_key}) OR rowid = NEW.rowid)"  # noqa: S608  # nosec B608  # own names
    replaced = f"CREATE TRIGGER {table.name}_are_never_replaced BEFORE INSERT ON {table.name} WHEN {taken}"
    create_with_table(row, f"{replaced} BEGIN SELECT RAISE(ABORT, '{why}'); END", dialect="sqlite")
    emptied = f"{table.name}_are_never_emptied"
    _make_function(row, emptied, f"RAISE EXCEPTION '{why}' USING ERRCODE = 'restrict_violation';")
    _call_function(row, emptied, f"BEFORE TRUNCATE ON {table.name} FOR EACH STATEMENT")


def _refuse_moving(row: type[SQLModel], why: str) -> None:
    """Refuse to change a row's `rowid` (SQLite only)."""
    moved = f"{row.__tablename__}_keep_their_place BEFORE UPDATE ON {row.__tablename__} WHEN NEW.rowid <> OLD.rowid"
    create_with_table(row, f"CREATE TRIGGER {moved} BEGIN SELECT RAISE(ABORT, '{why}'); END", dialect="sqlite")


def _raise_generation(row: type[SQLModel]) -> None:
    rule = f"{row.__tablename__}_raise_the_generation"
    after = f"AFTER INSERT ON {row.__tablename__}"
    create_with_table(row, f"CREATE TRIGGER {rule} {after} BEGIN {RAISE_GENERATION}; END", dialect="sqlite")
    _make_function(row, rule, f"{RAISE_GENERATION}; RETURN NULL;")
    _call_function(row, rule, f"{after} FOR EACH ROW")


def _make_function(row: type[SQLModel], name: str, body: str) -> None:
    function = f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
    create_with_table(row, function, dialect="postgresql")


def _call_function(row: type[SQLModel], name: str, when: str) -> None:
    create_with_table(row, f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION {name}()", dialect="postgresql")
