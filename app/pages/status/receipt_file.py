"""The receipt as a file to keep."""

import datetime as dt
from typing import Any

from fastapi import Response

from app.errors import NoSuchConcern, NotFound, ReceiptNotGenuine
from app.models.concerns.receipts import ConcernStatus
from app.pages.error_pages import PageRoute
from app.pages.form.form_data import SubmittedFormDep
from app.pages.text_format import date_and_time, page_words
from app.presenters.contact_text import out_of_hours
from app.presenters.receipt_text import KeptReceipt, receipt_text
from app.services.concerns.receipt_signing import check_receipt
from app.store.editions import EditionKey
from app.web.auth import PUBLIC
from app.web.context import AppContext, ContextDep
from app.web.router import GuidanceRouter

router = GuidanceRouter(prefix="/concerns", include_in_schema=False, dependencies=[PUBLIC], route_class=PageRoute)


@router.post("/receipt")
def save_receipt(context: ContextDep, posted: SubmittedFormDep) -> Response:
    """Return the receipt as a text: reference, code, what happens next, numbers to call, and the signed part last.

    Raise `NotFound` for a receipt that this service has not signed, and for a code that is not its concern's.
    """
    signed, code = posted.one("receipt"), posted.one("code").strip()
    try:
        claims = check_receipt(signed, {"keys": list(context.signer.jwks)})
        reference, received_at = claims["jti"], dt.datetime.fromisoformat(claims["received_at"])
        with context.code_tries.guard(reference):
            concern = context.follow_ups.read_status(typed_reference=reference, status_token=code, at=received_at)
    except (ReceiptNotGenuine, NoSuchConcern, KeyError):
        raise NotFound from None
    headers = {"Content-Disposition": f'attachment; filename="receipt-{reference}.txt"'}
    return Response(receipt_text(_kept(context, concern, signed, code)), media_type="text/plain", headers=headers)


def _kept(context: AppContext, concern: ConcernStatus, signed: str, code: str) -> KeptReceipt:
    signposts = context.reference_data.signposts
    numbers: list[Any] = [each for each in signposts if each.emergency]
    numbers += [each for each in concern.contacts if each.phones] + out_of_hours(signposts)
    return KeptReceipt(
        reference=concern.reference,
        code=code,
        guide=guide_and_edition(context, concern),
        received_at=date_and_time(concern.received_at),
        acknowledge_by=date_and_time(concern.acknowledge_by),
        come_back_by=date_and_time(concern.come_back_by or concern.acknowledge_by),
        next_steps=[page_words(step) for step in concern.next_steps],
        numbers=numbers,
        address=f"{context.settings.public_url}/.well-known/jwks.json",
        signed=signed,
    )


def guide_and_edition(context: AppContext, concern: ConcernStatus) -> str:
    """Return the guide's title and the edition, as people name them."""
    title = context.contents(EditionKey(concern.guide, concern.edition)).title
    return f"{title}, edition {concern.edition}"
