"""Checks that the chain of events is intact, and that the tables which events describe agree with it.

Each check yields faults. A fault is a pair: the name of what is wrong, and a sentence.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlalchemy import Engine
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from app.db.search import find_full_text_faults
from app.db.tables import table_of
from app.models.audit.rows import OUTBOX, CheckpointRow
from app.models.base import OnStep, counted, show_no_progress
from app.models.concerns.entries import EntryRow
from app.models.concerns.rows import ConcernRow
from app.models.events.rows import DeliveryRow, EventKind, EventReaderRow, EventRow
from app.models.guides.edition_keys import AnyKey, EditionKey, RenditionKey, name_of_edition
from app.models.guides.edition_rows import EditionRow, GenerationRow, WithdrawalRow
from app.services.audit.chains import BEFORE_THE_FIRST, End, find_end
from app.services.audit.replay import Change, replay_others
from app.services.concerns.deadlines import find_without_event
from app.services.events.outbox import events_after
from app.services.events.webhooks import find_changed_webhooks
from app.services.guides.catalogue import find_index_faults
from app.services.guides.editions import key_of
from app.services.operations.audit_verification import STEP_ROWS
from app.services.operations.concern_verification import UNREADABLE

ANNOUNCING = {
    EventKind.CONCERN_OVERDUE: table_of(ConcernRow).c.overdue_announced,
    EventKind.CONCERN_DUE_SOON: table_of(ConcernRow).c.due_soon_announced,
    EventKind.CONCERN_ADDITION_OVERDUE: table_of(EntryRow).c.overdue_announced,
    EventKind.CONCERN_ADDITION_DUE_SOON: table_of(EntryRow).c.due_soon_announced,
}
"""The column that is True once the event was appended, and prevents a second."""


@dataclass
class _RecordedEvents:
    """Publications, withdrawals and checkpoints, in order."""

    published: dict[AnyKey, tuple[Any, ...]] = field(default_factory=dict)
    withdrawn: dict[AnyKey, tuple[Any, ...]] = field(default_factory=dict)
    checkpoints: dict[int, tuple[Any, ...]] = field(default_factory=dict)

    def publish(self, data: Any, event: EventRow) -> None:
        self.published[_key_in(data)] = (data["edition"], data["digest"], event.at)

    def withdraw(self, data: Any, event: EventRow) -> None:
        self.withdrawn[_key_in(data)] = (data["reason"], event.at)

    def sign(self, data: Any, event: EventRow) -> None:
        signed = (data["size"], data["root_sha256"], data["checkpoint"], event.at)
        self.checkpoints[len(self.checkpoints) + 1] = signed

    def apply(self, event: EventRow) -> None:
        change = self.changes.get(event.kind)
        if change is not None:
            change(self, event.data, event)

    changes: ClassVar[Mapping[str, Change]] = {
        EventKind.EDITION_PUBLISHED: publish,
        EventKind.RENDITION_PUBLISHED: publish,
        EventKind.EDITION_WITHDRAWN: withdraw,
        EventKind.RENDITION_WITHDRAWN: withdraw,
        EventKind.AUDIT_CHECKPOINT: sign,
    }


def _key_in(data: dict[str, Any]) -> AnyKey:
    if "language" in data:
        return RenditionKey(data["guide"], data["language"], data["number"])
    return EditionKey(data["guide"], data["edition"])


def verify_events(engine: Engine, on_step: OnStep = show_no_progress) -> Iterator[tuple[str, str]]:
    """Yield name and fault of each broken event, and of each row that contradicts the events or the audit log.

    It covers deliveries, announcements, publications, withdrawals, checkpoints, generation, readers, webhooks and the
    search index. If something cannot be read, the check of its kind ends.
    """
    with Session(engine) as session:
        said, recorded = _RecordedEvents(), replay_others(session)
        try:
            yield from _faults_in_events(session, said, recorded.last_events, on_step)
            yield from _faults_in_announcements(session)
        except UNREADABLE:
            yield "events", "an event can no longer be read"
        try:
            yield from _faults_in_publications(session, said)
        except UNREADABLE:
            yield "publications", "a row can no longer be read"
        yield from _faults_in_readers(session, recorded.confirmed)
        yield from ((f"webhook {name}", fault) for name, fault in find_changed_webhooks(session, recorded.webhooks))
        try:
            yield from find_index_faults(session)
        except UNREADABLE:
            yield "search", "a current edition can no longer be read"
    yield from ((f"search index {name}", "it does not hold the words") for name in find_full_text_faults(engine))


def _faults_in_events(
    session: Session, said: _RecordedEvents, signed: Mapping[int, str], on_step: OnStep
) -> Iterator[tuple[str, str]]:
    """Also apply each unaltered event to `said`. The event after a gap is not checked.

    `signed` has hashes that the audit log recorded.
    """
    end, unseen = BEFORE_THE_FIRST, dict(signed)
    for page in _pages_of_events(session, on_step):
        first, last = page[0].id, page[-1].id
        sent = select(DeliveryRow.event_id, DeliveryRow.webhook).where(col(DeliveryRow.event_id).between(first, last))
        deliveries = set(session.exec(sent))
        for event in page:
            about, own = f"event {event.id}", event.id or 0
            columns = dict(event)
            stored = columns.pop("sha256")
            if own != end.number + 1:
                yield "events", f"there is none between {end.number} and {own}"
            if own == end.number + 1 and stored != end.after(columns).sha256:
                yield about, "it was altered"
            else:
                said.apply(event)
            if {(own, webhook) for webhook in event.webhooks} - deliveries:
                yield about, "a delivery of it is missing"
            end = End(own, stored)
            if unseen.pop(own, end.sha256) != end.sha256:
                yield about, "this event, or an earlier one, differs from the event in the audit log"
    if find_end(session.connection(), OUTBOX) != end:
        yield "events", f"the last event is {end.number}, which differs from the recorded end of the chain"
    yield from (
        ("events", f"the audit log names event {each}, and the last has number {end.number}") for each in unseen
    )


def _pages_of_events(session: Session, on_step: OnStep) -> Iterator[Sequence[EventRow]]:
    """Each in a transaction of its own; the last stays open, for the end of the chain."""
    after, is_last = 0, False
    while not is_last:  # a page that is not full is the last: while concerns come, an empty one may never come
        page = events_after(session, after=after, limit=STEP_ROWS)
        if page:
            yield page
            after = page[-1].id or 0
        is_last = len(page) < STEP_ROWS
        if not is_last:
            session.close()
            on_step(after, 0)


def _faults_in_publications(session: Session, said: _RecordedEvents) -> Iterator[tuple[str, str]]:
    names = ("guide", "language", "number", "edition", "digest", "published_at")
    editions = session.execute(select_columns(*(table_of(EditionRow).c[name] for name in names)))
    published = {key_of(guide, language, number): tuple(row) for guide, language, number, *row in editions}
    withdrawals = session.exec(select(WithdrawalRow)).all()
    withdrawn = {key_of(row.guide, row.language, row.number): (row.reason, row.withdrawn_at) for row in withdrawals}
    checkpoints = {
        row.number: (row.size, row.root_sha256, row.note, row.at) for row in session.exec(select(CheckpointRow))
    }
    compared: list[tuple[str, dict[Any, Any], dict[Any, Any]]] = [
        ("publication of", published, said.published),
        ("withdrawal of", withdrawn, said.withdrawn),
        ("checkpoint", checkpoints, said.checkpoints),
    ]
    for what, there, recorded in compared:
        for key in sorted(there.keys() | recorded.keys(), key=str):
            if there.get(key) != recorded.get(key):
                name = key if isinstance(key, int) else name_of_edition(key)
                yield f"{what} {name}", _difference(key in there, key in recorded)
    generation = session.exec(select(GenerationRow.number)).one_or_none()
    if generation != len(published) + len(withdrawn):
        yield (
            "generation",
            f"it is {generation}, and there are {len(published) + len(withdrawn)} publications and withdrawals",
        )


def _difference(is_there: bool, is_recorded: bool) -> str:
    if is_there and is_recorded:
        return "it is not the one that its event names"
    return "no event names it" if is_there else "an event names it, and it is missing"


def _faults_in_announcements(session: Session) -> Iterator[tuple[str, str]]:
    for kind, told in ANNOUNCING.items():
        names = ("reference", "number") if told.table is table_of(EntryRow) else ("reference",)
        rows = select_columns(*(told.table.c[name] for name in names)).where(told)
        for reference, *_ in find_without_event(session, rows, kind):
            yield f"concern {reference}", f"its row says that {kind} was sent, and there is no such event"


def _faults_in_readers(session: Session, recorded: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    there = {row.client: row.confirmed for row in session.exec(select(EventReaderRow))}
    for client in sorted(there.keys() | recorded.keys()):
        if there.get(client) != recorded.get(client):
            yield (
                f"reader {client}",
                f"it confirmed {counted(recorded.get(client) or 0, 'event')}, and its row says {there.get(client)}",
            )
