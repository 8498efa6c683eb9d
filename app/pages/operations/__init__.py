"""Web pages about the service itself: the API documentation, and the status page."""

from app.pages.operations import (
    api_docs,
    service_status,
)

ROUTERS = (
    api_docs.router,
    service_status.router,
)
