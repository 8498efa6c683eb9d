"""The ETag of a draft, and the `If-Match` of the requests that change it."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Header

from app.errors import DraftChanged, DraftNotNamed
from app.models.guidance.guide_tables import GuideDraftRow
from app.web.responses import matches_etag

DraftTag = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=1000,
        description="The ETag of the draft that the caller read. Needed unless the guide has no draft.",
        examples=['"draft-3"'],
    ),
]


def draft_etag(draft: GuideDraftRow) -> str:
    """Return the ETag of the draft as it is now."""
    return f'"draft-{draft.version}"'


def check_draft_tag(if_match: str | None, draft: GuideDraftRow | None) -> None:
    """Raise `DraftNotNamed` or `DraftChanged` unless the header has the ETag of the draft, or there is neither."""
    if draft is None and if_match is None:
        return
    if if_match is None:
        raise DraftNotNamed
    if draft is None or not matches_etag([if_match], draft_etag(draft)):
        raise DraftChanged


def expect_draft(if_match: str | None) -> Callable[[GuideDraftRow], None]:
    """Return the precondition that the draft is the one of the header."""
    return lambda draft: check_draft_tag(if_match, draft)
