"""What was added to a concern, at the desk: a page of it, one sealed file, and its acknowledgement."""

from collections.abc import Iterable
from typing import Annotated

from fastapi import Query, Response

from app.errors import ConcernErased, NoSuchConcern, NoSuchItem, NotAcknowledged, UnsealingUnavailable
from app.models.desk.additions import AdditionEntry, AdditionsResponse
from app.models.desk.concerns import AdditionAcknowledgement, InboxEntry
from app.models.desk.disclosure_tables import DeskAct
from app.presenters.desk import entry_of, listed_addition, opened_additions, reference_of
from app.routers.params import AdditionNumber, ConcernReference
from app.services.desk import additions
from app.services.desk.opening import PagePlace, open_page, open_text, read_page, read_sealed_added
from app.store.added_texts import ADDITIONS
from app.web.auth import ReaderDep, WorkerDep
from app.web.context import ContextDep, NowDep
from app.web.cursors import decode_key, encode_key
from app.web.json_body import JSONRoute
from app.web.problem_responses import BODY_PROBLEMS, RESPONSES_OF_CLIENT_ROUTES, problem_responses
from app.web.query_params import Cursor, Limit
from app.web.router import GuidanceRouter
from app.web.sealed_files import SEALED, sealed_file

router = GuidanceRouter(
    prefix="/v1/desk/concerns/{reference}/additions",
    tags=["Desk"],
    responses=RESPONSES_OF_CLIENT_ROUTES,
    route_class=JSONRoute,
)


@router.get(
    "",
    summary="Read what was added",
    responses=problem_responses(NoSuchConcern, UnsealingUnavailable, ConcernErased),
)
def read_additions(
    *,
    context: ContextDep,
    actor: ReaderDep,
    now: NowDep,
    reference: ConcernReference,
    limit: Limit = 50,
    cursor: Annotated[Cursor, Query(examples=[encode_key(1)])] = None,
) -> AdditionsResponse:
    """What was added to the concern, a page at a time, in the order of arrival.

    With its words, where this service holds an identity; else without, and each has a sealed file of its own. A page
    ends earlier than `limit` where its sealed texts have 1,000,000 bytes.
    """
    act = DeskAct.OPENED if context.unsealer.can_unseal else DeskAct.LISTED
    after, parsed = decode_key(cursor, otherwise=0), reference_of(reference)
    place = PagePlace(ADDITIONS, parsed, after)
    page = open_page(context.writer, place, actor=actor, at=now, act=act, limit=limit)
    entries: Iterable[AdditionEntry] = (listed_addition(row, now=now) for row in page.rows)
    if act is DeskAct.OPENED:
        entries = opened_additions(read_page(context.engine, page), context.unsealer, now=now)
    next_cursor = None if page.next_after is None else encode_key(page.next_after)
    return AdditionsResponse(additions=tuple(entries), next_cursor=next_cursor)


@router.get(
    "/{number}",
    summary="Fetch what was added, sealed",
    response_class=Response,
    responses=SEALED | problem_responses(NoSuchConcern, NoSuchItem, ConcernErased),
)
def fetch_addition(
    context: ContextDep, actor: ReaderDep, now: NowDep, reference: ConcernReference, number: AdditionNumber
) -> Response:
    """The sealed file of one addition."""
    parsed = reference_of(reference)
    count = open_text(context.writer, parsed, ADDITIONS, number, actor=actor, at=now)
    return sealed_file(
        read_sealed_added(context.engine, ADDITIONS, parsed, number), f"{parsed}-{number}", {"Additions": count}
    )


@router.post(
    "/{number}/acknowledgement",
    summary="Acknowledge what was added",
    responses=problem_responses(NoSuchConcern, NoSuchItem, NotAcknowledged, *BODY_PROBLEMS),
)
def acknowledge_addition(
    *,
    context: ContextDep,
    actor: WorkerDep,
    now: NowDep,
    reference: ConcernReference,
    number: AdditionNumber,
    _acknowledgement: AdditionAcknowledgement,
) -> InboxEntry:
    """A social worker has seen this addition alone. Others go on waiting. To do so again changes nothing."""
    concern = additions.acknowledge_addition(context.writer, reference_of(reference), number, actor=actor, at=now)
    return entry_of(concern, now=now)
