"""What is saved from the desk to be opened elsewhere: a concern, sealed, and the page that opens it from disk."""

from typing import Any

import orjson
from fastapi import Request, Response

from app.errors import NotFound
from app.pages.desk.added_pages import sealed_texts_of
from app.pages.desk.inbox import CONCERN_PAGES, ConcernReferenceInPath
from app.pages.desk.page import DeskRoute
from app.pages.desk.referral import layout_of
from app.pages.desk.sealed_text import CONCERN, SealedText
from app.pages.page import HTML, UNSEAL_PAGE
from app.presenters.desk import reference_of
from app.services.access.sign_in import PATH
from app.services.desk import opening
from app.web.auth import PUBLIC
from app.web.context import ContextDep, NowDep
from app.web.negotiation import JSON
from app.web.people import PageReaderDep
from app.web.responses import CACHE_CURRENT, conditional_response
from app.web.router import GuidanceRouter

router = GuidanceRouter(include_in_schema=False, route_class=DeskRoute)

SAVED = "sealed file saved"
AS_FILE = 'attachment; filename="{}"'


@router.get(f"{PATH}/unseal.html", dependencies=[PUBLIC])
def read_unseal_page(request: Request) -> Response:
    """Return the page that opens a saved concern from disk, as a file. It has no word of any concern."""
    if not UNSEAL_PAGE.is_file():
        raise NotFound
    headers = {"Content-Disposition": AS_FILE.format(UNSEAL_PAGE.name)}
    page = UNSEAL_PAGE.read_bytes()
    return conditional_response(request, page, media_type=HTML, links={}, caching=CACHE_CURRENT, more_headers=headers)


@router.get(CONCERN_PAGES + "/{reference}/sealed")
def save_sealed_concern(
    *, context: ContextDep, visitor: PageReaderDep, now: NowDep, reference: ConcernReferenceInPath
) -> Response:
    """Return a concern with all its additions, sealed, and the layout of its words, as one file and one disclosure."""
    parsed = reference_of(reference)
    recorded = opening.open_concern(context.writer, parsed, opening.Wanted(SAVED, None), actor=visitor.actor, at=now)
    concern = recorded.concern
    sealed = opening.read_sealed_concern(context.engine, parsed)
    own = SealedText(CONCERN, parsed, 0, concern.received_at, sealed)
    document = {
        "reference": parsed,
        "texts": [*map(_described, (own, *sealed_texts_of(context, recorded.page).values()))],
        "layout": layout_of(context, concern.guide, concern.edition),
    }
    headers = {"Content-Disposition": AS_FILE.format(f"{parsed}.json")}
    return Response(orjson.dumps(document), media_type=JSON, headers=headers)


def _described(text: SealedText) -> dict[str, Any]:
    return {"kind": text.kind, "number": text.number, "received_at": text.received, "sealed": text.armored}
