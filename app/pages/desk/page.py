"""Pages of the desk: stored nowhere, shown in no frame, and with nothing of a concern in their addresses and titles."""

from typing import Any

from fastapi import Response

from app.pages.page import private_page
from app.web.context import AppContext
from app.web.people import Visitor

DESK_CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""No setting lets a site show the desk in a frame."""


def desk_page(
    context: AppContext, template: str, *, visitor: Visitor | None = None, status: int = 200, **values: Any
) -> Response:
    """Return a page of the desk, with the person who is signed in at its top."""
    page = private_page(context, template, status=status, visitor=visitor, **values)
    page.headers["Content-Security-Policy"] = DESK_CONTENT_POLICY
    return page
