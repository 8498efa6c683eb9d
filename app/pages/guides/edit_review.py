"""The page of a draft, and the review of the draft: submission, comments, sending back, and publication."""

import datetime as dt
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Query, Response

from app.errors import DraftFull, ValidationFailed
from app.http.routes import GuidanceRouter
from app.models.guides.edition_rows import GuideDraftRow
from app.models.guides.sections import ITEM_LISTS
from app.pages.frame import DeskRoute, lead_to
from app.pages.guides.change_words import propose_change_note
from app.pages.guides.drafts import beside_current, remarks_of, title_of
from app.pages.guides.edit_faults import Remark, warning_remark
from app.pages.guides.edit_posts import EDIT_PAGES
from app.pages.guides.editing import Editing, PublishingDep, ReviewingDep
from app.pages.posted_forms import SubmittedForm, SubmittedFormDep
from app.services.access.sign_in import GUIDES_PATH
from app.services.audit.audit_log import is_same_hand
from app.services.guides.draft_links import LINK_DAYS, links_of, takes_no_more
from app.services.guides.draft_review import (
    CHANGE_NOTE,
    MAX_REMARK,
    comment_on_draft,
    discussion_of,
    may_publish,
    offer_draft,
    publish_draft,
    return_draft,
    schedule_draft,
    settle_comment,
    unschedule_draft,
)
from app.services.guides.drafts import DraftContent, discard_draft, get_guide_draft, list_draft_acts, writers_of
from app.services.guides.rendition_drafts import list_pairs
from app.services.guides.working_days import london_moments
from app.services.guides.written_values import read_day

router = GuidanceRouter(prefix=GUIDES_PATH, include_in_schema=False, route_class=DeskRoute)
AGREED = "yes"
"""The posted value of a button or checkbox with which a person confirms an action."""
FIRST_NOTE = "First edition."
LONGEST_LABEL = 90
LONGEST_PLAN = dt.timedelta(days=366)
UNREADABLE, PAST, FAR, SKIPPED, TWICE = "unreadable", "past", "far", "skipped", "twice"
FIRST, SECOND = "first", "second"
"""The values of the field `which`: the first or the second time in the hour that repeats when the clocks go back."""
PLAN_FAULTS = {
    UNREADABLE: "Enter a day and a time, such as 1 March 2027 and 09:00.",
    PAST: "This time has passed. Enter a time in the future, or publish now.",
    FAR: "Enter a time within the next year.",
    SKIPPED: "This time does not exist: the clocks go forward in that hour. Enter a time before 01:00 or from 02:00.",
    TWICE: "This time comes twice: the clocks go back in that hour. Choose which of the two.",
}
PlanFault = Annotated[str, Query(alias="plan", pattern="^[a-z]*$", max_length=12)]
LONGEST_TYPED = 40
PlanText = Annotated[str, Query(max_length=LONGEST_TYPED)]


@dataclass(frozen=True)
class PlanTyped:
    """The time of a planned publication as typed. `fault` is the error's key in `PLAN_FAULTS`, or empty."""

    day: str
    time: str
    fault: str


NO_PLAN = PlanTyped("", "", "")


async def read_plan(fault: PlanFault = "", day: PlanText = "", time: PlanText = "") -> PlanTyped:
    """Return the refused time of a planned publication from the query, as a FastAPI dependency.

    `day` and `time` are the day and the time as typed. Ignore an unknown `fault`. Without these parameters, every field
    of the result is empty.
    """
    return PlanTyped(day, time, fault if fault in PLAN_FAULTS else "")


PlanDep = Annotated[PlanTyped, Depends(read_plan)]


@router.get("/{guide}")
def read_draft_page(editing: ReviewingDep, plan: PlanDep) -> Response:
    """Return the page of the draft, with the errors, warnings, writers, and changes to the current edition.

    `plan` is a refused time of a planned publication, which the form shows again. If the query has the language of a
    rendition, redirect to the page of that rendition's draft. Raise `NoSuchGuideDraft` if there is no draft.
    """
    if editing.language:
        return lead_to(editing.path)
    draft = get_guide_draft(editing.session, editing.guide)
    checked = editing.check(draft)
    faults = remarks_of(checked)
    beside = beside_current(draft, checked)
    note = _note_for(beside, faults)
    review = review_values(editing, draft, checked.follows, faults, plan)
    return editing.page(
        "desk_edit_draft.html",
        title=title_of(draft),
        pages=EDIT_PAGES,
        counts={page: len(found) for page, found in draft.read().items() if isinstance(found, list)},
        to_do={page: sum(each.page == page for each in faults) for page in EDIT_PAGES},
        warnings=[*map(warning_remark, checked.warnings)],
        items=items_of(draft.read()),
        note=note,
        **review | {"asks": review["asks"] and note != ""},
        **beside,
    )


def _note_for(beside: dict[str, Any], faults: Sequence[Remark]) -> str | None:
    """Return a proposed change note, or None if the draft has a valid change note.

    `beside` is the result of `beside_current`, and `faults` are the errors of the draft. Return an empty text if
    nothing has changed since the current edition. If there is no current edition, return `FIRST_NOTE`.
    """
    if not any(each.name == CHANGE_NOTE for each in faults):
        return None
    comparison = beside["comparison"]
    return propose_change_note(comparison["changes"]) if comparison else FIRST_NOTE


def review_values(
    editing: Editing, draft: GuideDraftRow, follows: int | None, faults: Sequence[Remark], plan: PlanTyped
) -> dict[str, Any]:
    """Return the template variables about the review of `draft`: writers, comments, plan and preview links.

    `follows` is the number of the edition that the draft follows or renders, or None for a new guide. `faults` are the
    errors of the draft. `plan` is a refused time of a planned publication, which the form shows again.
    """
    me = editing.actor.client
    acts = list_draft_acts(editing.session, draft.guide, draft.language)
    writers = writers_of(acts)
    is_second = may_publish(draft, writers, me)
    links = links_of(acts, at=editing.now)
    offered_by_me = draft.offered_by is not None and is_same_hand(me, draft.offered_by)
    return {
        "draft": draft,
        "path": editing.path,
        "language_query": f"?language={draft.language}" if draft.language else "",
        "remarks": faults,
        "follows": follows,
        "writers": writers,
        "wrote_it": any(is_same_hand(me, each) for each in writers),
        "is_second": is_second,
        "asks": [each for each in faults if each.name != CHANGE_NOTE] == []
        and draft.publish_at is None
        and not offered_by_me
        and (draft.offered_at is None or not is_second),
        "discussion": discussion_of(acts),
        "max_remark": MAX_REMARK,
        "plan": plan,
        "plan_fault": PLAN_FAULTS.get(plan.fault),
        "link_days": LINK_DAYS,
        "preview_links": links,
        "takes_no_more_links": takes_no_more(links),
    }


def items_of(content: DraftContent) -> dict[str, dict[str, str]]:
    """Return the items in `content` that comments can be about, by the heading of the list.

    Each heading has a mapping from the path of an item to a label: the beginning of the item's name or text.
    """
    found: dict[str, dict[str, str]] = {}
    for key, heading in EDIT_PAGES.items():
        entries = content.get(key) if key in ITEM_LISTS else None
        for each in entries if isinstance(entries, list) else ():
            if isinstance(each, dict) and isinstance(each.get("id"), str):
                words = str(each.get("name") or each.get("text") or each["id"])
                label = words if len(words) <= LONGEST_LABEL else f"{words[:LONGEST_LABEL]}…"
                found.setdefault(heading, {})[f"{key}/{each['id']}"] = label
    return found


@router.post("/{guide}/offer")
def offer_on_page(editing: ReviewingDep, posted: SubmittedFormDep) -> Response:
    """Submit the draft for publication, and redirect to the draft.

    If the draft of an edition has no change note, save the posted note as change note. Record the action, and append an
    event. If the draft has errors, leave the draft unchanged, and redirect to the errors. Raise `NoSuchGuideDraft` if
    there is no draft, or `DraftChanged` if the draft is not the version that the page showed.
    """
    note = posted.one("note").strip()[:MAX_REMARK]
    try:
        editing.context.writer.run(offer_draft, editing.context.reference_data, editing.act(posted), note=note)
    except ValidationFailed:
        return lead_to(f"{editing.path}#to-do")
    return lead_to(editing.path)


@router.post("/{guide}/return")
def return_on_page(editing: ReviewingDep, posted: SubmittedFormDep) -> Response:
    """Send the submitted draft back to the writers with the posted reason, and redirect to the draft.

    Record the action, and append an event. If the reason is empty, change nothing, and redirect to the form for the
    reason. Raise `NoSuchGuideDraft` if there is no draft. Raise `DraftChanged` if the draft is not submitted, or is not
    the version that the page showed.
    """
    reason = posted.one("reason").strip()[:MAX_REMARK]
    if not reason:
        return lead_to(f"{editing.path}#return")
    editing.context.writer.run(return_draft, editing.act(posted), reason=reason)
    return lead_to(editing.path)


@router.post("/{guide}/comments")
def comment_on_page(editing: ReviewingDep, posted: SubmittedFormDep) -> Response:
    """Add the posted comment to the draft, record the action, and redirect to the comments. Ignore an empty comment.

    The comment is about the posted item, or about the whole draft if the draft has no such item. If the draft can have
    no more open comments, save nothing: the page says so. Raise `NoSuchGuideDraft` if there is no draft.
    """
    text, about = posted.one("text").strip()[:MAX_REMARK], posted.one("about")
    draft = get_guide_draft(editing.session, editing.guide, editing.language)
    if text:
        place = about if about in _paths_in(editing, draft) else ""
        with suppress(DraftFull):
            editing.context.writer.run(comment_on_draft, editing.anyhow(), about=place, text=text)
    return lead_to(f"{editing.path}#comments")


def _paths_in(editing: Editing, draft: GuideDraftRow) -> set[str]:
    """Return the path of each item of `draft`. For a rendition, return the paths of the rendered edition's items."""
    if draft.language:
        pairs = list_pairs(editing.session, draft.guide, draft.read())
        return {"/".join(each.path.split("/")[:2]) for each in pairs if each.path.partition("/")[0] in ITEM_LISTS}
    return {path for labels in items_of(draft.read()).values() for path in labels}


@router.post("/{guide}/comments/done")
def settle_on_page(editing: ReviewingDep, posted: SubmittedFormDep) -> Response:
    """Mark the comment with the posted number as done, record the action, and redirect to the comments.

    Raise `NoSuchGuideDraft` if there is no draft, or `NoSuchItem` if no open comment has the number.
    """
    editing.context.writer.run(settle_comment, editing.anyhow(), number=posted.number("number") or 0)
    return lead_to(f"{editing.path}#comments")


@router.post("/{guide}/publication")
def publish_on_page(editing: PublishingDep, posted: SubmittedFormDep) -> Response:
    """Publish the draft, and return a page with the number and digest of the new edition or rendition.

    Record the action, append the events of the publication, and delete the draft. If the person has not confirmed,
    publish nothing, and redirect to the confirmation. If the draft has errors, publish nothing, and redirect to the
    errors.

    Raise `NoSuchGuideDraft` if there is no draft, or `DraftChanged` if the draft is not the version that the page
    showed. Raise `FollowsAnotherEdition` if another edition was published since then.

    A person who wrote part of the draft may publish only a version that other people wrote and submitted. Otherwise
    raise `SecondPersonNeeded`. If the settings require two people, raise `HandUnknown` if this person or a writer is a
    client that names no person. If this person is a writer, the same applies to the client that submitted the draft.
    """
    if posted.one("agreed") != AGREED:
        return lead_to(f"{editing.path}#publish")
    context = editing.context
    try:
        published = context.writer.run(
            publish_draft, context.reference_data, editing.act(posted), **_agreement(editing, posted)
        )
    except ValidationFailed:
        return lead_to(f"{editing.path}#to-do")
    return editing.page(
        "desk_edit_published.html", key=published.key, digest=published.digest, language=editing.language
    )


def _agreement(editing: Editing, posted: SubmittedForm) -> dict[str, Any]:
    return {"follows": posted.number("follows"), "two_people": editing.context.settings.two_people_publish}


@router.post("/{guide}/plan")
def plan_on_page(editing: PublishingDep, posted: SubmittedFormDep) -> Response:
    """Schedule the publication of the draft for the posted time in London, and redirect to the draft.

    Record the action. If the time cannot be used, or if the draft has errors, plan nothing, and redirect to the draft's
    page, which says why.

    Raise `NoSuchGuideDraft` if there is no draft, or `DraftChanged` if the draft is not the version that the page
    showed. Raise `FollowsAnotherEdition` if another edition was published since then.

    A person who wrote part of the draft may plan only a version that other people wrote and submitted. Otherwise
    raise `SecondPersonNeeded`. If the settings require two people, raise `HandUnknown` if this person or a writer is a
    client that names no person. If this person is a writer, the same applies to the client that submitted the draft.
    """
    day, time = posted.one("day").strip()[:LONGEST_TYPED], posted.one("time").strip()[:5]
    moment = _planned(day, time, posted.one("which"), editing.now)
    if isinstance(moment, str):
        return lead_to(f"{editing.path}?{urlencode({'plan': moment, 'day': day, 'time': time})}#later")
    context = editing.context
    try:
        context.writer.run(
            schedule_draft,
            context.reference_data,
            editing.act(posted),
            publish_at=moment,
            **_agreement(editing, posted),
        )
    except ValidationFailed:
        return lead_to(f"{editing.path}#to-do")
    return lead_to(editing.path)


def _planned(day: str, time: str, which: str, now: dt.datetime) -> dt.datetime | str:
    """Return the time in UTC for `day` and `time` in London, or the key of an error in `PLAN_FAULTS`.

    `day` is a day as people write it. `which` is `FIRST` or `SECOND`: the first or the second of the two times in the
    hour that is repeated when the clocks go back. The time must be after `now`, and at most `LONGEST_PLAN` after `now`.
    """
    read = read_day(day)
    try:
        moments = london_moments(dt.datetime.combine(read, dt.time.fromisoformat(time))) if read else None
    except ValueError:
        moments = None
    if moments is None:
        return UNREADABLE
    if not moments:
        return SKIPPED
    if len(moments) > 1 and which not in (FIRST, SECOND):
        return TWICE
    moment = moments[-1 if which == SECOND else 0]
    if moment <= now:
        return PAST
    return moment if moment - now <= LONGEST_PLAN else FAR


@router.post("/{guide}/plan/end")
def end_plan_on_page(editing: ReviewingDep, posted: SubmittedFormDep) -> Response:
    """Cancel the planned publication, record the action, and redirect to the draft.

    A submitted draft stays submitted. Raise `NoSuchGuideDraft` if there is no draft. Raise `DraftChanged` if no
    publication is planned, or if the draft is not the version that the page showed.
    """
    editing.context.writer.run(unschedule_draft, editing.act(posted))
    return lead_to(editing.path)


@router.post("/{guide}/removal")
def remove_on_page(editing: ReviewingDep, posted: SubmittedFormDep) -> Response:
    """Delete the draft, record the action, and redirect to the list of guides.

    If the person has not confirmed, delete nothing, and redirect to the confirmation on the draft's page. Raise
    `NoSuchGuideDraft` if there is no draft, or `DraftChanged` if the draft is not the version that the page showed.
    """
    if posted.one("agreed") != AGREED:
        return lead_to(f"{editing.path}#remove")
    editing.context.writer.run(discard_draft, editing.act(posted))
    return lead_to(GUIDES_PATH)
