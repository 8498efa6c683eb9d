"""Web pages of guides: reading and searching guides, and writing drafts."""

from app.pages.guides import (
    document_drafts,
    drafts,
    edit_history,
    edit_renditions,
    edit_review,
    edit_tables,
    guides,
    pictures,
    previews,
    search,
)

ROUTERS = (
    guides.router,
    search.router,
    drafts.router,
    document_drafts.router,
    edit_review.router,
    edit_history.router,
    edit_renditions.router,
    edit_tables.router,
    pictures.router,
    pictures.picture_router,
    previews.preview_router,
    previews.link_router,
)
