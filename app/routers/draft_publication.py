"""The publication of drafts: offered by one, published by another."""

from fastapi import Response

from app.errors import (
    DraftChanged,
    DraftNotNamed,
    FollowsAnotherEdition,
    NoSuchGuideDraft,
    SecondPersonNeeded,
    ValidationFailed,
)
from app.models.guidance.guide_drafts import DraftPublication, DraftResponse
from app.models.guidance.publishing import PublishedResponse
from app.models.links import edition_path
from app.presenters.guide_drafts import present_draft
from app.presenters.publications import present_published
from app.routers.params import GuideName
from app.services.guidance import guide_drafts as service
from app.store.guide_drafts import read_draft_record
from app.web.auth import EditorDep, PublisherDep
from app.web.context import ContextDep, NowDep, SessionDep
from app.web.draft_preconditions import DraftTag, draft_etag, expect_draft
from app.web.json_body import JSONRoute
from app.web.problem_responses import BODY_PROBLEMS, CREDENTIAL_PROBLEMS, RESPONSES_OF_CLIENT_ROUTES, problem_responses
from app.web.router import GuidanceRouter

router = GuidanceRouter(
    prefix="/v1/guides/{guide}/draft",
    tags=["Drafts"],
    responses=RESPONSES_OF_CLIENT_ROUTES,
    route_class=JSONRoute,
)


@router.post(
    "/offer",
    summary="Offer a draft for publication",
    operation_id="offer_draft",
    responses=problem_responses(NoSuchGuideDraft, DraftChanged, DraftNotNamed, ValidationFailed),
)
def offer_draft(
    *,
    response: Response,
    session: SessionDep,
    context: ContextDep,
    actor: EditorDep,
    now: NowDep,
    guide: GuideName,
    if_match: DraftTag = None,
) -> DraftResponse:
    """Say that the draft is ready for somebody else to publish. A change of its words takes that back."""
    draft = service.offer_draft(
        context.writer, context.reference_data, guide, expect_draft(if_match), by=actor.client, at=now
    )
    response.headers["ETag"] = draft_etag(draft)
    return present_draft(draft, read_draft_record(session, guide))


@router.post(
    "/publication",
    summary="Publish a draft",
    operation_id="publish_draft",
    status_code=201,
    responses=problem_responses(
        NoSuchGuideDraft,
        DraftChanged,
        DraftNotNamed,
        SecondPersonNeeded,
        FollowsAnotherEdition,
        *CREDENTIAL_PROBLEMS,
        *BODY_PROBLEMS,
    ),
)
def publish_draft(
    *,
    response: Response,
    context: ContextDep,
    actor: PublisherDep,
    now: NowDep,
    guide: GuideName,
    publication: DraftPublication,
    if_match: DraftTag = None,
) -> PublishedResponse:
    """Publish the draft as the guide's next edition, and end the draft. The edition can never be altered.

    The caller wrote no word of the draft since it was begun: another client or person did. `follows` says which edition
    it follows, or that the guide is new. A draft with faults is refused with all of them; the pointers are into its
    content.
    """
    published = service.publish_draft(
        context.writer,
        context.reference_data,
        guide,
        expect_draft(if_match),
        follows=publication.follows,
        by=actor.client,
        at=now,
    )
    response.headers["Location"] = edition_path(*published.key)
    return present_published(published)
