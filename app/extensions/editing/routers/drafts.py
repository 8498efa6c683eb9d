"""Routes of drafts of guides: saving, reading, checking and comparing drafts, and their publication by two people."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import Body, Depends, Header, Response, Security
from pydantic import JsonValue

from app.errors import (
    DraftChanged,
    DraftNotNamed,
    EditionWithdrawn,
    FieldError,
    FollowsAnotherEdition,
    InvalidEdition,
    NoSuchGuide,
    NoSuchGuideDraft,
    NotFound,
    SecondPersonNeeded,
    ValidationFailed,
)
from app.extensions.editing.models.drafts import (
    DRAFT_EXAMPLE,
    DraftChangesResponse,
    DraftCheckResponse,
    DraftPublication,
    DraftRemark,
    DraftResponse,
)
from app.extensions.editing.services.draft_checks import check_draft, read_partly
from app.extensions.editing.services.draft_review import offer_draft, publish_draft
from app.extensions.editing.services.drafts import (
    DraftAct,
    discard_draft,
    get_guide_draft,
    read_draft_record,
    write_guide_draft,
)
from app.extensions.editing.tables import GuideDraftRow
from app.http.auth import EditorDep, require_actor
from app.http.context import ContextDep, NowDep, ReferenceDataDep, SessionDep, SettingsDep, WriterDep
from app.http.field_errors import json_pointer
from app.http.json_bodies import JSONRoute
from app.http.params import GuideName
from app.http.problems import BODY_PROBLEMS, CREDENTIAL_PROBLEMS, RESPONSES_OF_CLIENT_ROUTES, problem_responses
from app.http.responses import matches_etag
from app.http.routes import GuidanceRouter
from app.models.access.clients import Scope
from app.models.guides.comparison import changed_fields, changed_sections
from app.models.guides.guides import PublishedResponse
from app.models.links import Links, draft_path, edition_path, guide_path, history_path
from app.services.audit.audit_log import Actor
from app.services.guides.editions import get_current
from app.services.guides.presenters import present_published

router = GuidanceRouter(
    prefix="/v1/guides/{guide}/draft",
    tags=["Drafts"],
    responses=RESPONSES_OF_CLIENT_ROUTES,
    route_class=JSONRoute,
)
NO_FRACTION = "Write this number without a fraction or an exponent."
DraftTag = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=1000,
        description="ETag of the draft you read. Required unless the guide has no draft.",
        examples=['"draft-3"'],
    ),
]


async def get_draft_act(
    guide: GuideName, actor: Annotated[Actor, Depends(require_actor)], now: NowDep, if_match: DraftTag = None
) -> DraftAct:
    """Return the caller's action on the draft whose ETag is in `If-Match`, as a FastAPI dependency.

    It raises `DraftNotNamed` if `If-Match` is missing and there is a draft, and `DraftChanged` if there is no draft
    with this ETag.
    """
    return DraftAct(guide, actor.client, now, precondition=partial(_check_tag, if_match))


EditorActDep = Annotated[DraftAct, Security(get_draft_act, scopes=[Scope.DRAFT])]

PublisherActDep = Annotated[DraftAct, Security(get_draft_act, scopes=[Scope.PUBLISH])]


@router.put(
    "",
    summary="Save a draft",
    operation_id="save_draft",
    responses=problem_responses(NotFound, DraftChanged, DraftNotNamed, *BODY_PROBLEMS)
    | {201: {"model": DraftResponse, "description": "The draft is created."}},
)
def save_guide_draft(
    response: Response,
    session: SessionDep,
    writer: WriterDep,
    act: EditorActDep,
    content: Annotated[dict[str, JsonValue], Body(examples=[DRAFT_EXAMPLE])],
    if_match: DraftTag = None,
) -> DraftResponse:
    """Save the draft of a new or existing guide. It may be incomplete or invalid.

    The body has the members of an edition; positions are optional. `If-Match` prevents two editors from changing
    the same version: the second gets 412. Retries are safe: sending the same content again changes nothing.
    """
    _require_storable(content)
    known: list[GuideDraftRow | None] = []

    def change(draft: GuideDraftRow | None) -> dict[str, Any]:
        known.append(draft)
        if draft is None or draft.read() != content:
            _check_tag(if_match, draft)
        return content

    draft = writer.run(write_guide_draft, act, change)
    if known[-1] is None:
        response.status_code = 201
        response.headers["Location"] = draft_path(act.guide)
    return _present(draft, read_draft_record(session, act.guide), response)


@router.get("", summary="Read a draft", operation_id="read_draft", responses=problem_responses(NoSuchGuideDraft))
def read_draft(response: Response, session: SessionDep, _actor: EditorDep, guide: GuideName) -> DraftResponse:
    """The content of the draft, its authors, and its ETag for `If-Match`."""
    return _present(get_guide_draft(session, guide), read_draft_record(session, guide), response)


@router.delete(
    "",
    summary="Delete a draft",
    operation_id="remove_draft",
    responses=problem_responses(NoSuchGuideDraft, DraftChanged, DraftNotNamed),
)
def remove_draft(session: SessionDep, writer: WriterDep, act: EditorActDep) -> DraftResponse:
    """Delete the draft and return it one last time. Its content is not kept; its authors stay in the audit log."""
    record = read_draft_record(session, act.guide)
    return _present(writer.run(discard_draft, act), record)


@router.get(
    "/check", summary="Check a draft", operation_id="check_draft", responses=problem_responses(NoSuchGuideDraft)
)
def read_draft_check(
    response: Response,
    session: SessionDep,
    reference_data: ReferenceDataDep,
    _actor: EditorDep,
    now: NowDep,
    guide: GuideName,
) -> DraftCheckResponse:
    """Every error and warning in plain language, as `guidance check` reports them."""
    draft = get_guide_draft(session, guide)
    response.headers["ETag"] = _etag(draft)
    checked = check_draft(session, draft, reference_data, today=now.date())
    return DraftCheckResponse(
        guide=guide,
        version=draft.version,
        faults=tuple(map(_remark, checked.faults)),
        warnings=tuple(map(_remark, checked.warnings)),
        digest=checked.digest,
        follows=checked.follows,
        links=_links(guide, "/check"),
    )


@router.get(
    "/changes",
    summary="Compare a draft",
    operation_id="read_draft_changes",
    responses=problem_responses(NoSuchGuideDraft, NoSuchGuide, EditionWithdrawn),
)
def read_draft_changes(
    response: Response, session: SessionDep, context: ContextDep, _actor: EditorDep, guide: GuideName
) -> DraftChangesResponse:
    """Changes of the draft since the current edition. Invalid members are listed but not compared."""
    draft = get_guide_draft(session, guide)
    head = get_current(session, guide=guide)
    current = context.contents(head.key, session)
    response.headers["ETag"] = _etag(draft)
    after, unread = read_partly(draft.read(), current)
    return DraftChangesResponse(
        guide=guide,
        version=draft.version,
        since=head.number,
        sections=changed_sections(current, after),
        fields=changed_fields(current, after),
        not_compared=unread,
        links=_links(guide, "/changes"),
    )


@router.post(
    "/offer",
    summary="Submit a draft for publication",
    operation_id="offer_draft",
    responses=problem_responses(NoSuchGuideDraft, DraftChanged, DraftNotNamed, ValidationFailed),
)
def offer_guide_draft(
    response: Response, session: SessionDep, reference_data: ReferenceDataDep, writer: WriterDep, act: EditorActDep
) -> DraftResponse:
    """Submit the draft for someone else to publish. Editing it cancels the request."""
    draft = writer.run(offer_draft, reference_data, act)
    return _present(draft, read_draft_record(session, act.guide), response)


@router.post(
    "/publication",
    summary="Publish a draft",
    operation_id="publish_draft",
    response_model=PublishedResponse,
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
def publish_guide_draft(
    response: Response,
    reference_data: ReferenceDataDep,
    writer: WriterDep,
    settings: SettingsDep,
    act: PublisherActDep,
    publication: DraftPublication,
) -> Any:
    """Publish the draft as the guide's next edition. Published editions never change.

    The caller must not have written any of the draft. `follows` is the number of the last edition, or null for a
    new guide. An invalid draft returns every error, with pointers into its content.
    """
    two_people = settings.two_people_publish
    published = writer.run(publish_draft, reference_data, act, follows=publication.follows, two_people=two_people)
    response.headers["Location"] = edition_path(*published.key)
    return present_published(published)


def _etag(draft: GuideDraftRow) -> str:
    return f'"draft-{draft.version}"'


def _check_tag(if_match: str | None, draft: GuideDraftRow | None) -> None:
    """Check that `if_match` has the ETag of `draft`, or that both are None.

    Raise `DraftNotNamed` if there is a draft but no ETag. Raise `DraftChanged` if there is an ETag but no draft, or if
    the draft has another ETag.
    """
    if draft is None and if_match is None:
        return
    if if_match is None:
        raise DraftNotNamed
    if draft is None or not matches_etag([if_match], _etag(draft)):
        raise DraftChanged


def _present(
    draft: GuideDraftRow, record: tuple[Sequence[str], int | None], response: Response | None = None
) -> DraftResponse:
    """Return the draft as callers see it.

    `record` has the writers of the draft, and the edition that the draft follows. If `response` is given, set the ETag
    header field of `response`.
    """
    writers, follows = record
    if response is not None:
        response.headers["ETag"] = _etag(draft)
    return DraftResponse(
        **draft.model_dump(exclude={"content", "unplaced", "language"}),
        content=draft.read(),
        writers=tuple(writers),
        follows=follows,
        links=_links(draft.guide),
    )


def _links(guide: str, below: str = "") -> Links:
    path = draft_path(guide)
    return {
        "self": path + below,
        "draft": path,
        "check": f"{path}/check",
        "changes": f"{path}/changes",
        "preview": f"{path}/preview",
        "guide": guide_path(guide),
        "version_history": history_path(guide),
    }


def _remark(fault: FieldError) -> DraftRemark:
    return DraftRemark(detail=fault.detail, pointer=json_pointer(fault.at))


def _require_storable(value: JsonValue, at: tuple[str | int, ...] = ()) -> None:
    """Raise `InvalidEdition` if `value` contains a float at any depth. `at` is the path of `value` in the document.

    Not every program that reads JSON keeps the exact value of a float.
    """
    if isinstance(value, float):
        raise InvalidEdition([FieldError(at, NO_FRACTION)])
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, each in inner:
        _require_storable(each, (*at, step))
