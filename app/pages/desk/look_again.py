"""The form that sets the day on which a concern is to be looked at again."""

from fastapi import Response

from app.http.routes import GuidanceRouter
from app.models.concerns.fields import YesNo
from app.models.desk.look_again import LookAgain, Whose
from app.pages.desk.actions import REFUSED, AttemptDep, lead_back, show_again
from app.pages.desk.inbox import CONCERN_PAGES
from app.pages.frame import DeskRoute
from app.services.desk import look_again

router = GuidanceRouter(prefix=CONCERN_PAGES, include_in_schema=False, route_class=DeskRoute)


@router.post("/{reference}/look-again")
def set_day_on_page(attempt: AttemptDep) -> Response:
    """The team's, the person's own or the officer's, by `whose`; empty removes it. `allegation` sets the officer's."""
    posted, actor, writer = attempt.posted, attempt.actor, attempt.context.writer
    is_allegation, receipts = posted.one("allegation") == YesNo.YES, attempt.context.submissions.receipts
    try:
        if officer_by := receipts.officer_by(is_allegation=is_allegation, at=actor.at):
            writer.run(look_again.mark_allegation, attempt.reference, officer_by, actor)
        else:
            fields = {"day": posted.one("day").strip() or None, "whose": posted.one("whose")}
            writer.run(look_again.set_day, attempt.reference, attempt.parse(LookAgain, fields), actor)
    except REFUSED as refusal:
        return show_again(attempt, "officer" if posted.one("whose") == Whose.OFFICER else "look_again", refusal)
    return lead_back(attempt)
