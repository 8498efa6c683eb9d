"""Pages for raising a concern: the form, the answers to check, and the receipt.

The server stores nothing before the form is sent or saved. The models and services of the API validate the answers.
"""

import uuid
from contextlib import suppress
from dataclasses import replace
from functools import partial

from anyio import from_thread
from fastapi import Depends, Response
from pydantic import ValidationError

from app import errors
from app.http.auth import SubmitterDep, expect_within_limit, networks_to_count, refuse_over_limit, require_submitter
from app.http.context import SessionDep
from app.http.exchange import LATE
from app.http.params import GuideName
from app.http.problem_handlers import NO_STORE
from app.models.concerns.channels import Channel
from app.models.concerns.concern import Concern, ImmediateDanger
from app.models.concerns.receipts import Receipt
from app.models.guides.signposts import WhoToCall
from app.pages.concerns.filled_form import FRIEND, GENERAL, NARRATIVE, NO_NARRATIVE, YOURSELF, FilledForm, empty_form
from app.pages.concerns.form_layout import DANGER
from app.pages.concerns.pdf_copies import copy_as_pdf
from app.pages.concerns.saved_forms import save_form
from app.pages.error_pages import PageRouter
from app.pages.languages import SHORT_FORM, current_language, to_translate
from app.pages.page import SiteDep
from app.pages.posted_forms import SubmittedForm, SubmittedFormDep, faults_of, value_at
from app.pages.text_format import own_steps, spoken, steps_in_words
from app.services.access.clients import Principal
from app.services.concerns.idempotency import derive_idempotency_keys

router = PageRouter()
SEND, SAVE, NOW, SEND_NOW, COPY = "send", "save", "now", "send-now", "copy"
ALREADY_SENT = to_translate(
    "You have already sent this form with different answers, and we have that concern. To send these answers as "
    "another concern, press ‘Send’ again."
)
TOO_MANY_FROM_HERE = to_translate(
    "Very many concerns came from your network, so we cannot take this one yet. Nothing is lost: send a few words now, "
    "or call."
)
NOT_STORED = to_translate(
    "We could not save it just now. Nothing is lost: press ‘Send’ again in a few seconds, or call."
)


def _expect_short_language() -> None:
    if current_language().is_whole:
        raise errors.NotFound


def _check_name(guide: GuideName) -> None:
    """Let FastAPI validate the name in the path, by its annotation."""


@router.get(GENERAL, dependencies=[Depends(require_submitter)])
@router.get(YOURSELF, dependencies=[Depends(require_submitter)])
@router.get(FRIEND, dependencies=[Depends(require_submitter)])
@router.get(SHORT_FORM, dependencies=[Depends(_expect_short_language), Depends(require_submitter)])
@router.get(f"{GENERAL}/{{guide}}", dependencies=[Depends(require_submitter), Depends(_check_name)])
def read_form(site: SiteDep, session: SessionDep) -> Response:
    return site.compressed(empty_form(site, session, site.request.scope["path"]).form_page())


@router.post(GENERAL)
@router.post(YOURSELF)
@router.post(FRIEND)
@router.post(SHORT_FORM, dependencies=[Depends(_expect_short_language)])
@router.post(f"{GENERAL}/{{guide}}", dependencies=[Depends(_check_name)])
def post_form(site: SiteDep, session: SessionDep, posted: SubmittedFormDep, submitter: SubmitterDep) -> Response:
    """Do what the pressed button says: check, change, send, save, or copy as PDF."""
    filled = empty_form(site, session, site.request.scope["path"], posted.one("edition"))
    session.close()  # frees the connection: a request must not hold a connection while waiting for another
    return _act(filled, posted, submitter)


def _act(empty: FilledForm, posted: SubmittedForm, submitter: Principal) -> Response:
    filled = empty.with_answers(posted)
    action, _, target = posted.one("do").partition(":")
    if (rearranged := _rearranged(filled, action, target)) is not None:
        return rearranged
    if action == SAVE and filled.variant.can_be_saved:
        return save_form(filled)
    if action in (NOW, SEND_NOW):
        if not value_at(filled.answers, NARRATIVE):
            return filled.sentence_page(faults=[NO_NARRATIVE] if action == SEND_NOW else None)
        filled = filled.urgent()
    return _finish(filled, posted, submitter)


def _finish(filled: FilledForm, posted: SubmittedForm, submitter: Principal) -> Response:
    action = posted.one("do")
    try:
        concern = Concern.model_validate(filled.fields())
        filled.site.context.submissions.check(concern, for_tests=submitter.for_tests, at=filled.site.now)
    except ValidationError as error:
        return filled.form_page(faults=faults_of(error))
    except errors.InvalidConcern as error:
        return filled.form_page(faults=list(error.faults))
    if action in (SEND, NOW, SEND_NOW):
        page = _send(filled, concern, submitter)
    elif action == COPY and filled.can_be_copied:
        refuse_over_limit(filled.site.request)  # making a PDF takes as much time as storing many concerns
        page = copy_as_pdf(filled, concern, posted.one("receipt"))
    else:
        page = filled.check_page(concern)
    return page


def _rearranged(filled: FilledForm, action: str, target: str) -> Response | None:
    """Return None unless `action` only changes the answers, such as `add:children`, which adds an entry."""
    match action:
        case "change":
            return filled.form_page(focus=target, is_changed=True)
        case "clear":
            return filled.without_answer(target).form_page(focus=target)
        case "add":
            entries = value_at(filled.answers, target)
            number = len(entries) if isinstance(entries, list) else 0
            has_begun = filled.has_only_begun(target)
            return filled.form_page(
                extra_entry="" if has_begun else target, focus=f"{target}.{0 if has_begun else number}"
            )
        case "same":
            return filled.like_the_first(target).form_page(focus=target)
        case "remove":
            return filled.without_entry(target).form_page(focus=target.rpartition(".")[0])
    return None


def _send(filled: FilledForm, concern: Concern, submitter: Principal) -> Response:
    """Return 201 with the receipt, and expire the opened saved form.

    After a failure, show the answers with an error.
    """
    request = filled.site.request
    keys = derive_idempotency_keys(filled.key, client=submitter.name)
    submit = partial(
        filled.site.context.submissions.submit,
        concern,
        for_tests=submitter.for_tests,
        networks=networks_to_count(request, submitter),
        channel=Channel.FORM,
        keys=keys,
        at=filled.site.now,
    )
    try:
        expect_within_limit(request, submitter, concern)
        result = from_thread.run(submit)
    except errors.IdempotencyKeyReused:
        anew = replace(filled, key=str(uuid.uuid4()))
        return anew.check_page(concern, fault=ALREADY_SENT, status=errors.IdempotencyKeyReused.status)
    except errors.RateLimited as refusal:
        refused = filled.check_page(concern, fault=TOO_MANY_FROM_HERE, status=errors.TooManyConcerns.status)
        refused.headers.update(refusal.headers)
        return refused
    except (errors.StoreBusy, errors.ReferenceTaken, *NO_STORE):
        return filled.check_page(concern, fault=NOT_STORED, status=errors.ServiceUnavailable.status)
    request.scope["state"][LATE] = result.is_late
    with suppress(errors.StoreBusy, *NO_STORE):  # the saved form then stays until it expires
        filled.site.context.saved_forms.end(filled.opening, at=filled.site.now)
    receipt, in_danger = Receipt.model_validate_json(result.receipt), filled.answers.get(DANGER) == ImmediateDanger.YES
    next_steps = own_steps if filled.voice else partial(steps_in_words, at=filled.site.now)
    return filled.site.page(
        filled.receipt_template,
        status=201,
        receipt=receipt,
        who=WhoToCall(receipt.contacts, receipt.signposts),
        reference_aloud=spoken(receipt.reference),
        head=filled.head,
        path=filled.path,
        copied_fields=filled.copied_fields(),
        reader=filled.reader,
        steps=next_steps(receipt, in_danger=in_danger),
        **filled.about_danger,
    )
