"""The form of one section of a draft: saved by its button, and by its script while somebody types."""

import datetime as dt
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Response
from fastapi.responses import JSONResponse
from sqlmodel import Session

from app.errors import DraftChanged, NotFound
from app.models.guidance.editor_words import singular
from app.models.guidance.guide_tables import GuideDraftRow
from app.pages.desk.page import DeskRoute, desk_page, lead_to
from app.pages.edit.comparing import Remark, compare_with, remarks_of
from app.pages.edit.fields import DETAILS, form_fields
from app.pages.edit.saving import save_section
from app.pages.edit.sections import EDIT_PAGES, section_tag, section_value, with_section
from app.pages.edit.shown import ShownEntry, show_entries, show_fields, unknown_members
from app.pages.edit.starting import first_words
from app.pages.form_answers import SubmittedForm, SubmittedFormDep
from app.pages.text_format import date_and_time
from app.routers.params import GuideName
from app.services.access.sign_in import GUIDES_PATH
from app.services.guidance.draft_checking import CheckedDraft, check_draft
from app.services.guidance.guide_drafts import find_guide_draft, get_guide_draft
from app.store.editions import current_of
from app.web.context import AppContext, ContextDep, NowDep, SessionDep
from app.web.people import PageEditorDep, Visitor
from app.web.router import GuidanceRouter

router = GuidanceRouter(prefix=GUIDES_PATH, include_in_schema=False, route_class=DeskRoute)

AUTOSAVE = "autosave"


async def get_page(page: Annotated[str, Path(max_length=40)]) -> str:
    """Return the name of a page of a draft. Raises `NotFound`."""
    if page not in EDIT_PAGES:
        raise NotFound
    return page


EditPage = Annotated[str, Depends(get_page)]


@router.get("/{guide}/sections/{page}")
def read_section_page(
    *, context: ContextDep, session: SessionDep, visitor: PageEditorDep, now: NowDep, guide: GuideName, page: EditPage
) -> Response:
    """Return the form of the section as it is saved now."""
    draft = get_guide_draft(session, guide)
    return _section_page(context, session, visitor, draft, page, now=now)


@router.post("/{guide}/sections/{page}")
def save_section_page(
    *,
    context: ContextDep,
    session: SessionDep,
    visitor: PageEditorDep,
    now: NowDep,
    guide: GuideName,
    page: EditPage,
    posted: SubmittedFormDep,
    if_match: Annotated[str | None, Header(max_length=100)] = None,
) -> Response:
    """Save what was typed. Where somebody saved other words meanwhile, show both, and lose none."""
    shown, act = (if_match or posted.one("shown")).strip('"'), posted.one("act")
    is_autosave = act == AUTOSAVE
    by = visitor.actor.client
    try:
        saved = save_section(
            context,
            session,
            guide,
            page,
            posted=posted,
            shown=shown,
            act="" if is_autosave else act,
            by=by,
            at=now,
        )
    except DraftChanged:
        if is_autosave:
            return JSONResponse({}, DraftChanged.status)
        draft = find_guide_draft(session, guide)
        return _section_page(context, session, visitor, draft, page, now=now, mine=posted, guide=guide)
    if is_autosave:
        return _autosaved(context, session, saved.draft, page, now)
    fragment = f"#{saved.entry}" if saved.entry else "#saved"
    return lead_to(f"{GUIDES_PATH}/{guide}/sections/{page}{fragment}")


def _autosaved(
    context: AppContext, session: Session, draft: GuideDraftRow, page: str, now: dt.datetime
) -> JSONResponse:
    """Return what the page's script needs: the new tag, when it was saved, and what the check says."""
    remarks = _remarks(check_draft(session, draft, context.reference_data, today=now.date()), page)
    body = {
        "shown": section_tag(draft.read(), page),
        "saved": date_and_time(draft.written_at),
        "faults": [each.words for each in remarks],
    }
    return JSONResponse(body)


def _remarks(checked: CheckedDraft | None, page: str) -> list[Remark]:
    return [each for each in remarks_of(checked.faults if checked else ()) if each.page == page]


def _section_page(
    context: AppContext,
    session: Session,
    visitor: Visitor,
    draft: GuideDraftRow | None,
    page: str,
    *,
    now: dt.datetime,
    mine: SubmittedForm | None = None,
    guide: str = "",
) -> Response:
    """Return the form; with `mine`, of those words, beside the ones that are saved now."""
    guide = draft.guide if draft is not None else guide
    saved = draft.read() if draft is not None else None
    content = saved if saved is not None else first_words(context, session, guide)
    typed = content if mine is None else with_section(content, page, mine)
    checked = check_draft(session, draft, context.reference_data, today=now.date()) if draft is not None else None
    current = checked.published.current if checked else None
    return desk_page(
        context,
        "desk_edit_section.html",
        status=200 if mine is None else DraftChanged.status,
        visitor=visitor,
        guide=guide,
        page=page,
        pages=EDIT_PAGES,
        draft=draft,
        shown=section_tag(saved, page),
        is_list=page != DETAILS,
        words=singular(page).replace("_", " "),
        remarks=_remarks(checked, page),
        comparison=compare_with(draft, current) if draft is not None and current is not None else None,
        current=current_of(checked.published.history) if checked else None,
        is_conflict=mine is not None,
        theirs=_form(saved, page) if mine is not None and saved is not None else None,
        **_form(typed, page),
    )


def _form(content: dict[str, Any], page: str) -> dict[str, Any]:
    """Return the fields of the page, or its entries, and the names of everything that can be linked to."""
    fields, value = form_fields(page), section_value(content, page)
    if page == DETAILS:
        shown = show_fields(fields, "", value)
        own = ShownEntry("", "", shown, tuple(unknown_members(fields, value)))
        return {"entries": (own,), "names": _names(own)}
    entries = show_entries(fields, page, value)
    return {"entries": entries, "names": set().union(*map(_names, entries))}


def _names(entry: ShownEntry) -> set[str]:
    inner = [each for shown in entry.fields for each in (shown, *shown.members)]
    below = [_names(each) for shown in inner for each in shown.entries]
    return {entry.name}.union((each.name for each in inner), *below)
