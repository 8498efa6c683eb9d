"""Pages for raising a concern: the form, the answers to check, and the receipt.

The server stores nothing before the concern is sent: each page has the answers in its own form fields. The pages have
no rules of their own: the models and services of the API decide what is accepted.
"""

import re
import uuid
from dataclasses import dataclass
from functools import partial
from typing import Any

from anyio import from_thread
from fastapi import Depends, Response
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionInTime
from sqlmodel import Session

from app.errors import IdempotencyKeyReused, InvalidConcern, NoSuchGuide, ReferenceTaken, StoreBusy
from app.faults import FieldError
from app.models.concerns.concern import Concern
from app.models.concerns.receipts import Receipt
from app.pages.error_pages import PageRoute
from app.pages.form.elements import ConcernForm
from app.pages.form.form_builder import FormBuilder
from app.pages.form.form_data import PLACE, Answers, SubmittedFormDep, hidden_fields, read_answers, value_at
from app.pages.form.form_view import answered_sections, faults_of, named_faults
from app.pages.page import private_page
from app.pages.text_format import spoken
from app.routers.params import GuideName
from app.services.access.principals import Principal
from app.services.concerns.idempotency import derive_idempotency_keys
from app.store.editions import EditionHead, current_of, default_guide, get_history, head_of
from app.web.auth import PUBLIC, SubmitterDep, require_submitter
from app.web.context import AppContext, ContextDep, NowDep, SessionDep
from app.web.problem_types import IDEMPOTENCY_KEY_REUSED, SERVICE_UNAVAILABLE, VALIDATION_FAILED
from app.web.responses import NO_STORE
from app.web.router import GuidanceRouter

router = GuidanceRouter(include_in_schema=False, route_class=PageRoute)

CHECK, SEND, CHANGE, ADD, REMOVE = "check", "send", "change", "add", "remove"
KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ALREADY_SENT = (
    "You have already sent this form with different answers, and that concern was received. To send these answers as "
    "another concern, press ‘Send’ again."
)
NOT_STORED = "It could not be saved just now. Nothing is lost: press ‘Send’ again in a few seconds, or telephone."


@dataclass(frozen=True)
class Draft:
    """A concern that is not sent yet: its edition, its idempotency key and its answers."""

    context: AppContext
    head: EditionHead
    key: str
    answers: Answers

    def form(self, extra_entry: str = "") -> ConcernForm:
        """Return the form with an entry for each of the answers, and one more in the group `extra_entry`."""
        counts = {name: len(entries) for name, entries in _entries(self.answers)}
        counts[extra_entry] = counts.get(extra_entry, 0) + 1
        content = self.context.contents(self.head.key)
        return FormBuilder(content, self.context.reference_data, counts).make()

    def concern(self) -> Concern:
        """Return the concern as the model of the API. Raise `ValidationError` if it is not valid."""
        return Concern.model_validate({"guide": self.head.guide, "edition": self.head.number} | self.answers)

    def page(self, template: str, form: ConcernForm, *, status: int = 200, **values: Any) -> Response:
        """Return a page that contains the draft."""
        return private_page(
            self.context,
            template,
            status=status,
            head=self.head,
            content=self.context.contents(self.head.key),
            form=form,
            key=self.key,
            immediate_danger=self.answers.get("immediate_danger"),
            **values,
        )

    def form_page(self, *, faults: list[FieldError] | None = None, extra_entry: str = "", focus: str = "") -> Response:
        """Return the form with the answers so far, and an error beside each question that has one."""
        form = self.form(extra_entry)
        messages = named_faults(form, faults or [])
        open_sections = {
            section.id
            for section in form
            for question in section.questions
            if value_at(self.answers, question.name) is not None or question.name in messages or question.name == focus
        }
        return self.page(
            "concern_form.html",
            form,
            status=VALIDATION_FAILED.status if messages else 200,
            faults=messages,
            open_sections=open_sections,
            focus="" if messages else focus,
            value=lambda name: value_at(self.answers, name),
        )

    def check_page(self, *, fault: str | None = None, status: int = 200) -> Response:
        """Return the answers, for the person to check before sending."""
        form = self.form()
        return self.page(
            "check_answers.html",
            form,
            status=status,
            faults={"send": fault} if fault else {},
            sections=answered_sections(form, self.answers),
            hidden_fields=list(hidden_fields(form, self.answers)),
        )


@router.get("/raise-a-concern", dependencies=[PUBLIC])
def read_default_form(session: SessionDep, context: ContextDep) -> Response:
    """Redirect to the form for the guide of a concern that names none."""
    guide = default_guide(session, context.settings.default_guide)
    if guide is None:
        raise NoSuchGuide
    return Response(status_code=302, headers={"Location": f"/raise-a-concern/{guide}", "Cache-Control": NO_STORE})


@router.get("/raise-a-concern/{guide}", dependencies=[Depends(require_submitter)])
def read_form(session: SessionDep, context: ContextDep, guide: GuideName) -> Response:
    """Return the empty form for the current edition."""
    return Draft(context, _edition(session, guide, ""), str(uuid.uuid4()), {}).form_page()


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
    head = _edition(session, guide, posted.one("edition"))
    session.close()  # released: requests that hold one connection and wait for another could block each other
    key = posted.one("key") if KEY.fullmatch(posted.one("key")) else str(uuid.uuid4())
    form = FormBuilder(context.contents(head.key), context.reference_data, posted.counts).make()
    draft = Draft(context, head, key, read_answers(form, posted))
    action, _, target = posted.one("do").partition(":")
    if action == CHANGE:
        return draft.form_page(focus=target)
    if action == ADD:
        entries = value_at(draft.answers, target)
        number = len(entries) if isinstance(entries, list) else 0
        return draft.form_page(extra_entry=target, focus=f"{target}.{number}")
    if action == REMOVE:
        return _without_entry(draft, target).form_page()
    try:
        concern = draft.concern()
        context.submissions.check(concern, for_tests=submitter.for_tests, at=now)
    except ValidationError as error:
        return draft.form_page(faults=faults_of(error))
    except InvalidConcern as error:
        return draft.form_page(faults=list(error.faults))
    return _send(draft, concern, submitter, now) if action == SEND else draft.check_page()


def _send(draft: Draft, concern: Concern, submitter: Principal, now: NowDep) -> Response:
    """Submit the concern and return the receipt. If it could not be stored, return the answers: nothing is lost."""
    keys = derive_idempotency_keys(draft.key, client=submitter.name)
    submit = partial(draft.context.submissions.submit, concern, for_tests=submitter.for_tests, keys=keys, at=now)
    try:
        result = from_thread.run(submit)
    except IdempotencyKeyReused:
        new_draft = Draft(draft.context, draft.head, str(uuid.uuid4()), draft.answers)
        return new_draft.check_page(fault=ALREADY_SENT, status=IDEMPOTENCY_KEY_REUSED.status)
    except (StoreBusy, ReferenceTaken, DBAPIError, NoConnectionInTime):
        return draft.check_page(fault=NOT_STORED, status=SERVICE_UNAVAILABLE.status)
    receipt = Receipt.model_validate_json(result.receipt)
    return private_page(
        draft.context,
        "receipt.html",
        status=201,
        receipt=receipt,
        reference_aloud=spoken(receipt.reference),
        head=draft.head,
    )


def _edition(session: Session, guide: str, number: str) -> EditionHead:
    """Return the edition of the form, or the current one, or the last: a withdrawn edition does not stop a concern."""
    history = get_history(session, guide=guide)
    if number.isdecimal() and len(number) <= len("1000000"):
        return head_of(history, int(number))
    return current_of(history) or history[0]


def _without_entry(draft: Draft, entry: str) -> Draft:
    name, _, number = entry.rpartition(".")
    entries = value_at(draft.answers, name)
    if isinstance(entries, list) and PLACE.fullmatch(number) and int(number) < len(entries):
        del entries[int(number)]
    return draft


def _entries(answers: Answers, prefix: str = "") -> list[tuple[str, list[Any]]]:
    """Return each list of entries among the answers, with its name."""
    found: list[tuple[str, list[Any]]] = []
    for name, value in answers.items():
        if isinstance(value, dict):
            found += _entries(value, f"{prefix}{name}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            found.append((f"{prefix}{name}", value))
    return found
