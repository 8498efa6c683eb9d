"""Web pages of the duty team's desk."""

from app.pages.desk import (
    actions,
    asked_first,
    cards_in_browser,
    concern,
    exports_in_browser,
    inbox,
    list_place,
    oversight,
    person_files,
    unsent,
    written_down,
)

ROUTERS = (
    inbox.router,
    concern.router,
    actions.router,
    unsent.router,
    cards_in_browser.router,
    asked_first.router,
    exports_in_browser.router,
    person_files.router,
    oversight.router,
    list_place.router,
    written_down.router,
)
