"""API routes of the duty team's desk."""

from app.routers.desk import (
    actions,
    cards,
    entries,
    exports,
    figures,
    hand_overs,
    inbox,
    look_again,
    restriction,
    written_down,
)

ROUTERS = (
    inbox.router,
    actions.router,
    entries.router,
    cards.router,
    written_down.router,
    hand_overs.router,
    exports.router,
    look_again.router,
    restriction.router,
    figures.router,
)
