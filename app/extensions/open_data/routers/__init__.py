"""API routes of the open data."""

from app.extensions.open_data.routers import api_catalog, assistants, feeds, open_referral

ROUTERS = (feeds.router, open_referral.router, assistants.router, api_catalog.router)
