"""What the database itself refuses, whoever asks: to change a published edition, to lose an unread concern."""

from typing import Literal

from sqlmodel import SQLModel

from app.models.concerns.tables import AdditionRow, ConcernRow
from app.models.desk.disclosure_tables import ChainRow, DisclosureRow
from app.models.guidance.guide_tables import EditionRow, GenerationRow, GuideRow, WithdrawalRow
from app.models.guidance.sections import ITEM_LISTS
from app.store.tables import make_with, table_of

TriggerEvent = Literal["INSERT", "UPDATE", "DELETE"]

NEVER_CHANGES = "a published edition never changes"

WRITTEN_ONCE: tuple[type[SQLModel], ...] = (GuideRow, EditionRow, WithdrawalRow)
SEALED_BY_THEIR_EDITION = tuple(entry.row for entry in ITEM_LISTS.values())
RAISE_GENERATION = "UPDATE generation SET number = number + 1 WHERE id = 1"
# Sealing the same words anew to other recipients loses nothing; whatever else changes the sealed text does.
LOSES_ITS_WORDS = (
    "NEW.sealed IS DISTINCT FROM OLD.sealed"
    " AND (NEW.sealed IS NULL OR CAST(NEW.recipients AS TEXT) = CAST(OLD.recipients AS TEXT))"
)


def declare_rules() -> None:
    """Attach every rule to the tables of the metadata, so that making the schema makes the rules with it."""
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
        _raise_the_generation(row)
    make_with(GenerationRow, "INSERT INTO generation (id, number) VALUES (1, 0)")


def _declare_rules_of_concerns() -> None:
    """A concern's row stays for ever; its sealed text goes only once it was acknowledged, and under no hold."""
    _refuse_losing(ConcernRow, "a concern is never deleted")
    _refuse(
        ConcernRow,
        "keep_their_reference",
        "UPDATE",
        "a concern keeps its reference",
        when="NEW.reference <> OLD.reference",
    )
    _refuse_moving(ConcernRow, "a concern keeps its reference")  # and takes nobody else's place
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
    """A disclosure stays as it was written, and a chain only grows."""
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


def _refuse(row: type[SQLModel], name: str, act: TriggerEvent, why: str, *, when: str = "TRUE") -> None:
    """Refuse the act, on either database, where the condition holds."""
    table = row.__tablename__
    rule = f"{table}_{name}"
    make_with(
        row,
        f"CREATE TRIGGER {rule} BEFORE {act} ON {table} WHEN {when} BEGIN SELECT RAISE(ABORT, '{why}'); END",
        dialect="sqlite",
    )
    refusal = f"IF {when} THEN RAISE EXCEPTION '{why}' USING ERRCODE = 'restrict_violation'; END IF;"
    _make_function(row, rule, f"{refusal} RETURN {'OLD' if act == 'DELETE' else 'NEW'};")
    _call_function(row, rule, f"BEFORE {act} ON {table} FOR EACH ROW")


def _refuse_losing(row: type[SQLModel], why: str) -> None:
    """Refuse every way in which a row can go: deleted, replaced, or the whole table at once."""
    table = table_of(row)
    _refuse(row, "are_never_deleted", "DELETE", why)
    # INSERT OR REPLACE: on a connection without `recursive_triggers` it deletes without the delete trigger.
    same_key = " AND ".join(f"{column.name} = NEW.{column.name}" for column in table.primary_key)
    taken = f"EXISTS (SELECT 1 FROM {table.name} WHERE ({same_key}) OR rowid = NEW.rowid)"  # noqa: S608  # nosec B608  # own names
    replaced = f"CREATE TRIGGER {table.name}_are_never_replaced BEFORE INSERT ON {table.name} WHEN {taken}"
    make_with(row, f"{replaced} BEGIN SELECT RAISE(ABORT, '{why}'); END", dialect="sqlite")
    emptied = f"{table.name}_are_never_emptied"
    _make_function(row, emptied, f"RAISE EXCEPTION '{why}' USING ERRCODE = 'restrict_violation';")
    _call_function(row, emptied, f"BEFORE TRUNCATE ON {table.name} FOR EACH STATEMENT")


def _refuse_moving(row: type[SQLModel], why: str) -> None:
    """Refuse to give a row another's place (SQLite's `rowid`; PostgreSQL has no such thing)."""
    moved = f"{row.__tablename__}_keep_their_place BEFORE UPDATE ON {row.__tablename__} WHEN NEW.rowid <> OLD.rowid"
    make_with(row, f"CREATE TRIGGER {moved} BEGIN SELECT RAISE(ABORT, '{why}'); END", dialect="sqlite")


def _raise_the_generation(row: type[SQLModel]) -> None:
    rule = f"{row.__tablename__}_raise_the_generation"
    after = f"AFTER INSERT ON {row.__tablename__}"
    make_with(row, f"CREATE TRIGGER {rule} {after} BEGIN {RAISE_GENERATION}; END", dialect="sqlite")
    _make_function(row, rule, f"{RAISE_GENERATION}; RETURN NULL;")
    _call_function(row, rule, f"{after} FOR EACH ROW")


def _make_function(row: type[SQLModel], name: str, body: str) -> None:
    function = f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
    make_with(row, function, dialect="postgresql")


def _call_function(row: type[SQLModel], name: str, when: str) -> None:
    make_with(row, f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION {name}()", dialect="postgresql")
