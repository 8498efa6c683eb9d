"""The auditor's side: the record of disclosures, and signed statements of where its chains end."""

import datetime as dt
from typing import Annotated

from fastapi import Path, Query, Response

from app.models.desk.concerns import DisclosureEntry, DisclosuresAnswer, StatementAnswer
from app.models.concerns.receipts import REFERENCE
from app.models.base import utc_text
from app.web.responses import NO_STORE
from app.routers.desk import UNADMITTED
from app.web.desk_auth import Auditor
from app.web.context import Now, TheParts
from app.web.cursors import A_MOMENT, after_place, cursor_of_place
from app.web.problem_types import NOT_FOUND, documented
from app.web.query_params import Cursor, Limit
from app.web.router import Routes
from app.services.desk.actions import read_disclosures, state_end_of_chain
from app.services.concerns.receipt_signing import STATEMENT

router = Routes(prefix="/v1/desk/disclosures", tags=["Audit"])

CHAIN = r"^[0-9A-Za-z-]{1,40}$"
PLACE = (dt.datetime, str, int)


@router.get("", summary="Read the record of disclosures", responses=documented(*UNADMITTED))
def list_disclosures(
    *,
    response: Response,
    parts: TheParts,
    actor: Auditor,
    now: Now,
    chain: Annotated[
        str | None,
        Query(pattern=CHAIN, description="One concern's reference, or `inbox`, or `audit`.", examples=[REFERENCE]),
    ] = None,
    client: Annotated[
        str | None, Query(max_length=200, description="Only acts of this client.", examples=["example-desk"])
    ] = None,
    limit: Limit = 50,
    cursor: Annotated[Cursor, Query(examples=[cursor_of_place((A_MOMENT, REFERENCE, 1))])] = None,
) -> DisclosuresAnswer:
    """Who read or changed what, when and from where, the oldest first. Reading this is on the record too."""
    after = after_place(cursor, PLACE)
    rows = parts.intake.writer.keep(
        lambda connection: read_disclosures(
            connection, chain=chain, client=client, actor=actor, at=now, after=after, limit=limit + 1
        )
    )
    response.headers["Cache-Control"] = NO_STORE
    page = rows[:limit]
    following = cursor_of_place((page[-1].at, page[-1].chain, page[-1].number)) if len(rows) > limit else None
    entries = tuple(DisclosureEntry.model_validate(dict(row)) for row in page)
    return DisclosuresAnswer(disclosures=entries, next_cursor=following)


@router.get("/{chain}/statement", summary="Sign where a chain ends", responses=documented(NOT_FOUND, *UNADMITTED))
def sign_statement(
    *,
    response: Response,
    parts: TheParts,
    actor: Auditor,
    now: Now,
    chain: Annotated[
        str, Path(pattern=CHAIN, description="A concern's reference, or `inbox`, or `audit`.", examples=[REFERENCE])
    ],
) -> StatementAnswer:
    """The length and the last hash of a chain, signed, for an auditor to keep where this service cannot reach it."""
    length, head = parts.intake.writer.keep(
        lambda connection: state_end_of_chain(connection, chain, actor=actor, at=now)
    )
    response.headers["Cache-Control"] = NO_STORE
    claims = {"sub": chain, "length": length, "head_sha256": head, "iat": int(now.timestamp()), "at": utc_text(now)}
    statement = parts.intake.clerk.signer.sign(claims, kind=STATEMENT)
    return StatementAnswer(chain=chain, length=length, head_sha256=head, at=now, statement=statement)
