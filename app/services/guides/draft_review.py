"""Review of a draft by a second person: submission, comments, sending back, and publication.

Two people agree to every edition and rendition that is published from a draft. One person writes the draft and usually
submits it, and another publishes the draft. If the second person corrects and submits the draft, the first person
publishes the draft.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, or_, select

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
from app.models.base import format_utc
from app.models.events.rows import EventKind
from app.models.guides.edition_rows import GuideDraftAct, GuideDraftActRow, GuideDraftRow
from app.services.audit.audit_log import by_itself, is_same_hand, names_a_person
from app.services.audit.clock import require_clock
from app.services.events.outbox import append_event, draft_payload
from app.services.guides.drafts import (
    DraftAct,
    list_draft_acts,
    record_draft_act,
    write_guide_draft,
    writers_of,
)
from app.services.guides.publishing import Publication, insert_next_edition, publish_rendition
from app.services.guides.reference_data import ReferenceData
from app.services.guides.rendition_drafts import CheckedRendition, check_rendition_draft
from app.services.guides.validation import CheckedDraft, check_draft

CHANGE_NOTE = "change_note"
MAX_REMARK = 2000
"""The maximum length, in characters, of a comment, and of the reason for which a draft is sent back."""
MAX_COMMENTS = 500
"""The maximum number of open comments on one draft."""
NOT_PUBLISHED = "It could not be published at the planned time: {}"
BECAUSE = {
    FollowsAnotherEdition: "another edition was published before.",
    ValidationFailed: "there is an error in it, for example because a code list has changed.",
}
OTHERWISE = "the rule of two people was not met."


@dataclass(frozen=True)
class Comment:
    """A comment by the person `by` on a draft. `number` is the number of the action that added the comment.

    `about` is the path of the item that the comment is about, such as `contacts/duty-team`, or empty for the whole
    draft.
    """

    number: int
    by: str
    at: dt.datetime
    about: str
    text: str


@dataclass(frozen=True)
class Discussion:
    """The open comments on a draft (those not marked as done), and the reason for which the draft was sent back.

    `reason` is None if the draft was never sent back, or has been submitted again since.
    """

    comments: tuple[Comment, ...]
    reason: str | None

    @property
    def is_full(self) -> bool:
        """True if the draft has `MAX_COMMENTS` open comments, and can have no more until one of them is done."""
        return len(self.comments) >= MAX_COMMENTS


def check_any_draft(
    session: Session, draft: GuideDraftRow, reference_data: ReferenceData, *, today: dt.date
) -> CheckedDraft | CheckedRendition:
    """Return `draft`, of an edition or rendition, with its errors and with its warnings as of the day `today`."""
    if draft.language:
        return check_rendition_draft(session, draft)
    return check_draft(session, draft, reference_data, today=today)


def offer_draft(session: Session, reference_data: ReferenceData, act: DraftAct, *, note: str = "") -> GuideDraftRow:
    """Submit the draft that `act` names for another person to publish, and return the draft.

    Record the action, and append an event. If the draft of an edition has no change note, save `note` as its change
    note: this makes the person a writer of the draft. A planned publication is cancelled. The next change of the text
    cancels the submission. Raise `NoSuchGuideDraft` if there is no draft. Raise the errors of `act.precondition`, which
    checks that the person has seen the current version of the draft. Raise `InvalidEdition` or `InvalidRendition` with
    every error if the draft has errors.
    """
    draft = act.known_draft(session)
    content = draft.read()
    if note and not draft.language and not content.get(CHANGE_NOTE):
        draft = write_guide_draft(session, act, lambda _: content | {CHANGE_NOTE: note})
    check_any_draft(session, draft, reference_data, today=act.at.date()).require_sound()
    record_draft_act(session, draft, GuideDraftAct.OFFERED, act)
    _announce(session, EventKind.DRAFT_OFFERED, act)
    return draft


def return_draft(session: Session, act: DraftAct, *, reason: str) -> GuideDraftRow:
    """Send the submitted draft that `act` names back to its writers for `reason`, and return the draft.

    Record the action, and append an event. A planned publication is cancelled. Raise `NoSuchGuideDraft` if there is no
    draft, and `DraftChanged` if the draft is not submitted. Raise the errors of `act.precondition`, which checks that
    the person has seen the current version of the draft.
    """
    draft = act.known_draft(session)
    if draft.offered_at is None:
        raise DraftChanged
    record_draft_act(session, draft, GuideDraftAct.RETURNED, act, {"reason": reason})
    _announce(session, EventKind.DRAFT_RETURNED, act)
    return draft


def comment_on_draft(session: Session, act: DraftAct, *, about: str, text: str) -> int:
    """Add a comment with `text` to the draft that `act` names, and return the comment's number.

    `about` is the path of the item that the comment is about, or empty. Raise `NoSuchGuideDraft` if there is no draft,
    or `DraftFull` if the draft has `MAX_COMMENTS` open comments. Raise the errors of `act.precondition`, which checks
    that the person has seen the current version of the draft.
    """
    draft = act.known_draft(session)
    if discussion_of(list_draft_acts(session, act.guide, act.language)).is_full:
        raise DraftFull
    return record_draft_act(session, draft, GuideDraftAct.COMMENTED, act, {"about": about, "text": text})


def settle_comment(session: Session, act: DraftAct, *, number: int) -> None:
    """Mark the comment `number` on the draft that `act` names as done, and record the action.

    Raise `NoSuchGuideDraft` if there is no draft, or `NoSuchItem` if the draft has no open comment with this number.
    Raise the errors of `act.precondition`, which checks that the person has seen the current version of the draft.
    """
    draft = act.known_draft(session)
    open_ones = discussion_of(list_draft_acts(session, act.guide, act.language)).comments
    if number not in {each.number for each in open_ones}:
        raise NoSuchItem
    record_draft_act(session, draft, GuideDraftAct.SETTLED, act, {"comment": number})


def discussion_of(acts: Sequence[GuideDraftActRow]) -> Discussion:
    """Return the open comments, and the reason for sending back, of the draft with the actions `acts`, in order."""
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
    """Return True if the person named `by` may publish `draft` as the second of two people.

    `writers` are all people who wrote part of the draft. A writer may publish the draft only if another person wrote
    its last version, and another person submitted it. Somebody else has then agreed to the whole text.
    """
    if not any(is_same_hand(by, each) for each in writers):
        return True
    others = (draft.written_by, draft.offered_by)
    return all(each is not None and not is_same_hand(by, each) for each in others)


def count_waiting(session: Session, by: str, *, can_publish: bool) -> int:
    """Return how many drafts wait for the person named `by`.

    A submitted draft waits for the person if `can_publish` is True and `may_publish` returns True. A draft that was
    sent back waits for each of its writers. A draft with a planned publication waits for nobody.
    """
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
    """Publish the draft that `act` names as the next edition or rendition, record the action, and delete the draft.

    Append the events of the publication. If the most recent rendition has the same content and is not withdrawn,
    publish nothing new. `follows` is the number of the last edition that the publisher has seen, or None for a new
    guide. For a rendition, `follows` is the number of the edition that it renders. Raise `FollowsAnotherEdition` if the
    number is now a different one. Raise `NoSuchGuideDraft` if there is no draft. Raise the errors of
    `act.precondition`, which checks that the person has seen the current version of the draft. Raise
    `SecondPersonNeeded` if `may_publish` returns False. Raise `InvalidEdition` or `InvalidRendition` with every error
    if the draft has errors.

    If `two_people` is True, raise `HandUnknown` if the publisher or a writer is a client that names no person. If the
    publisher is a writer, the same applies to the person who submitted the draft.
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
    """Agree as the second person that the draft that `act` names is published at `publish_at`, and return the draft.

    Record the action. If a time was already agreed, `publish_at` replaces that time. `follows` is the number of the
    last edition that the person has seen, or None for a new guide. For a rendition, `follows` is the number of the
    edition that it renders. `two_people` is True if two people must be known by name. Make the checks of
    `publish_draft` now, and raise the same errors: `NoSuchGuideDraft`, the errors of `act.precondition`,
    `FollowsAnotherEdition`, `SecondPersonNeeded`, `HandUnknown`, `InvalidEdition` or `InvalidRendition`. The
    publication makes these checks again.
    """
    draft = act.known_draft(session)
    _require_agreed(session, reference_data, draft, act, follows=follows, two_people=two_people)
    details = {"publish_at": format_utc(publish_at), "follows": follows}
    record_draft_act(session, draft, GuideDraftAct.SCHEDULED, act, details)
    return draft


def unschedule_draft(session: Session, act: DraftAct) -> GuideDraftRow:
    """Cancel the planned publication of the draft that `act` names, and return the draft.

    Record the action. A submitted draft stays submitted. Raise `NoSuchGuideDraft` if there is no draft, or
    `DraftChanged` if no publication is planned. Raise the errors of `act.precondition`, which checks that the person
    has seen the current version of the draft.
    """
    draft = act.known_draft(session)
    if draft.publish_at is None:
        raise DraftChanged
    record_draft_act(session, draft, GuideDraftAct.UNSCHEDULED, act)
    return draft


def find_due_draft(session: Session, *, now: dt.datetime) -> tuple[str, str] | None:
    """Return the guide and the language of a draft whose planned publication is due at `now`, or None if none is due.

    If several are due, choose the one with the earliest time. The language is empty for the draft of an edition.
    """
    due = select(GuideDraftRow.guide, GuideDraftRow.language).where(col(GuideDraftRow.publish_at) <= now)
    found = session.exec(due.order_by(col(GuideDraftRow.publish_at)).limit(1)).first()
    return None if found is None else (found[0], found[1])


def publish_due_draft(
    session: Session, reference_data: ReferenceData, guide: str, language: str, *, now: dt.datetime, two_people: bool
) -> Publication[Any] | None:
    """Publish the draft of `guide` in `language`, in the name of the person who agreed, if its planned time has come.

    `language` is empty for the draft of an edition. If `two_people` is True, two people must be known by name, as
    `publish_draft` says. Return None if no publication is due any more: another process has published the draft, or
    somebody has cancelled or moved the publication. If the draft can no longer be published, send it back with the
    reason, append an event, and return None. Only one transaction writes at a time, so a draft is published once. Raise
    `ClockInDoubt` if the clock may be wrong.
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
    """Return the checked draft if two people agree to it, and it follows the edition `follows`.

    Otherwise raise `HandUnknown`, `SecondPersonNeeded`, `InvalidEdition`, `InvalidRendition` or
    `FollowsAnotherEdition`, each as `publish_draft` says. `follows` and `two_people` are those of `publish_draft`.
    """
    writers = writers_of(list_draft_acts(session, act.guide, act.language))
    wrote_it = any(is_same_hand(act.by, each) for each in writers)
    hands = (act.by, *writers, draft.offered_by if wrote_it and draft.offered_by else act.by)
    if two_people and not all(map(names_a_person, hands)):
        raise HandUnknown
    if not may_publish(draft, writers, act.by):
        raise SecondPersonNeeded
    checked = check_any_draft(session, draft, reference_data, today=act.at.date())
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
    append_event(session, kind, at=act.at, data=draft_payload(act.guide, act.language))
