"""Open data: the directory of Open Referral UK, feeds, the API catalogue, and tools for AI assistants."""

from app.extensions import Extension

MCP = "/mcp"
API_CATALOG = "/.well-known/api-catalog"
JSON_FEED = "/v1/feed.json"
ATOM_FEED = "/v1/feed.atom"
REVIEWS_JSON_FEED = "/v1/reviews-due.json"
REVIEWS_ATOM_FEED = "/v1/reviews-due.atom"
STUB = "/open-referral/v3"
EXTENSION = Extension(
    __name__,
    parts=("routers",),
    links={
        "feed": JSON_FEED,
        "feed_atom": ATOM_FEED,
        "reviews_due": REVIEWS_JSON_FEED,
        "reviews_due_atom": REVIEWS_ATOM_FEED,
        "open_referral": STUB,
        "api_catalog": API_CATALOG,
    },
    limits={f"POST {MCP}": "assistants", f"GET {STUB}/": "search"},
    without_pages=("/open-referral", MCP),
    uncached=(REVIEWS_JSON_FEED, REVIEWS_ATOM_FEED),
)
