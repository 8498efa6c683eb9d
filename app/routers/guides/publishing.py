"""Routes that publish and withdraw editions and renditions."""

from functools import partial
from typing import Annotated, Any

from fastapi import Body, Header, Response, Security
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
    SecondPersonNeeded,
    ServiceUnavailable,
)
from app.http.auth import PublisherDep, require_client
from app.http.context import ContextDep, NowDep, SettingsDep, WriterDep
from app.http.json_bodies import JSONRoute
from app.http.params import EditionKeyDep, GuideName, RenditionKeyDep
from app.http.problems import BODY_PROBLEMS, CREDENTIAL_PROBLEMS, problem_responses
from app.http.responses import etag_of, gzip_etag, json_bytes, matches_etag
from app.http.routes import GuidanceRouter
from app.models.access.clients import Scope
from app.models.guides.edition_keys import EditionKey, RenditionKey
from app.models.guides.editions import EDITION_EXAMPLE, EditionContent
from app.models.guides.guides import PublishedResponse, WithdrawalRequest, WithdrawalResponse
from app.models.guides.renditions import (
    RENDITION_EXAMPLE,
    PublishedRenditionResponse,
    RenditionContent,
    RenditionWithdrawalResponse,
)
from app.services.audit.audit_log import Actor
from app.services.guides.editions import EditionHead
from app.services.guides.presenters import find_edition, present_edition, present_published, present_withdrawn
from app.services.guides.publishing import (
    Publication,
    publish_edition,
    publish_rendition,
    withdraw_published,
)

publishing_router = GuidanceRouter(
    prefix="/v1/guides/{guide}",
    tags=["Publishing"],
    dependencies=[Security(require_client, scopes=[Scope.PUBLISH])],
    responses=problem_responses(ServiceUnavailable, *CREDENTIAL_PROBLEMS),
    route_class=JSONRoute,
)
WITHDRAWN_ALREADY = "Already withdrawn for this reason."
IfMatch = Annotated[
    str | None,
    Header(
        max_length=1000,
        description="ETag of the current edition from `GET /v1/guides/{guide}`. Required unless the guide is new.",
        examples=['"0123456789abcdef0123456789abcdef"'],
    ),
]


@publishing_router.post(
    "/editions",
    operation_id="publish_edition",
    response_model=PublishedResponse,
    summary="Publish an edition",
    status_code=201,
    responses=problem_responses(
        NotFound, PreconditionFailed, PreconditionMissing, SecondPersonNeeded, *CREDENTIAL_PROBLEMS, *BODY_PROBLEMS
    )
    | {200: {"model": PublishedResponse, "description": "The current edition already has this content."}},
)
def post_edition(
    *,
    response: Response,
    context: ContextDep,
    now: NowDep,
    guide: GuideName,
    content: Annotated[EditionContent, Body(examples=[EDITION_EXAMPLE])],
    if_match: IfMatch = None,
) -> Any:
    """Publish the next edition of a guide. Published editions never change: publish a correction as a new edition.

    `If-Match` prevents two editors from following the same edition: the second gets 412. Retries are safe: sending
    the content of the current edition again returns 200 and changes nothing.

    If the council requires two people to publish, this returns 403 `second-person-needed`: save a draft instead.
    """
    check, two_people = partial(_check_if_match, if_match), context.settings.two_people_publish
    published = context.writer.run(
        publish_edition,
        context.reference_data,
        guide,
        content,
        at=now,
        two_people=two_people,
        precondition=check,
    )
    return _respond(response, published)


@publishing_router.post(
    "/renditions",
    operation_id="publish_rendition",
    response_model=PublishedRenditionResponse,
    summary="Publish a rendition",
    status_code=201,
    responses=problem_responses(
        NoSuchGuide, EditionAlreadyPublished, SecondPersonNeeded, *CREDENTIAL_PROBLEMS, *BODY_PROBLEMS
    )
    | {200: {"model": PublishedRenditionResponse, "description": "The latest rendition already has this content."}},
)
def post_rendition(
    response: Response,
    writer: WriterDep,
    settings: SettingsDep,
    now: NowDep,
    guide: GuideName,
    content: Annotated[RenditionContent, Body(examples=[RENDITION_EXAMPLE])],
) -> Any:
    """Publish an edition in another language or format. Publish a correction as the next number.

    Ids must exist in the edition. `of.digest` must be the digest of that edition. Retries are safe: sending the
    latest rendition again returns 200 and changes nothing.

    If the council requires two people to publish, this returns 403 `second-person-needed`.
    """
    two_people = settings.two_people_publish
    return _respond(response, writer.run(publish_rendition, guide, content, at=now, two_people=two_people))


@publishing_router.post(
    "/editions/{number}/withdrawal",
    summary="Withdraw an edition",
    status_code=201,
    response_model=WithdrawalResponse,
    responses=problem_responses(NoSuchGuide, NoSuchEdition, AlreadyWithdrawn, *BODY_PROBLEMS)
    | {200: {"model": WithdrawalResponse, "description": WITHDRAWN_ALREADY}},
)
def withdraw_edition(
    response: Response, writer: WriterDep, actor: PublisherDep, edition: EditionKeyDep, request: WithdrawalRequest
) -> WithdrawalResponse | RenditionWithdrawalResponse:
    """Withdraw an edition. Its content is kept, and reads return 410 with the reason."""
    return _withdraw(writer, edition, request, actor, response)


@publishing_router.post(
    "/renditions/{language}/{number}/withdrawal",
    summary="Withdraw a rendition",
    status_code=201,
    response_model=RenditionWithdrawalResponse,
    responses=problem_responses(NoSuchGuide, NoSuchRendition, AlreadyWithdrawn, *BODY_PROBLEMS)
    | {200: {"model": RenditionWithdrawalResponse, "description": WITHDRAWN_ALREADY}},
)
def withdraw_rendition(
    response: Response, writer: WriterDep, actor: PublisherDep, rendition: RenditionKeyDep, request: WithdrawalRequest
) -> WithdrawalResponse | RenditionWithdrawalResponse:
    """Withdraw a rendition. Its content is kept, and reads return 410 with the reason."""
    return _withdraw(writer, rendition, request, actor, response)


def _withdraw(
    writer: WriterDep, key: EditionKey | RenditionKey, request: WithdrawalRequest, actor: Actor, response: Response
) -> WithdrawalResponse | RenditionWithdrawalResponse:
    withdrawn = writer.run(withdraw_published, key, reason=request.reason, at=actor.at, by=actor.client)
    response.status_code = 201 if withdrawn.is_new else 200
    return present_withdrawn(key, withdrawn.withdrawn_at, request.reason)


def _respond(response: Response, published: Publication[Any]) -> Any:
    response.status_code = 201 if published.is_new else 200
    presented = present_published(published)
    response.headers["Location"] = presented.links["self"]
    return presented


def _check_if_match(if_match: str | None, session: Session, current: EditionHead | None) -> None:
    """Check that `if_match` has the ETag of the current edition `current`, or that both are None.

    Raise `PreconditionMissing` if there is an edition but no ETag. Raise `PreconditionFailed` if there is an ETag but
    no edition, or if the edition has another ETag.
    """
    if current is None:
        if if_match is not None:
            raise PreconditionFailed
        return
    if if_match is None:
        raise PreconditionMissing
    etag = etag_of(json_bytes(present_edition(find_edition(session, current.guide))))
    tags = (etag, gzip_etag(etag))  # the ETag of a response without gzip, and with gzip
    if not any(matches_etag([if_match], tag) for tag in tags):
        raise PreconditionFailed
