"""The page of a draft, and the review of the draft: submission, comments, sending back, and publication."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Query, Response

from app.extensions.editing import PAGES
from app.extensions.editing.pages.draft_requests import Editing, PublishingDep, ReviewingDep, draft_form
from app.extensions.editing.pages.drafts import beside_current, remarks_of, title_of
from app.extensions.editing.pages.edit_faults import Remark, warning_remark
from app.extensions.editing.pages.edit_posts import EDIT_PAGES
from app.extensions.editing.services.draft_links import LINK_DAYS, links_of, takes_no_more
from app.extensions.editing.services.draft_review import (
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
from app.extensions.editing.services.drafts import (
    DraftContent,
    discard_draft,
    get_guide_draft,
    list_draft_acts,
    writers_of,
)
from app.extensions.editing.services.rendition_drafts import list_pairs
from app.extensions.editing.services.written_values import read_day
from app.extensions.editing.tables import GuideDraftRow
from app.models.guides.sections import ITEM_LISTS
from app.pages.frame import DeskRouter, lead_to
from app.pages.guides.change_words import REWORDED, TextChange
from app.pages.posted_forms import SubmittedForm, SubmittedFormDep
from app.services.audit.audit_log import is_same_hand
from app.services.clock.working_days import LONDON

router = DeskRouter(PAGES)
AGREED = "yes"
"""Value of a button or checkbox that confirms."""
FIRST_NOTE = "First edition."
LONGEST_LABEL = 90
MOST_SENTENCES = 6
"""Of a proposed change note."""
LONGEST_PLAN = dt.timedelta(days=366)
UNREADABLE, PAST, FAR, SKIPPED, TWICE = "unreadable", "past", "far", "skipped", "twice"
FIRST, SECOND = "first", "second"
"""Values of `which`, in the hour that repeats when the clocks go back."""
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
    """A refused plan as typed. `fault` is a key of `PLAN_FAULTS`, or empty."""

    day: str
    time: str
    fault: str


NO_PLAN = PlanTyped("", "", "")


async def _read_plan(fault: PlanFault = "", day: PlanText = "", time: PlanText = "") -> PlanTyped:
    """Return the refused time, which the query repeats."""
    return PlanTyped(day, time, fault if fault in PLAN_FAULTS else "")


PlanDep = Annotated[PlanTyped, Depends(_read_plan)]


@router.get("/{guide}")
def read_draft_page(editing: ReviewingDep, plan: PlanDep) -> Response:
    """The query's language leads to that rendition's draft. Raise `NoSuchGuideDraft`."""
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
    """A proposed change note, None if the draft has a valid one, empty without changes. No sentence is repeated."""
    if not any(each.name == CHANGE_NOTE for each in faults):
        return None
    comparison = beside["comparison"]
    if not comparison:
        return FIRST_NOTE
    sentences = dict.fromkeys(_sentence_of(each) for found in comparison["changes"].values() for each in found)
    return " ".join([*sentences][:MOST_SENTENCES])


def _sentence_of(change: TextChange) -> str:
    if change.heading == REWORDED:
        return "Some words are clearer."
    return f"{change.heading}: {' '.join(run.text for run in change.runs)}."


def review_values(
    editing: Editing, draft: GuideDraftRow, follows: int | None, faults: Sequence[Remark], plan: PlanTyped
) -> dict[str, Any]:
    """`follows` is the edition followed or rendered."""
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
    """Return the items that comments can be about, by heading: their paths and the beginnings of their texts."""
    found: dict[str, dict[str, str]] = {}
    for key, heading in EDIT_PAGES.items():
        entries = content.get(key) if key in ITEM_LISTS else None
        for each in entries if isinstance(entries, list) else ():
            if isinstance(each, dict) and isinstance(each.get("id"), str):
                words = str(each.get("name") or each.get("text") or each["id"])
                label = words if len(words) <= LONGEST_LABEL else f"{words[:LONGEST_LABEL]}…"
                found.setdefault(heading, {})[f"{key}/{each['id']}"] = label
    return found


@draft_form(router, "offer")
def offer_on_page(editing: ReviewingDep, posted: SubmittedFormDep) -> None:
    """If the draft has errors, lead to them. Raise as `offer_draft`."""
    note = posted.one("note").strip()[:MAX_REMARK]
    editing.context.writer.run(offer_draft, editing.context.reference_data, editing.act(posted), note=note)


@draft_form(router, "return")
def return_on_page(editing: ReviewingDep, posted: SubmittedFormDep) -> Response | None:
    """Return to the form if there is no reason. Raise as `return_draft`."""
    reason = posted.one("reason").strip()[:MAX_REMARK]
    if not reason:
        return lead_to(f"{editing.path}#return")
    editing.context.writer.run(return_draft, editing.act(posted), reason=reason)
    return None


@draft_form(router, "comments", "#comments")
def comment_on_page(editing: ReviewingDep, posted: SubmittedFormDep) -> None:
    """Store nothing if the comment is empty or above the limit. Raise `NoSuchGuideDraft`."""
    text, about = posted.one("text").strip()[:MAX_REMARK], posted.one("about")
    draft = get_guide_draft(editing.session, editing.guide, editing.language)
    if text:
        place = about if about in _paths_in(editing, draft) else ""
        editing.context.writer.run(comment_on_draft, editing.anyhow(), about=place, text=text)


def _paths_in(editing: Editing, draft: GuideDraftRow) -> set[str]:
    """Return the paths of items; for a rendition those of the rendered edition."""
    if draft.language:
        pairs = list_pairs(editing.session, draft.guide, draft.read())
        return {"/".join(each.path.split("/")[:2]) for each in pairs if each.path.partition("/")[0] in ITEM_LISTS}
    return {path for labels in items_of(draft.read()).values() for path in labels}


@draft_form(router, "comments/done", "#comments")
def settle_on_page(editing: ReviewingDep, posted: SubmittedFormDep) -> None:
    """Raise as `settle_comment`."""
    editing.context.writer.run(settle_comment, editing.anyhow(), number=posted.number("number") or 0)


@draft_form(router, "publication")
def publish_on_page(editing: PublishingDep, posted: SubmittedFormDep) -> Response:
    """Publish, and show number and digest. Unless confirmed and free of errors, ask again. Raise as `publish_draft`."""
    if posted.one("agreed") != AGREED:
        return lead_to(f"{editing.path}#publish")
    context = editing.context
    published = context.writer.run(
        publish_draft, context.reference_data, editing.act(posted), **_agreement(editing, posted)
    )
    return editing.page(
        "desk_edit_published.html", key=published.key, digest=published.digest, language=editing.language
    )


def _agreement(editing: Editing, posted: SubmittedForm) -> dict[str, Any]:
    return {"follows": posted.number("follows"), "two_people": editing.context.settings.two_people_publish}


@draft_form(router, "plan")
def plan_on_page(editing: PublishingDep, posted: SubmittedFormDep) -> Response | None:
    """Plan for a London time. Refuse an unusable time, or a draft with errors. Raise as `schedule_draft`."""
    day, time = posted.one("day").strip()[:LONGEST_TYPED], posted.one("time").strip()[:5]
    moment = _planned(day, time, posted.one("which"), editing.now)
    if isinstance(moment, str):
        return lead_to(f"{editing.path}?{urlencode({'plan': moment, 'day': day, 'time': time})}#later")
    context = editing.context
    context.writer.run(
        schedule_draft,
        context.reference_data,
        editing.act(posted),
        publish_at=moment,
        **_agreement(editing, posted),
    )
    return None


def _planned(day: str, time: str, which: str, now: dt.datetime) -> dt.datetime | str:
    """Return the time in UTC, after `now` and within `LONGEST_PLAN`, or otherwise a key of `PLAN_FAULTS`."""
    read = read_day(day)
    try:
        moments = _london_moments(dt.datetime.combine(read, dt.time.fromisoformat(time))) if read else None
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


def _london_moments(local: dt.datetime) -> list[dt.datetime]:
    """Return the times in UTC, in order: two if clocks show the time twice in autumn, none if skipped in spring."""
    found = {local.replace(tzinfo=LONDON, fold=fold).astimezone(dt.UTC) for fold in (0, 1)}
    return sorted(each for each in found if each.astimezone(LONDON).replace(tzinfo=None) == local)


@draft_form(router, "plan/end")
def end_plan_on_page(editing: ReviewingDep, posted: SubmittedFormDep) -> None:
    """Raise as `unschedule_draft`."""
    editing.context.writer.run(unschedule_draft, editing.act(posted))


@router.post("/{guide}/removal")
def remove_on_page(editing: ReviewingDep, posted: SubmittedFormDep) -> Response:
    """Ask for confirmation first. Raise as `discard_draft`."""
    if posted.one("agreed") != AGREED:
        return lead_to(f"{editing.path}#remove")
    editing.context.writer.run(discard_draft, editing.act(posted))
    return lead_to(PAGES)
