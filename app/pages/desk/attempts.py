"""The forms that workers send about a concern, as what a route gets."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request

from app.pages.desk.carrying_out import Attempt
from app.pages.desk.inbox import ConcernReferenceInPath
from app.pages.form.form_data import SubmittedFormDep
from app.presenters.desk import reference_of
from app.web.context import context_of
from app.web.people import PageWorkerDep


def attempt_with(form: str, *, anchor: str = "acts") -> Callable[..., Coroutine[Any, Any, Attempt]]:
    """Return the dependency of a route that takes that form. Only people who may act get through it."""

    async def read_attempt(
        *,
        request: Request,
        visitor: PageWorkerDep,
        posted: SubmittedFormDep,
        reference: ConcernReferenceInPath,
    ) -> Attempt:
        context = context_of(request)
        return Attempt(context, visitor, context.clock(), reference_of(reference), posted, form, anchor)

    return read_attempt
