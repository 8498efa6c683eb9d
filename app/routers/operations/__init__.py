"""API routes for operators."""

from app.routers.operations import (
    operations,
)

ROUTERS = (operations.router,)
