"""Opening of a concern, with or without its text."""

import datetime as dt
from dataclasses import dataclass

from sqlmodel import Session

from app.errors import ConcernErased
from app.models.audit.audit_log import DeskAct
from app.models.audit.details import ShownDetails
from app.models.audit.entry_kinds import EntryKind
from app.models.concerns.rows import ConcernRow
from app.models.desk.actions import OpenedConcern
from app.models.links import desk_concern_path
from app.services.audit.audit_log import Actor, record_action
from app.services.concerns.entries import Desk, read_sealed
from app.services.concerns.opened_entries import GIVEN, EntryPage, first_page_of, last_page_of, open_entries, opens_all
from app.services.concerns.rows import get_concern
from app.services.cursors import encode_key
from app.services.desk.presented_concerns import concern_fields

WITHOUT_WORDS = "without words"
NO_NOTES = EntryPage(EntryKind.NOTE)


@dataclass(frozen=True)
class OpeningRequest:
    """A request to open a concern, with at most `limit` additions (None: all) and its last notes.

    `fingerprints` are those of the keys held here. If they cannot decrypt every text, all are returned encrypted, and
    the audit log says so. `erased_too`: an erased concern is shown without its text.
    """

    how: str
    limit: int | None
    last_notes: int = 0
    fingerprints: frozenset[str] | None = None
    erased_too: bool = False


@dataclass(frozen=True)
class Opening:
    """A concern whose opening is recorded, without its text, with the first page and the number of additions.

    `seen` is the number of the audit log entry. `notes` has the last notes, if they are shown too. `opens` is True if
    this process decrypts all the texts.
    """

    concern: ConcernRow
    page: EntryPage
    additions: int
    seen: int
    notes: EntryPage
    opens: bool = False


def open_concern(session: Session, reference: str, wanted: OpeningRequest, actor: Actor) -> Opening:
    """Record that the concern is opened, and return the requested parts. Raise `NoSuchConcern` or `ConcernErased`."""
    concern = get_concern(session, reference)
    if concern.erased_at is not None and not wanted.erased_too:
        raise ConcernErased
    page, count = first_page_of(session, EntryKind.ADDITION, reference, limit=wanted.limit)
    notes = last_page_of(session, EntryKind.NOTE, reference, limit=wanted.last_notes) if wanted.last_notes else NO_NOTES
    if concern.erased_at is not None:
        seen = record_action(session, reference, DeskAct.LISTED, actor, ShownDetails(what=WITHOUT_WORDS)).number
        return Opening(concern, page, count, seen, notes)
    opens = opens_all((concern, *page.rows, *notes.rows), wanted.fingerprints)
    how = wanted.how if opens or wanted.fingerprints is None else GIVEN
    shown = ShownDetails(what=how, pages=tuple(each.shown for each in (page, notes) if each.rows))
    seen = record_action(session, reference, DeskAct.OPENED, actor, shown).number
    return Opening(concern, page, count, seen, notes, opens)


def opened_concern(desk: Desk, opening: Opening, *, now: dt.datetime) -> OpenedConcern:
    """Return the decrypted concern, its first page of additions, and the link to the second if there is one.

    Raise `UnsealingUnavailable` if this process holds no identity for them. Raise `SealedTextMisplaced` if a text
    belongs to another concern, and `ConcernErased` if it was erased after the opening was recorded.
    """
    concern = opening.concern
    fields = concern_fields(dict(concern), now)
    if opening.page.next_after is not None:
        cursor = encode_key(opening.page.next_after)
        fields["links"] |= {"next": desk_concern_path(concern.reference, "additions") + f"?cursor={cursor}"}
    submission = desk.unsealer.open_member(
        "submission",
        read_sealed(desk.engine, concern.reference),
        reference=concern.reference,
        received_at=concern.received_at,
    )
    additions = open_entries(desk.engine, opening.page, desk.unsealer, now=now)
    return OpenedConcern.model_validate(fields | {"submission": submission, "additions": additions})
