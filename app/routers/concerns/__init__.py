"""API routes for reporters: the form, the submission of a concern, and the follow-up of a concern."""

from app.routers.concerns import (
    concerns,
)

ROUTERS = (concerns.router,)
