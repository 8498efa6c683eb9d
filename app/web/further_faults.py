"""Unknown ids and codes in a body with other faults, so that a caller learns of every fault in one round."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
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
from app.web.context import AppContext, context_of

NO_STORE = (DBAPIError, NoConnectionInTime)
"""The store cannot be read. The known faults are right without it."""


def find_unknown(request: Request, body: Any, known: Sequence[FieldError]) -> list[FieldError]:
    """Return a fault for each unknown id and code of the body, except where one of the known faults is."""
    field = getattr(request.scope.get("route"), "body_field", None)
    model = field.field_info.annotation if field is not None else None
    if not isinstance(body, dict) or not isinstance(model, type) or not issubclass(model, BaseModel):
        return []
    context = context_of(request)
    if model is Concern:
        return find_unknown_in_concern(context, body, known)
    found = context.reference_data.faults_in(coded_values_in(model, body))
    if model is Addition:
        found += _unknown_ids_of_addition(request, context, body)
    return _without(known, found)


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
    find = partial(context.follow_ups.unknown_ids_in, body, typed_reference=reference, status_token=token)
    # A wrong token gets the answer to the body alone, and counts as a try.
    with suppress(NoSuchConcern, TooManyTries, *NO_STORE):
        return context.code_tries.guard(reference, find)
    return []


def _without(known: Sequence[FieldError], found: Sequence[FieldError]) -> list[FieldError]:
    return [fault for fault in found if not any(_covers(each, fault) for each in known)]


def _covers(known: FieldError, fault: FieldError) -> bool:
    """Whether the known fault is about the same value, or one around it."""
    is_around = known.at == fault.at[: len(known.at)]
    return is_around and (known.at == fault.at or (known.at != () and known.code is not FaultCode.UNKNOWN_FIELD))
