"""Publishing and withdrawing renditions over HTTP."""

from typing import Annotated

from fastapi import Body, Response, Security

from app.errors import AlreadyWithdrawn, EditionAlreadyPublished, NoSuchGuide, NoSuchRendition, ServiceUnavailable
from app.models.clients import Scope
from app.models.guidance.publishing import WithdrawalRequest
from app.models.guidance.rendition_content import RenditionContent
from app.models.guidance.rendition_example import RENDITION_EXAMPLE
from app.models.guidance.rendition_responses import PublishedRenditionResponse, RenditionWithdrawalResponse
from app.models.links import Links, guide_path, rendition_path, renditions_path
from app.routers.params import GuideName, LanguageName, RenditionNumber
from app.services.guidance.publishing import publish_rendition, withdraw_published
from app.store.editions import RenditionKey
from app.web.auth import require_client
from app.web.context import ContextDep, NowDep
from app.web.json_body import JSONRoute
from app.web.problem_responses import BODY_PROBLEMS, CREDENTIAL_PROBLEMS, problem_responses
from app.web.router import GuidanceRouter

router = GuidanceRouter(
    prefix="/v1/guides/{guide}/renditions",
    tags=["Publishing"],
    dependencies=[Security(require_client, scopes=[Scope.PUBLISH])],
    responses=problem_responses(ServiceUnavailable, *CREDENTIAL_PROBLEMS),
    route_class=JSONRoute,
)


@router.post(
    "",
    operation_id="publish_rendition",
    summary="Publish a rendition",
    status_code=201,
    responses=problem_responses(NoSuchGuide, EditionAlreadyPublished, *BODY_PROBLEMS)
    | {200: {"model": PublishedRenditionResponse, "description": "The newest rendition already has these words."}},
)
def post_rendition(
    response: Response,
    context: ContextDep,
    now: NowDep,
    guide: GuideName,
    content: Annotated[RenditionContent, Body(examples=[RENDITION_EXAMPLE])],
) -> PublishedRenditionResponse:
    """Publish the edition's words in another language or form. A correction is the next number.

    Its ids are those of the edition: an unknown one is refused. `of.digest` makes sure that these words were rendered.
    Sending the newest rendition again answers 200 and changes nothing, so that a retry is safe.
    """
    published = publish_rendition(context.writer, guide, content, at=now)
    key = published.key
    response.status_code = 201 if published.is_new else 200
    response.headers["Location"] = rendition_path(*key)
    return PublishedRenditionResponse(
        guide=guide,
        language=key.language,
        number=key.number,
        digest=published.digest,
        published_at=published.published_at,
        links=_links(key),
    )


@router.post(
    "/{language}/{number}/withdrawal",
    operation_id="withdraw_rendition",
    summary="Withdraw a rendition",
    status_code=201,
    responses=problem_responses(NoSuchGuide, NoSuchRendition, AlreadyWithdrawn, *BODY_PROBLEMS)
    | {200: {"model": RenditionWithdrawalResponse, "description": "It was already withdrawn for this reason."}},
)
def post_rendition_withdrawal(
    *,
    response: Response,
    context: ContextDep,
    now: NowDep,
    guide: GuideName,
    language: LanguageName,
    number: RenditionNumber,
    request: WithdrawalRequest,
) -> RenditionWithdrawalResponse:
    """Take a rendition back. Its words stay on record; every read of it answers 410 with the reason from now on."""
    key = RenditionKey(guide, language, number)
    withdrawn = withdraw_published(context.writer, key, reason=request.reason, at=now)
    response.status_code = 201 if withdrawn.is_new else 200
    return RenditionWithdrawalResponse(
        guide=guide,
        language=language,
        number=number,
        withdrawn_at=withdrawn.withdrawn_at,
        reason=request.reason,
        links=_links(key),
    )


def _links(key: RenditionKey) -> Links:
    return {"self": rendition_path(*key), "guide": guide_path(key.guide), "collection": renditions_path(key.guide)}
