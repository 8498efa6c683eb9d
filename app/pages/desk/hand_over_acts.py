"""Handing a concern over to another body by a form, and storing the receipt that the body sends back."""

from typing import Annotated

from fastapi import Depends, Path, Response

from app.errors import ValidationFailed
from app.faults import FaultCode, FieldError
from app.models.base import MAX_NUMBER
from app.models.desk.hand_overs import HandedOver, HandOver, HandOverReceipt
from app.pages.desk.attempts import attempt_with
from app.pages.desk.carrying_out import Attempt, carry_out, parse
from app.pages.desk.desk_route import DeskRoute
from app.pages.desk.inbox import CONCERN_PAGES
from app.pages.desk.page import desk_page
from app.services.desk import hand_overs
from app.store.disclosures import Actor
from app.web.query_params import IN_PLAIN_DIGITS
from app.web.router import GuidanceRouter

router = GuidanceRouter(prefix=CONCERN_PAGES, include_in_schema=False, route_class=DeskRoute)

NO_SUCH_BODY = "choose one of the bodies"
ANOTHER_KEY = "the file was sealed to another key than the one that is set up for this body"
HAND_OVERS = "hand-overs"


@router.post("/{reference}/hand-over")
def hand_over_on_page(attempt: Annotated[Attempt, Depends(attempt_with("hand_over", anchor=HAND_OVERS))]) -> Response:
    """Record the hand-over, and return a page with our receipt, and with the file where this service made it.

    Where the browser or a local desk made it, the form has its digest, its additions and the key that it is sealed to.
    """
    context, posted = attempt.context, attempt.posted

    def act(actor: Actor) -> Response:
        body, reason = posted.one("body"), posted.one("reason").strip()
        recipient = (context.settings.hand_over_bodies or {}).get(body)
        if recipient is None:
            raise ValidationFailed([FieldError(("body",), NO_SUCH_BODY, FaultCode.NOT_LISTED)])
        if posted.one("recipient") not in ("", recipient):
            raise ValidationFailed([FieldError(("body",), ANOTHER_KEY)])
        fields: dict[str, object] = {"recipient": recipient, "body": body, "reason": reason}
        fields |= {name: posted.one(name) for name in ("package_sha256", "additions") if posted.one(name)}
        wanted = parse(HandOver, fields)
        result = hand_overs.hand_over(
            context.engine,
            context.writer,
            attempt.reference,
            wanted,
            keys=attempt.keys_for("hand-over of"),
            signer=context.signer,
            unsealer=context.unsealer,
            actor=actor,
            at=attempt.now,
        )
        handed = HandedOver.model_validate_json(result.receipt)
        return desk_page(
            context, "desk_handed_over.html", visitor=attempt.visitor, reference=attempt.reference, handed=handed
        )

    return carry_out(attempt, act)


@router.post("/{reference}/hand-over/{number}/receipt")
def confirm_on_page(
    attempt: Annotated[Attempt, Depends(attempt_with("receipt", anchor=HAND_OVERS))],
    number: Annotated[int, Path(ge=1, le=MAX_NUMBER), IN_PLAIN_DIGITS],
) -> Response:
    """Store the receipt that the other body sent back, once."""

    def act(actor: Actor) -> None:
        receipt = parse(HandOverReceipt, {"receipt": attempt.posted.one("receipt").strip()}).receipt
        writer, reference = attempt.context.writer, attempt.reference
        hand_overs.confirm_hand_over(writer, reference, number, receipt=receipt, actor=actor, at=attempt.now)

    return carry_out(attempt, act)
