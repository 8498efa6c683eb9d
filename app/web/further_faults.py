"""Rules not yet tried, and unknown ids and codes, in a body with other faults: every fault comes in one round."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from fastapi import Request
from fastapi.security.utils import get_authorization_scheme_param
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionInTime

from app.errors import NoSuchConcern, TooManyTries
from app.faults import FaultCode, FieldError
from app.models.concerns.addition import Addition
from app.models.concerns.coded_fields import coded_values_in
from app.models.concerns.concern import Concern
from app.models.waiting_rules import find_waiting
from app.web.context import AppContext, context_of
from app.web.validation_messages import as_sentence

NO_STORE = (DBAPIError, NoConnectionInTime)
"""The store cannot be read. The known faults are right without it."""


def find_further(request: Request, body: Any, known: Sequence[FieldError]) -> list[FieldError]:
    """Return the faults of rules that the known faults kept from being tried, and those of unknown ids and codes."""
    model = _model_of(request)
    if not isinstance(body, dict) or model is None:
        return []
    waiting = find_waiting(model, body, [fault.at for fault in known])
    return [
        *(FieldError(at, as_sentence(str(reason)), reason.code) for at, reason in waiting),
        *_find_unknown(request, model, body, known),
    ]


def _find_unknown(
    request: Request, model: type[BaseModel], body: dict[str, Any], known: Sequence[FieldError]
) -> list[FieldError]:
    """Return a fault for each unknown id and code of the body, except where one of the known faults is."""
    context = context_of(request)
    if model is Concern:
        return find_unknown_in_concern(context, body, known)
    found = context.reference_data.faults_in(coded_values_in(model, body))
    if model is Addition:
        found += _unknown_ids_of_addition(request, context, body)
    return _without(known, found)


def _model_of(request: Request) -> type[BaseModel] | None:
    """Return the model of the bodies that the route takes."""
    field = getattr(request.scope.get("route"), "body_field", None)
    model = field.field_info.annotation if field is not None else None
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def find_unknown_in_concern(
    context: AppContext, body: Mapping[str, Any], known: Sequence[FieldError]
) -> list[FieldError]:
    """Return the same for a body that was meant as a concern."""
    found = context.reference_data.faults_in(coded_values_in(Concern, body))
    with suppress(*NO_STORE):
        found += context.submissions.resolver.unknown_ids_in(body)
    return _without(known, found)


def _unknown_ids_of_addition(request: Request, context: AppContext, body: Mapping[str, Any]) -> list[FieldError]:
    reference = request.path_params["reference"]
    _, token = get_authorization_scheme_param(request.headers.get("Authorization"))
    # A wrong token gets the answer to the body alone, and counts as a try.
    with suppress(NoSuchConcern, TooManyTries, *NO_STORE), context.code_tries.guard(reference):
        return context.follow_ups.unknown_ids_in(body, typed_reference=reference, status_token=token)
    return []


def _without(known: Sequence[FieldError], found: Sequence[FieldError]) -> list[FieldError]:
    return [fault for fault in found if not any(_covers(each, fault) for each in known)]


def _covers(known: FieldError, fault: FieldError) -> bool:
    """Whether the known fault is about the same value, or one around it."""
    is_around = known.at == fault.at[: len(known.at)]
    return is_around and (known.at == fault.at or (known.at != () and known.code is not FaultCode.UNKNOWN_FIELD))
