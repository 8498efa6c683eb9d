"""Review of a draft by a second person: submission, comments, sending back, and publication.

Two people agree to every edition and rendition that is published from a draft. One person writes the draft and usually
submits it, and another publishes the draft. If the second person corrects and submits the draft, the first person
publishes the draft.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_
from sqlmodel import Session, col, select

from app.errors import (
    DraftChanged,
    DraftFull,
    FollowsAnotherEdition,
    HandUnknown,
    NoSuchGuideDraft,
    NoSuchItem,
    SecondPersonNeeded,
    ValidationFailed,
)
from app.extensions.editing.services.draft_checks import CheckedDraft, check_draft
from app.extensions.editing.services.drafts import (
    DraftAct,
    DraftContent,
    find_guide_draft,
    list_draft_acts,
    record_draft_act,
    write_guide_draft,
    writers_of,
)
from app.extensions.editing.services.rendition_drafts import CheckedRendition, check_rendition_draft
from app.extensions.editing.tables import GuideDraftRow
from app.models.base import format_utc
from app.models.events.rows import EventKind
from app.models.guides.edition_rows import GuideDraftAct, GuideDraftActRow
from app.models.links import draft_path, guide_path
from app.services.audit.audit_log import by_itself, is_same_hand, names_a_person
from app.services.audit.known_time import require_clock
from app.services.events.outbox import append_event
from app.services.guides.publishing import Publication, insert_next_edition, publish_rendition
from app.services.guides.reference_data import ReferenceData

CHANGE_NOTE = "change_note"
MAX_REMARK = 2000
"""Characters of a comment, or of the reason for sending back."""
MAX_COMMENTS = 500
"""Open ones on one draft."""
NOT_PUBLISHED = "It could not be published at the planned time: {}"
BECAUSE = {
    FollowsAnotherEdition: "another edition was published before.",
    ValidationFailed: "there is an error in it, for example because a code list has changed.",
}
OTHERWISE = "the rule of two people was not met."


@dataclass(frozen=True)
class Comment:
    """A comment on a draft. `about` is an item such as `contacts/duty-team`, or empty. `number` is the action's."""

    number: int
    by: str
    at: dt.datetime
    about: str
    text: str


@dataclass(frozen=True)
class Discussion:
    """Open comments, and the reason for the draft's return (None once it is submitted again)."""

    comments: tuple[Comment, ...]
    reason: str | None

    @property
    def is_full(self) -> bool:
        return len(self.comments) >= MAX_COMMENTS


def _check_any_draft(
    session: Session, draft: GuideDraftRow, reference_data: ReferenceData, *, today: dt.date
) -> CheckedDraft | CheckedRendition:
    if draft.language:
        return check_rendition_draft(session, draft)
    return check_draft(session, draft, reference_data, today=today)


def offer_draft(session: Session, reference_data: ReferenceData, act: DraftAct, *, note: str = "") -> GuideDraftRow:
    """Submit a draft for another person to publish. Record it, and append an event.

    A draft without a change note gets `note`, which makes the person a writer. A planned publication is cancelled. The
    next change of the text cancels the submission. Raise as `DraftAct.known_draft`, and `InvalidEdition` or
    `InvalidRendition` with every error.
    """
    draft = act.known_draft(session)
    content = draft.read()
    if note and not draft.language and not content.get(CHANGE_NOTE):
        draft = write_guide_draft(session, act, lambda _: content | {CHANGE_NOTE: note})
    _check_any_draft(session, draft, reference_data, today=act.at.date()).require_sound()
    record_draft_act(session, draft, GuideDraftAct.OFFERED, act)
    _announce(session, EventKind.DRAFT_OFFERED, act)
    return draft


def begin_and_offer(
    session: Session, reference_data: ReferenceData, act: DraftAct, content: DraftContent
) -> GuideDraftRow:
    """Begin a draft with `content`, and submit it. Raise `DraftChanged` if there is one, or as `offer_draft`."""
    if find_guide_draft(session, act.guide) is not None:
        raise DraftChanged
    write_guide_draft(session, act, lambda _: content)
    return offer_draft(session, reference_data, act)


def return_draft(session: Session, act: DraftAct, *, reason: str) -> GuideDraftRow:
    """Send a submitted draft back. Record it, append an event, and cancel a planned publication.

    Raise as `DraftAct.known_draft`, and `DraftChanged` if it is not submitted.
    """
    draft = act.known_draft(session)
    if draft.offered_at is None:
        raise DraftChanged
    record_draft_act(session, draft, GuideDraftAct.RETURNED, act, {"reason": reason})
    _announce(session, EventKind.DRAFT_RETURNED, act)
    return draft


def comment_on_draft(session: Session, act: DraftAct, *, about: str, text: str) -> int:
    """Return the comment's number. Raise as `DraftAct.known_draft`, or `DraftFull`."""
    draft = act.known_draft(session)
    if discussion_of(list_draft_acts(session, act.guide, act.language)).is_full:
        raise DraftFull
    return record_draft_act(session, draft, GuideDraftAct.COMMENTED, act, {"about": about, "text": text})


def settle_comment(session: Session, act: DraftAct, *, number: int) -> None:
    """Mark a comment as done. Raise as `DraftAct.known_draft`, or `NoSuchItem` without such an open one."""
    draft = act.known_draft(session)
    open_ones = discussion_of(list_draft_acts(session, act.guide, act.language)).comments
    if number not in {each.number for each in open_ones}:
        raise NoSuchItem
    record_draft_act(session, draft, GuideDraftAct.SETTLED, act, {"comment": number})


def discussion_of(acts: Sequence[GuideDraftActRow]) -> Discussion:
    comments: dict[int, Comment] = {}
    reason: str | None = None
    for each in acts:
        match each.act:
            case GuideDraftAct.COMMENTED:
                comments[each.number] = Comment(each.number, each.by, each.at, **each.details)
            case GuideDraftAct.SETTLED:
                comments.pop(each.details["comment"], None)
            case GuideDraftAct.RETURNED:
                reason = each.details["reason"]
            case GuideDraftAct.OFFERED:
                reason = None
    return Discussion(tuple(comments.values()), reason)


def may_publish(draft: GuideDraftRow, writers: Sequence[str], by: str) -> bool:
    """Return False for a writer, unless another person wrote the last version and another submitted it."""
    if not any(is_same_hand(by, each) for each in writers):
        return True
    others = (draft.written_by, draft.offered_by)
    return all(each is not None and not is_same_hand(by, each) for each in others)


def count_waiting(session: Session, by: str, *, can_publish: bool) -> int:
    """Count submitted drafts that `by` may publish, and returned ones that `by` wrote. Planned ones wait for nobody."""
    is_handed_over = or_(col(GuideDraftRow.offered_at).is_not(None), col(GuideDraftRow.returned_at).is_not(None))
    found = 0
    for draft in session.exec(
        select(GuideDraftRow).where(is_handed_over, col(GuideDraftRow.publish_at).is_(None))
    ).all():
        writers = writers_of(list_draft_acts(session, draft.guide, draft.language))
        wrote_it = any(is_same_hand(by, each) for each in writers)
        found += can_publish and may_publish(draft, writers, by) if draft.offered_at is not None else wrote_it
    return found


def publish_draft(
    session: Session, reference_data: ReferenceData, act: DraftAct, *, follows: int | None, two_people: bool
) -> Publication[Any]:
    """Publish a draft as the next edition or rendition. Record it, append events, and delete the draft.

    A rendition equal to the newest, not withdrawn, publishes nothing new. `follows` is the last edition that the
    publisher has seen (None for a new guide), or the one rendered: raise `FollowsAnotherEdition` if it is another now.
    Raise as `DraftAct.known_draft`; `SecondPersonNeeded` as `may_publish`; `InvalidEdition` or `InvalidRendition`. If
    `two_people`, raise `HandUnknown` if publisher or a writer is a client without a person; for a publisher who wrote,
    also who submitted.
    """
    draft = act.known_draft(session)
    checked = _require_agreed(session, reference_data, draft, act, follows=follows, two_people=two_people)
    if isinstance(checked, CheckedRendition):
        rendition, _ = checked.require_sound()
        published: Publication[Any] = publish_rendition(session, act.guide, rendition, at=act.at, two_people=False)
    else:
        content, digest = checked.require_sound()
        history = checked.published.history
        published = insert_next_edition(session, history, act.guide, content, digest=digest, at=act.at)
    record_draft_act(session, draft, GuideDraftAct.PUBLISHED, act, {"number": published.key.number})
    session.delete(draft)
    return published


def schedule_draft(
    session: Session,
    reference_data: ReferenceData,
    act: DraftAct,
    *,
    publish_at: dt.datetime,
    follows: int | None,
    two_people: bool,
) -> GuideDraftRow:
    """Agree as the second person to a publication at `publish_at`, which replaces an earlier time.

    The checks of `publish_draft` are made now, raising the same, and again then.
    """
    draft = act.known_draft(session)
    _require_agreed(session, reference_data, draft, act, follows=follows, two_people=two_people)
    details = {"publish_at": format_utc(publish_at), "follows": follows}
    record_draft_act(session, draft, GuideDraftAct.SCHEDULED, act, details)
    return draft


def unschedule_draft(session: Session, act: DraftAct) -> GuideDraftRow:
    """Leave the draft submitted. Raise as `DraftAct.known_draft`, and `DraftChanged` if nothing is planned."""
    draft = act.known_draft(session)
    if draft.publish_at is None:
        raise DraftChanged
    record_draft_act(session, draft, GuideDraftAct.UNSCHEDULED, act)
    return draft


def find_due_draft(session: Session, *, now: dt.datetime) -> tuple[str, str] | None:
    """Return guide and language of the draft that was due first. The language is empty for an edition."""
    due = select(GuideDraftRow.guide, GuideDraftRow.language).where(col(GuideDraftRow.publish_at) <= now)
    found = session.exec(due.order_by(col(GuideDraftRow.publish_at)).limit(1)).first()
    return None if found is None else (found[0], found[1])


def publish_due_draft(
    session: Session, reference_data: ReferenceData, guide: str, language: str, *, now: dt.datetime, two_people: bool
) -> Publication[Any] | None:
    """Publish in the name of the person who agreed. Return None if nothing is due any more.

    A draft that can no longer be published is sent back with the reason, with an event. Only one transaction writes at
    a time, so it is published once. Raise `ClockInDoubt`.
    """
    draft = session.get(GuideDraftRow, (guide, language))
    if draft is None or draft.publish_at is None or draft.agreed_by is None or draft.publish_at > now:
        return None
    require_clock(session, at=now)
    planned = _last_plan(session, guide, language)
    act = DraftAct(guide, draft.agreed_by, now, language=language)
    try:
        return publish_draft(session, reference_data, act, follows=planned.details["follows"], two_people=two_people)
    except (FollowsAnotherEdition, ValidationFailed, SecondPersonNeeded) as refusal:
        reason = next((words for kind, words in BECAUSE.items() if isinstance(refusal, kind)), OTHERWISE)
        own = DraftAct(guide, by_itself(now).client, now, language=language)
        record_draft_act(session, draft, GuideDraftAct.RETURNED, own, {"reason": NOT_PUBLISHED.format(reason)})
        _announce(session, EventKind.DRAFT_RETURNED, own)
        return None


def _require_agreed(
    session: Session,
    reference_data: ReferenceData,
    draft: GuideDraftRow,
    act: DraftAct,
    *,
    follows: int | None,
    two_people: bool,
) -> CheckedDraft | CheckedRendition:
    """Raise what `publish_draft` says."""
    writers = writers_of(list_draft_acts(session, act.guide, act.language))
    wrote_it = any(is_same_hand(act.by, each) for each in writers)
    hands = (act.by, *writers, draft.offered_by if wrote_it and draft.offered_by else act.by)
    if two_people and not all(map(names_a_person, hands)):
        raise HandUnknown
    if not may_publish(draft, writers, act.by):
        raise SecondPersonNeeded
    checked = _check_any_draft(session, draft, reference_data, today=act.at.date())
    checked.require_sound()
    if checked.follows != follows:
        raise FollowsAnotherEdition
    return checked


def _last_plan(session: Session, guide: str, language: str) -> GuideDraftActRow:
    acts = list_draft_acts(session, guide, language)
    planned = [each for each in acts if each.act == GuideDraftAct.SCHEDULED]
    if not planned:
        raise NoSuchGuideDraft
    return planned[-1]


def _announce(session: Session, kind: EventKind, act: DraftAct) -> None:
    """No text. Drafts of renditions have no address: the link is to the guide."""
    of_rendition = {"language": act.language, "links": {"guide": guide_path(act.guide)}}
    of_edition = {"links": {"draft": draft_path(act.guide)}}
    append_event(session, kind, at=act.at, data={"guide": act.guide} | (of_rendition if act.language else of_edition))
