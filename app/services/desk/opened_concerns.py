"""Opening of a concern by the desk, with or without its text. The audit log has an entry for each opening."""

import datetime as dt
from dataclasses import dataclass

from sqlmodel import Session

from app.errors import ConcernErased
from app.models.audit.details import ShownDetails
from app.models.audit.entry_kinds import EntryKind
from app.models.audit.rows import DeskAct
from app.models.concerns.rows import ConcernRow
from app.models.desk.actions import OpenedConcern
from app.models.links import desk_concern_path
from app.services.audit.audit_log import Actor, record_action
from app.services.concerns.entries import Desk, read_sealed
from app.services.concerns.opened_entries import GIVEN, EntryPage, first_page_of, last_page_of, open_entries, opens_all
from app.services.concerns.rows import get_concern, get_unerased
from app.services.cursors import encode_key
from app.services.desk.presented_concerns import concern_fields

WITHOUT_WORDS = "without words"
NO_NOTES, NO_LABEL = EntryPage(EntryKind.NOTE), EntryPage(EntryKind.LABEL)


@dataclass(frozen=True)
class Opening:
    """An opening, recorded as the entry `seen`. `page` is the first of `additions` in all. The rows have no text.

    `opens`: the keys of the request decrypt every text.
    """

    concern: ConcernRow
    page: EntryPage
    additions: int
    seen: int
    notes: EntryPage
    label: EntryPage
    opens: bool = False


def open_concern(
    session: Session,
    reference: str,
    actor: Actor,
    *,
    how: str,
    limit: int | None,
    last_notes: int = 0,
    last_labels: int = 1,
    fingerprints: frozenset[str] | None = None,
    erased_too: bool = False,
) -> Opening:
    """Record the opening, and return the concern without text: the caller reads the texts afterwards.

    Labels are opened only with notes. `how` describes the opening in the audit log. If `fingerprints` are given, and
    these keys cannot decrypt every text, the log says instead that all texts are returned encrypted. `erased_too`: open
    an erased concern without its text.

    Raise `NoSuchConcern`, or `ConcernErased` unless `erased_too`. An erased concern is recorded as listed.
    """
    concern = get_concern(session, reference)
    if concern.erased_at is not None and not erased_too:
        raise ConcernErased
    page, count = first_page_of(session, EntryKind.ADDITION, reference, limit=limit)
    notes, label = NO_NOTES, NO_LABEL
    if last_notes:
        notes = last_page_of(session, EntryKind.NOTE, reference, limit=last_notes)
        label = last_page_of(session, EntryKind.LABEL, reference, limit=last_labels)
    if concern.erased_at is not None:
        seen = record_action(session, reference, DeskAct.LISTED, actor, ShownDetails(what=WITHOUT_WORDS)).number
        return Opening(concern, page, count, seen, notes, label)
    opens = opens_all((concern, *page.rows, *notes.rows, *label.rows), fingerprints)
    what = how if opens or fingerprints is None else GIVEN
    shown = ShownDetails(what=what, pages=tuple(each.shown for each in (page, notes, label) if each.rows))
    seen = record_action(session, reference, DeskAct.OPENED, actor, shown).number
    return Opening(concern, page, count, seen, notes, label, opens)


def record_copying(session: Session, reference: str, actor: Actor) -> None:
    """Record that the text is opened as a sheet, to copy it elsewhere. Raise `NoSuchConcern` or `ConcernErased`."""
    get_unerased(session, reference)
    record_action(session, reference, DeskAct.COPIED, actor, ShownDetails())


def opened_concern(desk: Desk, opening: Opening, *, now: dt.datetime) -> OpenedConcern:
    """Decrypt a concern whose opening is recorded.

    Raise `UnsealingUnavailable`, `SealedTextMisplaced` or `ConcernErased`.
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
