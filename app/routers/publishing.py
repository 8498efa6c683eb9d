"""Publishing and withdrawing over HTTP."""

from functools import partial
from typing import Annotated

from fastapi import Body, Header, Response, Security
from sqlmodel import Session

from app.errors import (
    AlreadyWithdrawn,
    NoSuchEdition,
    NoSuchGuide,
    NotFound,
    PreconditionFailed,
    PreconditionMissing,
    ServiceUnavailable,
)
from app.models.clients import Scope
from app.models.guidance.edition_example import EDITION_EXAMPLE
from app.models.guidance.editions import EditionContent
from app.models.guidance.guide_responses import EditionStatus
from app.models.guidance.publishing import PublishedResponse, WithdrawalRequest, WithdrawalResponse
from app.models.links import edition_path
from app.presenters.guides import present_edition
from app.presenters.publications import links_of_act, present_published
from app.routers.params import EditionNumber, GuideName
from app.services.guidance.publishing import NewEdition, publish_edition, withdraw_published
from app.store.editions import EditionHead, EditionKey, read_content
from app.web.auth import require_client
from app.web.context import ContextDep, NowDep
from app.web.json_body import JSONRoute
from app.web.problem_responses import BODY_PROBLEMS, CREDENTIAL_PROBLEMS, problem_responses
from app.web.responses import etag_of, gzip_etag, json_bytes, matches_etag
from app.web.router import GuidanceRouter

router = GuidanceRouter(
    prefix="/v1/guides/{guide}/editions",
    tags=["Publishing"],
    dependencies=[Security(require_client, scopes=[Scope.PUBLISH])],
    responses=problem_responses(ServiceUnavailable, *CREDENTIAL_PROBLEMS),
    route_class=JSONRoute,
)


IfMatch = Annotated[
    str | None,
    Header(
        max_length=1000,
        description="The ETag of `GET /v1/guides/{guide}` that this edition follows. Needed unless the guide is new.",
        examples=['"0123456789abcdef0123456789abcdef"'],
    ),
]


@router.post(
    "",
    operation_id="publish_edition",
    summary="Publish an edition",
    status_code=201,
    responses=problem_responses(NotFound, PreconditionFailed, PreconditionMissing, *BODY_PROBLEMS)
    | {200: {"model": PublishedResponse, "description": "The same words are already the current edition."}},
)
def publish(
    *,
    response: Response,
    context: ContextDep,
    now: NowDep,
    guide: GuideName,
    content: Annotated[EditionContent, Body(examples=[EDITION_EXAMPLE])],
    if_match: IfMatch = None,
) -> PublishedResponse:
    """Publish the words as the guide's next edition. It can never be altered: a correction is the next number.

    `If-Match` guards against two editors who both follow the same edition: the second is refused with 412. Sending
    the current edition's words again answers 200 and changes nothing, so that a retry is safe.
    """
    published = publish_edition(
        context.writer,
        context.reference_data,
        NewEdition(guide, content),
        at=now,
        precondition=partial(_check_if_match, if_match),
    )
    response.status_code = 201 if published.is_new else 200
    response.headers["Location"] = edition_path(*published.key)
    return present_published(published)


@router.post(
    "/{number}/withdrawal",
    operation_id="withdraw_edition",
    summary="Withdraw an edition",
    status_code=201,
    responses=problem_responses(NoSuchGuide, NoSuchEdition, AlreadyWithdrawn, *BODY_PROBLEMS)
    | {200: {"model": WithdrawalResponse, "description": "It was already withdrawn for this reason."}},
)
def post_withdrawal(
    response: Response,
    context: ContextDep,
    now: NowDep,
    guide: GuideName,
    number: EditionNumber,
    request: WithdrawalRequest,
) -> WithdrawalResponse:
    """Take an edition back. Its words stay on record; every read of it answers 410 with the reason from now on."""
    key = EditionKey(guide, number)
    withdrawn = withdraw_published(context.writer, key, reason=request.reason, at=now)
    response.status_code = 201 if withdrawn.is_new else 200
    return WithdrawalResponse(
        guide=guide,
        edition=number,
        withdrawn_at=withdrawn.withdrawn_at,
        reason=request.reason,
        links=links_of_act(key),
    )


def _check_if_match(if_match: str | None, session: Session, current: EditionHead | None) -> None:
    """Raise unless the header has the ETag of the current edition, or there is neither."""
    if current is None:
        if if_match is not None:
            raise PreconditionFailed
        return
    if if_match is None:
        raise PreconditionMissing
    etag = etag_of(json_bytes(present_edition(current, read_content(session, current.key), EditionStatus.CURRENT)))
    tags = (etag, gzip_etag(etag))  # as it was read, without gzip or with it
    if not any(matches_etag([if_match], tag) for tag in tags):
        raise PreconditionFailed
