"""Web pages of guides: reading and searching guides."""

from app.pages.guides import guides, search

ROUTERS = (guides.router, search.router)
