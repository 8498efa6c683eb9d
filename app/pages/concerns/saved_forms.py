"""Pages for saving a form to finish it later, and for opening a saved form with its code."""

import uuid
from dataclasses import replace

from fastapi import Depends, Response

from app import errors
from app.errors import FaultCode, FieldError
from app.http.auth import caller_networks, refuse_over_limit, require_submitter
from app.http.context import SessionDep
from app.http.problem_handlers import NO_STORE
from app.models.concerns.status_tokens import standard_token
from app.pages.concerns.filled_form import FilledForm, empty_form
from app.pages.concerns.form_answers import hidden_fields
from app.pages.concerns.typed_codes import fault_in
from app.pages.error_pages import PageRouter
from app.pages.languages import gettext, to_translate
from app.pages.page import Site, SiteDep
from app.pages.posted_forms import SubmittedForm, SubmittedFormDep
from app.pages.text_format import send_again, spoken

router = PageRouter()
NO_DRAFT = to_translate(
    "No saved form has this code. You may have sent the form or saved it again, or it is more than 24 hours old."
)
NOT_FOR_THE_YOUNG = to_translate(
    "We do not save this for a young person, because someone else could find the code. You can send what you have now, "
    "or call."
)
TOO_MANY_SAVED = to_translate(
    "We cannot save this, because too many forms are saved already. Nothing is lost: send what you have now, or call."
)
NOT_SAVED = to_translate(
    "We could not save it just now. Nothing is lost: try again in a few seconds, send what you have, or call."
)


def save_form(filled: FilledForm) -> Response:
    """Return 201 with the code, or the form with an error, so that nothing is lost."""
    if not filled.can_be_saved:
        return filled.form_page(faults=[FieldError((), NOT_FOR_THE_YOUNG, FaultCode.INVALID)])
    fields: dict[str, list[str]] = {"key": [filled.key], "edition": [str(filled.head.number)]}
    for name, value in hidden_fields(filled.form(), filled.answers):
        fields.setdefault(name, []).append(value)
    context, networks = filled.site.context, caller_networks(filled.site.request)
    size = sum(len(value.encode()) for values in fields.values() for value in values)
    try:
        refuse_over_limit(filled.site.request)
        source = context.submissions.sources.admit_saved_form(networks, size, day=filled.site.now.date())
        saved = context.saved_forms.save(filled.path, fields, source=source, opening=filled.opening, at=filled.site.now)
    except (errors.RateLimited, errors.SavedFormsFull) as refusal:
        refused = filled.form_page(faults=[FieldError((), TOO_MANY_SAVED, FaultCode.INVALID)], status=refusal.status)
        refused.headers.update(refusal.headers if isinstance(refusal, errors.RateLimited) else {})
        return refused
    except (errors.StoreBusy, *NO_STORE):
        return filled.form_page(
            faults=[FieldError((), NOT_SAVED, FaultCode.INVALID)], status=errors.ServiceUnavailable.status
        )
    return filled.site.page("saved_draft.html", status=201, saved=saved, aloud=spoken(saved.code))


@router.get("/concerns/saved", dependencies=[Depends(require_submitter)])
def read_code_form(site: SiteDep) -> Response:
    return site.compressed(_code_form(site, SubmittedForm()))


@router.post("/concerns/saved", dependencies=[Depends(require_submitter)])
def open_saved_form(site: SiteDep, session: SessionDep, posted: SubmittedFormDep) -> Response:
    """Read the code from the body, so that no address contains it."""
    code = posted.one("code").strip()
    try:
        with site.context.code_tries.guard(f"draft {standard_token(code)[:4]}", caller_networks(site.request)):
            site.context.saved_forms.expect(code, at=site.now)
        opened = site.context.saved_forms.open(code, page=posted.one("page"), at=site.now)
    except errors.NoSuchSavedForm:
        return _code_form(site, posted, fault=NO_DRAFT)
    saved = SubmittedForm(opened.fields)
    filled = empty_form(site, session, opened.path, saved.one("edition"))
    return replace(filled.with_answers(saved), opening=opened.opening).form_page()


def _code_form(site: Site, posted: SubmittedForm, *, fault: str | None = None) -> Response:
    """`page` is stored as a digest, which shows whether another page has opened the form since."""
    code = posted.one("code").strip()
    return site.page(
        "saved_draft_form.html",
        status=errors.NotFound.status if fault else 200,
        faults={"code": fault_in("code", code) or gettext(fault)} if fault else {},
        send_again=send_again(site.context.lost_entries.gap) if fault else "",
        page=posted.one("page") or str(uuid.uuid4()),
        code=code,
    )
