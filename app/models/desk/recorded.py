"""What the chain of a concern says about its row: computed from the disclosures alone."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from app.models.concerns.tables import ConcernState
from app.models.desk.disclosure_tables import DeskAct, DisclosureRow
from app.models.desk.message_entries import RecordedMessages
from app.models.desk.seal_entries import SealEntry, find_seal_entry

SEALING_ACTS = frozenset({DeskAct.RECEIVED, DeskAct.ADDED, DeskAct.SEAL_RECORDED, DeskAct.RESEALED})


@dataclass
class RecordedConcern:
    """The acts on one concern: when each was first done, the last seal of each text, and what the acts set."""

    first: dict[str, dt.datetime] = field(default_factory=dict)
    seals: dict[int | None, SealEntry] = field(default_factory=dict)
    columns_sha256: str | None = None
    held: bool = False
    closing_detail: str | None = None
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
        if row.act in SEALING_ACTS and (entry := find_seal_entry(row.detail)) is not None:
            self.seals[entry.addition] = entry
            self.columns_sha256 = entry.columns_sha256 or self.columns_sha256
            if row.act == DeskAct.ADDED and entry.addition is not None:
                self.messages.answer(entry.addition)
        elif row.act in (DeskAct.HELD, DeskAct.RELEASED):
            self.held = row.act == DeskAct.HELD
        elif row.act == DeskAct.CLOSED:
            self.closing_detail = row.detail
        else:
            self.messages.apply(row)


def replay(rows: Iterable[DisclosureRow]) -> RecordedConcern:
    """Return what the rows of one chain, in their order, say."""
    recorded = RecordedConcern()
    for row in rows:
        recorded.apply(row)
    return recorded


def closing_detail(outcome: str, *, shared: bool) -> str:
    """Return the detail of a disclosure that closes a concern."""
    return f"{outcome}, {'shared' if shared else 'not shared'} with the reporter"
