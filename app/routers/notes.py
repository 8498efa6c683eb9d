"""The desk's own notes about a concern: writing one, a page of them, and one sealed file. No reporter sees them."""

from collections.abc import Iterable
from typing import Annotated

from fastapi import Body, Query, Request, Response

from app.errors import (
    ConcernErased,
    IdempotencyKeyReused,
    NoSuchConcern,
    NoSuchItem,
    SealedTextMisplaced,
    SeveralIdempotencyKeys,
    TooManyNotes,
    UnsealingUnavailable,
)
from app.models.desk.disclosure_tables import DeskAct
from app.models.desk.notes import WORDS_OF_A_NOTE, NewNote, NoteEntry, NotesResponse
from app.models.links import notes_path
from app.presenters.desk import reference_of
from app.presenters.notes import listed_note, opened_notes
from app.routers.params import ConcernReference, IdempotencyKey, NoteNumber, expect_one_key_at_most
from app.services.desk.notes import write_note
from app.services.desk.opening import PagePlace, open_page, open_text, read_page, read_sealed_added
from app.store.added_texts import NOTES
from app.web.auth import ReaderDep, WorkerDep
from app.web.context import ContextDep, NowDep
from app.web.cursors import decode_key, encode_key
from app.web.idempotency import created_response, keys_from
from app.web.json_body import JSONRoute
from app.web.problem_responses import BODY_PROBLEMS, RESPONSES_OF_CLIENT_ROUTES, problem_responses
from app.web.query_params import Cursor, Limit
from app.web.router import GuidanceRouter
from app.web.sealed_files import SEALED, sealed_file

router = GuidanceRouter(
    prefix="/v1/desk/concerns/{reference}/notes",
    tags=["Desk"],
    responses=RESPONSES_OF_CLIENT_ROUTES,
    route_class=JSONRoute,
)


@router.post(
    "",
    summary="Write a note",
    operation_id="write_note",
    status_code=201,
    response_model=NoteEntry,
    responses=problem_responses(
        NoSuchConcern,
        ConcernErased,
        TooManyNotes,
        SeveralIdempotencyKeys,
        IdempotencyKeyReused,
        *BODY_PROBLEMS,
    ),
)
def add_note(
    *,
    request: Request,
    context: ContextDep,
    actor: WorkerDep,
    now: NowDep,
    reference: ConcernReference,
    note: Annotated[NewNote, Body(examples=[{"text": WORDS_OF_A_NOTE}])],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Write a note for the desk alone. It is sealed like the concern, and erased with it. 201: it is on the disk.

    Seal it where it is typed, to every key of `GET /v1/desk/recipients`, and this service never has the words.
    It never changes: what is wrong in one is put right in the next. The record has its digest and who wrote it.
    """
    expect_one_key_at_most(request)
    parsed, sealer = reference_of(reference), context.submissions.sealer
    keys = keys_from(idempotency_key, client=f"{actor.client}, note about {parsed}")
    written = write_note(
        context.engine, context.writer, sealer, context.unsealer, parsed, note, keys=keys, actor=actor, at=now
    )
    return created_response(written, notes_path(parsed))


@router.get(
    "",
    summary="Read the notes",
    responses=problem_responses(
        NoSuchConcern,
        UnsealingUnavailable,
        ConcernErased,
        SealedTextMisplaced,
    ),
)
def read_notes(
    *,
    context: ContextDep,
    actor: ReaderDep,
    now: NowDep,
    reference: ConcernReference,
    limit: Limit = 50,
    cursor: Annotated[Cursor, Query(examples=[encode_key(1)])] = None,
) -> NotesResponse:
    """The desk's notes about the concern, a page at a time, the oldest first.

    With their words, where this service holds an identity; else without, and each has a sealed file of its own. A page
    ends earlier than `limit` where its sealed texts have 1,000,000 bytes.
    """
    act = DeskAct.OPENED if context.unsealer.can_unseal else DeskAct.LISTED
    place = PagePlace(NOTES, reference_of(reference), decode_key(cursor, otherwise=0))
    page = open_page(context.writer, place, actor=actor, at=now, act=act, limit=limit)
    entries: Iterable[NoteEntry] = map(listed_note, page.rows)
    if act is DeskAct.OPENED:
        entries = opened_notes(read_page(context.engine, page), context.unsealer)
    next_cursor = None if page.next_after is None else encode_key(page.next_after)
    return NotesResponse(notes=tuple(entries), next_cursor=next_cursor)


@router.get(
    "/{number}",
    summary="Fetch a note, sealed",
    response_class=Response,
    responses=SEALED | problem_responses(NoSuchConcern, NoSuchItem, ConcernErased),
)
def fetch_note(
    context: ContextDep, actor: ReaderDep, now: NowDep, reference: ConcernReference, number: NoteNumber
) -> Response:
    """The sealed file of one note. The header `Notes` is the number of notes."""
    parsed = reference_of(reference)
    count = open_text(context.writer, parsed, NOTES, number, actor=actor, at=now)
    sealed = read_sealed_added(context.engine, NOTES, parsed, number)
    return sealed_file(sealed, f"{parsed}-note-{number}", {"Notes": count})
