"""What a person decides about a concern: the same service functions as those of the API, by a form each."""

from typing import Annotated

from fastapi import Depends, Response

from app.errors import ValidationFailed
from app.models.desk.concerns import Acknowledgement, Erasure, Hold, Outcome
from app.pages.desk.attempts import attempt_with
from app.pages.desk.carrying_out import CHOSEN_YES, Attempt, carry_out, parse
from app.pages.desk.desk_route import DeskRoute
from app.pages.desk.inbox import CONCERN_PAGES
from app.services.desk import actions
from app.store.disclosures import Actor
from app.store.remnants import purge_remnants
from app.web.router import GuidanceRouter

router = GuidanceRouter(prefix=CONCERN_PAGES, include_in_schema=False, route_class=DeskRoute)


@router.post("/{reference}/acknowledgement")
def acknowledge_on_page(attempt: Annotated[Attempt, Depends(attempt_with("acknowledgement"))]) -> Response:
    """Acknowledge the concern, and what was added to it as far as the page showed it."""

    def act(actor: Actor) -> None:
        typed = attempt.posted.one("up_to_addition")
        up_to = parse(Acknowledgement, {"up_to_addition": typed or 0}).up_to_addition
        writer, reference = attempt.context.writer, attempt.reference
        actions.acknowledge(writer, reference, up_to_addition=up_to, actor=actor, at=attempt.now)

    return carry_out(attempt, act)


@router.post("/{reference}/outcome")
def close_on_page(attempt: Annotated[Attempt, Depends(attempt_with("outcome"))]) -> Response:
    """Close the concern with the outcome that was chosen."""
    context, posted = attempt.context, attempt.posted

    def act(actor: Actor) -> None:
        shared = posted.one("shared_with_reporter") == CHOSEN_YES
        outcome = parse(Outcome, {"outcome": posted.one("outcome"), "shared_with_reporter": shared})
        if faults := context.reference_data.faults_in_codes(outcome):
            raise ValidationFailed(faults)
        actions.close(
            context.writer, attempt.reference, outcome=outcome.outcome, shared=shared, actor=actor, at=attempt.now
        )

    return carry_out(attempt, act)


@router.post("/{reference}/hold")
def hold_on_page(attempt: Annotated[Attempt, Depends(attempt_with("hold"))]) -> Response:
    """Put the concern on hold, or release it."""

    def act(actor: Actor) -> None:
        hold = parse(Hold, {"held": attempt.posted.one("held") == CHOSEN_YES, "reason": _reason(attempt)})
        writer, reference = attempt.context.writer, attempt.reference
        actions.hold(writer, reference, held=hold.held, reason=hold.reason, actor=actor, at=attempt.now)

    return carry_out(attempt, act)


@router.post("/{reference}/erasure")
def erase_on_page(attempt: Annotated[Attempt, Depends(attempt_with("erasure"))]) -> Response:
    """Erase the words of the concern for good."""

    def act(actor: Actor) -> None:
        reason = parse(Erasure, {"reason": _reason(attempt)}).reason
        actions.erase(attempt.context.writer, attempt.reference, reason=reason, actor=actor, at=attempt.now)
        purge_remnants(attempt.context.engine)

    return carry_out(attempt, act)


def _reason(attempt: Attempt) -> str:
    return attempt.posted.one("reason").strip()
