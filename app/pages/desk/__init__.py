"""Web pages of the duty team's desk."""

from app.pages.desk import (
    actions,
    asked_first,
    board,
    cards_in_browser,
    concern,
    exports_in_browser,
    figures,
    inbox,
    list_place,
    person_files,
    retention,
    unsent,
    written_down,
)

ROUTERS = (
    inbox.router,
    figures.router,
    concern.router,
    actions.router,
    unsent.router,
    cards_in_browser.router,
    asked_first.router,
    exports_in_browser.router,
    person_files.router,
    retention.router,
    board.router,
    list_place.router,
    written_down.router,
)
