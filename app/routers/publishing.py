"""Publishing and withdrawing editions and renditions over HTTP."""

from functools import partial
from typing import Annotated

from fastapi import Body, Depends, Header, Response, Security
from sqlmodel import Session

from app.errors import (
    AlreadyWithdrawn,
    EditionAlreadyPublished,
    NoSuchEdition,
    NoSuchGuide,
    NoSuchRendition,
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
from app.models.guidance.renditions import (
    RENDITION_EXAMPLE,
    PublishedRenditionResponse,
    RenditionContent,
    RenditionWithdrawalResponse,
)
from app.models.links import edition_path, rendition_path
from app.presenters.guides import present_edition
from app.presenters.publications import links_of_act, present_published
from app.routers.params import Asked, EditionNumber, GuideName, ask_numbered_rendition
from app.services.guidance.publishing import NewEdition, publish_edition, publish_rendition, withdraw_published
from app.store.editions import EditionHead, EditionKey, RenditionKey, read_content
from app.web.auth import require_client
from app.web.context import NowDep, ReferenceDataDep, WriterDep
from app.web.json_body import JSONRoute
from app.web.problem_responses import BODY_PROBLEMS, CREDENTIAL_PROBLEMS, problem_responses
from app.web.responses import etag_of, gzip_etag, json_bytes, matches_etag
from app.web.router import GuidanceRouter

router = GuidanceRouter(
    prefix="/v1/guides/{guide}",
    tags=["Publishing"],
    dependencies=[Security(require_client, scopes=[Scope.PUBLISH])],
    responses=problem_responses(ServiceUnavailable, *CREDENTIAL_PROBLEMS),
    route_class=JSONRoute,
)
WITHDRAWN_ALREADY = "It was already withdrawn for this reason."
IfMatch = Annotated[
    str | None,
    Header(
        max_length=1000,
        description="The ETag of `GET /v1/guides/{guide}` that this edition follows. Needed unless the guide is new.",
        examples=['"0123456789abcdef0123456789abcdef"'],
    ),
]


@router.post(
    "/editions",
    operation_id="publish_edition",
    summary="Publish an edition",
    status_code=201,
    responses=problem_responses(NotFound, PreconditionFailed, PreconditionMissing, *BODY_PROBLEMS)
    | {200: {"model": PublishedResponse, "description": "The same words are already the current edition."}},
)
def post_edition(
    *,
    response: Response,
    reference_data: ReferenceDataDep,
    writer: WriterDep,
    now: NowDep,
    guide: GuideName,
    content: Annotated[EditionContent, Body(examples=[EDITION_EXAMPLE])],
    if_match: IfMatch = None,
) -> PublishedResponse:
    """Publish the words as the guide's next edition. It can never be altered: a correction is the next number.

    `If-Match` guards against two editors who both follow the same edition: the second is refused with 412. Sending
    the current edition's words again answers 200 and changes nothing, so that a retry is safe.
    """
    check, new = partial(_check_if_match, if_match), NewEdition(guide, content)
    published = publish_edition(writer, reference_data, new, at=now, precondition=check)
    response.status_code = 201 if published.is_new else 200
    response.headers["Location"] = edition_path(*published.key)
    return present_published(published)


@router.post(
    "/editions/{number}/withdrawal",
    operation_id="withdraw_edition",
    summary="Withdraw an edition",
    status_code=201,
    responses=problem_responses(NoSuchGuide, NoSuchEdition, AlreadyWithdrawn, *BODY_PROBLEMS)
    | {200: {"model": WithdrawalResponse, "description": WITHDRAWN_ALREADY}},
)
def post_withdrawal(
    response: Response,
    writer: WriterDep,
    now: NowDep,
    guide: GuideName,
    number: EditionNumber,
    request: WithdrawalRequest,
) -> WithdrawalResponse:
    """Take an edition back. Its words stay on record; every read of it answers 410 with the reason from now on."""
    key = EditionKey(guide, number)
    withdrawn = withdraw_published(writer, key, reason=request.reason, at=now)
    response.status_code = 201 if withdrawn.is_new else 200
    return WithdrawalResponse(
        guide=guide,
        edition=number,
        withdrawn_at=withdrawn.withdrawn_at,
        reason=request.reason,
        links=links_of_act(key),
    )


@router.post(
    "/renditions",
    operation_id="publish_rendition",
    summary="Publish a rendition",
    status_code=201,
    responses=problem_responses(NoSuchGuide, EditionAlreadyPublished, *BODY_PROBLEMS)
    | {200: {"model": PublishedRenditionResponse, "description": "The newest rendition already has these words."}},
)
def post_rendition(
    response: Response,
    writer: WriterDep,
    now: NowDep,
    guide: GuideName,
    content: Annotated[RenditionContent, Body(examples=[RENDITION_EXAMPLE])],
) -> PublishedRenditionResponse:
    """Publish the edition's words in another language or form. A correction is the next number.

    Its ids are those of the edition: an unknown one is refused. `of.digest` makes sure that these words were rendered.
    Sending the newest rendition again answers 200 and changes nothing, so that a retry is safe.
    """
    published = publish_rendition(writer, guide, content, at=now)
    response.status_code = 201 if published.is_new else 200
    response.headers["Location"] = rendition_path(*published.key)
    return PublishedRenditionResponse(
        **published.key._asdict(),
        digest=published.digest,
        published_at=published.published_at,
        links=links_of_act(published.key),
    )


@router.post(
    "/renditions/{language}/{number}/withdrawal",
    operation_id="withdraw_rendition",
    summary="Withdraw a rendition",
    status_code=201,
    responses=problem_responses(NoSuchGuide, NoSuchRendition, AlreadyWithdrawn, *BODY_PROBLEMS)
    | {200: {"model": RenditionWithdrawalResponse, "description": WITHDRAWN_ALREADY}},
)
def post_rendition_withdrawal(
    response: Response,
    writer: WriterDep,
    now: NowDep,
    asked: Annotated[Asked, Depends(ask_numbered_rendition)],
    request: WithdrawalRequest,
) -> RenditionWithdrawalResponse:
    """Take a rendition back. Its words stay on record; every read of it answers 410 with the reason from now on."""
    key = RenditionKey(asked.guide, asked.language or "", asked.number or 0)
    withdrawn = withdraw_published(writer, key, reason=request.reason, at=now)
    response.status_code = 201 if withdrawn.is_new else 200
    return RenditionWithdrawalResponse(
        **key._asdict(), withdrawn_at=withdrawn.withdrawn_at, reason=request.reason, links=links_of_act(key)
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
