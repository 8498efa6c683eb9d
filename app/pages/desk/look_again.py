"""The form that sets the day on which a concern is to be looked at again."""

from fastapi import Response

from app.http.routes import GuidanceRouter
from app.models.desk.look_again import LookAgain
from app.pages.desk.actions import REFUSED, AttemptDep, lead_back, show_again
from app.pages.desk.inbox import CONCERN_PAGES
from app.pages.frame import DeskRoute
from app.services.desk import look_again

router = GuidanceRouter(prefix=CONCERN_PAGES, include_in_schema=False, route_class=DeskRoute)


@router.post("/{reference}/look-again")
def set_day_on_page(attempt: AttemptDep) -> Response:
    """The team's or the person's own, by `whose`; empty removes it."""
    try:
        fields = {"day": attempt.posted.one("day").strip() or None, "whose": attempt.posted.one("whose")}
        wanted = attempt.parse(LookAgain, fields)
        attempt.context.writer.run(look_again.set_day, attempt.reference, wanted, attempt.actor)
    except REFUSED as refusal:
        return show_again(attempt, "look_again", refusal)
    return lead_back(attempt)
