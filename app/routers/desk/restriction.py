"""Routes of the restriction of a concern to leads or to named people."""

from app.errors import ConcernErased, NoSuchConcern
from app.http.context import SubmissionsDep, WriterDep
from app.http.problems import BODY_PROBLEMS, problem_responses
from app.models.desk.restriction import Restriction, RestrictionState
from app.routers.desk.actions import ONE_CONCERN, ReadingDep, WorkingDep, desk_router
from app.services.desk import restriction

router = desk_router(ONE_CONCERN)


@router.get("/restriction", summary="Get the restriction", responses=problem_responses(NoSuchConcern))
def read_restriction(writer: WriterDep, request: ReadingDep) -> RestrictionState:
    """Who may open the concern: everyone at the desk, leads, or named people."""
    return writer.run(restriction.read_restriction, request.reference, request.actor)


@router.put(
    "/restriction",
    summary="Restrict a concern, or lift the restriction",
    responses=problem_responses(NoSuchConcern, ConcernErased, *BODY_PROBLEMS),
)
def set_restriction(
    writer: WriterDep, submissions: SubmissionsDep, request: WorkingDep, new_restriction: Restriction
) -> RestrictionState:
    """Only leads, or the named people, may open the concern. Everyone else is told that there is no such concern.

    Everyone who works at the desk may restrict an unrestricted concern to leads. Only a lead names people, or changes
    a restriction. A concern is unassigned if its person may no longer open it.
    A client is a lead if it acts for a person and has the scopes of a lead, or if it has `concerns:restricted`.
    """
    return writer.run(
        restriction.set_restriction, request.reference, new_restriction, request.actor, submissions.receipts
    )
