"""The views of the inbox that a person saves under a name, on the page of the inbox."""

import re
import unicodedata
from typing import Annotated

from fastapi import Path, Response

from app.errors import ValidationFailed
from app.models.base import SLUG_PATTERN
from app.pages.desk.desk_route import DeskRoute, lead_to
from app.pages.desk.inbox_filters import InboxFilter, chosen_of, filters_in
from app.pages.desk.inbox_view import Typed, inbox_page
from app.pages.form.form_data import SubmittedFormDep
from app.services.access.desk_sign_in import PATH
from app.services.desk.views import remove_view, save_view
from app.web.context import ContextDep, NowDep
from app.web.people import PageReaderDep
from app.web.router import GuidanceRouter

router = GuidanceRouter(prefix=f"{PATH}/views", include_in_schema=False, route_class=DeskRoute)

FIELDS = ("state", "overdue", "danger", "guide")
MAX_VIEW_NAME = 80
NO_NAME = "Give the view a name with letters or digits"
VIEW_REFUSED = 422


@router.post("")
def save_view_on_page(context: ContextDep, visitor: PageReaderDep, now: NowDep, posted: SubmittedFormDep) -> Response:
    """Save the filters of the form under the name that was typed, in place of those that had it, and show them."""
    fields = filters_in({name: posted.one(name) for name in FIELDS}, posted.one("who"))
    chosen = chosen_of(InboxFilter.ALL, fields)
    name = name_of_view(posted.one("name"))
    try:
        if not name:
            raise ValidationFailed(())
        save_view(context.writer, visitor.name, name, chosen.view, at=now)
    except ValidationFailed as refusal:
        fault = next((each.detail for each in refusal.faults), NO_NAME)
        typed = Typed(posted.one("name"), {"name": fault})
        return inbox_page(context, visitor, now, chosen, typed=typed, status=VIEW_REFUSED)
    return lead_to(f"{PATH}?{chosen.query}")


@router.post("/{name}/removal")
def remove_view_on_page(
    context: ContextDep,
    visitor: PageReaderDep,
    name: Annotated[str, Path(pattern=SLUG_PATTERN, max_length=MAX_VIEW_NAME)],
) -> Response:
    """Remove one of the person's views."""
    remove_view(context.writer, visitor.name, name)
    return lead_to(PATH)


def name_of_view(typed: str) -> str:
    """Return the name as the API writes it: `Überfällig, my own` is `uberfallig-my-own`."""
    plain = unicodedata.normalize("NFKD", typed).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall("[a-z0-9]+", plain))[:MAX_VIEW_NAME].strip("-")
