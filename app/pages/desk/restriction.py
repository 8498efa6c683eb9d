"""The form that restricts a concern to leads or to named people, or lifts the restriction."""

from fastapi import Response
from sqlmodel import Session

from app.http.routes import GuidanceRouter
from app.models.desk.restriction import Restriction
from app.pages.desk.actions import REFUSED, AttemptDep, lead_back, show_again
from app.pages.desk.inbox import CONCERN_PAGES
from app.pages.frame import DeskRoute
from app.services.audit.restrictions import is_openable
from app.services.desk import restriction

router = GuidanceRouter(prefix=CONCERN_PAGES, include_in_schema=False, route_class=DeskRoute)
NOT_FOR_YOU = ("The concern is restricted", "You cannot open it any more. The people who may are not told by email.")


@router.post("/{reference}/restriction")
def set_restriction_on_page(attempt: AttemptDep) -> Response:
    """Who may no longer open it is told so on a page. Raise `ScopeMissing`, as `set_restriction`."""
    context, reference = attempt.context, attempt.reference
    try:
        fields = attempt.typed(Restriction) | {"people": attempt.posted.many("people")}
        wanted, receipts = attempt.parse(Restriction, fields), context.submissions.receipts
        context.writer.run(restriction.set_restriction, reference, wanted, attempt.actor, receipts)
    except REFUSED as refusal:
        return show_again(attempt, "restriction", refusal)
    with Session(context.engine) as session:
        if is_openable(session, reference, attempt.actor):
            return lead_back(attempt)
    heading, message = NOT_FOR_YOU
    return attempt.page("desk_message.html", heading=heading, message=message, reference=None)
