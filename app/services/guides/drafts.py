"""Drafts of guides, and their publication by two people: one wrote none of the words."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, func, select

from app.errors import FollowsAnotherEdition, HandUnknown, NoSuchGuideDraft, SecondPersonNeeded
from app.models.guides.edition_rows import GuideDraftAct, GuideDraftActRow, GuideDraftRow
from app.services.guides.editions import find_history
from app.services.guides.publishing import Published, insert_next_edition
from app.services.guides.reference_data import ReferenceData
from app.services.guides.validation import check_draft

ENDING_ACTS = (GuideDraftAct.DISCARDED.value, GuideDraftAct.PUBLISHED.value)
"""The acts after which a guide has no draft."""
DraftContent = dict[str, Any]
DraftChange = Callable[[GuideDraftRow | None], DraftContent]
"""Gets the draft as it is now (None if there is none), and returns its new content, or raises."""
DraftPrecondition = Callable[[GuideDraftRow], None]
"""Gets the draft as it is now, and raises unless the caller knows it."""


@dataclass(frozen=True)
class DraftAct:
    """What somebody does with a guide's draft. The precondition raises unless they know the draft as it is now."""

    guide: str
    by: str
    at: dt.datetime
    precondition: DraftPrecondition


@dataclass(frozen=True)
class DraftRecord:
    """What the record says of a draft, beside its words: who wrote it, and the last edition (None for a new guide)."""

    writers: Sequence[str]
    follows: int | None


def find_guide_draft(session: Session, guide: str) -> GuideDraftRow | None:
    """Return the draft of the guide, or None."""
    return session.get(GuideDraftRow, guide)


def get_guide_draft(session: Session, guide: str) -> GuideDraftRow:
    """Return the draft of the guide. Raise `NoSuchGuideDraft`."""
    draft = find_guide_draft(session, guide)
    if draft is None:
        raise NoSuchGuideDraft
    return draft


def list_guide_drafts(session: Session) -> Sequence[GuideDraftRow]:
    """Return every draft, by guide."""
    return session.exec(select(GuideDraftRow).order_by(GuideDraftRow.guide)).all()


def list_draft_writers(session: Session, guide: str) -> list[str]:
    """Return who wrote the draft since it was begun, each once, the first first."""
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
    """Yield the guide of each draft that is not as its last acts left it, and the fault."""
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
    """Return whether the draft is as the acts since it was begun left it."""
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
        and written.digest == _digest_of(draft.content)
    )


def read_draft_record(session: Session, guide: str) -> DraftRecord:
    """Return what the record says of the guide's draft, while it has one."""
    return DraftRecord(list_draft_writers(session, guide), len(find_history(session, guide=guide)) or None)


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


def discard_draft(session: Session, act: DraftAct) -> GuideDraftRow:
    """Remove the draft, and return it. Who wrote it stays on record.

    Raises `NoSuchGuideDraft`, and what the precondition raises.
    """
    draft = _known_draft(session, act)
    _end(session, draft, GuideDraftAct.DISCARDED, act)
    return draft


def offer_draft(session: Session, reference_data: ReferenceData, act: DraftAct) -> GuideDraftRow:
    """Submit the draft for somebody else to publish. The next change of its words cancels the request.

    Raises `NoSuchGuideDraft`, what the precondition raises, and `InvalidEdition` with every fault.
    """
    draft = _known_draft(session, act)
    check_draft(session, draft, reference_data, today=act.at.date()).require_sound()
    append_draft_act(session, act.guide, GuideDraftAct.OFFERED, by=act.by, at=act.at, content=draft.content)
    draft.offered_at, draft.offered_by = act.at, act.by
    return draft


def publish_draft(
    session: Session, reference_data: ReferenceData, act: DraftAct, *, follows: int | None, two_people: bool
) -> Published:
    """Publish the draft as the guide's next edition, and end it. `follows` is the last edition, None for a new guide.

    Raises `NoSuchGuideDraft`, what the precondition raises, `SecondPersonNeeded`, `FollowsAnotherEdition`, and
    `InvalidEdition` with every fault. Where `two_people` must, a client that names no person has no hand in it.
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


def is_same_hand(one: str, other: str) -> bool:
    """Return whether two names on the record are of one person or, where one names no person, of one client.

    A person has one name, by whichever client and at whichever issuer they come in: two who share a name count as one.
    """
    client, _, person = one.partition("/")
    other_client, _, other_person = other.partition("/")
    return person == other_person if person and other_person else client == other_client


def names_a_person(name: str) -> bool:
    """Return whether a name on the record names a person beside the client."""
    return "/" in name


def _known_draft(session: Session, act: DraftAct) -> GuideDraftRow:
    draft = get_guide_draft(session, act.guide)
    act.precondition(draft)
    return draft


def _end(session: Session, draft: GuideDraftRow, end: GuideDraftAct, act: DraftAct) -> None:
    append_draft_act(session, draft.guide, end, by=act.by, at=act.at, content=draft.content)
    session.delete(draft)


def append_draft_act(
    session: Session, guide: str, act: GuideDraftAct, *, by: str, at: dt.datetime, content: str
) -> int:
    """Append what was done with the draft, and return the number of the act."""
    last = session.exec(select(func.max(GuideDraftActRow.number)).where(GuideDraftActRow.guide == guide)).one() or 0
    row = GuideDraftActRow(guide=guide, number=last + 1, act=act.value, by=by, at=at, digest=_digest_of(content))
    session.add(row)
    session.flush()
    return last + 1


def _digest_of(content: str) -> str:
    return f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"
