"""Pages for the status of a concern, by its reference and code, and for its receipt as a file."""

from typing import Annotated

from fastapi import Path, Response

from app.errors import NoSuchConcern, NotFound, ReceiptNotGenuine
from app.pages.error_pages import PageRoute
from app.pages.form.form_data import SubmittedFormDep
from app.pages.page import private_page
from app.pages.text_format import spoken
from app.services.concerns.receipt_signing import check_receipt
from app.web.auth import PUBLIC
from app.web.context import AppContext, ContextDep, NowDep
from app.web.problem_types import CONCERN_NOT_FOUND
from app.web.responses import NO_STORE
from app.web.router import GuidanceRouter

router = GuidanceRouter(prefix="/concerns", include_in_schema=False, dependencies=[PUBLIC], route_class=PageRoute)

NO_MATCH = "No concern matches this reference and code. Check both for mistakes."


@router.get("")
def read_status_form(context: ContextDep) -> Response:
    """Return the form for the reference and the code."""
    return _form(context)


@router.post("")
def read_status(context: ContextDep, posted: SubmittedFormDep, now: NowDep) -> Response:
    """Return the status. Reference and code come in the body, so that they are in no address."""
    reference = posted.one("reference").strip()
    try:
        status = context.follow_ups.read_status(
            typed_reference=reference, status_token=posted.one("code").strip(), at=now
        )
    except NoSuchConcern:
        return _form(context, reference=reference, fault=NO_MATCH)
    outcomes = {code.code: code.label for code in context.reference_data.get_code_list("outcome").codes}
    return private_page(
        context,
        "concern_status.html",
        concern=status,
        reference_aloud=spoken(status.reference),
        outcome=outcomes.get(status.outcome or ""),
    )


@router.post("/receipt")
def save_receipt(context: ContextDep, posted: SubmittedFormDep) -> Response:
    """Return the signed receipt as a file. Raise `NotFound` for anything that this service has not signed."""
    receipt = posted.one("receipt")
    try:
        reference = check_receipt(receipt, {"keys": list(context.signer.jwks)})["jti"]
    except (ReceiptNotGenuine, KeyError):
        raise NotFound from None
    headers = {"Cache-Control": NO_STORE, "Content-Disposition": f'attachment; filename="receipt-{reference}.txt"'}
    return Response(receipt, media_type="text/plain", headers=headers)


@router.get("/{reference}")
def read_filled_status_form(context: ContextDep, reference: Annotated[str, Path(max_length=40)]) -> Response:
    """Return the form with the reference filled in. It does not say whether that concern exists."""
    return _form(context, reference=reference)


def _form(context: AppContext, *, reference: str = "", fault: str | None = None) -> Response:
    faults = {"reference": fault} if fault else {}
    status = CONCERN_NOT_FOUND.status if fault else 200
    return private_page(context, "status_form.html", status=status, reference=reference, faults=faults)
