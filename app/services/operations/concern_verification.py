"""Checks that each concern, with its entries, hand-overs and stored receipts, agrees with its audit log."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Engine, exists, func
from sqlmodel import Session, SQLModel, col, select

from app.models.audit.details import ClosedDetails, SealDetails
from app.models.audit.entry_kinds import EntryKind, EntryPlace
from app.models.audit.rows import WITHOUT_A_CONCERN, AuditEntryRow, ChainRow, DeskAct
from app.models.base import OnStep, show_no_progress
from app.models.concerns.card_rows import CardRow
from app.models.concerns.digests import columns_sha256, entry_sha256, receipt_sha256
from app.models.concerns.entries import EntryRow
from app.models.concerns.rows import LEAST_URGENT_FIRST, ConcernRow, StoredReceiptRow
from app.models.desk.hand_over_details import acts_of_hand_overs, recorded_hand_overs
from app.models.desk.hand_overs import HandOverRow
from app.models.desk.look_again import OFFICER, TEAM, LookAgainRow
from app.services.audit.replay import RecordedConcern, replay
from app.services.concerns.card_making import number_of_card
from app.services.concerns.rows import is_closed_count_right

CONCERNS_AT_ONCE = 50
"""Read in one transaction, about 5 ms each: a writer may wait for its end, holding the lock that all need."""
CANNOT_BE_READ = "one of its rows can no longer be read"
SealedRow = ConcernRow | EntryRow
_RowT = TypeVar("_RowT", bound=SQLModel)
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError)
"""Errors raised by a row that has a value which this service never writes."""


@dataclass(frozen=True)
class _Concern:
    """All rows about one concern: its own, its audit log, and those in other tables."""

    row: ConcernRow
    chain: list[AuditEntryRow]
    entries: list[EntryRow]
    cards: list[CardRow]
    hand_overs: list[HandOverRow]
    receipts: list[StoredReceiptRow]
    days: list[LookAgainRow]


def verify_concerns(engine: Engine, on_step: OnStep = show_no_progress) -> Iterator[tuple[str, str]]:
    """Yield reference and fault where a concern and its audit log disagree.

    A missing row and a wrong count of closed ones are faults too. A row that cannot be read ends the check of its
    concern.
    """
    with Session(engine) as session:
        after, done, is_last = "", 0, False
        total = count_concerns(session)
        while not is_last:  # a page that is not full is the last: while concerns come, an empty one may never come
            page = _next_references(session, after)
            for reference, each in _read_all(session, page):
                yield from ((reference, fault) for fault in _faults_or_unreadable(each))
            session.close()  # frees the sealed texts, and lets SQLite empty its write-ahead log
            after = page[-1] if page else after
            done, is_last = done + len(page), len(page) < CONCERNS_AT_ONCE
            on_step(done, total)
        for reference in _without_a_concern(session):
            yield reference, "it has an audit log, and no row"
        if not is_closed_count_right(session):
            yield "closed concerns", "their stored number is not the number of rows"


def count_concerns(session: Session) -> int:
    """Count the concerns, including tests and erased ones."""
    return session.exec(select(func.count()).select_from(ConcernRow)).one()


def _next_references(session: Session, after: str) -> Sequence[str]:
    """`CONCERNS_AT_ONCE`, sorted."""
    reference = col(ConcernRow.reference)
    return session.exec(select(reference).where(reference > after).order_by(reference).limit(CONCERNS_AT_ONCE)).all()


def _read_all(session: Session, references: Sequence[str]) -> Iterator[tuple[str, _Concern | None]]:
    """Yield None for a concern with a row that cannot be read."""
    try:
        page = _read_page(session, references) if references else []
    except UNREADABLE:
        if len(references) == 1:
            yield references[0], None
            return
        for each in references:
            yield from _read_all(session, [each])
    else:
        yield from ((each.row.reference, each) for each in page)


def _read_page(session: Session, references: Sequence[str]) -> list[_Concern]:
    """Return the concerns by reference. Raise an error of `UNREADABLE`."""
    first, last = references[0], references[-1]
    of_concern = col(ConcernRow.reference)
    rows = select(ConcernRow).where(of_concern >= first, of_concern <= last).order_by(of_concern)
    concerns = session.exec(rows).all()

    def of_each(row: type[_RowT], reference: str, *order: str) -> defaultdict[str, list[_RowT]]:
        columns = [col(getattr(row, name)) for name in (reference, *order)]
        found: defaultdict[str, list[_RowT]] = defaultdict(list)
        for each in session.exec(select(row).where(columns[0] >= first, columns[0] <= last).order_by(*columns)):
            found[getattr(each, reference)].append(each)
        return found

    chains = of_each(AuditEntryRow, "chain", "number")
    entries = of_each(EntryRow, "reference", "kind", "number")
    cards = of_each(CardRow, "reference", "addition")
    hand_overs = of_each(HandOverRow, "reference", "number")
    receipts = of_each(StoredReceiptRow, "reference")
    days = of_each(LookAgainRow, "reference")
    return [
        _Concern(row, chains[name], entries[name], cards[name], hand_overs[name], receipts[name], days[name])
        for row in concerns
        for name in [row.reference]
    ]


def _without_a_concern(session: Session) -> list[str]:
    known = exists().where(col(ConcernRow.reference) == ChainRow.name)  # NOT IN would compare each name with all
    names = select(ChainRow.name).where(col(ChainRow.name).not_in(WITHOUT_A_CONCERN), ~known)
    return list(session.exec(names.order_by(col(ChainRow.name))))


def _faults_or_unreadable(each: _Concern | None) -> Iterator[str]:
    """None: a row cannot be read."""
    try:
        yield from (CANNOT_BE_READ,) if each is None else _faults_of(each)
    except UNREADABLE:
        yield CANNOT_BE_READ


def _faults_of(each: _Concern) -> Iterator[str]:
    recorded = replay(RecordedConcern(), each.chain)
    yield from _faults_in_acts(each.row, recorded)
    if recorded.columns_sha256 is None:
        yield "its receipt is not recorded"
    elif recorded.columns_sha256 != columns_sha256(dict(each.row)):
        yield "its row was altered since it was received"
    if each.row.received_by != recorded.received_by:
        yield "its row and its audit log differ about who received it"
    yield from _faults_in_texts(each, recorded)
    yield from _faults_in_cards(each, recorded)
    yield from _faults_in_waiting(each, recorded)
    yield from _faults_in_hand_overs(each)
    yield from _faults_in_days(each.days, recorded)
    if recorded.receipts - set(map(receipt_sha256, each.receipts)):
        yield "a receipt that was stored for a retry is missing, or was altered"


def _faults_in_acts(concern: ConcernRow, recorded: RecordedConcern) -> Iterator[str]:
    if concern.state != recorded.state:
        yield f"its state is {concern.state}, and its audit log leads to {recorded.state}"
    if concern.held != recorded.held:
        yield f"it is {'' if concern.held else 'not '}on hold, and its audit log says otherwise"
    wrong = {
        "assigned to the recorded person": concern.assigned_to != recorded.assigned_to,
        "restricted to the recorded people": concern.limited_to != recorded.limited_to,
    }
    yield from (f"it is not {what}" for what, is_wrong in wrong.items() if is_wrong)
    if concern.changed_at != recorded.changed_at:
        yield "its row and its audit log differ about when it was last changed"
    times = {
        DeskAct.ACKNOWLEDGED: concern.acknowledged_at,
        DeskAct.CLOSED: concern.closed_at,
        DeskAct.REOPENED: concern.reopened_at,
        DeskAct.ERASED: concern.erased_at,
    }
    for act, at in times.items():
        if at != recorded.first.get(act):
            yield f"its row and its audit log differ about when it was {act}"
    closing = None if concern.outcome is None else ClosedDetails(outcome=concern.outcome, shared=concern.outcome_shared)
    if closing != recorded.closing or (closing is None and concern.outcome_shared):
        yield "its outcome is not the recorded one"


def _faults_in_texts(each: _Concern, recorded: RecordedConcern) -> Iterator[str]:
    erased = DeskAct.ERASED in recorded.first
    texts: dict[EntryPlace | None, SealedRow] = {None: each.row} | {row.place: row for row in each.entries}
    for missing in sorted(recorded.seals.keys() - texts.keys(), key=str):
        yield f"{missing} is missing"
    for text, row in texts.items():
        fault = _fault_in_text(row, recorded.seals.get(text), erased=erased)
        if fault is not None:
            yield f"{text or 'its sealed text'} {fault}"
        act = recorded.added.get(text)
        if act is not None and (row.received_at, getattr(row, "author", act.client)) != (act.at, act.client):
            yield f"{text} has another time or author than its audit log entry"
        if isinstance(row, EntryRow):
            yield from _faults_in_entry(row, recorded)


def _faults_in_cards(each: _Concern, recorded: RecordedConcern) -> Iterator[str]:
    erased = DeskAct.ERASED in recorded.first
    known = {number_of_card(place): sha256 for place, sha256 in recorded.cards.items()}
    there = {row.addition: row.sealed for row in each.cards}
    for number in sorted(known.keys() | there.keys(), key=str):
        name = f"the card of addition {number}" if number else "its card"
        if number not in there:
            yield f"{name} is missing"
        elif number not in known:
            yield f"{name} is not recorded"
        elif (sealed := there[number]) is None:
            if not erased:
                yield f"{name} is missing, and no erasure is recorded"
        elif erased:
            yield f"{name} is there, although it was erased"
        elif hashlib.sha256(sealed).hexdigest() != known[number]:
            yield f"{name} is not the one that is recorded"


def _faults_in_entry(row: EntryRow, recorded: RecordedConcern) -> Iterator[str]:
    if row.place in recorded.entries and recorded.entries[row.place] != entry_sha256(row):
        yield f"{row.place} was altered since it came"
    if not _is_read_as_recorded(row, recorded):
        yield f"{row.place}: its row and the audit log differ about when it was read or answered"
    acknowledged = recorded.acknowledged.get(row.number) if row.kind == EntryKind.ADDITION else None
    if row.acknowledged_at != acknowledged:
        yield f"its audit log and {row.place} differ about when that was acknowledged"


def _faults_in_waiting(each: _Concern, recorded: RecordedConcern) -> Iterator[str]:
    """Check the columns by which the inbox sorts, and the time of the last addition."""
    additions = [row for row in each.entries if row.kind == EntryKind.ADDITION and row.acknowledged_at is None]
    waiting = [row for row in additions if row.sealed is not None]
    dangers = [row.immediate_danger for row in waiting if row.immediate_danger is not None]
    expected = (
        len(waiting),
        min((row.acknowledge_by for row in waiting if row.acknowledge_by is not None), default=None),
        max(dangers, key=LEAST_URGENT_FIRST.index, default=None),
    )
    if (each.row.additions_waiting, each.row.addition_acknowledge_by, each.row.addition_danger) != expected:
        yield "its row does not match its unacknowledged additions"
    if each.row.added_at != recorded.added_at:
        yield "its row and its audit log differ about when something was last added"


def _is_read_as_recorded(row: EntryRow, recorded: RecordedConcern) -> bool:
    said = (recorded.read_at.get(row.number), recorded.answered_by.get(row.number))
    return (row.read_at, row.answered_by) == (said if row.kind == EntryKind.MESSAGE else (None, None))


def _fault_in_text(row: SealedRow, entry: SealDetails | None, *, erased: bool) -> str | None:
    if erased and row.sealed is not None:
        return "is there, although it was erased"
    if not erased and row.sealed is None:
        return "is missing, and no erasure is recorded"
    if entry is None:
        return "is not recorded"
    if row.sealed is not None and hashlib.sha256(row.sealed).hexdigest() != entry.sealed_sha256:
        return "is not the one that is recorded"
    return None if tuple(row.recipients) == entry.recipients else "is not sealed to the recorded recipients"


def _faults_in_days(days: Sequence[LookAgainRow], recorded: RecordedConcern) -> Iterator[str]:
    """A missing day of a person is none: theirs go when they leave."""
    if any(recorded.look_again.get(row.person) != row.day for row in days):
        yield "a day to look at it again is not the one that is recorded"
    if recorded.look_again.keys() & {TEAM, OFFICER} - {row.person for row in days}:
        yield "the team's day to look at it again, or the day to tell the designated officer, is missing"


def _faults_in_hand_overs(each: _Concern) -> Iterator[str]:
    recorded, there = recorded_hand_overs(each.chain), acts_of_hand_overs(each.hand_overs)
    if there - recorded:
        yield "a hand-over is not the one that is recorded"
    if recorded - there:
        yield "a recorded hand-over, or its receipt, is missing"
