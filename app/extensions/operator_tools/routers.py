"""The page with the checks of the first day and of `guidance doctor`, for leads."""

from itertools import groupby

from fastapi import Response

from app.extensions.operator_tools.services.doctor import Examiner, Finding
from app.extensions.operator_tools.services.first_day import is_to_do, state_of_step
from app.pages.frame import DeskRouter, LeadVisitDep
from app.services.operations.check_model import WORST_FIRST, Condition

router = DeskRouter()
ROUTERS = (router,)


@router.get("/checks")
def read_checks(visit: LeadVisitDep) -> Response:
    """At most a minute old; while another request runs them, the last."""
    context = visit.context
    made = Examiner(context.settings, context.clock)
    examination = context.of_extensions.setdefault(Examiner, made).examine()
    if examination is None:
        return visit.page("desk_checks.html", examination=None)
    return visit.page(
        "desk_checks.html",
        examination=examination,
        steps=[(step, state_of_step(verdict), verdict) for step, verdict in examination.steps],
        is_over=not any(is_to_do(verdict) for _step, verdict in examination.steps),
        found=_by_condition(examination.findings),
    )


def _by_condition(findings: tuple[Finding, ...]) -> dict[Condition, list[Finding]]:
    """The worst first."""
    ordered = sorted(findings, key=lambda each: WORST_FIRST.index(each.condition))
    return {condition: list(group) for condition, group in groupby(ordered, key=lambda each: each.condition)}
