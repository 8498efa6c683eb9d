"""Drafts of guides over HTTP: writing, reading, checking and comparing them."""

from typing import Annotated, Any

from fastapi import Body, Response
from pydantic import JsonValue

from app.errors import (
    DraftChanged,
    DraftNotNamed,
    EditionWithdrawn,
    InvalidEdition,
    NoSuchGuide,
    NoSuchGuideDraft,
    NotFound,
)
from app.faults import FieldError
from app.models.guidance.guide_drafts import DRAFT_EXAMPLE, DraftChangesResponse, DraftCheckResponse, DraftResponse
from app.models.guidance.guide_tables import GuideDraftRow
from app.models.links import draft_path
from app.presenters.guide_drafts import present_changes, present_check, present_draft
from app.routers.params import GuideName
from app.services.guidance import guide_drafts as service
from app.services.guidance.draft_checking import check_draft
from app.store.editions import get_current
from app.store.guide_drafts import get_guide_draft, read_draft_record
from app.web.auth import EditorDep
from app.web.context import ContextDep, NowDep, SessionDep
from app.web.draft_preconditions import DraftTag, check_draft_tag, draft_etag, expect_draft
from app.web.json_body import JSONRoute
from app.web.problem_responses import BODY_PROBLEMS, RESPONSES_OF_CLIENT_ROUTES, problem_responses
from app.web.router import GuidanceRouter

router = GuidanceRouter(
    prefix="/v1/guides/{guide}/draft",
    tags=["Drafts"],
    responses=RESPONSES_OF_CLIENT_ROUTES,
    route_class=JSONRoute,
)
NO_FRACTION = "There is no fraction and no number of so many digits in a guide."


@router.put(
    "",
    summary="Save a draft",
    operation_id="save_draft",
    responses=problem_responses(NotFound, DraftChanged, DraftNotNamed, *BODY_PROBLEMS)
    | {201: {"model": DraftResponse, "description": "The draft is begun."}},
)
def save_guide_draft(
    *,
    response: Response,
    session: SessionDep,
    context: ContextDep,
    actor: EditorDep,
    now: NowDep,
    guide: GuideName,
    content: Annotated[dict[str, JsonValue], Body(examples=[DRAFT_EXAMPLE])],
    if_match: DraftTag = None,
) -> DraftResponse:
    """Save the words as the guide's draft, also where they are incomplete or have faults, and for a new guide.

    The body has the members of an edition; positions may be left out. `If-Match` guards against two editors who both
    change the same version: the second is refused with 412. The same words again change nothing, so a retry is safe.
    """
    _require_storable(content)
    known: list[GuideDraftRow | None] = []

    def change(draft: GuideDraftRow | None) -> dict[str, Any]:
        known.append(draft)
        if draft is None or draft.read() != content:
            check_draft_tag(if_match, draft)
        return content

    draft = service.write_guide_draft(context.writer, guide, change, by=actor.client, at=now)
    if known[-1] is None:
        response.status_code = 201
        response.headers["Location"] = draft_path(guide)
    return _respond(response, session, draft)


@router.get("", summary="Read a draft", operation_id="read_draft", responses=problem_responses(NoSuchGuideDraft))
def read_draft(response: Response, session: SessionDep, _actor: EditorDep, guide: GuideName) -> DraftResponse:
    """The draft with its words, who wrote it, and its ETag for `If-Match`."""
    return _respond(response, session, get_guide_draft(session, guide))


@router.delete(
    "",
    summary="Remove a draft",
    operation_id="remove_draft",
    responses=problem_responses(NoSuchGuideDraft, DraftChanged, DraftNotNamed),
)
def remove_draft(
    *,
    session: SessionDep,
    context: ContextDep,
    actor: EditorDep,
    now: NowDep,
    guide: GuideName,
    if_match: DraftTag = None,
) -> DraftResponse:
    """Remove the draft, and return it for the last time: its words are stored no more. Who wrote it stays on record."""
    record = read_draft_record(session, guide)
    draft = service.discard_draft(context.writer, guide, expect_draft(if_match), by=actor.client, at=now)
    return present_draft(draft, record)


@router.get(
    "/check", summary="Check a draft", operation_id="check_draft", responses=problem_responses(NoSuchGuideDraft)
)
def read_draft_check(
    response: Response, session: SessionDep, context: ContextDep, _actor: EditorDep, now: NowDep, guide: GuideName
) -> DraftCheckResponse:
    """Every fault and every warning in an editor's words, as `guidance check` says them."""
    draft = get_guide_draft(session, guide)
    response.headers["ETag"] = draft_etag(draft)
    return present_check(check_draft(session, draft, context.reference_data, today=now.date()))


@router.get(
    "/changes",
    summary="Compare a draft",
    operation_id="read_draft_changes",
    responses=problem_responses(NoSuchGuideDraft, NoSuchGuide, EditionWithdrawn),
)
def read_draft_changes(
    response: Response, session: SessionDep, context: ContextDep, _actor: EditorDep, guide: GuideName
) -> DraftChangesResponse:
    """What the draft changes against the guide's current edition. Members with faults are listed, and not compared."""
    draft = get_guide_draft(session, guide)
    current = get_current(session, guide=guide)
    response.headers["ETag"] = draft_etag(draft)
    return present_changes(draft, current.number, context.contents(current.key, session))


def _respond(response: Response, session: SessionDep, draft: GuideDraftRow) -> DraftResponse:
    response.headers["ETag"] = draft_etag(draft)
    return present_draft(draft, read_draft_record(session, draft.guide))


def _require_storable(value: JsonValue, at: tuple[str | int, ...] = ()) -> None:
    """Raise `InvalidEdition` for a number that JSON of another program cannot hold."""
    if isinstance(value, float):
        raise InvalidEdition([FieldError(at, NO_FRACTION)])
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, each in inner:
        _require_storable(each, (*at, step))
