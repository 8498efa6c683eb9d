"""Verifying concerns: each row, and each sealed text, is compared with what the chain of the concern says."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from sqlalchemy import Engine, exists
from sqlmodel import Session, col, func, select

from app.models.concerns.tables import ConcernRow
from app.models.desk.disclosure_tables import WITHOUT_A_CONCERN, ChainRow, DeskAct, DisclosureRow
from app.models.desk.hand_over_tables import HandOverRow
from app.models.desk.recorded import RecordedConcern, SealEntry, closing_detail, columns_sha256, replay
from app.models.entries import EntryKind, EntryPlace, EntryRow
from app.models.progress import OnStep, show_no_progress
from app.services.operations.hand_over_verification import faults_in_hand_overs

VERIFICATION_PAGE_SIZE = 50
ROWS_AT_ONCE = 1000
FurtherRow = type[EntryRow | HandOverRow]
FURTHER_ROWS: tuple[FurtherRow, ...] = (EntryRow, HandOverRow)
"""The rows that few concerns have."""
HAND_OVER_ACTS = {DeskAct.HANDED_OVER, DeskAct.HAND_OVER_CONFIRMED}
SealedRow = ConcernRow | EntryRow


@dataclass(frozen=True)
class _Page:
    """What is read at once for a page of concerns: what each chain says, and the references with further rows."""

    recorded: dict[str, RecordedConcern]
    references: dict[FurtherRow, set[str]]

    def has(self, row: FurtherRow, concern: ConcernRow) -> bool:
        """Return whether the concern has such a row."""
        return concern.reference in self.references[row]


def verify_concerns(engine: Engine, on_step: OnStep = show_no_progress) -> Iterator[tuple[str, str]]:
    """Yield the reference of each concern that does not agree with its disclosures, and each fault."""
    with Session(engine) as session:
        after, done = "", 0
        total = count_concerns(session)
        while concerns := _following(session, after):
            page = _read_page(session, first=concerns[0].reference, last=concerns[-1].reference)
            for concern in concerns:
                after = concern.reference
                for fault in _faults_of(session, concern, page):
                    yield concern.reference, fault
                done += 1
                on_step(done, total)
            session.expunge_all()  # the sealed texts
        for reference in _without_a_concern(session):
            yield reference, "it has disclosures, and no row"


def count_concerns(session: Session) -> int:
    """Return how many concerns there are."""
    return session.exec(select(func.count()).select_from(ConcernRow)).one()


def _following(session: Session, after: str) -> list[ConcernRow]:
    rows = select(ConcernRow).where(col(ConcernRow.reference) > after).order_by(col(ConcernRow.reference))
    return list(session.exec(rows.limit(VERIFICATION_PAGE_SIZE)))


def _without_a_concern(session: Session) -> list[str]:
    known = exists().where(col(ConcernRow.reference) == ChainRow.name)  # NOT IN would compare each with all
    names = select(ChainRow.name).where(col(ChainRow.name).not_in(WITHOUT_A_CONCERN), ~known)
    return list(session.exec(names.order_by(col(ChainRow.name))))


def _read_page(session: Session, *, first: str, last: str) -> _Page:
    """Read the chains of all concerns from the first reference to the last, and which of them have other rows."""
    chain = col(DisclosureRow.chain)
    rows = select(DisclosureRow).where(chain >= first, chain <= last).order_by(chain, col(DisclosureRow.number))
    chains = groupby(session.exec(rows.execution_options(yield_per=ROWS_AT_ONCE)), key=attrgetter("chain"))
    recorded = {chain: replay(acts) for chain, acts in chains}
    return _Page(recorded, {each: _having(session, each, first, last) for each in FURTHER_ROWS})


def _having(session: Session, row: FurtherRow, first: str, last: str) -> set[str]:
    reference = col(row.reference)
    return set(session.exec(select(reference).where(reference >= first, reference <= last).distinct()))


def _faults_of(session: Session, concern: ConcernRow, page: _Page) -> Iterator[str]:
    recorded = page.recorded.get(concern.reference) or RecordedConcern()
    yield from _faults_in_acts(concern, recorded)
    yield from _faults_in_columns(concern, recorded)
    yield from _faults_in_texts(session, concern, page, recorded)
    if page.has(HandOverRow, concern) or not HAND_OVER_ACTS.isdisjoint(recorded.first):
        yield from faults_in_hand_overs(session, concern)


def _faults_in_acts(concern: ConcernRow, recorded: RecordedConcern) -> Iterator[str]:
    if concern.state != recorded.state:
        yield f"its state is {concern.state}, and its disclosures lead to {recorded.state}"
    if concern.held != recorded.held:
        yield f"it is {'' if concern.held else 'not '}on hold, and its disclosures say otherwise"
    if concern.assigned_to != recorded.assigned_to:
        yield "it is not assigned to the recorded person"
    if concern.changed_at != recorded.changed_at:
        yield "its row and its disclosures differ about when it was last changed"
    times = {
        DeskAct.ACKNOWLEDGED: concern.acknowledged_at,
        DeskAct.CLOSED: concern.closed_at,
        DeskAct.ERASED: concern.erased_at,
    }
    for act, at in times.items():
        if at != recorded.first.get(act):
            yield f"its row and its disclosures differ about when it was {act}"
    outcome = None if concern.outcome is None else closing_detail(concern.outcome, shared=concern.outcome_shared)
    if outcome != recorded.closing_detail:
        yield "its outcome is not the recorded one"


def _faults_in_columns(concern: ConcernRow, recorded: RecordedConcern) -> Iterator[str]:
    if recorded.columns_sha256 is None:
        yield "its receipt is not recorded"
    elif recorded.columns_sha256 != columns_sha256(dict(concern)):
        yield "its row was altered since it was received"


def _faults_in_texts(session: Session, concern: ConcernRow, page: _Page, recorded: RecordedConcern) -> Iterator[str]:
    erased = DeskAct.ERASED in recorded.first
    texts: dict[EntryPlace | None, SealedRow] = {None: concern}
    if page.has(EntryRow, concern):
        entries = select(EntryRow).where(EntryRow.reference == concern.reference)
        ordered = entries.order_by(col(EntryRow.kind), col(EntryRow.number))
        texts |= {row.place: row for row in session.exec(ordered)}
    for missing in sorted(recorded.seals.keys() - texts.keys(), key=str):
        yield f"{missing} is missing"
    for text, row in texts.items():
        fault = _fault_in_text(row, recorded.seals.get(text), erased=erased)
        if fault is not None:
            yield f"{text or 'its sealed text'} {fault}"
        if text in recorded.added and not _agrees(row, recorded.added[text]):
            yield f"{text} was not received then, or not from that author"
        if isinstance(row, EntryRow) and not _is_read_as_recorded(row, recorded):
            yield f"{text} was not read or answered as its row says"


def _agrees(row: SealedRow, act: DisclosureRow) -> bool:
    """Return whether the row has the time of the act and, as an entry, its author."""
    return row.received_at == act.at and (isinstance(row, ConcernRow) or row.author == act.client)


def _is_read_as_recorded(row: EntryRow, recorded: RecordedConcern) -> bool:
    said = (recorded.read_at.get(row.number), recorded.answered_by.get(row.number))
    return (row.read_at, row.answered_by) == (said if row.kind == EntryKind.MESSAGE else (None, None))


def _fault_in_text(row: SealedRow, entry: SealEntry | None, *, erased: bool) -> str | None:
    if erased:
        return None if row.sealed is None else "is there, although it was erased"
    if row.sealed is None:
        return "is gone, and no erasure is recorded"
    if entry is None:
        return "is not recorded"
    if hashlib.sha256(row.sealed).hexdigest() != entry.sealed_sha256:
        return "is not the one that is recorded"
    return None if tuple(row.recipients) == entry.recipients else "is not sealed to the recorded recipients"
