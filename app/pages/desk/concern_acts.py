"""What a person does with a concern: the same service functions as those of the API, by a form each."""

from typing import TypeVar

from fastapi import Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ValidationError

from app.errors import ValidationFailed
from app.models.desk.concerns import Acknowledgement, Erasure, Hold, Outcome
from app.pages.desk.concern_page import ConcernReferenceInPath
from app.pages.desk.desk_route import SEE_OTHER, DeskRoute
from app.pages.desk.inbox import CONCERN_PAGES
from app.pages.form.form_data import SubmittedForm, SubmittedFormDep
from app.pages.form.form_view import faults_of
from app.presenters.desk import reference_of
from app.services.desk import actions
from app.store.remnants import purge_remnants
from app.web.context import ContextDep, NowDep
from app.web.people import PageWorkerDep
from app.web.router import GuidanceRouter

router = GuidanceRouter(prefix=CONCERN_PAGES, include_in_schema=False, route_class=DeskRoute)

Parsed = TypeVar("Parsed", bound=BaseModel)
CHOSEN_YES = "yes"


@router.post("/{reference}/acknowledgement")
def acknowledge_on_page(
    *,
    context: ContextDep,
    visitor: PageWorkerDep,
    now: NowDep,
    reference: ConcernReferenceInPath,
    posted: SubmittedFormDep,
) -> Response:
    """Acknowledge the concern, and what was added to it as far as the page showed it."""
    parsed, typed = reference_of(reference), posted.one("up_to_addition")
    up_to = _parse(Acknowledgement, {"up_to_addition": typed or 0}).up_to_addition
    actions.acknowledge(context.writer, parsed, up_to_addition=up_to, actor=visitor.actor, at=now)
    return _back_to(parsed)


@router.post("/{reference}/outcome")
def close_on_page(
    *,
    context: ContextDep,
    visitor: PageWorkerDep,
    now: NowDep,
    reference: ConcernReferenceInPath,
    posted: SubmittedFormDep,
) -> Response:
    """Close the concern with the outcome that was chosen."""
    parsed, shared = reference_of(reference), posted.one("shared_with_reporter") == CHOSEN_YES
    outcome = _parse(Outcome, {"outcome": posted.one("outcome"), "shared_with_reporter": shared})
    if faults := context.reference_data.faults_in_codes(outcome):
        raise ValidationFailed(faults)
    actions.close(context.writer, parsed, outcome=outcome.outcome, shared=shared, actor=visitor.actor, at=now)
    return _back_to(parsed)


@router.post("/{reference}/hold")
def hold_on_page(
    *,
    context: ContextDep,
    visitor: PageWorkerDep,
    now: NowDep,
    reference: ConcernReferenceInPath,
    posted: SubmittedFormDep,
) -> Response:
    """Put the concern on hold, or release it."""
    parsed = reference_of(reference)
    hold = _parse(Hold, {"held": posted.one("held") == CHOSEN_YES, "reason": _reason(posted)})
    actions.hold(context.writer, parsed, held=hold.held, reason=hold.reason, actor=visitor.actor, at=now)
    return _back_to(parsed)


@router.post("/{reference}/erasure")
def erase_on_page(
    *,
    context: ContextDep,
    visitor: PageWorkerDep,
    now: NowDep,
    reference: ConcernReferenceInPath,
    posted: SubmittedFormDep,
) -> Response:
    """Erase the words of the concern for good."""
    parsed, erasure = reference_of(reference), _parse(Erasure, {"reason": _reason(posted)})
    actions.erase(context.writer, parsed, reason=erasure.reason, actor=visitor.actor, at=now)
    purge_remnants(context.engine)
    return _back_to(parsed)


def _reason(posted: SubmittedForm) -> str:
    return posted.one("reason").strip()


def _parse(model: type[Parsed], fields: dict[str, object]) -> Parsed:
    """Return the model of the API. Raises `ValidationFailed`."""
    try:
        return model.model_validate(fields, strict=False)
    except ValidationError as error:
        raise ValidationFailed(faults_of(error)) from None


def _back_to(reference: str) -> Response:
    """Show the concern as it is now. A reload does not do the act again."""
    return RedirectResponse(f"{CONCERN_PAGES}/{reference}", status_code=SEE_OTHER)
