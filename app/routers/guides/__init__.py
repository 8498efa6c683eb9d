"""API routes of guides: editions, renditions and their documents."""

from app.routers.guides import (
    catalogue,
    editions,
    formats,
    guides,
    publishing,
    reference,
    renditions,
)

ROUTERS = (
    formats.router,
    editions.editions_router,
    publishing.publishing_router,
    guides.router,
    renditions.router,
    catalogue.catalogue_router,
    reference.reference_router,
)
