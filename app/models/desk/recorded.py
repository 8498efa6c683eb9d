"""What the chain of a concern says about its row: computed from the disclosures alone."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from app.models.concerns.tables import ConcernState
from app.models.desk.added_texts import AddedText
from app.models.desk.disclosure_tables import DeskAct, DisclosureRow
from app.models.desk.message_entries import RecordedMessages
from app.models.desk.seal_entries import SealEntry, find_seal_entry

SEALING_ACTS = frozenset({DeskAct.RECEIVED, DeskAct.ADDED, DeskAct.NOTED, DeskAct.RESEALED})
ADDING_ACTS = frozenset({DeskAct.ADDED, DeskAct.NOTED})
ASSIGNING_ACTS = frozenset({DeskAct.ASSIGNED, DeskAct.UNASSIGNED})
CHANGING_ACTS = ASSIGNING_ACTS | {
    DeskAct.RECEIVED,
    DeskAct.ADDED,
    DeskAct.NOTED,
    DeskAct.ACKNOWLEDGED,
    DeskAct.CLOSED,
    DeskAct.HELD,
    DeskAct.RELEASED,
    DeskAct.ERASED,
}
"""The acts that change a concern, or what was added to it. Their time is in `changed_at`."""
TO_SEE_FIRST = CHANGING_ACTS | {DeskAct.MESSAGE_SENT, DeskAct.HANDED_OVER}
"""What somebody has to have seen of others before they decide something about a concern."""
DECIDING_ACTS = frozenset(
    {
        DeskAct.CLOSED,
        DeskAct.HELD,
        DeskAct.RELEASED,
        DeskAct.ERASED,
        DeskAct.MESSAGE_SENT,
        DeskAct.HANDED_OVER,
    }
)
SENDING_ACTS = frozenset({DeskAct.NOTED, DeskAct.MESSAGE_SENT, DeskAct.HANDED_OVER})
"""The acts that a form which is sent twice would do twice."""


@dataclass
class RecordedConcern:
    """The acts on one concern: when each was first done, the last seal of each text, and what the acts set."""

    first: dict[str, dt.datetime] = field(default_factory=dict)
    seals: dict[AddedText | None, SealEntry] = field(default_factory=dict)
    added: dict[AddedText | None, DisclosureRow] = field(default_factory=dict)
    """The act that added each text."""
    columns_sha256: str | None = None
    held: bool = False
    closing_detail: str | None = None
    assigned_to: str = ""
    changed_at: dt.datetime | None = None
    messages: RecordedMessages = field(default_factory=RecordedMessages)

    @property
    def state(self) -> ConcernState:
        """The state that the acts lead to."""
        if DeskAct.CLOSED in self.first:
            return ConcernState.CLOSED
        return ConcernState.ACKNOWLEDGED if DeskAct.ACKNOWLEDGED in self.first else ConcernState.RECEIVED

    def apply(self, row: DisclosureRow) -> None:
        """Take the next row of the chain into account."""
        self.first.setdefault(row.act, row.at)
        if row.act in CHANGING_ACTS:
            self.changed_at = row.at
        if row.act in SEALING_ACTS and (entry := find_seal_entry(row.detail)) is not None:
            self.seals[entry.added] = entry
            if row.act in ADDING_ACTS:
                self.added[entry.added] = row
            self.columns_sha256 = entry.columns_sha256 or self.columns_sha256
            if row.act == DeskAct.ADDED and entry.added is not None:
                self.messages.answer(entry.added.number)
        elif row.act in (DeskAct.HELD, DeskAct.RELEASED):
            self.held = row.act == DeskAct.HELD
        elif row.act == DeskAct.CLOSED:
            self.closing_detail = row.detail
        elif row.act in ASSIGNING_ACTS:
            self.assigned_to = row.detail if row.act == DeskAct.ASSIGNED else ""
        else:
            self.messages.apply(row)


def replay(rows: Iterable[DisclosureRow]) -> RecordedConcern:
    """Return what the rows of one chain, in their order, say."""
    recorded = RecordedConcern()
    for row in rows:
        recorded.apply(row)
    return recorded


def others_acts_to_see(act: DeskAct) -> frozenset[DeskAct]:
    """Return which acts of others somebody has to have seen before they do this one. A note takes nothing away."""
    if act in ASSIGNING_ACTS:
        return ASSIGNING_ACTS
    return TO_SEE_FIRST if act in DECIDING_ACTS else frozenset()


def closing_detail(outcome: str, *, shared: bool) -> str:
    """Return the detail of a disclosure that closes a concern."""
    return f"{outcome}, {'shared' if shared else 'not shared'} with the reporter"
