"""Pages for raising a concern: the form, the answers to check, and the receipt.

The server stores nothing before the concern is sent: each page has the answers in its own form fields. The pages have
no rules of their own: the models and services of the API decide what is accepted.
"""

import datetime as dt
import gzip
import uuid
from dataclasses import replace
from functools import partial

from anyio import from_thread
from fastapi import Depends, Request, Response
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionInTime

from app.errors import IdempotencyKeyReused, InvalidConcern, ReferenceTaken, ServiceUnavailable, StoreBusy
from app.models.concerns.concern import Concern
from app.models.concerns.receipts import Receipt
from app.pages.error_pages import PageRoute
from app.pages.form.draft import Draft
from app.pages.form.empty_draft import GENERAL, YOURSELF, empty_draft
from app.pages.form.form_data import SubmittedForm, SubmittedFormDep
from app.pages.form.form_view import faults_of
from app.pages.form.rearranging import REARRANGEMENTS
from app.pages.form.saved_drafts import save_draft
from app.pages.languages import to_translate
from app.pages.page import private_page
from app.pages.text_format import spoken
from app.routers.params import GuideName
from app.services.access.clients import Principal
from app.services.concerns.idempotency import derive_idempotency_keys
from app.web.auth import SubmitterDep, require_submitter
from app.web.cache.cache import accepts_gzip
from app.web.context import ContextDep, NowDep, SessionDep
from app.web.further_faults import find_unknown_in_concern
from app.web.router import GuidanceRouter

router = GuidanceRouter(include_in_schema=False, route_class=PageRoute)

SEND, SAVE = "send", "save"
ALREADY_SENT = to_translate(
    "You have already sent this form with different answers, and we have that concern. To send these answers as "
    "another concern, press ‘Send’ again."
)
NOT_STORED = to_translate(
    "We could not save it just now. Nothing is lost: press ‘Send’ again in a few seconds, or call."
)


@router.get(GENERAL, dependencies=[Depends(require_submitter)])
@router.get(YOURSELF, dependencies=[Depends(require_submitter)])
def read_general_form(request: Request, session: SessionDep, context: ContextDep) -> Response:
    """Return the empty form that belongs to no guide."""
    return _compressed(request, empty_draft(session, context, request.scope["path"]).form_page())


@router.get("/raise-a-concern/{guide}", dependencies=[Depends(require_submitter)])
def read_form(request: Request, session: SessionDep, context: ContextDep, guide: GuideName) -> Response:
    """Return the empty form for the current edition."""
    return _compressed(request, empty_draft(session, context, f"{GENERAL}/{guide}").form_page())


@router.post(GENERAL)
@router.post(YOURSELF)
def post_general_form(
    *,
    request: Request,
    session: SessionDep,
    context: ContextDep,
    posted: SubmittedFormDep,
    submitter: SubmitterDep,
    now: NowDep,
) -> Response:
    """Do what the pressed button says, for a form that belongs to no guide."""
    draft = empty_draft(session, context, request.scope["path"], posted.one("edition"))
    session.close()  # released: requests that hold one connection and wait for another could block each other
    return _act(draft, posted, submitter, now)


@router.post("/raise-a-concern/{guide}")
def post_form(
    *,
    session: SessionDep,
    context: ContextDep,
    guide: GuideName,
    posted: SubmittedFormDep,
    submitter: SubmitterDep,
    now: NowDep,
) -> Response:
    """Do what the pressed button says: return the answers to check, the form with other entries, or the receipt."""
    draft = empty_draft(session, context, f"{GENERAL}/{guide}", posted.one("edition"))
    session.close()  # released, as above
    return _act(draft, posted, submitter, now)


def _compressed(request: Request, page: Response) -> Response:
    """Return the empty form compressed, where the browser accepts that.

    It holds nothing that anybody typed. A page with answers is never compressed: its length could tell of them.
    """
    page.headers["Vary"] = "Accept-Encoding"
    if not accepts_gzip(request.headers.get("accept-encoding", "").encode()):
        return page
    headers = {**page.headers, "Content-Encoding": "gzip"}
    del headers["content-length"]
    return Response(gzip.compress(bytes(page.body)), status_code=page.status_code, headers=headers)


def _act(empty: Draft, posted: SubmittedForm, submitter: Principal, now: dt.datetime) -> Response:
    draft = empty.with_answers(posted)
    action, _, target = posted.one("do").partition(":")
    if action in REARRANGEMENTS:
        return REARRANGEMENTS[action](draft, target)
    if action == SAVE and draft.variant.can_be_saved:
        return save_draft(draft, now)
    try:
        concern = draft.concern()
        draft.context.submissions.check(concern, for_tests=submitter.for_tests, at=now)
    except ValidationError as error:
        faults = faults_of(error)
        return draft.form_page(faults=[*faults, *find_unknown_in_concern(draft.context, draft.fields(), faults)])
    except InvalidConcern as error:
        return draft.form_page(faults=list(error.faults))
    return _send(draft, concern, submitter, now) if action == SEND else draft.check_page()


def _send(draft: Draft, concern: Concern, submitter: Principal, now: dt.datetime) -> Response:
    """Submit the concern and return the receipt. If it could not be stored, return the answers: nothing is lost."""
    keys = derive_idempotency_keys(draft.key, client=submitter.name)
    submit = partial(draft.context.submissions.submit, concern, for_tests=submitter.for_tests, keys=keys, at=now)
    try:
        result = from_thread.run(submit)
    except IdempotencyKeyReused:
        new_draft = replace(draft, key=str(uuid.uuid4()))
        return new_draft.check_page(fault=ALREADY_SENT, status=IdempotencyKeyReused.status)
    except (StoreBusy, ReferenceTaken, DBAPIError, NoConnectionInTime):
        return draft.check_page(fault=NOT_STORED, status=ServiceUnavailable.status)
    receipt = Receipt.model_validate_json(result.receipt)
    return private_page(
        draft.context,
        "receipt.html",
        status=201,
        receipt=receipt,
        reference_aloud=spoken(receipt.reference),
        head=draft.head,
    )
