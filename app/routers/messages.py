"""Messages of the desk to a reporter: sending one, and what was sent."""

from typing import Annotated

from fastapi import Body, Request, Response

from app.errors import (
    ConcernErased,
    IdempotencyKeyReused,
    NoSuchConcern,
    SeveralIdempotencyKeys,
    TooManyMessages,
)
from app.models.desk.messages import Message, MessageEntry, MessagesResponse
from app.models.links import desk_messages_path
from app.presenters.desk import reference_of
from app.routers.params import ConcernReference, IdempotencyKey, expect_one_key_at_most
from app.services.desk import messages
from app.web.auth import ReaderDep, WorkerDep
from app.web.context import ContextDep, NowDep
from app.web.idempotency import created_response, keys_from
from app.web.json_body import JSONRoute
from app.web.problem_responses import BODY_PROBLEMS, RESPONSES_OF_CLIENT_ROUTES, problem_responses
from app.web.router import GuidanceRouter

router = GuidanceRouter(
    prefix="/v1/desk/concerns/{reference}/messages",
    tags=["Desk"],
    responses=RESPONSES_OF_CLIENT_ROUTES,
    route_class=JSONRoute,
)


@router.get("", summary="List messages to the reporter", responses=problem_responses(NoSuchConcern))
def list_messages(context: ContextDep, actor: ReaderDep, now: NowDep, reference: ConcernReference) -> MessagesResponse:
    """What was sent to the reporter: when, whether it was read, and which addition answers it. The words are sealed."""
    return messages.read_sent_messages(context.writer, reference_of(reference), actor=actor, at=now)


@router.post(
    "",
    summary="Send a message to the reporter",
    status_code=201,
    response_model=MessageEntry,
    responses=problem_responses(
        NoSuchConcern,
        ConcernErased,
        TooManyMessages,
        SeveralIdempotencyKeys,
        IdempotencyKeyReused,
        *BODY_PROBLEMS,
    ),
)
def send_message(
    *,
    request: Request,
    context: ContextDep,
    actor: WorkerDep,
    now: NowDep,
    reference: ConcernReference,
    message: Annotated[Message, Body(examples=[{"text": "Which school does Alex Example go to?"}])],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """A question or a word to the reporter, which only the holder of the status token can read. 201: it is on the disk.

    The reporter sees that there is a message at the status of the concern, and answers by an addition.
    """
    expect_one_key_at_most(request)
    parsed = reference_of(reference)
    keys = keys_from(idempotency_key, client=f"{actor.client}, message to {parsed}")
    sent = messages.send_message(context.engine, context.writer, parsed, message, keys=keys, actor=actor, at=now)
    return created_response(sent, desk_messages_path(parsed))
