"""Writing, offering, removing and publishing drafts of guides. Two people publish: one wrote none of the words."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from sqlmodel import Session

from app.errors import FollowsAnotherEdition, InvalidEdition, SecondPersonNeeded
from app.models.guidance.guide_tables import GuideDraftAct, GuideDraftRow
from app.services.guidance.draft_checking import CheckedDraft, check_draft
from app.services.guidance.publishing import Published, insert_next_edition
from app.services.guidance.reference_data import ReferenceData
from app.store.editions import find_history
from app.store.guide_drafts import append_draft_act, find_guide_draft, get_guide_draft, list_draft_writers
from app.store.writer import Writer, write_operation

DraftContent = dict[str, Any]
DraftChange = Callable[[GuideDraftRow | None], DraftContent]
"""Gets the draft as it is now (None if there is none), and returns its new content, or raises."""
DraftPrecondition = Callable[[GuideDraftRow], None]
"""Gets the draft as it is now, and raises unless the caller knows it."""


@write_operation
def write_guide_draft(session: Session, guide: str, change: DraftChange, *, by: str, at: dt.datetime) -> GuideDraftRow:
    """Save the changed content as the guide's draft, with or without faults. The same words again change nothing."""
    draft = find_guide_draft(session, guide)
    text = json.dumps(change(draft), ensure_ascii=False, separators=(",", ":"))
    if draft is None:
        draft = GuideDraftRow(guide=guide, version=0, content="", begun_at=at, written_at=at, written_by=by)
    if draft.content != text:
        number = append_draft_act(session, guide, GuideDraftAct.WRITTEN, by=by, at=at, content=text)
        draft.version, draft.content, draft.written_at, draft.written_by = number, text, at, by
        draft.offered_at = draft.offered_by = None
        session.add(draft)
    return draft


@write_operation
def discard_draft(
    session: Session, guide: str, precondition: DraftPrecondition, *, by: str, at: dt.datetime
) -> GuideDraftRow:
    """Remove the draft, and return it. Who wrote it stays on record.

    Raises `NoSuchGuideDraft`, and what the precondition raises.
    """
    draft = get_guide_draft(session, guide)
    precondition(draft)
    _end(session, draft, GuideDraftAct.DISCARDED, by=by, at=at)
    return draft


def offer_draft(
    writer: Writer,
    reference_data: ReferenceData,
    guide: str,
    precondition: DraftPrecondition,
    *,
    by: str,
    at: dt.datetime,
) -> GuideDraftRow:
    """Say that the draft is ready for somebody else to publish. The next change of its words takes that back.

    Raises `NoSuchGuideDraft`, what the precondition raises, and `InvalidEdition` with every fault.
    """

    def write(session: Session) -> GuideDraftRow:
        draft = get_guide_draft(session, guide)
        precondition(draft)
        _require_sound(session, draft, reference_data, at)
        append_draft_act(session, guide, GuideDraftAct.OFFERED, by=by, at=at, content=draft.content)
        draft.offered_at, draft.offered_by = at, by
        return draft

    return writer.run(write)


def publish_draft(
    writer: Writer,
    reference_data: ReferenceData,
    guide: str,
    precondition: DraftPrecondition,
    *,
    follows: int | None,
    by: str,
    at: dt.datetime,
) -> Published:
    """Publish the draft as the guide's next edition, and end it. `follows` is the last edition, None for a new guide.

    Raises `NoSuchGuideDraft`, what the precondition raises, `SecondPersonNeeded`, `FollowsAnotherEdition`, and
    `InvalidEdition` with every fault.
    """

    def write(session: Session) -> Published:
        draft = get_guide_draft(session, guide)
        precondition(draft)
        if any(is_same_hand(by, each) for each in list_draft_writers(session, guide)):
            raise SecondPersonNeeded
        checked = _require_sound(session, draft, reference_data, at)
        if checked.follows != follows:
            raise FollowsAnotherEdition
        if checked.content is None or checked.digest is None:
            raise InvalidEdition(checked.faults)
        history = find_history(session, guide=guide)
        published = insert_next_edition(session, history, guide, checked.content, digest=checked.digest, at=at)
        _end(session, draft, GuideDraftAct.PUBLISHED, by=by, at=at)
        return published

    return writer.run(write)


def is_same_hand(one: str, other: str) -> bool:
    """Return whether two names on the record are of one person or, where one names no person, of one client."""
    client, _, person = one.partition("/")
    other_client, _, other_person = other.partition("/")
    return person == other_person if person and other_person else client == other_client


def _require_sound(
    session: Session, draft: GuideDraftRow, reference_data: ReferenceData, at: dt.datetime
) -> CheckedDraft:
    checked = check_draft(session, draft, reference_data, today=at.date())
    if checked.faults:
        raise InvalidEdition(checked.faults)
    return checked


def _end(session: Session, draft: GuideDraftRow, act: GuideDraftAct, *, by: str, at: dt.datetime) -> None:
    append_draft_act(session, draft.guide, act, by=by, at=at, content=draft.content)
    session.delete(draft)
