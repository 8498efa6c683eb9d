"""Saved views of the inbox, with the path of the inbox that each gives."""

from urllib.parse import urlencode

from app.models.desk.view_tables import SavedViewRow
from app.models.desk.views import SavedView
from app.models.links import DESK_CONCERNS, DESK_VIEWS


def saved_view(row: SavedViewRow) -> SavedView:
    """Return the view."""
    query = urlencode(
        {name: str(value).lower() if value in (True, False) else value for name, value in row.filters.items()}
    )
    links = {"self": f"{DESK_VIEWS}/{row.name}", "concerns": f"{DESK_CONCERNS}?{query}" if query else DESK_CONCERNS}
    return SavedView(name=row.name, filters=row.filters, saved_at=row.saved_at, links=links)
