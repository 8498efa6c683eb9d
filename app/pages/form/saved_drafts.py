"""Saving a form to finish it later, and going on with it by its code."""

import datetime as dt
import uuid

from fastapi import Depends, Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionInTime

from app.errors import NoSuchDraft, NotFound, ServiceUnavailable, StoreBusy
from app.faults import FaultCode, FieldError
from app.pages.error_pages import PageRoute
from app.pages.form.draft import Draft
from app.pages.form.empty_draft import empty_draft
from app.pages.form.form_data import SubmittedForm, SubmittedFormDep, hidden_fields
from app.pages.languages import gettext, to_translate
from app.pages.page import private_page
from app.pages.text_format import spoken
from app.services.concerns.drafts import group_of
from app.web.auth import require_submitter
from app.web.context import AppContext, ContextDep, NowDep, SessionDep
from app.web.router import GuidanceRouter

router = GuidanceRouter(
    prefix="/concerns", include_in_schema=False, route_class=PageRoute, dependencies=[Depends(require_submitter)]
)

NO_DRAFT = to_translate("No saved form has this code. It may have been opened before, or it is more than 24 hours old.")
NOT_FOR_THE_YOUNG = to_translate(
    "We do not save this for a young person, because someone else could find the code. You can send what you have now, "
    "or call."
)
NOT_SAVED = to_translate(
    "We could not save it just now. Nothing is lost: try again in a few seconds, send what you have, or call."
)


def save_draft(draft: Draft, now: dt.datetime) -> Response:
    """Save the draft, and return the page with its code. Where it cannot be saved, return the form: nothing is lost."""
    if not draft.can_be_saved:
        return draft.form_page(faults=[FieldError((), NOT_FOR_THE_YOUNG, FaultCode.INVALID)])
    fields: dict[str, list[str]] = {"key": [draft.key], "edition": [str(draft.head.number)]}
    for name, value in hidden_fields(draft.form(), draft.answers):
        fields.setdefault(name, []).append(value)
    try:
        saved = draft.context.drafts.save(draft.path, fields, at=now)
    except (StoreBusy, DBAPIError, NoConnectionInTime):
        return draft.form_page(faults=[FieldError((), NOT_SAVED, FaultCode.INVALID)], status=ServiceUnavailable.status)
    contacts = list(draft.context.emergency_contacts.current())
    return private_page(
        draft.context, "saved_draft.html", status=201, saved=saved, aloud=spoken(saved.code), contacts=contacts
    )


@router.get("/saved")
def read_code_form(context: ContextDep) -> Response:
    """Return the form for the code."""
    return _code_form(context, SubmittedForm())


@router.post("/saved")
def open_draft(context: ContextDep, session: SessionDep, posted: SubmittedFormDep, now: NowDep) -> Response:
    """Return the form as it was saved. The code comes in the body, so that it is in no address."""
    code = posted.one("code").strip()
    try:
        with context.code_tries.guard_name(f"draft {group_of(code)}"):
            path, fields = context.drafts.open(code, page=posted.one("page"), at=now)
    except NoSuchDraft:
        return _code_form(context, posted, fault=NO_DRAFT)
    saved = SubmittedForm(fields)
    draft = empty_draft(session, context, path, saved.one("edition"))
    return draft.with_answers(saved).form_page()


def _code_form(context: AppContext, posted: SubmittedForm, *, fault: str | None = None) -> Response:
    """Return the form for the code. Its `page` lets it open the same draft again, and no other page."""
    return private_page(
        context,
        "saved_draft_form.html",
        status=NotFound.status if fault else 200,
        faults={"code": gettext(fault)} if fault else {},
        page=posted.one("page") or str(uuid.uuid4()),
    )
