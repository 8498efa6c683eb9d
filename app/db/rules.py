"""Rules that the database itself enforces, by triggers: nothing published, received or recorded is altered or lost."""

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import UniqueConstraint
from sqlmodel import SQLModel

from app.db.tables import create_with_table, table_of
from app.models.audit.entry_kinds import ENTRY_SPECS, EntryKind
from app.models.audit.rows import OUTBOX, AuditEntryRow, ChainRow, CheckpointRow, DeskAct
from app.models.concerns.card_rows import CardRow
from app.models.concerns.entries import ENTRY_WAITS, EntryRow
from app.models.concerns.receipts import ConcernState
from app.models.concerns.rows import SET_BY_THE_REPORTER, ClosedCountRow, ConcernRow, StoredReceiptRow
from app.models.desk.hand_overs import HandOverRow
from app.models.events.rows import DeliveryRow, EventReaderRow, EventRow
from app.models.guides.edition_rows import EditionRow, GenerationRow, GuideDraftActRow, PictureRow, WithdrawalRow

TriggerEvent = Literal["INSERT", "UPDATE", "DELETE"]

NEVER_CHANGES = "a published edition never changes"

WRITTEN_ONCE: dict[type[SQLModel], str] = {
    EditionRow: NEVER_CHANGES,
    WithdrawalRow: NEVER_CHANGES,
    GuideDraftActRow: "who wrote, offered and published a draft stays on record",
    AuditEntryRow: "an audit log entry is never altered or deleted",
    CheckpointRow: "a checkpoint never changes",
    StoredReceiptRow: "a stored receipt is never altered or deleted",
    EventRow: "an event is never altered or deleted",
}
"""Tables whose rows are never altered or deleted, each with the reason."""
AN_EDITION = "EXISTS (SELECT 1 FROM editions WHERE guide = NEW.guide AND language = '' AND number = NEW.edition)"
# LIKE is avoided, because each driver needs another spelling of the percent sign.
HAS_PICTURE = "SELECT 1 FROM editions WHERE replace(CAST(words AS TEXT), OLD.digest, '') <> CAST(words AS TEXT)"  # nosec B608
NEVER_CHANGES_IN_ENTRIES = (
    "reference",
    "kind",
    "number",
    "received_at",
    "author",
    "acknowledge_by",
    "immediate_danger",
    "channel",
    "came_at",
)
RAISE = "RAISE EXCEPTION '{}' USING ERRCODE = 'restrict_violation';"
RAISE_GENERATION = "UPDATE generation SET number = number + 1 WHERE id = 1"
IS_CLOSED = f"state = '{ConcernState.CLOSED}'"
COUNT_CLOSED = f"UPDATE closed_count SET number = number + CASE WHEN NEW.{IS_CLOSED} THEN 1 ELSE -1 END WHERE id = 1"  # noqa: S608  # nosec B608  # own names
# Resealing (encrypting the same text to other recipients) loses nothing. Every other change of the sealed text does.
LOSES_ITS_WORDS = (
    "NEW.sealed IS DISTINCT FROM OLD.sealed"
    " AND (NEW.sealed IS NULL OR CAST(NEW.recipients AS TEXT) = CAST(OLD.recipients AS TEXT))"
)

SET_ONCE = ("acknowledged_at", "erased_at")
SET_BY_CLOSING = ("closed_at", "outcome")
"""A reopening clears these; otherwise they are set once."""
DANGER = "CASE {}.immediate_danger WHEN 'yes' THEN 2 WHEN 'not_sure' THEN 1 ELSE 0 END"
LESS_DANGER = f"({DANGER.format('NEW')} < {DANGER.format('OLD')})"  # PL/pgSQL needs the parentheses
LAST_ACT = "coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none')"
SET_BY_ACTS = (
    (("acknowledged_at",), DeskAct.ACKNOWLEDGED),
    (("reopened_at",), DeskAct.REOPENED),
    (("erased_at",), DeskAct.ERASED),
    (("added_at", "immediate_danger"), DeskAct.ADDED),
)
REOPENS = "OLD.state = 'closed' AND NEW.state = 'acknowledged'"
ACT_OF_THE_STATE = f"(CASE WHEN {REOPENS} THEN '{DeskAct.REOPENED}' ELSE NEW.state END)"
"""Name of the state as an action, except for a reopening."""
RESTRICTED_OR_LIFTED = (
    f"(CASE NEW.limited_to WHEN '' THEN '{DeskAct.RESTRICTION_LIFTED}' ELSE '{DeskAct.RESTRICTED}' END)"
)
CLOSED_OR_REOPENED = f"(CASE WHEN NEW.closed_at IS NULL THEN '{DeskAct.REOPENED}' ELSE '{DeskAct.CLOSED}' END)"
ITS_CONCERN_STAYS = "EXISTS (SELECT 1 FROM concerns WHERE reference = OLD.reference AND (state = 'received' OR held))"
LAST_ENTRY = "FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1"
JSON_TYPE = "{json}"
"""Placeholder: `->>` reads text in SQLite, JSON in PostgreSQL."""
ASSIGNED_TO = f"CASE act WHEN 'assigned' THEN CAST(detail AS {JSON_TYPE}) ->> 'person' WHEN 'unassigned' THEN '' END"
ASSIGNED_BY_IT = f"(SELECT {ASSIGNED_TO} {LAST_ENTRY})"  # nosec B608  # own names
CHANGED_BY_IT = f"(SELECT at {LAST_ENTRY})"  # nosec B608  # own names
# A sealed text is erased or resealed only with its entry in the audit log. An erased text never returns.
REPLACED_UNRECORDED = (
    f"(NEW.sealed IS NULL AND OLD.sealed IS NOT NULL) AND {LAST_ACT} <> '{DeskAct.ERASED}'"
    " OR (NEW.sealed IS NOT NULL AND NEW.sealed IS DISTINCT FROM OLD.sealed"
    " OR CAST(NEW.recipients AS TEXT) IS DISTINCT FROM CAST(OLD.recipients AS TEXT))"
    f" AND (OLD.sealed IS NULL OR {LAST_ACT} <> '{DeskAct.RESEALED}')"
)


def declare_rules() -> None:
    """Declare the rules, and the first rows of `generation` and `closed_count`."""
    for row, why in WRITTEN_ONCE.items():
        _refuse(row, "are_never_altered", "UPDATE", why)
        _refuse_losing(row, why)
    for row in (EditionRow, WithdrawalRow):
        _create_in_sqlite(row, "raise_the_generation", "AFTER INSERT", RAISE_GENERATION)
        _create_in_postgresql(row, "raise_the_generation", "AFTER INSERT", f"{RAISE_GENERATION}; RETURN NULL;")
    without_gap = "editions, and renditions in a language, are numbered 1, 2, 3 without a gap"
    next_number = (
        "(SELECT coalesce(max(number), 0) + 1 FROM editions WHERE guide = NEW.guide AND language = NEW.language)"
    )
    _refuse(EditionRow, "are_numbered_in_order", "INSERT", without_gap, when=f"NEW.number <> {next_number}")
    why = "a rendition is of a published edition"
    # PL/pgSQL needs the parentheses
    strange = f"(CASE NEW.language WHEN '' THEN NEW.edition <> NEW.number ELSE NOT {AN_EDITION} END)"
    _refuse(EditionRow, "are_of_an_edition", "INSERT", why, when=strange)
    _refuse(ConcernRow, "name_an_edition", "INSERT", "a concern names a published edition", when=f"NOT {AN_EDITION}")
    _declare_rules_of_pictures()
    _declare_rules_of_concerns()
    _declare_count_of_closed()
    _declare_rules_of_entries()
    _declare_rules_of_cards()
    _declare_rules_of_hand_overs()
    _declare_rules_of_audit_log()
    _declare_rules_of_acts()
    _declare_rules_of_events()
    create_with_table(GenerationRow, "INSERT INTO generation (id, number) VALUES (1, 0)")


def _declare_rules_of_pictures() -> None:
    """Keep each picture while a published rendition has it."""
    _refuse(PictureRow, "are_never_altered", "UPDATE", "a picture never changes")
    _refuse_losing(PictureRow, "a picture of a published rendition is never deleted", when=f"EXISTS ({HAS_PICTURE})")


def _declare_rules_of_concerns() -> None:
    """Its state only goes forward, but a closed concern can be reopened until its text is erased.

    A concern is never deleted, and erased only when it and its additions are acknowledged and it is not on hold.
    """
    _refuse_losing(ConcernRow, "a concern is never deleted")
    why = "a concern keeps its reference"
    _refuse(ConcernRow, "keep_their_reference", "UPDATE", why, when="NEW.reference <> OLD.reference")
    # a concern also never takes the rowid of another concern; only SQLite has rowids
    _refuse_in_sqlite(ConcernRow, "keep_their_place", "UPDATE", why, when="NEW.rowid <> OLD.rowid")
    why = "a concern that is not acknowledged, or is on hold, is not erased"
    erases_unread = f"{LOSES_ITS_WORDS} AND (OLD.state = 'received' OR OLD.held)"
    _refuse(ConcernRow, "keep_what_nobody_acknowledged", "UPDATE", why, when=erases_unread)
    why = "a concern is received, then acknowledged, then closed, and reopened only while its text is there"
    forward = "OLD.state || NEW.state NOT IN ('receivedacknowledged', 'acknowledgedclosed')"
    reverts = f"NEW.state <> OLD.state AND {forward} AND NOT ({REOPENS} AND OLD.erased_at IS NULL)"
    _refuse(ConcernRow, "never_go_back", "UPDATE", why, when=reverts)
    why = "a concern is not erased while something added to it is not acknowledged"
    added = f"EXISTS (SELECT 1 FROM entries WHERE reference = OLD.reference AND {ENTRY_WAITS})"  # noqa: S608  # nosec B608  # own names
    erases = f"(NEW.erased_at IS DISTINCT FROM OLD.erased_at OR {LOSES_ITS_WORDS})"
    _refuse(ConcernRow, "keep_what_was_added", "UPDATE", why, when=f"{erases} AND {added}")


def _declare_count_of_closed() -> None:
    """Test concerns are not counted."""
    create_with_table(ClosedCountRow, "INSERT INTO closed_count (id, number) VALUES (1, 0)")
    _refuse_losing(ClosedCountRow, "the number of closed concerns is never deleted")
    changes = {
        ("count_inserted", "AFTER INSERT"): f"NEW.{IS_CLOSED} AND NOT NEW.test",
        ("count_changed", "AFTER UPDATE OF state"): f"(NEW.{IS_CLOSED}) <> (OLD.{IS_CLOSED}) AND NOT NEW.test",
    }
    for (name, event), when in changes.items():
        _create_in_sqlite(ConcernRow, name, event, COUNT_CLOSED, when=f" WHEN {when}")
        _create_in_postgresql(ConcernRow, name, event, f"IF {when} THEN {COUNT_CLOSED}; END IF; RETURN NULL;")


def _declare_rules_of_entries() -> None:
    """An entry is never deleted, and changes with its audit entry, but for which deadlines were announced.

    None is erased while its concern is unacknowledged or on hold, and no addition before it is acknowledged.
    """
    _refuse_losing(EntryRow, "an entry is never deleted")
    why = "an entry keeps its number, its time and its author"
    _refuse(EntryRow, "keep_what_they_are", "UPDATE", why, when=_changes(NEVER_CHANGES_IN_ENTRIES))
    _refuse_in_sqlite(EntryRow, "keep_their_place", "UPDATE", why, when="NEW.rowid <> OLD.rowid")
    why = "an entry comes on the record, and nobody has seen it"
    acts = " ".join(f"WHEN '{kind}' THEN '{spec.act}'" for kind, spec in ENTRY_SPECS.items())
    recorded = f"{LAST_ACT} = CASE NEW.kind {acts} END"
    unseen = "NEW.sealed IS NOT NULL AND coalesce(NEW.acknowledged_at, NEW.read_at) IS NULL AND NEW.answered_by IS NULL"
    _refuse(EntryRow, "come_on_the_record", "INSERT", why, when=f"({recorded} AND {unseen}) IS NOT TRUE")
    why = "an entry is not erased while it, or its concern, is not acknowledged, or is on hold"
    waits = f"OLD.kind = '{EntryKind.ADDITION}' AND OLD.acknowledged_at IS NULL"
    _refuse(
        EntryRow,
        "stay_until_acknowledged",
        "UPDATE",
        why,
        when=f"{LOSES_ITS_WORDS} AND ({waits} OR {ITS_CONCERN_STAYS})",
    )
    why = "an entry changes only with its audit log entry"
    recorded = (
        "EXISTS (SELECT 1 FROM audit_entries"
        " WHERE chain = OLD.reference AND act = 'acknowledged' AND at = NEW.acknowledged_at)"
    )
    unrecorded = [
        f"{_changes(['acknowledged_at'])} AND (OLD.acknowledged_at IS NOT NULL OR NOT {recorded})",
        f"{_changes(['read_at'])} AND (OLD.read_at IS NOT NULL OR {LAST_ACT} <> '{DeskAct.MESSAGE_READ}')",
        f"{_changes(['answered_by'])} AND (OLD.answered_by IS NOT NULL OR {LAST_ACT} <> '{DeskAct.ADDED}')",
        REPLACED_UNRECORDED,
        f"OLD.kind = '{EntryKind.MESSAGE}' AND NEW.sealed IS NOT NULL AND NEW.sealed IS DISTINCT FROM OLD.sealed",
    ]
    _refuse(
        EntryRow, "change_with_their_audit_entry", "UPDATE", why, when=" OR ".join(f"({each})" for each in unrecorded)
    )


def _declare_rules_of_cards() -> None:
    """A card is never deleted, and its audit entry precedes each insert and each change.

    The last entry of the concern must say before an insert that the text was received, added or resealed; before a
    change, that it was resealed; before an erasure, that it was erased. An erased card does not return.
    """
    _refuse_losing(CardRow, "a card is never deleted")
    why = "a card keeps its place"
    _refuse(CardRow, "keep_their_place", "UPDATE", why, when=_changes(("reference", "addition")))
    _refuse_in_sqlite(CardRow, "keep_their_row", "UPDATE", why, when="NEW.rowid <> OLD.rowid")
    why = "a card comes with the audit log entry of its text"
    acts = ", ".join(f"'{act}'" for act in (DeskAct.RECEIVED, DeskAct.ADDED, DeskAct.RESEALED))
    _refuse(CardRow, "come_on_the_record", "INSERT", why, when=f"NEW.sealed IS NULL OR {LAST_ACT} NOT IN ({acts})")
    why = "a card changes only with its audit log entry"
    erased = f"NEW.sealed IS NULL AND ({LAST_ACT} <> '{DeskAct.ERASED}' OR {ITS_CONCERN_STAYS})"
    replaced = f"NEW.sealed IS NOT NULL AND (OLD.sealed IS NULL OR {LAST_ACT} <> '{DeskAct.RESEALED}')"
    unrecorded = f"NEW.sealed IS DISTINCT FROM OLD.sealed AND ({erased} OR {replaced})"
    _refuse(CardRow, "change_with_their_audit_entry", "UPDATE", why, when=unrecorded)


def _declare_rules_of_hand_overs() -> None:
    """A hand-over comes with its audit entry, and only the confirmation is added, once."""
    _refuse_losing(HandOverRow, "a hand-over is never deleted")
    own = ("reference", "number", "at", "body", "reason", "recipient", "package_sha256", "additions", "receipt")
    _refuse(HandOverRow, "keep_what_they_are", "UPDATE", "a hand-over never changes", when=_changes(own))
    why = "a hand-over changes only with its audit log entry"
    confirmed = "(NEW.their_receipt IS NOT NULL OR NEW.confirmed_at IS NOT NULL)"
    unrecorded = f"{confirmed} OR {LAST_ACT} <> '{DeskAct.HANDED_OVER}'"
    _refuse(HandOverRow, "come_with_their_audit_entry", "INSERT", why, when=unrecorded)
    changes, again = _changes(["their_receipt", "confirmed_at"]), "OLD.their_receipt IS NOT NULL"
    unrecorded = f"({changes}) AND ({again} OR {LAST_ACT} <> '{DeskAct.HAND_OVER_CONFIRMED}')"
    _refuse(HandOverRow, "are_confirmed_on_the_record", "UPDATE", why, when=unrecorded)


def _declare_rules_of_audit_log() -> None:
    """A chain grows by one entry at a time; `OUTBOX` may grow by several."""
    _refuse_losing(ChainRow, "a chain of the audit log is never deleted")
    grows_by_one = f"NEW.length = OLD.length + 1 OR (NEW.name = '{OUTBOX}' AND NEW.length > OLD.length)"
    does_not_grow = f"NEW.name <> OLD.name OR NOT ({grows_by_one})"
    _refuse(ChainRow, "only_grow", "UPDATE", "a chain of the audit log grows by one", when=does_not_grow)


def _declare_rules_of_acts() -> None:
    """A concern's columns change only right after the audit entry of the action.

    Those in `SET_BY_THE_REPORTER` never do; danger is raised, never lowered. Columns about unacknowledged additions and
    announced deadlines change without an entry.
    """
    why = "what was received is never altered"
    once = [f"OLD.{column} IS NOT NULL AND {_changes([column])}" for column in SET_ONCE]
    once += [
        f"OLD.{column} IS NOT NULL AND NEW.{column} IS NOT NULL AND {_changes([column])}" for column in SET_BY_CLOSING
    ]
    altered = " OR ".join([_changes(SET_BY_THE_REPORTER), *once, LESS_DANGER])
    _refuse(ConcernRow, "keep_what_was_received", "UPDATE", why, when=altered)
    why = "a concern changes only with its audit log entry"
    without_audit_entry = " OR ".join(
        [
            f"NEW.state <> OLD.state AND {ACT_OF_THE_STATE} <> {LAST_ACT}",
            f"({_changes(SET_BY_CLOSING)} OR {_changes(['outcome_shared'])}) AND {CLOSED_OR_REOPENED} <> {LAST_ACT}",
            f"{_changes(['limited_to'])} AND {LAST_ACT} <> {RESTRICTED_OR_LIFTED}",
            f"NEW.held AND NOT OLD.held AND {LAST_ACT} <> '{DeskAct.HELD}'",
            f"OLD.held AND NOT NEW.held AND {LAST_ACT} <> '{DeskAct.RELEASED}'",
            *(f"({_changes(columns)}) AND {LAST_ACT} <> '{act}'" for columns, act in SET_BY_ACTS),
            REPLACED_UNRECORDED,
            f"NEW.assigned_to <> OLD.assigned_to AND NEW.assigned_to IS DISTINCT FROM {ASSIGNED_BY_IT}",
            f"NEW.changed_at IS DISTINCT FROM OLD.changed_at AND NEW.changed_at IS DISTINCT FROM {CHANGED_BY_IT}",
        ]
    )
    _refuse(ConcernRow, "change_with_their_audit_entry", "UPDATE", why, when=without_audit_entry)


def _declare_rules_of_events() -> None:
    """The last event that a reader confirmed never falls, unless a restored database no longer has the event."""
    _refuse_losing(DeliveryRow, "a delivery is never deleted")
    _refuse_losing(GenerationRow, "the generation is never deleted")
    _refuse(GenerationRow, "only_grow", "UPDATE", "the generation only grows", when="NEW.number < OLD.number")
    own = _changes(("event_id", "webhook", "message"))
    _refuse(DeliveryRow, "keep_their_event", "UPDATE", "a delivery keeps its event", when=own)
    happened = "OLD.confirmed <= (SELECT coalesce(max(id), 0) FROM events)"  # a restored database may have fewer events
    back = f"NEW.client <> OLD.client OR (NEW.confirmed < OLD.confirmed AND {happened})"
    _refuse(EventReaderRow, "never_go_back", "UPDATE", "an event stays confirmed", when=back)


def _changes(columns: Sequence[str]) -> str:
    return " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in columns)


def _refuse(row: type[SQLModel], name: str, operation: TriggerEvent, why: str, *, when: str = "TRUE") -> None:
    """Refuse the operation if the SQL condition `when` is true. `name` is part of the trigger's name."""
    _refuse_in_sqlite(row, name, operation, why, when=when.replace(JSON_TYPE, "TEXT"))
    refusal = f"IF {when} THEN {RAISE.format(why)} END IF; RETURN {'OLD' if operation == 'DELETE' else 'NEW'};"
    _create_in_postgresql(row, name, f"BEFORE {operation}", refusal.replace(JSON_TYPE, "JSON"))


def _refuse_losing(row: type[SQLModel], why: str, *, when: str = "TRUE") -> None:
    """REPLACE, TRUNCATE, and DELETE."""
    table = table_of(row)
    _refuse(row, "are_never_deleted", "DELETE", why, when=when)
    # On a connection without `recursive_triggers`, INSERT OR REPLACE deletes rows without their delete trigger.
    keys = [table.primary_key, *(each for each in table.constraints if isinstance(each, UniqueConstraint))]
    same = [" AND ".join(f"{column.name} = NEW.{column.name}" for column in key) for key in keys]
    taken = f"EXISTS (SELECT 1 FROM {table.name} WHERE ({') OR ('.join(same)}) OR rowid = NEW.rowid)"  # noqa: S608  # nosec B608  # own names
    _refuse_in_sqlite(row, "are_never_replaced", "INSERT", why, when=taken)
    _create_in_postgresql(row, "are_never_emptied", "BEFORE TRUNCATE", RAISE.format(why), each="STATEMENT")


def _refuse_in_sqlite(row: type[SQLModel], name: str, operation: TriggerEvent, why: str, *, when: str) -> None:
    _create_in_sqlite(row, name, f"BEFORE {operation}", f"SELECT RAISE(ABORT, '{why}')", when=f" WHEN {when}")


def _create_in_sqlite(row: type[SQLModel], name: str, event: str, statement: str, *, when: str = "") -> None:
    table = row.__tablename__
    trigger = f"CREATE TRIGGER {table}_{name} {event} ON {table}{when} BEGIN {statement}; END"
    create_with_table(row, trigger, dialect="sqlite")


def _create_in_postgresql(row: type[SQLModel], name: str, event: str, body: str, *, each: str = "ROW") -> None:
    table = row.__tablename__
    function = f"CREATE FUNCTION {table}_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
    trigger = f"CREATE TRIGGER {table}_{name} {event} ON {table} FOR EACH {each} EXECUTE FUNCTION {table}_{name}()"
    for statement in (function, trigger):
        create_with_table(row, statement, dialect="postgresql")
