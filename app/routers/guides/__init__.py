"""API routes of guides: editions, renditions, drafts and their documents."""

from app.routers.guides import (
    catalogue,
    drafts,
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
    drafts.router,
    catalogue.catalogue_router,
    reference.reference_router,
)
