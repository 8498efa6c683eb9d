"""Unknown ids and codes in a body with other faults, so that a caller learns of every fault in one round."""

from collections.abc import Sequence
from typing import Any

from fastapi import Request
from pydantic import BaseModel

from app.faults import FaultCode, FieldError
from app.models.concerns.coded_fields import coded_values_in
from app.models.concerns.concern import Concern
from app.web.context import context_of


def find_unknown(request: Request, body: Any, known: Sequence[FieldError]) -> list[FieldError]:
    """Return a fault for each unknown id and code of the body, except where one of the known faults is."""
    field = getattr(request.scope.get("route"), "body_field", None)
    model = field.field_info.annotation if field is not None else None
    if not isinstance(body, dict) or not isinstance(model, type) or not issubclass(model, BaseModel):
        return []
    context = context_of(request)
    found = context.reference_data.faults_in(coded_values_in(model, body))
    if model is Concern:
        found += context.submissions.resolver.unknown_ids_in(body)
    return [fault for fault in found if not any(_covers(each, fault) for each in known)]


def _covers(known: FieldError, fault: FieldError) -> bool:
    """Whether the known fault is about the same value, or one around it."""
    is_around = known.at == fault.at[: len(known.at)]
    return is_around and (known.at == fault.at or (known.at != () and known.code is not FaultCode.UNKNOWN_FIELD))
