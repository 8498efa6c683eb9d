"""Routes of drafts: of the API, and of the editors' pages."""

from app.extensions.editing.pages import (
    document_drafts,
    edit_history,
    edit_renditions,
    edit_review,
    pictures,
    previews,
    urgent_number,
)
from app.extensions.editing.pages import drafts as draft_pages
from app.extensions.editing.routers import drafts

ROUTERS = (
    drafts.router,
    draft_pages.router,
    document_drafts.router,
    edit_review.router,
    urgent_number.router,
    edit_history.router,
    edit_renditions.router,
    pictures.router,
    previews.preview_router,
    previews.link_router,
)
