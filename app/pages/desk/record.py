"""The record of disclosures, for the lead of the desk and for auditors."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Response

from app.models.concerns.references import find_reference
from app.pages.desk.page import DeskRoute, desk_page
from app.services.access.sign_in import PATH
from app.services.desk.auditing import read_disclosures
from app.web.context import ContextDep, NowDep
from app.web.cursors import decode_key, encode_key
from app.web.people import PageAuditorDep
from app.web.query_params import Cursor
from app.web.router import GuidanceRouter

router = GuidanceRouter(prefix=PATH, include_in_schema=False, route_class=DeskRoute)

RECORD_PAGE_SIZE = 50


@router.get("/record")
def read_record(
    *,
    context: ContextDep,
    visitor: PageAuditorDep,
    now: NowDep,
    chain: Annotated[str, Query(max_length=60)] = "",
    cursor: Cursor = None,
) -> Response:
    """Return who did what, the oldest first: of one concern, or of all. Reading it is on the record too."""
    found = find_reference(chain) or chain.strip() or None
    after = decode_key(cursor, otherwise=0)
    rows = read_disclosures(
        context.writer,
        chain=found,
        client=None,
        actor=visitor.actor,
        at=now,
        after=after,
        limit=RECORD_PAGE_SIZE + 1,
    )
    page = rows[:RECORD_PAGE_SIZE]
    next_page = None
    if len(rows) > RECORD_PAGE_SIZE:
        position = encode_key(page[-1].position or 0)
        next_page = f"{PATH}/record?{urlencode({'chain': found or '', 'cursor': position})}"
    return desk_page(context, "desk_record.html", visitor=visitor, acts=page, chain=found or "", next_page=next_page)
