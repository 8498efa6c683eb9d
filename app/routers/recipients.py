"""The keys that everything at the desk is sealed to, for those who seal before they send."""

from app.models.desk.notes import RecipientsResponse
from app.models.links import DESK_RECIPIENTS
from app.web.auth import ReaderDep
from app.web.context import ContextDep
from app.web.problem_responses import RESPONSES_OF_CLIENT_ROUTES
from app.web.router import GuidanceRouter

router = GuidanceRouter(tags=["Desk"], responses=RESPONSES_OF_CLIENT_ROUTES)


@router.get(DESK_RECIPIENTS, summary="List the keys that notes are sealed to")
def read_recipients(context: ContextDep, _actor: ReaderDep) -> RecipientsResponse:
    """The age recipients of this service. Who knows them already finds here whether one was added or is gone."""
    recipients = tuple(map(str, context.submissions.sealer.recipients))
    return RecipientsResponse(recipients=recipients, links={"self": DESK_RECIPIENTS})
