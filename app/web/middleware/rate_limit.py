"""Rate limits: which routes have one, how callers are counted, and the header fields of the limits.

Header fields: draft-ietf-httpapi-ratelimit-headers (`RateLimit-Policy`, `RateLimit`), and `Retry-After` on a refusal.
"""

import hashlib
from collections import OrderedDict

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.config import Settings
from app.errors import RateLimited
from app.models.guidance.catalogue_responses import ACROSS_GUIDES
from app.models.links import CONCERNS
from app.services.access.limits import Count, Limiter, Policy, make_policy, network_key
from app.web.problems import problem_response

POLICY_FIELD = "RateLimit-Policy"
FIELD = "RateLimit"
FOR_CLIENTS = ("/v1/desk", "/v1/events", "/desk/sign-in")
SEARCHES = ("/v1/search", *(f"/v1/{section.value}" for section in ACROSS_GUIDES), "/open-referral/v3/")
MAX_REMEMBERED_TOKENS = 4096
UNAUTHORISED = 401

CONCERN_POLICY = "concerns"
STATUS_POLICY = "status"
SEARCH_POLICY = "search"
DESK_POLICY = "desk"
CLIENT_POLICY = "clients"
POSTED_PAGES = (
    (("/raise-a-concern", "/worried-about-yourself", "/concerns/additions"), CONCERN_POLICY),
    ("/concerns", STATUS_POLICY),
    ("/search", SEARCH_POLICY),
)
"""The policy of each form of the pages, by the beginning of its path."""


def policy_name(method: str, path: str) -> str | None:
    """Return the name of the route's policy, or None: plain public reads have no limit. They are cheap.

    A search has a limit only if the request has a query, or is that of the search page.
    """
    if path.startswith(CONCERNS):
        if method == "POST":
            return CONCERN_POLICY
        return STATUS_POLICY if method == "GET" and path != f"{CONCERNS}/form" else None
    if method == "POST":
        return next((policy for pages, policy in POSTED_PAGES if path.startswith(pages)), DESK_POLICY)
    if path.startswith(FOR_CLIENTS):
        return DESK_POLICY
    return SEARCH_POLICY if method == "GET" and path.startswith(SEARCHES) else None


class RateLimitMiddleware:
    """ASGI middleware that counts requests, and refuses those over the limit before their body is read.

    A caller is counted by network address. After its key was authenticated once, it is counted by client instead.
    """

    def __init__(self, app: ASGIApp, limiter: Limiter, settings: Settings) -> None:
        self.app = app
        self._limiter = limiter
        self._policies = {
            CONCERN_POLICY: make_policy(CONCERN_POLICY, settings.limit_concerns),
            STATUS_POLICY: make_policy(STATUS_POLICY, settings.limit_status),
            SEARCH_POLICY: make_policy(SEARCH_POLICY, settings.limit_search),
            DESK_POLICY: make_policy(DESK_POLICY, settings.limit_desk),
        }
        self._client_policy = make_policy(CLIENT_POLICY, settings.limit_clients)
        self._client_of_token: OrderedDict[bytes, str] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        name = policy_name(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if name is None or (name == SEARCH_POLICY and scope["method"] == "GET" and not scope["query_string"]):
            await self.app(scope, receive, send)
            return
        token = _token_hash(scope)
        bucket = self._find_bucket(scope, self._policies[name], token)
        if bucket is not None:
            count = await self._limiter.count(*bucket)
            send = with_rate_limit_fields(count, send)
            if count.is_over:
                retry_after = {"Retry-After": str(count.seconds)}
                await problem_response(Request(scope, receive), RateLimited, headers=retry_after)(scope, receive, send)
                return
        await self.app(scope, receive, self._remember_client(scope, token, send))

    def _find_bucket(self, scope: Scope, policy: Policy, token: bytes | None) -> tuple[Policy, str] | None:
        """Return the policy and the key to count the request by, or None if it is not counted (see `network_key`)."""
        network = network_key(scope["client"][0] if scope.get("client") else None)
        if network is None:
            return None
        client = self._client_of_token.get(token) if token is not None else None
        return (policy, network) if client is None else (self._client_policy, client)

    def _remember_client(self, scope: Scope, token: bytes | None, send: Send) -> Send:
        """Wrap `send`: remember token -> client after authentication, forget it on 401."""
        if token is None:
            return send

        async def send_and_remember(message: Message) -> None:
            if message["type"] == "http.response.start":
                client = scope["state"].get("client")
                if client is not None:
                    self._client_of_token[token] = client
                    self._client_of_token.move_to_end(token)
                    if len(self._client_of_token) > MAX_REMEMBERED_TOKENS:
                        self._client_of_token.popitem(last=False)
                elif message["status"] == UNAUTHORISED:
                    self._client_of_token.pop(token, None)
            await send(message)

        return send_and_remember


def with_rate_limit_fields(count: Count, send: Send) -> Send:
    """Wrap `send`: add the RateLimit header fields."""
    policy = count.policy

    async def send_with_fields(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers[POLICY_FIELD] = f'"{policy.name}";q={policy.item.amount};w={policy.seconds}'
            headers[FIELD] = f'"{policy.name}";r={count.remaining};t={count.seconds}'
        await send(message)

    return send_with_fields


def _token_hash(scope: Scope) -> bytes | None:
    """Return the SHA-256 of the Authorization header, so that no token is held in memory; None without one."""
    authorization = next((value for name, value in scope["headers"] if name == b"authorization"), None)
    return hashlib.sha256(authorization).digest() if authorization else None
