"""The page with the checks of the first day and of `guidance doctor`, for leads."""

from itertools import groupby

from fastapi import Response

from app.pages.frame import DeskRouter, LeadVisitDep
from app.services.operations.check_model import WORST_FIRST, Condition, Finding
from app.services.operations.first_day import is_to_do, state_of_step

router = DeskRouter()


@router.get("/checks")
def read_checks(visit: LeadVisitDep) -> Response:
    """At most a minute old; while another request runs them, the last."""
    examination = visit.context.examiner.examine()
    if examination is None:
        return visit.page("desk_checks.html", examination=None)
    return visit.page(
        "desk_checks.html",
        examination=examination,
        steps=[(step, state_of_step(verdict), verdict) for step, verdict in examination.steps],
        is_over=not any(is_to_do(verdict) for _step, verdict in examination.steps),
        found=by_condition(examination.findings),
    )


def by_condition(findings: tuple[Finding, ...]) -> dict[Condition, list[Finding]]:
    """The worst first."""
    ordered = sorted(findings, key=lambda each: WORST_FIRST.index(each.condition))
    return {condition: list(group) for condition, group in groupby(ordered, key=lambda each: each.condition)}
