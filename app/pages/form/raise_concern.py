"""Raising a concern: the form, the answers to check, and the receipt.

The pages keep nothing: each carries what was answered in its own fields, until it is sent. They have no rules of their
own: what the API's models and services refuse is refused, and what they take is taken.
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

from app.errors import FieldError, IdempotencyKeyReused, InvalidConcern, ReferenceTaken, StoreBusy
from app.models.concerns.concern import Concern
from app.models.concerns.receipts import Receipt
from app.pages.error_pages import PageRoute
from app.pages.form.elements import ConcernForm
from app.pages.form.form_builder import FormBuilder
from app.pages.form.form_data import Answers, SubmittedFormDep, hidden_fields, read_answers, value_at
from app.pages.form.form_view import faults_of, named_faults, shown_answers
from app.pages.page import private_page
from app.pages.text_format import spoken
from app.routers.guides import GuideName
from app.services.concerns.idempotency import retry_key
from app.services.concerns.submission import check_concern, receive_concern
from app.store.editions import EditionHead, current_of, get_history, head_of
from app.web.auth import SubmitterDep, require_submitter
from app.web.context import AppContext, ContextDep, NowDep, SessionDep
from app.web.problem_types import IDEMPOTENCY_KEY_REUSED, SERVICE_UNAVAILABLE, VALIDATION_FAILED
from app.web.router import GuidanceRouter

router = GuidanceRouter(include_in_schema=False, route_class=PageRoute)

CHECK, SEND, CHANGE, ADD, REMOVE = "check", "send", "change", "add", "remove"
KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SENT_BEFORE = (
    "You sent this form before, with other words, and that concern is kept. To send these words as another concern, "
    "press ‘Send’ again."
)
NOT_KEPT = "It could not be kept just now. Nothing is lost: press ‘Send’ again in a few seconds, or telephone."


@dataclass(frozen=True)
class Draft:
    """A concern that is being written: the edition that it is about, what was answered, and its idempotency key."""

    parts: AppContext
    head: EditionHead
    key: str
    told: Answers

    def form(self, more: str = "") -> ConcernForm:
        """The form with as many entries as there are answers, and one more where it was asked for."""
        counts = {name: len(entries) for name, entries in _entries(self.told)}
        counts[more] = counts.get(more, 0) + 1
        content = self.parts.intake.contents(self.head.key)
        return FormBuilder(content, self.parts.reference_data, counts).make()

    def concern(self) -> Concern:
        """The concern as the API takes it. Raises `ValidationError`."""
        return Concern.model_validate({"guide": self.head.guide, "edition": self.head.number} | self.told)

    def page(self, template: str, form: ConcernForm, *, status: int = 200, **told: Any) -> Response:
        """One of the pages, which carries the draft."""
        return private_page(
            self.parts,
            template,
            status=status,
            head=self.head,
            content=self.parts.intake.contents(self.head.key),
            form=form,
            key=self.key,
            danger=self.told.get("immediate_danger"),
            **told,
        )

    def form_page(self, *, faults: list[FieldError] | None = None, more: str = "", focus: str = "") -> Response:
        """The form, filled in as far as it is."""
        form = self.form(more)
        named = named_faults(form, faults or [])
        answered = {
            section.id
            for section in form
            for question in section.questions
            if value_at(self.told, question.name) is not None or question.name in named or question.name == focus
        }
        return self.page(
            "raise.html",
            form,
            status=VALIDATION_FAILED.status if named else 200,
            faults=named,
            answered=answered,
            focus="" if named else focus,
            value=lambda name: value_at(self.told, name),
        )

    def check_page(self, *, fault: str | None = None, status: int = 200) -> Response:
        """The answers, to be read before they are sent."""
        form = self.form()
        return self.page(
            "check.html",
            form,
            status=status,
            faults={"send": fault} if fault else {},
            sections=shown_answers(form, self.told),
            hidden=list(hidden_fields(form, self.told)),
        )


@router.get("/raise-a-concern/{guide}", dependencies=[Depends(require_submitter)])
def read_form(session: SessionDep, parts: ContextDep, guide: GuideName) -> Response:
    """The form, empty. It shows the current edition, and pins it."""
    return Draft(parts, _edition(session, guide, ""), str(uuid.uuid4()), {}).form_page()


@router.post("/raise-a-concern/{guide}")
def post_form(
    *,
    session: SessionDep,
    parts: ContextDep,
    guide: GuideName,
    posted: SubmittedFormDep,
    submitter: SubmitterDep,
    now: NowDep,
) -> Response:
    """What is asked for: the answers to check, the form again with more or fewer entries, or the receipt."""
    head = _edition(session, guide, posted.one("edition"))
    session.close()  # given back: many that hold one connection and ask for another would stand still
    key = posted.one("key") if KEY.fullmatch(posted.one("key")) else str(uuid.uuid4())
    form = FormBuilder(parts.intake.contents(head.key), parts.reference_data, posted.counts).make()
    draft = Draft(parts, head, key, read_answers(form, posted))
    act, _, what = posted.one("do").partition(":")
    if act == CHANGE:
        return draft.form_page(focus=what)
    if act == ADD:
        at = len(value_at(draft.told, what) or ())
        return draft.form_page(more=what, focus=f"{what}.{at}")
    if act == REMOVE:
        return _without(draft, what).form_page()
    try:
        concern = draft.concern()
        check_concern(parts.intake, concern, at=now)
    except ValidationError as error:
        return draft.form_page(faults=faults_of(error))
    except InvalidConcern as refused:
        return draft.form_page(faults=list(refused.faults))
    return _sent(draft, concern, submitter, now) if act == SEND else draft.check_page()


def _sent(draft: Draft, concern: Concern, submitter: str, now: NowDep) -> Response:
    """The receipt; where the concern could not be kept, the answers again, so that none is lost."""
    try:
        kept = from_thread.run(
            partial(receive_concern, draft.parts.intake, concern, retry=retry_key(draft.key, client=submitter), at=now)
        )
    except IdempotencyKeyReused:
        anew = Draft(draft.parts, draft.head, str(uuid.uuid4()), draft.told)
        return anew.check_page(fault=SENT_BEFORE, status=IDEMPOTENCY_KEY_REUSED.status)
    except (StoreBusy, ReferenceTaken, DBAPIError, NoConnectionInTime):
        return draft.check_page(fault=NOT_KEPT, status=SERVICE_UNAVAILABLE.status)
    receipt = Receipt.model_validate_json(kept.receipt)
    return private_page(
        draft.parts, "kept.html", status=201, receipt=receipt, spoken=spoken(receipt.reference), head=draft.head
    )


def _edition(session: Session, guide: str, number: str) -> EditionHead:
    """The edition that the form showed; else the current one, or the last, since nobody is stopped by a withdrawal."""
    history = get_history(session, guide=guide)
    if number.isdecimal() and len(number) <= len("1000000"):
        return head_of(history, int(number))
    return current_of(history) or history[0]


def _without(draft: Draft, entry: str) -> Draft:
    name, _, number = entry.rpartition(".")
    entries = value_at(draft.told, name)
    if isinstance(entries, list) and number.isdecimal() and int(number) < len(entries):
        del entries[int(number)]
    return draft


def _entries(told: Answers, beneath: str = "") -> list[tuple[str, list[Any]]]:
    """Each list of entries among the answers, by name."""
    found: list[tuple[str, list[Any]]] = []
    for name, value in told.items():
        if isinstance(value, dict):
            found += _entries(value, f"{beneath}{name}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            found.append((f"{beneath}{name}", value))
    return found
