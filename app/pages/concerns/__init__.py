"""Web pages of concerns: raising a concern, the status of a concern, and additions."""

from app.pages.concerns import (
    raise_concern,
    saved_forms,
    status,
)

ROUTERS = (
    raise_concern.router,
    saved_forms.router,
    status.router,
)
