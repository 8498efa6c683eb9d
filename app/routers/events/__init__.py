"""API routes of events."""

from app.routers.events import (
    events,
)

ROUTERS = (events.router,)
