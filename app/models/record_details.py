"""What the record says about a concern: the details of its acts as they are written and read, and what they lead to."""

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.models.base import canonical_json, format_utc
from app.models.concerns import StoredReceiptRow
from app.models.entries import ENTRY_SPECS, EntryKind, EntryPlace, EntryRow
from app.models.hand_overs import HandOverRow
from app.models.receipts import ConcernState
from app.models.record import DeskAct, DisclosureRow

ADDING_ACTS = frozenset(spec.act for spec in ENTRY_SPECS.values())
SEALING_ACTS = ADDING_ACTS | {DeskAct.RECEIVED, DeskAct.RESEALED}
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
SEAL_ENTRY = re.compile(
    rf"(?:(?P<kind>{'|'.join(ENTRY_SPECS)}) (?P<number>[1-9][0-9]*) )?"
    r"sha256:(?P<sealed>[0-9a-f]{64})(?: to (?P<recipients>[0-9a-f ]+))?"
    r"(?:; entry sha256:(?P<entry>[0-9a-f]{64}))?"
    r"(?:; columns sha256:(?P<columns>[0-9a-f]{64}))?"
    r"(?:; receipt sha256:(?P<receipt>[0-9a-f]{64}))?"
)
ACKNOWLEDGED_ADDITIONS = re.compile(
    r"with additions 1 to (?P<up_to>[0-9]+)(?:; together, [0-9]+ of [0-9A-Z-]+)?|addition (?P<one>[0-9]+)"
)
MESSAGES_READ = re.compile(r"messages? ([1-9][0-9 ]*)")


@dataclass(frozen=True)
class SealEntry:
    """The detail of a disclosure about a sealed text: the concern's own, or that of an entry.

    A message has no recipients. `columns_sha256` is the digest of the concern's clear columns at that time, where they
    are set by the act; `entry_sha256` that of an entry's own; `receipt_sha256` that of the receipt for a retry.
    """

    added: EntryPlace | None
    sealed_sha256: str
    recipients: tuple[str, ...]
    columns_sha256: str | None = None
    entry_sha256: str | None = None
    receipt_sha256: str | None = None

    def __str__(self) -> str:
        """Return the detail, as it is in the record."""
        added = "" if self.added is None else f"{self.added} "
        recipients = f" to {' '.join(self.recipients)}" if self.recipients else ""
        digests = {"entry": self.entry_sha256, "columns": self.columns_sha256, "receipt": self.receipt_sha256}
        others = "".join(f"; {name} sha256:{digest}" for name, digest in digests.items() if digest is not None)
        return f"{added}sha256:{self.sealed_sha256}{recipients}{others}"


def seal_entry(
    sealed: bytes,
    recipients: Sequence[str],
    *,
    added: EntryPlace | None = None,
    row: EntryRow | None = None,
    columns: Mapping[str, Any] | None = None,
    receipt: StoredReceiptRow | None = None,
) -> SealEntry:
    """Return the entry of a sealed text, with what came with it.

    That is the row of a new entry, the columns of the concern's row if the act sets them, and the receipt that is
    stored for a retry.
    """
    return SealEntry(
        added,
        hashlib.sha256(sealed).hexdigest(),
        tuple(recipients),
        None if columns is None else columns_sha256(columns),
        None if row is None else entry_sha256(row),
        None if receipt is None else receipt_sha256(receipt),
    )


def find_seal_entry(detail: str) -> SealEntry | None:
    """Return the entry that the detail of a disclosure holds, or None."""
    found = SEAL_ENTRY.fullmatch(detail)
    if found is None:
        return None
    added = None if found["kind"] is None else EntryPlace(EntryKind(found["kind"]), int(found["number"]))
    digests = [found[name] for name in ("columns", "entry", "receipt")]
    return SealEntry(added, found["sealed"], tuple((found["recipients"] or "").split()), *digests)


def entry_sha256(row: EntryRow) -> str:
    """Return the SHA-256 of the canonical JSON (RFC 8785) of the clear columns with which an entry comes."""
    columns = {name: getattr(row, name) for name in ("reference", "kind", "number", "author", "immediate_danger")}
    times = {name: at and format_utc(at) for name, at in (("at", row.received_at), ("due", row.acknowledge_by))}
    return hashlib.sha256(canonical_json(columns | times)).hexdigest()


def receipt_sha256(row: StoredReceiptRow) -> str:
    """Return the SHA-256 of a receipt that is stored for a retry, with the digests by which it is found."""
    return hashlib.sha256(b"".join((row.key_sha256, row.payload_mac, row.sealed_receipt))).hexdigest()


def columns_sha256(row: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the canonical JSON (RFC 8785) of a concern's columns that only its reporter sets."""
    columns = {
        "reference": row["reference"],
        "received_at": format_utc(row["received_at"]),
        "acknowledge_by": format_utc(row["acknowledge_by"]),
        "immediate_danger": row["immediate_danger"],
        "guide": row["guide"],
        "edition": row["edition"],
        "referral_source": row["referral_source"],
        "form_version": row["form_version"],
        "status_token_sha256": row["status_token_sha256"].hex(),
        "test": row["test"],
        "message_key": row["message_key"].hex(),
        "burst": row["burst"],
    }
    return hashlib.sha256(canonical_json(columns)).hexdigest()


def closing_detail(outcome: str, *, shared: bool) -> str:
    """Return the detail of a disclosure that closes a concern."""
    return f"{outcome}, {'shared' if shared else 'not shared'} with the reporter"


def read_detail(numbers: Sequence[int]) -> str:
    """Return the detail of the disclosure that the reporter read those messages for the first time."""
    return f"message{'s' if len(numbers) > 1 else ''} {' '.join(map(str, numbers))}"


def handed_over_detail(row: HandOverRow) -> str:
    """Return the detail of the disclosure of a hand-over: what, to which key, to which body, and why."""
    additions = f" with additions 1 to {row.additions}" if row.additions else ""
    what = f"hand-over {row.number}{additions} sha256:{row.package_sha256} to {row.recipient}"
    return f"{what}; {row.body}: {row.reason}"


def confirmed_detail(number: int, receipt: str) -> str:
    """Return the detail of the disclosure that the other body's receipt came."""
    return f"hand-over {number} receipt sha256:{hashlib.sha256(receipt.encode()).hexdigest()}"


def acts_of_hand_overs(rows: Iterable[HandOverRow]) -> set[tuple[str, dt.datetime | None, str]]:
    """Return act, time and detail of each hand-over, and of each receipt that came, as the record has them."""
    found: set[tuple[str, dt.datetime | None, str]] = set()
    for row in rows:
        found.add((DeskAct.HANDED_OVER.value, row.at, handed_over_detail(row)))
        if row.their_receipt is not None or row.confirmed_at is not None:
            detail = confirmed_detail(row.number, row.their_receipt or "")
            found.add((DeskAct.HAND_OVER_CONFIRMED.value, row.confirmed_at, detail))
    return found


def recorded_hand_overs(chain: Iterable[DisclosureRow]) -> set[tuple[str, dt.datetime | None, str]]:
    """Return the same of each act of the chain that is one of a hand-over."""
    acts = (DeskAct.HANDED_OVER, DeskAct.HAND_OVER_CONFIRMED)
    return {(row.act, row.at, row.detail) for row in chain if row.act in acts}


@dataclass
class RecordedConcern:
    """The acts on one concern: when each was first done, the last seal of each text, and what the acts set."""

    first: dict[str, dt.datetime] = field(default_factory=dict)
    seals: dict[EntryPlace | None, SealEntry] = field(default_factory=dict)
    added: dict[EntryPlace | None, DisclosureRow] = field(default_factory=dict)
    """The act that added each entry."""
    entries: dict[EntryPlace | None, str | None] = field(default_factory=dict)
    """The digest of each entry's own columns."""
    columns_sha256: str | None = None
    held: bool = False
    closing_detail: str | None = None
    assigned_to: str = ""
    changed_at: dt.datetime | None = None
    added_at: dt.datetime | None = None
    receipts: set[str] = field(default_factory=set)
    """The digest of each receipt that was stored for a retry."""
    acknowledged: dict[int, dt.datetime] = field(default_factory=dict)
    """When each addition, by its number, was acknowledged."""
    read_at: dict[int, dt.datetime] = field(default_factory=dict)
    """When each message, by its number, was first read."""
    answered_by: dict[int, int] = field(default_factory=dict)
    """The addition that answers each message."""

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
        if row.act in SEALING_ACTS:
            self._apply_seal(row)
        elif row.act in (DeskAct.HELD, DeskAct.RELEASED):
            self.held = row.act == DeskAct.HELD
        elif row.act == DeskAct.CLOSED:
            self.closing_detail = row.detail
        elif row.act == DeskAct.ACKNOWLEDGED:
            self._apply_acknowledgement(row)
        elif row.act in ASSIGNING_ACTS:
            self.assigned_to = row.detail if row.act == DeskAct.ASSIGNED else ""
        elif row.act == DeskAct.MESSAGE_READ and (read := MESSAGES_READ.fullmatch(row.detail)):
            self.read_at |= {int(number): row.at for number in read[1].split()}

    def _apply_acknowledgement(self, row: DisclosureRow) -> None:
        named = ACKNOWLEDGED_ADDITIONS.fullmatch(row.detail)
        if named is not None:
            last = int(named["up_to"] or named["one"])
            for number in range(last if named["one"] else 1, last + 1):
                self.acknowledged.setdefault(number, row.at)

    def _apply_seal(self, row: DisclosureRow) -> None:
        entry = find_seal_entry(row.detail)
        if entry is None:
            return
        self.seals[entry.added] = entry
        self.columns_sha256 = entry.columns_sha256 or self.columns_sha256
        self.receipts |= set() if entry.receipt_sha256 is None else {entry.receipt_sha256}
        if row.act in ADDING_ACTS:
            self.added[entry.added], self.entries[entry.added] = row, entry.entry_sha256
        if row.act == DeskAct.ADDED:
            self.added_at = row.at
        if row.act == DeskAct.ADDED and entry.added is not None:  # it answers what was read and has no answer yet
            self.answered_by |= {each: entry.added.number for each in self.read_at if each not in self.answered_by}


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
