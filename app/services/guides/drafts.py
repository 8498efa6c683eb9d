"""Drafts of guides. A draft is published by a second person, who wrote none of its text."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, func, select

from app.errors import FollowsAnotherEdition, HandUnknown, NoSuchGuideDraft, SecondPersonNeeded
from app.models.guides.edition_rows import GuideDraftAct, GuideDraftActRow, GuideDraftRow
from app.services.audit.audit_log import is_same_hand, names_a_person
from app.services.guides.editions import find_history
from app.services.guides.publishing import Published, insert_next_edition
from app.services.guides.reference_data import ReferenceData
from app.services.guides.validation import check_draft

ENDING_ACTS = (GuideDraftAct.DISCARDED.value, GuideDraftAct.PUBLISHED.value)
"""Actions that end a draft: the guide then has no draft."""
DraftContent = dict[str, Any]
DraftChange = Callable[[GuideDraftRow | None], DraftContent]
"""A function that gets the current draft, or None if there is no draft. It returns the new content, or raises."""
UnplacedChange = Callable[[GuideDraftRow | None], Sequence[str]]
"""A function that gets the current draft, or None. It returns the passages of a document that have no place yet."""
NONE_UNPLACED = "[]"
DraftPrecondition = Callable[[GuideDraftRow], None]
"""A function that gets the current draft, and raises unless the caller has seen its current version."""


@dataclass(frozen=True)
class DraftAct:
    """An action on the draft of `guide`, by the client (and person) named `by`, at the time `at`.

    `precondition` raises an error unless the client has seen the current version of the draft.
    """

    guide: str
    by: str
    at: dt.datetime
    precondition: DraftPrecondition


@dataclass(frozen=True)
class DraftRecord:
    """The writers of a draft. `follows` is the number of the guide's last edition, or None for a new guide."""

    writers: Sequence[str]
    follows: int | None


def keep_unplaced(draft: GuideDraftRow | None) -> Sequence[str]:
    """Return the passages of the draft that have no place, unchanged."""
    return draft.read_unplaced() if draft is not None else ()


def find_guide_draft(session: Session, guide: str) -> GuideDraftRow | None:
    """Return the draft of `guide`, or None if there is no draft."""
    return session.get(GuideDraftRow, guide)


def get_guide_draft(session: Session, guide: str) -> GuideDraftRow:
    """Return the draft of `guide`. Raise `NoSuchGuideDraft` if there is no draft."""
    draft = find_guide_draft(session, guide)
    if draft is None:
        raise NoSuchGuideDraft
    return draft


def list_guide_drafts(session: Session) -> Sequence[GuideDraftRow]:
    """Return every draft, ordered by guide."""
    return session.exec(select(GuideDraftRow).order_by(GuideDraftRow.guide)).all()


def list_draft_writers(session: Session, guide: str) -> list[str]:
    """Return the recorded name of each writer of the current draft of `guide`, in order of first writing."""
    last_end = select(func.max(GuideDraftActRow.number)).where(
        GuideDraftActRow.guide == guide, col(GuideDraftActRow.act).in_(ENDING_ACTS)
    )
    written = select(GuideDraftActRow.by).where(
        GuideDraftActRow.guide == guide,
        GuideDraftActRow.act == GuideDraftAct.WRITTEN.value,
        GuideDraftActRow.number > (session.exec(last_end).one() or 0),
    )
    return list(dict.fromkeys(session.exec(written.order_by(col(GuideDraftActRow.number)))))


def find_changed_drafts(session: Session) -> Iterator[tuple[str, str]]:
    """Compare each draft with its recorded actions. Yield the guide of each draft that differs, and the fault."""
    rows = session.exec(select(GuideDraftActRow).order_by(GuideDraftActRow.guide, col(GuideDraftActRow.number)))
    acts: dict[str, list[GuideDraftActRow]] = {}
    for row in rows:
        acts.setdefault(row.guide, []).append(row)
    drafts = {draft.guide: draft for draft in list_guide_drafts(session)}
    for guide in sorted(acts.keys() | drafts.keys()):
        of_guide, draft = acts.get(guide, []), drafts.get(guide)
        if [act.number for act in of_guide] != list(range(1, len(of_guide) + 1)):
            yield guide, "an act on it is missing"
        ended = max((act.number for act in of_guide if act.act in ENDING_ACTS), default=0)
        current = [act for act in of_guide if act.number > ended]
        if (draft is None) != (not current):
            yield guide, "it is gone, and nobody discarded or published it" if draft is None else "nobody wrote it"
        elif draft is not None and not _is_as_acted(draft, current):
            yield guide, "it is not as its last acts left it"


def _is_as_acted(draft: GuideDraftRow, acts: Sequence[GuideDraftActRow]) -> bool:
    """Return True if `draft` is as `acts` left it. `acts` are the actions since the draft was started, in order."""
    written, offered = None, None
    for act in acts:
        if act.act == GuideDraftAct.WRITTEN:
            written, offered = act, None
        elif act.act == GuideDraftAct.OFFERED and written is not None and act.digest == written.digest:
            offered = act
        else:
            return False
    return written is not None and (
        (draft.begun_at, draft.version, draft.written_at, draft.written_by, draft.offered_at, draft.offered_by)
        == (acts[0].at, written.number, written.at, written.by, offered and offered.at, offered and offered.by)
        and written.digest == _digest_of(draft)
    )


def read_draft_record(session: Session, guide: str) -> DraftRecord:
    """Return the writers of the draft of `guide`, and the number of the guide's last edition."""
    return DraftRecord(list_draft_writers(session, guide), len(find_history(session, guide=guide)) or None)


def write_guide_draft(
    session: Session,
    guide: str,
    change: DraftChange,
    *,
    by: str,
    at: dt.datetime,
    unplaced: UnplacedChange = keep_unplaced,
) -> GuideDraftRow:
    """Save the content that `change` returns as the draft of `guide`, record the action, and return the draft.

    Save the passages that `unplaced` returns too. The content may have errors. A save cancels a submission for
    publication. If content and passages are unchanged, save and record nothing. Raise the errors of `change`.
    """
    draft = find_guide_draft(session, guide)
    text, passages = _json(change(draft)), _json(unplaced(draft))
    if draft is None:
        draft = GuideDraftRow(guide=guide, version=0, content="", begun_at=at, written_at=at, written_by=by)
    if (draft.content, draft.unplaced) != (text, passages):
        draft.content, draft.unplaced = text, passages
        number = append_draft_act(session, draft, GuideDraftAct.WRITTEN, by=by, at=at)
        draft.version, draft.written_at, draft.written_by = number, at, by
        draft.offered_at = draft.offered_by = None
        session.add(draft)
    return draft


def _json(value: DraftContent | Sequence[str]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def discard_draft(session: Session, act: DraftAct) -> GuideDraftRow:
    """Delete the draft, record the action, and return the deleted draft. Its recorded actions remain.

    Raise `NoSuchGuideDraft` if there is no draft. Raise the errors of `act.precondition`.
    """
    draft = _known_draft(session, act)
    _end(session, draft, GuideDraftAct.DISCARDED, act)
    return draft


def offer_draft(session: Session, reference_data: ReferenceData, act: DraftAct) -> GuideDraftRow:
    """Submit the draft for another person to publish, record the action, and return the draft.

    The next change of the text cancels the submission. Raise `NoSuchGuideDraft` if there is no draft. Raise the errors
    of `act.precondition`. Raise `InvalidEdition` with every error if the draft has errors.
    """
    draft = _known_draft(session, act)
    check_draft(session, draft, reference_data, today=act.at.date()).require_sound()
    append_draft_act(session, draft, GuideDraftAct.OFFERED, by=act.by, at=act.at)
    draft.offered_at, draft.offered_by = act.at, act.by
    return draft


def publish_draft(
    session: Session, reference_data: ReferenceData, act: DraftAct, *, follows: int | None, two_people: bool
) -> Published:
    """Publish the draft as the guide's next edition, record the action, and delete the draft.

    `follows` is the number of the last edition that the publisher knows: None for a new guide. Raise
    `FollowsAnotherEdition` if the last edition is another one. Raise `NoSuchGuideDraft` if there is no draft. Raise the
    errors of `act.precondition`. Raise `SecondPersonNeeded` if the publisher wrote part of the draft. Raise
    `InvalidEdition` with every error if the draft has errors.

    If `two_people` is true, raise `HandUnknown` if the publisher or a writer is a client that names no person.
    """
    draft = _known_draft(session, act)
    writers = list_draft_writers(session, act.guide)
    if two_people and not all(names_a_person(each) for each in (act.by, *writers)):
        raise HandUnknown
    if any(is_same_hand(act.by, each) for each in writers):
        raise SecondPersonNeeded
    checked = check_draft(session, draft, reference_data, today=act.at.date())
    content, digest = checked.require_sound()
    if checked.follows != follows:
        raise FollowsAnotherEdition
    history = checked.published.history
    published = insert_next_edition(session, history, act.guide, content, digest=digest, at=act.at)
    _end(session, draft, GuideDraftAct.PUBLISHED, act)
    return published


def _known_draft(session: Session, act: DraftAct) -> GuideDraftRow:
    draft = get_guide_draft(session, act.guide)
    act.precondition(draft)
    return draft


def _end(session: Session, draft: GuideDraftRow, end: GuideDraftAct, act: DraftAct) -> None:
    append_draft_act(session, draft, end, by=act.by, at=act.at)
    session.delete(draft)


def append_draft_act(session: Session, draft: GuideDraftRow, act: GuideDraftAct, *, by: str, at: dt.datetime) -> int:
    """Record an action on `draft`, with the digest of its text. Return the number of the action."""
    guide = draft.guide
    last = session.exec(select(func.max(GuideDraftActRow.number)).where(GuideDraftActRow.guide == guide)).one() or 0
    row = GuideDraftActRow(guide=guide, number=last + 1, act=act.value, by=by, at=at, digest=_digest_of(draft))
    session.add(row)
    session.flush()
    return last + 1


def _digest_of(draft: GuideDraftRow) -> str:
    """Return the digest of the content, and of the passages without a place if there are any."""
    text = draft.content if draft.unplaced == NONE_UNPLACED else f"{draft.content}\n{draft.unplaced}"
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
