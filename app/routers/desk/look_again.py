"""Routes of the days on which a concern is to be looked at again."""

from app.errors import ConcernErased, NoSuchConcern
from app.http.context import WriterDep
from app.http.problems import BODY_PROBLEMS, problem_responses
from app.models.desk.look_again import LookAgain, LookAgainState
from app.routers.desk.actions import ONE_CONCERN, ReadingDep, WorkingDep, desk_router
from app.services.desk import look_again

router = desk_router(ONE_CONCERN)


@router.get("/look-again", summary="Get the days to look again", responses=problem_responses(NoSuchConcern))
def read_days_to_look_again(writer: WriterDep, request: ReadingDep) -> LookAgainState:
    """The team's day and your own. The inbox page shows the concern first from that day on."""
    return writer.run(look_again.read_both_days, request.reference, request.actor)


@router.put(
    "/look-again",
    summary="Set a day to look again",
    responses=problem_responses(NoSuchConcern, ConcernErased, *BODY_PROBLEMS),
)
def set_day_to_look_again(writer: WriterDep, request: WorkingDep, new_day: LookAgain) -> LookAgainState:
    """Set or remove the day of the team, or your own. Recorded in the audit log. No email is sent, and no event."""
    return writer.run(look_again.set_day, request.reference, new_day, request.actor)
