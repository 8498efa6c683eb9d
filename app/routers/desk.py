"""The duty team's side: the inbox, opening, and the acts on a concern. Every route writes a disclosure."""

import datetime as dt
from typing import Annotated

from fastapi import Path, Query, Request, Response

from app.errors import ConcernErased, NoSuchItem, NotOpenedHere, Refused
from app.models.concerns.tables import ConcernRow, ConcernState
from app.models.desk.concerns import (
    Acknowledgement,
    Erasure,
    Hold,
    InboxAnswer,
    InboxEntry,
    OpenedConcern,
    Outcome,
    SummaryAnswer,
)
from app.models.concerns.receipts import REFERENCE
from app.web.responses import NO_STORE
from app.web.desk_auth import Reader, Worker
from app.presenters.desk import entry_of, inbox_entry, opened_concern, reference_of
from app.routers.editions import HIGHEST
from app.web.json_body import JSONRoute
from app.web.negotiation import JSON, weight
from app.web.plain_numbers import IN_PLAIN_DIGITS
from app.web.context import Now, Parts, TheParts
from app.web.cursors import A_MOMENT, after_place, cursor_of_place
from app.web.problem_types import (
    BUSY,
    CLOSED,
    CONCERN,
    ERASED,
    HELD,
    ITEM,
    MEDIA_TYPE,
    NOT_JSON,
    NOT_OPENED,
    PROVIDER,
    REFUSED,
    SCOPE,
    TOKEN,
    TOO_LARGE,
    UNACKNOWLEDGED,
    UNKNOWN_TOKEN,
    Responses,
    documented,
)
from app.web.query_params import Cursor, Limit
from app.web.router import Routes
from app.services.desk import actions as desk
from app.store.database import forget_freed_pages
from app.store.disclosures import Actor
from app.store.inbox import Order, Wanted, place_of
from app.store.writer import Act

AGE = "application/age"
UNADMITTED = (TOKEN, UNKNOWN_TOKEN, SCOPE, PROVIDER, BUSY)
UNREADABLE = (NOT_JSON, TOO_LARGE, MEDIA_TYPE, REFUSED)

router = Routes(prefix="/v1/desk", tags=["Desk"], route_class=JSONRoute)

Reference = Annotated[str, Path(max_length=40, description="The concern's reference.", examples=[REFERENCE])]
SEALED: Responses = {
    200: {
        "description": "The concern, opened; or its sealed file, where this service holds no identity.",
        "content": {AGE: {"schema": {"type": "string", "format": "binary"}, "example": "age-encryption.org/v1"}},
    }
}


@router.get("/concerns", summary="Look through the inbox", responses=documented(*UNADMITTED))
def read_inbox(
    *,
    response: Response,
    parts: TheParts,
    actor: Reader,
    now: Now,
    order: Annotated[
        Order, Query(description="What wants attention first, or what came last.", examples=["urgent"])
    ] = Order.URGENT,
    state: Annotated[ConcernState | None, Query(description="Only this state.", examples=["received"])] = None,
    overdue: Annotated[
        bool | None, Query(description="Only those that are overdue, or only the others.", examples=[True])
    ] = None,
    limit: Limit = 50,
    cursor: Annotated[Cursor, Query(examples=[cursor_of_place((0, 1, A_MOMENT, REFERENCE))])] = None,
) -> InboxAnswer:
    """The concerns, without their words. `urgent` puts first what waits for an acknowledgement.

    Among those: immediate danger, as the reporter said it; then the longest overdue; then the oldest. Indicators play
    no part.
    """
    wanted = Wanted(order, state, overdue)
    after = after_place(cursor, wanted.kinds)
    rows = parts.intake.writer.keep(
        lambda connection: desk.look_through_inbox(connection, wanted, actor=actor, at=now, after=after, limit=limit)
    )
    response.headers["Cache-Control"] = NO_STORE
    page = rows[:limit]
    return InboxAnswer(
        concerns=tuple(inbox_entry(row._asdict(), now=now) for row in page),
        next_cursor=cursor_of_place(place_of(page[-1], wanted)) if len(rows) > limit else None,
    )


@router.get("/summary", summary="Count the work", responses=documented(*UNADMITTED))
def read_summary(response: Response, parts: TheParts, actor: Reader, now: Now) -> SummaryAnswer:
    """How many concerns wait, are acknowledged, closed and overdue."""
    response.headers["Cache-Control"] = NO_STORE
    counted = parts.intake.writer.keep(lambda connection: desk.read_summary(connection, actor=actor, at=now))
    return SummaryAnswer(**counted)


@router.get(
    "/concerns/{reference}",
    summary="Open a concern",
    response_model=OpenedConcern,
    responses=SEALED | documented(CONCERN, NOT_OPENED, ERASED, *UNADMITTED),
)
def open_concern(request: Request, parts: TheParts, actor: Reader, now: Now, reference: Reference) -> Response:
    """The concern with its words and what was added, where this service holds an identity; else the sealed file.

    `Accept: application/age` asks for the sealed file in any case: whoever holds an identity opens it with
    `guidance desk open`, or with the `age` program.
    """
    accept = request.headers.get("accept", "*/*")
    as_file = not parts.opener.can_open or weight(AGE, accept) > weight(JSON, accept)
    if as_file and weight(AGE, accept) == 0:
        raise NotOpenedHere
    taken = _take_out(parts, actor, now, reference, how="sealed file" if as_file else "opened here")
    if as_file:
        return _sealed_file(taken.concern.sealed, taken.concern.reference, additions=len(taken.additions))
    opened = opened_concern(taken, parts.opener, now=now)
    return Response(opened.model_dump_json(), media_type=JSON, headers={"Cache-Control": NO_STORE, "Vary": "Accept"})


@router.get(
    "/concerns/{reference}/additions/{number}",
    summary="Fetch what was added, sealed",
    response_class=Response,
    responses=SEALED | documented(CONCERN, ITEM, ERASED, *UNADMITTED),
)
def fetch_addition(
    parts: TheParts,
    actor: Reader,
    now: Now,
    reference: Reference,
    number: Annotated[
        int, Path(ge=1, le=HIGHEST, description="The addition's place, from 1.", examples=[1]), IN_PLAIN_DIGITS
    ],
) -> Response:
    """The sealed file of one addition."""
    taken = _take_out(parts, actor, now, reference, how=f"sealed file of addition {number}")
    found = next((addition for addition in taken.additions if addition.number == number), None)
    if found is None:
        raise NoSuchItem
    return _sealed_file(found.sealed, f"{found.reference}-{number}", additions=len(taken.additions))


@router.post(
    "/concerns/{reference}/acknowledgement",
    operation_id="acknowledge_concern",
    summary="Acknowledge a concern",
    responses=documented(CONCERN, *UNREADABLE, *UNADMITTED),
)
def acknowledge(
    *,
    response: Response,
    parts: TheParts,
    actor: Worker,
    now: Now,
    reference: Reference,
    _acknowledgement: Acknowledgement,
) -> InboxEntry:
    """A social worker has seen it and decided the next step. To do so again changes nothing."""
    named = reference_of(reference)
    return _act(parts, response, now, lambda connection: desk.acknowledge(connection, named, actor=actor, at=now))


@router.post(
    "/concerns/{reference}/outcome",
    operation_id="close_concern",
    summary="Close a concern",
    responses=documented(CONCERN, UNACKNOWLEDGED, CLOSED, *UNREADABLE, *UNADMITTED),
)
def close(
    *, response: Response, parts: TheParts, actor: Worker, now: Now, reference: Reference, outcome: Outcome
) -> InboxEntry:
    """Close the concern with its outcome; the reporter's status tells the outcome only where it is shared."""
    faults = parts.reference_data.faults_in_codes(outcome)
    if faults:
        raise Refused(faults)
    named = reference_of(reference)
    return _act(
        parts,
        response,
        now,
        lambda connection: desk.close(
            connection, named, outcome=outcome.outcome, shared=outcome.shared_with_reporter, actor=actor, at=now
        ),
    )


@router.post(
    "/concerns/{reference}/hold",
    operation_id="hold_concern",
    summary="Hold or release a concern",
    responses=documented(CONCERN, *UNREADABLE, *UNADMITTED),
)
def hold(
    *, response: Response, parts: TheParts, actor: Worker, now: Now, reference: Reference, hold: Hold
) -> InboxEntry:
    """A concern on hold is erased neither by retention nor on request."""
    named = reference_of(reference)
    return _act(
        parts,
        response,
        now,
        lambda connection: desk.hold(connection, named, held=hold.held, reason=hold.reason, actor=actor, at=now),
    )


@router.post(
    "/concerns/{reference}/erasure",
    operation_id="erase_concern",
    summary="Erase a concern's words",
    responses=documented(CONCERN, UNACKNOWLEDGED, HELD, ERASED, *UNREADABLE, *UNADMITTED),
)
def erase(
    *, response: Response, parts: TheParts, actor: Worker, now: Now, reference: Reference, erasure: Erasure
) -> InboxEntry:
    """Take the words away for good. What nobody has acknowledged, and what is on hold, is not erased."""
    named = reference_of(reference)
    entry = _act(
        parts,
        response,
        now,
        lambda connection: desk.erase(connection, named, reason=erasure.reason, actor=actor, at=now),
    )
    forget_freed_pages(parts.engine)
    return entry


def _act(parts: Parts, response: Response, now: dt.datetime, act: Act[ConcernRow]) -> InboxEntry:
    response.headers["Cache-Control"] = NO_STORE
    return entry_of(parts.intake.writer.keep(act), now=now)


def _take_out(parts: Parts, actor: Actor, now: dt.datetime, reference: str, *, how: str) -> desk.Sealed:
    named = reference_of(reference)
    return parts.intake.writer.keep(lambda connection: desk.take_out(connection, named, actor=actor, at=now, how=how))


def _sealed_file(sealed: bytes | None, name: str, *, additions: int) -> Response:
    """The file; the header `Additions` tells how many more there are to fetch."""
    if sealed is None:
        raise ConcernErased
    headers = {
        "Cache-Control": NO_STORE,
        "Vary": "Accept",
        "Content-Disposition": f'attachment; filename="{name}.age"',
        "Additions": str(additions),
    }
    return Response(sealed, media_type=AGE, headers=headers)
