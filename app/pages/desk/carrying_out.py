"""Doing what a form says, or showing the form again with all that was typed, and with what happened meanwhile."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from fastapi import Response
from pydantic import BaseModel, ValidationError
from sqlmodel import Session

from app import errors
from app.models.desk.disclosure_tables import DisclosureRow
from app.pages.desk.act_words import act_lines
from app.pages.desk.desk_route import TEXTS, lead_to
from app.pages.desk.forms import desk_forms
from app.pages.desk.inbox import CONCERN_PAGES
from app.pages.desk.page import desk_page
from app.pages.error_pages import problem_type_of
from app.pages.form.form_data import SubmittedForm
from app.pages.form.form_view import faults_of
from app.services.concerns.idempotency import IdempotencyKeys
from app.services.desk.withholding import record_withheld
from app.store.disclosures import Actor
from app.store.meanwhile import list_meanwhile
from app.web.context import AppContext
from app.web.idempotency import keys_from
from app.web.people import Visitor

SHOWN_AGAIN = (
    errors.ChangedMeanwhile,
    errors.NoMessageKey,
    errors.TooManyMessages,
    errors.TooManyNotes,
    errors.ConcernErased,
    errors.IdempotencyKeyReused,
    errors.NotAcknowledged,
    errors.OnHold,
    errors.OutcomeGiven,
    errors.StoreBusy,
    errors.UnsealingUnavailable,
    errors.ValidationFailed,
)
"""The refusals after which the form is there again."""
REPEATED = ("You did this a moment ago", "It was not done twice. Do it again only if you mean to.")
DIGITS_OF_SEEN = 9
CHOSEN_YES = "yes"

Parsed = TypeVar("Parsed", bound=BaseModel)


@dataclass(frozen=True)
class Attempt:
    """A form that a person sent about a concern: `form` is the macro that draws it, `anchor` where its section is."""

    context: AppContext
    visitor: Visitor
    now: dt.datetime
    reference: str
    posted: SubmittedForm
    form: str
    anchor: str = "acts"

    @property
    def seen(self) -> int | None:
        """The number of the last act that the page of the form showed."""
        typed = self.posted.one("seen")
        return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) <= DIGITS_OF_SEEN else None

    @property
    def actor(self) -> Actor:
        """The person, with what they had seen."""
        return replace(self.visitor.actor, seen=self.seen)

    def keys_for(self, act: str) -> IdempotencyKeys | None:
        """Return the keys of the form's own idempotency key, as the API has them for that act; None without one."""
        client = f"{self.visitor.actor.client}, {act} {self.reference}"
        return keys_from(self.posted.one("key") or None, client=client)


def carry_out(attempt: Attempt, act: Callable[[Actor], Response | None]) -> Response:
    """Do it, and lead back to the concern, or return the page that the act itself gives.

    What is refused is a page with the form as it was filled in.
    """
    try:
        answer = act(attempt.actor)
    except SHOWN_AGAIN as refusal:
        return _show_again(attempt, refusal)
    return answer if answer is not None else _back(attempt)


def parse(model: type[Parsed], fields: dict[str, object]) -> Parsed:
    """Return the model of the API. Raises `ValidationFailed`."""
    try:
        return model.model_validate(fields, strict=False)
    except ValidationError as error:
        raise errors.ValidationFailed(faults_of(error)) from None


def _back(attempt: Attempt) -> Response:
    """Show the concern as it is now, and what others did meanwhile. A reload does not do the act again."""
    own = attempt.visitor.actor.client
    query = f"?seen={attempt.seen}" if any(act.client != own for act in _meanwhile(attempt)) else ""
    return lead_to(f"{CONCERN_PAGES}/{attempt.reference}{query}#{attempt.anchor}")


def _show_again(attempt: Attempt, refusal: errors.GuidanceError) -> Response:
    context, visitor = attempt.context, attempt.visitor
    meanwhile, seen = _meanwhile(attempt), attempt.seen or 0
    if meanwhile and not isinstance(refusal, errors.StoreBusy):
        seen = record_withheld(
            context.writer, attempt.reference, attempt.form.replace("_", " "), actor=visitor.actor, at=attempt.now
        )
        meanwhile = [act for act in _meanwhile(attempt) if act.number < seen]
    heading, message = TEXTS[type(refusal)]
    if isinstance(refusal, errors.ChangedMeanwhile) and {act.client for act in meanwhile} == {visitor.actor.client}:
        heading, message = REPEATED
    typed = {name: attempt.posted.one(name) for name in attempt.posted.fields}
    if isinstance(refusal, errors.IdempotencyKeyReused):
        del typed["key"]
    return desk_page(
        context,
        "desk_again.html",
        status=problem_type_of(refusal).status,
        visitor=visitor,
        heading=heading,
        message=message,
        meanwhile=act_lines(meanwhile),
        form=attempt.form,
        forms=desk_forms(
            context,
            visitor,
            attempt.reference,
            seen,
            typed=typed,
            faults=faults_by_field(refusal),
        ),
    )


def _meanwhile(attempt: Attempt) -> list[DisclosureRow]:
    if attempt.seen is None:
        return []
    own, reference = attempt.visitor.actor.client, attempt.reference
    with Session(attempt.context.engine) as session:
        return list_meanwhile(session, reference, client=own, seen=attempt.seen)


def faults_by_field(refusal: errors.GuidanceError) -> dict[str, str]:
    """Return the sentence for each field that the refusal is about."""
    faults = refusal.faults if isinstance(refusal, errors.ValidationFailed) else ()
    return {str(fault.at[0]): fault.detail for fault in faults if fault.at}
