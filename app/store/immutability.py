"""What the database itself refuses, whoever asks: to change a published edition, to lose an unread concern."""

from sqlmodel import SQLModel

from app.models.concern_tables import AdditionRow, ConcernRow
from app.models.disclosure_tables import ChainRow, DisclosureRow
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
from app.store.tables import make_with, table_of

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


def _refuse(row: type[SQLModel], name: str, when: str, why: str) -> None:
    rule = f"CREATE TRIGGER {row.__tablename__}_{name} {when} BEGIN SELECT RAISE(ABORT, '{why}'); END"
    make_with(row, rule, dialect="sqlite")


def _refuse_replacing(row: type[SQLModel], why: str) -> None:
    """Refuse INSERT OR REPLACE: on a connection without `recursive_triggers` it deletes without the delete trigger."""
    table = table_of(row)
    same_key = " AND ".join(f"{column.name} = NEW.{column.name}" for column in table.primary_key)
    taken = f"EXISTS (SELECT 1 FROM {table.name} WHERE ({same_key}) OR rowid = NEW.rowid)"  # noqa: S608  # nosec B608  # own names
    _refuse(row, "are_never_replaced", f"BEFORE INSERT ON {table.name} WHEN {taken}", why)


def declare_rules() -> None:
    """Attach every rule to the tables of the metadata, so that making the schema makes the rules with it."""
    for row in (*WRITTEN_ONCE, *SEALED_BY_THEIR_EDITION):
        name = row.__tablename__
        _refuse(row, "are_never_altered", f"BEFORE UPDATE ON {name}", NEVER_CHANGES)
        _refuse(row, "are_never_deleted", f"BEFORE DELETE ON {name}", NEVER_CHANGES)
        _refuse_replacing(row, NEVER_CHANGES)
    for row in SEALED_BY_THEIR_EDITION:
        sealed = "EXISTS (SELECT 1 FROM editions WHERE guide = NEW.guide AND number = NEW.edition)"
        _refuse(row, "are_sealed", f"BEFORE INSERT ON {row.__tablename__} WHEN {sealed}", NEVER_CHANGES)
    next_number = "(SELECT coalesce(max(number), 0) + 1 FROM editions WHERE guide = NEW.guide)"
    _refuse(
        EditionRow,
        "are_numbered_in_order",
        f"BEFORE INSERT ON editions WHEN NEW.number <> {next_number}",
        "editions are numbered 1, 2, 3 without a gap",
    )
    _declare_rules_of_concerns()
    _declare_rules_of_disclosures()
    for row in (EditionRow, WithdrawalRow):
        rule = f"{row.__tablename__}_raise_the_generation AFTER INSERT ON {row.__tablename__}"
        make_with(row, f"CREATE TRIGGER {rule} BEGIN {RAISE_GENERATION}; END", dialect="sqlite")
    make_with(GenerationRow, "INSERT INTO generation (id, number) VALUES (1, 0)")


RAISE_GENERATION = "UPDATE generation SET number = number + 1 WHERE id = 1"
# Sealing the same words anew to other recipients loses nothing; whatever else changes the sealed text does.
LOSES_ITS_WORDS = "NEW.sealed IS NOT OLD.sealed AND (NEW.sealed IS NULL OR NEW.recipients = OLD.recipients)"


def _declare_rules_of_concerns() -> None:
    """A concern's row stays for ever; its sealed text goes only once it was acknowledged, and under no hold."""
    _refuse(ConcernRow, "are_never_deleted", "BEFORE DELETE ON concerns", "a concern is never deleted")
    _refuse_replacing(ConcernRow, "a concern is never replaced by another")
    _refuse(
        ConcernRow,
        "keep_their_reference",  # and take nobody else's place
        "BEFORE UPDATE ON concerns WHEN NEW.reference <> OLD.reference OR NEW.rowid <> OLD.rowid",
        "a concern keeps its reference",
    )
    _refuse(
        ConcernRow,
        "keep_what_nobody_acknowledged",
        f"BEFORE UPDATE ON concerns WHEN {LOSES_ITS_WORDS} AND (OLD.state = 'received' OR OLD.held)",
        "a concern that is not acknowledged, or is on hold, is not erased",
    )
    _refuse(
        ConcernRow,
        "never_go_back",
        "BEFORE UPDATE ON concerns WHEN NEW.state <> OLD.state AND OLD.state || NEW.state NOT IN "
        "('receivedacknowledged', 'acknowledgedclosed')",
        "a concern is received, then acknowledged, then closed",
    )
    unread = "EXISTS (SELECT 1 FROM concerns WHERE reference = OLD.reference AND (state = 'received' OR held))"
    _refuse(AdditionRow, "are_never_deleted", "BEFORE DELETE ON additions", "an addition is never deleted")
    _refuse_replacing(AdditionRow, "an addition is never replaced by another")
    _refuse(
        AdditionRow,
        "keep_what_nobody_acknowledged",
        f"BEFORE UPDATE ON additions WHEN {LOSES_ITS_WORDS} AND {unread}",
        "an addition to a concern that is not acknowledged, or is on hold, is not erased",
    )


def _declare_rules_of_disclosures() -> None:
    _refuse(DisclosureRow, "are_never_altered", "BEFORE UPDATE ON disclosures", "a disclosure is never altered")
    _refuse(DisclosureRow, "are_never_deleted", "BEFORE DELETE ON disclosures", "a disclosure is never deleted")
    _refuse_replacing(DisclosureRow, "a disclosure is never replaced by another")
    _refuse(ChainRow, "are_never_deleted", "BEFORE DELETE ON chains", "a chain of disclosures is never deleted")
    _refuse_replacing(ChainRow, "a chain of disclosures is never replaced by another")
    _refuse(
        ChainRow,
        "only_grow",
        "BEFORE UPDATE ON chains WHEN NEW.name <> OLD.name OR NEW.length <> OLD.length + 1",
        "a chain of disclosures grows by one",
    )
