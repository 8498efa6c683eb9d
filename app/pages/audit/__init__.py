"""Web pages of the audit log."""

from app.pages.audit import (
    log_page,
)

ROUTERS = (log_page.router,)
