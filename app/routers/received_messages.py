"""Messages of the desk, for the reporter."""

from app.errors import NoSuchConcern, ServiceUnavailable, TokenMissing
from app.models.concerns.messages import ReceivedMessages
from app.models.links import CONCERNS
from app.routers.params import TypedReference
from app.services.concerns.messages import open_messages
from app.web.auth import StatusTokenDep
from app.web.context import ContextDep, NowDep
from app.web.problem_responses import problem_responses
from app.web.router import GuidanceRouter

router = GuidanceRouter(prefix=CONCERNS, tags=["Concerns"])


@router.get(
    "/{reference}/messages",
    summary="Read messages of the duty team",
    responses=problem_responses(TokenMissing, NoSuchConcern, ServiceUnavailable),
)
def read_messages(
    context: ContextDep, status_token: StatusTokenDep, now: NowDep, reference: TypedReference
) -> ReceivedMessages:
    """What the duty team sent, for the holder of the status token, which opens it. The answer is an addition.

    The team sees when a message was first read, and nothing else about the reader.
    """
    with context.code_tries.guard(reference):
        return open_messages(context.follow_ups, typed_reference=reference, status_token=status_token, at=now)
