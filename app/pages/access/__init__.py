"""Web pages for signing in to the desk, for the people at the desk, and for their copies of the team's key."""

from app.pages.access import (
    keys,
    people,
    provider_sign_in,
    sign_in,
)

ROUTERS = (
    sign_in.router,
    provider_sign_in.visitors_router,
    people.router,
    keys.router,
)
