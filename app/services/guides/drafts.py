"""Drafts of guides, and their publication by a second person, who wrote none of the text."""

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
"""Actions after which a guide has no draft."""
DraftContent = dict[str, Any]
DraftChange = Callable[[GuideDraftRow | None], DraftContent]
"""Takes the current draft, or None if there is none. Returns the new content, or raises."""
DraftPrecondition = Callable[[GuideDraftRow], None]
"""Takes the current draft. Raises unless the caller knows its current version."""


@dataclass(frozen=True)
class DraftAct:
    """An action on a guide's draft: who, when, and a precondition that raises unless they know the current draft."""

    guide: str
    by: str
    at: dt.datetime
    precondition: DraftPrecondition


@dataclass(frozen=True)
class DraftRecord:
    """The writers of a draft, and the number of the guide's last edition (None for a new guide)."""

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
    """Return every draft, in order of guide."""
    return session.exec(select(GuideDraftRow).order_by(GuideDraftRow.guide)).all()


def list_draft_writers(session: Session, guide: str) -> list[str]:
    """Return the names of all who wrote the draft since it was begun, without repeats, in order of first writing."""
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
    """Yield the guide of each draft that differs from its recorded actions, and the fault."""
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
    """Return True if the draft is as these actions left it. `acts` are those since the draft was begun."""
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
    """Return the writers of the guide's draft and the number of its last edition."""
    return DraftRecord(list_draft_writers(session, guide), len(find_history(session, guide=guide)) or None)


def write_guide_draft(session: Session, guide: str, change: DraftChange, *, by: str, at: dt.datetime) -> GuideDraftRow:
    """Save the changed content as the guide's draft, with or without errors. Unchanged content is not saved again."""
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
    """Remove the draft and return it. Its recorded actions remain.

    Raise `NoSuchGuideDraft`, and the errors of the precondition.
    """
    draft = _known_draft(session, act)
    _end(session, draft, GuideDraftAct.DISCARDED, act)
    return draft


def offer_draft(session: Session, reference_data: ReferenceData, act: DraftAct) -> GuideDraftRow:
    """Submit the draft for another person to publish. The next change of its text cancels the request.

    Raise `NoSuchGuideDraft`, the errors of the precondition, and `InvalidEdition` with every error.
    """
    draft = _known_draft(session, act)
    check_draft(session, draft, reference_data, today=act.at.date()).require_sound()
    append_draft_act(session, act.guide, GuideDraftAct.OFFERED, by=act.by, at=act.at, content=draft.content)
    draft.offered_at, draft.offered_by = act.at, act.by
    return draft


def publish_draft(
    session: Session, reference_data: ReferenceData, act: DraftAct, *, follows: int | None, two_people: bool
) -> Published:
    """Publish the draft as the guide's next edition and end the draft.

    `follows` is the number of the last edition, None for a new guide. Raise `NoSuchGuideDraft`, the errors of the
    precondition, `SecondPersonNeeded`, `FollowsAnotherEdition`, and `InvalidEdition` with every error. If `two_people`
    is true, also raise `HandUnknown` if the publisher or a writer is a client that names no person.
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
    """Return True if both recorded names are of one person. If either names no person, compare the clients.

    A person has the same name with every client and issuer. Two people who share a name count as one.
    """
    client, _, person = one.partition("/")
    other_client, _, other_person = other.partition("/")
    return person == other_person if person and other_person else client == other_client


def names_a_person(name: str) -> bool:
    """Return True if a recorded name names a person as well as the client."""
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
    """Append an action on the draft, and return its number."""
    last = session.exec(select(func.max(GuideDraftActRow.number)).where(GuideDraftActRow.guide == guide)).one() or 0
    row = GuideDraftActRow(guide=guide, number=last + 1, act=act.value, by=by, at=at, digest=_digest_of(content))
    session.add(row)
    session.flush()
    return last + 1


def _digest_of(content: str) -> str:
    return f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"
