"""Paths that are in English alone."""

PATHS_WITHOUT_PAGES = ("/v1", "/open-referral", "/health", "/metrics", "/.well-known", "/openapi.json")
ENGLISH_ALONE = (*PATHS_WITHOUT_PAGES, "/docs", "/looks", "/mcp", "/desk", "/edit")
"""What has no other language: the API, its documentation, and files."""
