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


def find_unknown(request: Request, body: Any, known: Sequence[FieldError]) -> list[FieldError]:
    """Return a fault for each unknown id and code of the body, except where one of the known faults is."""
    field = getattr(request.scope.get("route"), "body_field", None)
    model = field.field_info.annotation if field is not None else None
    if not isinstance(body, dict) or not isinstance(model, type) or not issubclass(model, BaseModel):
        return []
    context = context_of(request)
    found = context.reference_data.faults_in(coded_values_in(model, body))
    with suppress(DBAPIError, NoConnectionInTime):  # the known faults are right without the store, too
        found += _unknown_ids(request, context, model, body)
    return [fault for fault in found if not any(_covers(each, fault) for each in known)]


def _unknown_ids(
    request: Request, context: AppContext, model: type[BaseModel], body: Mapping[str, Any]
) -> list[FieldError]:
    if model is Concern:
        return context.submissions.resolver.unknown_ids_in(body)
    if model is not Addition:
        return []
    reference = request.path_params["reference"]
    _, token = get_authorization_scheme_param(request.headers.get("Authorization"))
    find = partial(context.follow_ups.unknown_ids_in, body, typed_reference=reference, status_token=token)
    with suppress(NoSuchConcern, TooManyTries):  # a wrong token gets the answer to the body alone, and counts as a try
        return context.code_tries.guard(reference, find)
    return []


def _covers(known: FieldError, fault: FieldError) -> bool:
    """Whether the known fault is about the same value, or one around it."""
    is_around = known.at == fault.at[: len(known.at)]
    return is_around and (known.at == fault.at or (known.at != () and known.code is not FaultCode.UNKNOWN_FIELD))
