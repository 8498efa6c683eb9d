"""Replay of chains: the rows of a chain are applied in order to a state, which is then compared with other tables."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from sqlalchemy import select as select_columns
from sqlmodel import Session

from app.db.tables import table_of
from app.models.audit.details import (
    ADDING_ACTS,
    CHANGING_ACTS,
    AcknowledgedDetails,
    CheckpointDetails,
    ClosedDetails,
    Details,
    EventsConfirmedDetails,
    LookAgainDetails,
    MessageReadDetails,
    PersonDetails,
    RestrictedDetails,
    SealDetails,
    WebhookDetails,
    details_of,
)
from app.models.audit.entry_kinds import EntryPlace
from app.models.audit.rows import AUDIT, EVENTS, WEBHOOKS, AuditEntryRow, DeskAct
from app.models.concerns.receipts import ConcernState
from app.models.concerns.rows import LEADS, limit_to
from app.models.desk.look_again import OFFICER
from app.services.audit.audit_log import REPORTER, person_of

_ACTS = table_of(AuditEntryRow).c
Change = Callable[[Any, Any, Any], None]
"""Applies a row: gets state, details, and row."""


class Replayed:
    """A state computed from the rows of a chain."""

    changes: ClassVar[Mapping[str, Change]] = {}
    """Changes by kind of row. Other kinds change nothing."""

    def apply(self, row: Any) -> None:
        """Apply an entry. Altered details are ignored, because the verification of hashes reports them."""
        change = self.changes.get(row.act)
        if change is None:
            return
        try:
            details = details_of(row)
        except ValueError:
            return
        change(self, details, row)


StateT = TypeVar("StateT", bound=Replayed)


def replay(state: StateT, rows: Iterable[Any]) -> StateT:
    for row in rows:
        state.apply(row)
    return state


@dataclass
class RecordedConcern(Replayed):
    """The state that a concern should have. The place None is the concern's own text."""

    first: dict[str, dt.datetime] = field(default_factory=dict)
    """Time at which each action was first recorded. A reopening removes the closing, and replaces its own time."""
    seals: dict[EntryPlace | None, SealDetails] = field(default_factory=dict)
    """Last encryption of each text."""
    cards: dict[EntryPlace | None, str] = field(default_factory=dict)
    added: dict[EntryPlace | None, AuditEntryRow] = field(default_factory=dict)
    """The entry that recorded each arrival."""
    entries: dict[EntryPlace | None, str | None] = field(default_factory=dict)
    """Digest of its columns on arrival."""
    columns_sha256: str | None = None
    """Last recorded digest of the unencrypted columns."""
    look_again: dict[str, dt.date] = field(default_factory=dict)
    """Days by person. The empty name is the whole team."""
    received_by: str = ""
    """Worker who wrote the concern down. Empty if the reporter sent it."""
    held: bool = False
    closing: ClosedDetails | None = None
    assigned_to: str = ""
    limited_to: str = ""
    changed_at: dt.datetime | None = None
    added_at: dt.datetime | None = None
    receipts: set[str] = field(default_factory=set)
    acknowledged: dict[int, dt.datetime] = field(default_factory=dict)
    """Times by number of the addition."""
    read_at: dict[int, dt.datetime] = field(default_factory=dict)
    """Times by number of the message."""
    answered_by: dict[int, int] = field(default_factory=dict)
    """Number of the addition that answers each message. An addition answers every message read by then."""

    @property
    def state(self) -> ConcernState:
        if DeskAct.CLOSED in self.first:
            return ConcernState.CLOSED
        return ConcernState.ACKNOWLEDGED if DeskAct.ACKNOWLEDGED in self.first else ConcernState.RECEIVED

    def apply(self, row: Any) -> None:
        self.first.setdefault(row.act, row.at)
        if row.act in CHANGING_ACTS:
            self.changed_at = row.at
        super().apply(row)

    def _seal(self, details: SealDetails, _row: AuditEntryRow) -> None:
        self.seals[details.place] = details
        if details.card_sha256 is not None:
            self.cards[details.place] = details.card_sha256
        self.columns_sha256 = details.columns_sha256 or self.columns_sha256
        if details.receipt_sha256 is not None:
            self.receipts.add(details.receipt_sha256)
        self._expect_officer_told(details)

    def _expect_officer_told(self, details: SealDetails | RestrictedDetails) -> None:
        if details.officer_by is not None:
            self.look_again.setdefault(OFFICER, details.officer_by)

    def _receive(self, details: SealDetails, row: AuditEntryRow) -> None:
        self._seal(details, row)
        self.received_by = "" if row.client == REPORTER else row.client
        self.limited_to = LEADS if details.restricted else ""

    def _add(self, details: SealDetails, row: AuditEntryRow) -> None:
        self._seal(details, row)
        self.added[details.place], self.entries[details.place] = row, details.entry_sha256
        if row.act == DeskAct.ADDED:
            self.added_at = row.at
        if row.act == DeskAct.ADDED and row.client == REPORTER and details.number is not None:  # answers messages
            self.answered_by |= {each: details.number for each in self.read_at if each not in self.answered_by}

    def _acknowledge(self, details: AcknowledgedDetails, row: AuditEntryRow) -> None:
        one = details.addition
        for number in range(1, details.up_to_addition + 1) if one is None else (one,):
            self.acknowledged.setdefault(number, row.at)

    def _close(self, details: ClosedDetails, _row: AuditEntryRow) -> None:
        self.closing = details

    def _reopen(self, _details: Details, row: AuditEntryRow) -> None:
        if self.first.pop(DeskAct.CLOSED, None) is not None:  # a repeated reopening changes nothing
            self.closing, self.first[DeskAct.REOPENED] = None, row.at

    def _hold(self, _details: Details, row: AuditEntryRow) -> None:
        self.held = row.act == DeskAct.HELD

    def _assign(self, details: Details, _row: AuditEntryRow) -> None:
        self.assigned_to = details.person if isinstance(details, PersonDetails) else ""

    def _restrict(self, details: RestrictedDetails, _row: AuditEntryRow) -> None:
        self.limited_to = limit_to(details.people)
        self._expect_officer_told(details)

    def _lift(self, _details: Details, _row: AuditEntryRow) -> None:
        self.limited_to = ""

    def _look_again(self, details: LookAgainDetails, row: AuditEntryRow) -> None:
        person = person_of(row.client) if details.own else OFFICER if details.officer else ""
        if details.day is None:
            self.look_again.pop(person, None)
        else:
            self.look_again[person] = details.day

    def _erase(self, _details: Details, _row: AuditEntryRow) -> None:
        self.look_again.clear()

    def _read(self, details: MessageReadDetails, row: AuditEntryRow) -> None:
        self.read_at |= dict.fromkeys(details.messages, row.at)

    changes: ClassVar[Mapping[str, Change]] = {
        DeskAct.RECEIVED: _receive,
        DeskAct.RESEALED: _seal,
        **dict.fromkeys(ADDING_ACTS, _add),
        DeskAct.ACKNOWLEDGED: _acknowledge,
        DeskAct.CLOSED: _close,
        DeskAct.REOPENED: _reopen,
        DeskAct.HELD: _hold,
        DeskAct.RELEASED: _hold,
        DeskAct.ASSIGNED: _assign,
        DeskAct.UNASSIGNED: _assign,
        DeskAct.RESTRICTED: _restrict,
        DeskAct.RESTRICTION_LIFTED: _lift,
        DeskAct.MESSAGE_READ: _read,
        DeskAct.LOOK_AGAIN: _look_again,
        DeskAct.ERASED: _erase,
    }


@dataclass
class RecordedOthers(Replayed):
    """Webhooks, readers of events, and the event chain."""

    webhooks: dict[str, WebhookDetails] = field(default_factory=dict)
    confirmed: dict[str, int] = field(default_factory=dict)
    """Last event that each client has confirmed."""
    last_events: dict[int, str] = field(default_factory=dict)
    """Hash of each event that was newest at a checkpoint."""

    def _change_webhook(self, details: WebhookDetails, _row: Any) -> None:
        self.webhooks[details.name] = details

    def _confirm(self, details: EventsConfirmedDetails, _row: Any) -> None:
        self.confirmed[details.client] = details.event

    def _sign(self, details: CheckpointDetails, _row: Any) -> None:
        if details.sha256 is not None:
            self.last_events[details.events] = details.sha256

    changes: ClassVar[Mapping[str, Change]] = {
        DeskAct.WEBHOOK_CHANGED: _change_webhook,
        DeskAct.EVENTS_CONFIRMED: _confirm,
        DeskAct.CHECKPOINT_SIGNED: _sign,
    }


def replay_others(session: Session) -> RecordedOthers:
    acts = (
        select_columns(_ACTS.act, _ACTS.detail)
        .where(_ACTS.chain.in_((AUDIT, EVENTS, WEBHOOKS)), _ACTS.act.in_(RecordedOthers.changes))
        .order_by(_ACTS.chain, _ACTS.number)
    )
    return replay(RecordedOthers(), session.connection().execute(acts))
