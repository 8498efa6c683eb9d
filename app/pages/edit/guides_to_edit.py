"""The list of guides for their editors, and how a draft begins."""

from functools import partial
from typing import Annotated

from fastapi import Query, Response

from app.models.guidance.guide_tables import GuideDraftRow
from app.models.guidance.proposed_ids import propose_id
from app.pages.desk.page import DeskRoute, desk_page, lead_to
from app.pages.edit.starting import first_words
from app.pages.form_answers import SubmittedFormDep
from app.routers.params import GuideName
from app.services.access.sign_in import GUIDES_PATH
from app.services.guidance.guide_drafts import find_guide_draft, list_guide_drafts, write_guide_draft
from app.services.guidance.reviews import list_reviews
from app.store.editions import find_history
from app.web.context import ContextDep, NowDep, SessionDep
from app.web.people import PageEditorDep
from app.web.router import GuidanceRouter

router = GuidanceRouter(prefix=GUIDES_PATH, include_in_schema=False, route_class=DeskRoute)

NO_TITLE = "Write the title of the new guide"
TAKEN = "There is a guide, or a draft, of that name: {}. Open it in the list, or choose another title"
MAX_TITLE = 200


@router.get("")
def read_guides_to_edit(
    *,
    context: ContextDep,
    session: SessionDep,
    visitor: PageEditorDep,
    now: NowDep,
    fault: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """Return the drafts, and every guide with the day of its review."""
    drafts = list_guide_drafts(session)
    drafted = {each.guide for each in drafts}
    return desk_page(
        context,
        "desk_edit_guides.html",
        visitor=visitor,
        drafts=[(each, title_of(each)) for each in drafts],
        drafted=drafted,
        reviews=[(each, each.is_due(now.date())) for each in list_reviews(session)],
        faults={"title": TAKEN.format(fault) if fault != "none" else NO_TITLE} if fault else {},
    )


@router.post("/new")
def begin_new_guide(
    *, context: ContextDep, session: SessionDep, visitor: PageEditorDep, now: NowDep, posted: SubmittedFormDep
) -> Response:
    """Begin the draft of a guide that is not published yet, by its title."""
    title = posted.one("title").strip()[:MAX_TITLE]
    guide = propose_id(title)
    if not title:
        return lead_to(f"{GUIDES_PATH}?fault=none")
    if find_guide_draft(session, guide) is not None or find_history(session, guide=guide):
        return lead_to(f"{GUIDES_PATH}?fault={guide}")
    words = first_words(context, session, guide) | {"title": title}
    return _begin(context, guide, words, visitor.actor.client, now)


@router.post("/{guide}/begin")
def begin_draft(
    *, context: ContextDep, session: SessionDep, visitor: PageEditorDep, now: NowDep, guide: GuideName
) -> Response:
    """Begin a draft from the words of the current edition. Where there is one, open it."""
    return _begin(context, guide, first_words(context, session, guide), visitor.actor.client, now)


def title_of(draft: GuideDraftRow) -> str:
    """Return the title of the draft, or the name of its guide."""
    title = draft.read().get("title")
    return title if isinstance(title, str) and title.strip() else draft.guide


def _begin(context: ContextDep, guide: str, words: dict[str, object], by: str, now: NowDep) -> Response:
    write_guide_draft(context.writer, guide, partial(_words_or_draft, words), by=by, at=now)
    return lead_to(f"{GUIDES_PATH}/{guide}")


def _words_or_draft(words: dict[str, object], draft: GuideDraftRow | None) -> dict[str, object]:
    """Return the first words of a draft, or the draft that another person began meanwhile."""
    return words if draft is None else draft.read()
