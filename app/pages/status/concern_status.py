"""Pages for the status of a concern, by its reference and code, for more about it, and for its receipt as a file."""

import datetime as dt
import uuid
from typing import Annotated, Any

from fastapi import Path, Response
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionInTime

from app.errors import (
    ConcernErased,
    IdempotencyKeyReused,
    InvalidConcern,
    NoSuchConcern,
    ServiceUnavailable,
    StoreBusy,
    TooManyAdditions,
    ValidationFailed,
)
from app.models.concerns.addition import Addition, AdditionReceipt
from app.models.concerns.receipts import ConcernStatus
from app.pages.error_pages import PageRoute
from app.pages.form.form_data import SubmittedForm, SubmittedFormDep
from app.pages.languages import gettext, to_translate
from app.pages.page import private_page
from app.pages.status.messages import open_for_page
from app.pages.text_format import spoken
from app.web.auth import PUBLIC
from app.web.context import AppContext, ContextDep, NowDep
from app.web.router import GuidanceRouter

router = GuidanceRouter(prefix="/concerns", include_in_schema=False, dependencies=[PUBLIC], route_class=PageRoute)

CLEAR_DANGER = "clear:immediate_danger"
NO_MATCH = to_translate("No concern matches this reference and code. Check both for mistakes.")
NOT_ADDED = to_translate(
    "It could not be saved just now. Nothing is lost: press the button again in a few seconds, or call."
)
CANNOT_BE_ADDED = to_translate("Nothing more can be added to this concern. Raise a new one, or call.")
ALREADY_ADDED = to_translate(
    "You have already sent other words from this page, and we have them. To add these too, press the button."
)
EMPTY = to_translate("Enter what you want to add")
TOO_LONG = to_translate("This is too long to be sent. Shorten it, or send the rest as another addition")


@router.get("")
def read_status_form(context: ContextDep) -> Response:
    """Return the form for the reference and the code."""
    return _form(context)


@router.post("")
def read_status(context: ContextDep, posted: SubmittedFormDep, now: NowDep) -> Response:
    """Return the status. Reference and code come in the body, so that they are in no address."""
    if posted.one("do") == CLEAR_DANGER:
        posted = SubmittedForm({name: values for name, values in posted.fields.items() if name != "immediate_danger"})
    try:
        return _status_page(context, posted, now)
    except NoSuchConcern:
        return _form(context, reference=posted.one("reference").strip(), fault=NO_MATCH)


@router.post("/additions")
def add_to_concern(context: ContextDep, posted: SubmittedFormDep, now: NowDep) -> Response:
    """Store what was added, sealed, and return the status. What cannot be stored stays on the page."""
    try:
        added = _add(context, posted, now)
        return _status_page(context, _without_words(posted), now, added=added)
    except NoSuchConcern:
        return _form(context, reference=posted.one("reference").strip(), fault=NO_MATCH)
    except (ValidationError, InvalidConcern):
        fault = TOO_LONG if posted.one("narrative").strip() else EMPTY
        return _status_page(context, posted, now, faults={"narrative": fault}, status=ValidationFailed.status)
    except (ConcernErased, TooManyAdditions):
        return _status_page(context, posted, now, faults={"": CANNOT_BE_ADDED}, status=ValidationFailed.status)
    except IdempotencyKeyReused:
        fields = {**posted.fields, "key": [str(uuid.uuid4())]}
        faults, status = {"": ALREADY_ADDED}, ValidationFailed.status
        return _status_page(context, SubmittedForm(fields), now, faults=faults, status=status)
    except (StoreBusy, DBAPIError, NoConnectionInTime):
        return _status_page(context, posted, now, faults={"": NOT_ADDED}, status=ServiceUnavailable.status)


@router.get("/{reference}")
def read_filled_status_form(context: ContextDep, reference: Annotated[str, Path(max_length=40)]) -> Response:
    """Return the form with the reference filled in. It does not say whether that concern exists."""
    return _form(context, reference=reference)


def _without_words(posted: SubmittedForm) -> SubmittedForm:
    """Return the form with reference and code alone, so that the next addition has a key of its own."""
    return SubmittedForm({name: [posted.one(name)] for name in ("reference", "code")})


def _add(context: AppContext, posted: SubmittedForm, now: dt.datetime) -> AdditionReceipt:
    reference, key = posted.one("reference").strip(), posted.one("key") or str(uuid.uuid4())
    addition = Addition.model_validate(
        {"concern": {"narrative": posted.one("narrative")}}
        | ({"immediate_danger": posted.one("immediate_danger")} if posted.one("immediate_danger") else {})
    )
    with context.code_tries.guard(reference):
        result = context.follow_ups.add(
            addition,
            typed_reference=reference,
            status_token=posted.one("code").strip(),
            idempotency_key=key,
            at=now,
        )
    return AdditionReceipt.model_validate_json(result.receipt)


def _status_page(
    context: AppContext,
    posted: SubmittedForm,
    now: dt.datetime,
    *,
    faults: dict[str, str] | None = None,
    added: AdditionReceipt | None = None,
    status: int = 200,
) -> Response:
    """Return the status, with the form for more as it was posted. Raises `NoSuchConcern`."""
    code = posted.one("code").strip()
    concern = _read(context, posted.one("reference").strip(), code, now)
    return private_page(
        context,
        "concern_status.html",
        status=status,
        concern=concern,
        code=code,
        key=posted.one("key") or str(uuid.uuid4()),
        narrative=posted.one("narrative"),
        immediate_danger=posted.one("immediate_danger"),
        added=added,
        reference_aloud=spoken(concern.reference),
        outcome=_outcome(context, concern),
        messages=open_for_page(context, concern, code, now),
        **({"faults": {name: gettext(fault) for name, fault in faults.items()}} if faults else {}),
    )


def _read(context: AppContext, reference: str, code: str, now: dt.datetime) -> ConcernStatus:
    with context.code_tries.guard(reference):
        return context.follow_ups.read_status(typed_reference=reference, status_token=code, at=now)


def _outcome(context: AppContext, concern: ConcernStatus) -> str | None:
    labels = {code.code: code.label for code in context.reference_data.get_code_list("outcome").codes}
    return gettext(labels.get(concern.outcome or "", "")) or None


def _form(context: AppContext, *, reference: str = "", fault: str | None = None) -> Response:
    values: dict[str, Any] = {"faults": {"reference": gettext(fault)} if fault else {}, "reference": reference}
    status = NoSuchConcern.status if fault else 200
    contacts = list(context.emergency_contacts.current())
    return private_page(context, "status_form.html", status=status, contacts=contacts, **values)
