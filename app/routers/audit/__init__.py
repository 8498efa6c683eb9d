"""API routes of the audit log."""

from app.routers.audit import (
    audit_log,
    statistics,
)

ROUTERS = (
    statistics.router,
    audit_log.router,
)
