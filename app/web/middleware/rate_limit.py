"""Limits around requests: which routes have one, by whom it is counted, and the header fields that tell it.

Header fields: draft-ietf-httpapi-ratelimit-headers (`RateLimit-Policy`, `RateLimit`), and `Retry-After` on a refusal.
"""

import hashlib
from collections import OrderedDict

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.config import Settings
from app.models.guidance.catalogue_responses import ACROSS_GUIDES
from app.services.access.rate_limiting import Count, Limiter, Policy, make_policy, network_key
from app.web.problem_types import RATE_LIMITED
from app.web.problems import CONCERNS, problem_response

POLICY_FIELD = "RateLimit-Policy"
FIELD = "RateLimit"
FOR_CLIENTS = ("/v1/desk", "/v1/events")
SEARCHES = ("/v1/search", *(f"/v1/{section.value}" for section in ACROSS_GUIDES), "/open-referral/v3/")
STATUS_PAGE = "/concerns"
REMEMBERED_CLIENTS = 4096
UNAUTHORISED = 401

CONCERN_POLICY, STATUS_POLICY, SEARCH_POLICY, DESK_POLICY, CLIENT_POLICY = (
    "concerns",
    "status",
    "search",
    "desk",
    "clients",
)


def policy_name(method: str, path: str) -> str | None:
    """The name of the policy of that route, None where it has none: plain public reads are cheap, and kept in caches.

    A search is limited only where it has a query.
    """
    if path.startswith(CONCERNS):
        if method == "POST":
            return CONCERN_POLICY
        return STATUS_POLICY if method == "GET" and path != f"{CONCERNS}/form" else None
    if path == STATUS_PAGE and method == "POST":
        return STATUS_POLICY
    if path.startswith(FOR_CLIENTS) or method == "POST":
        return DESK_POLICY
    return SEARCH_POLICY if method == "GET" and path.startswith(SEARCHES) else None


class RateLimitMiddleware:
    """ASGI middleware that counts, and refuses who asks too often before the body is read.

    A caller is counted by network address. One whose key was admitted is from then on counted by client instead.
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
        self._admitted: OrderedDict[bytes, str] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        name = policy_name(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if name is None or (name == SEARCH_POLICY and not scope["query_string"]):
            await self.app(scope, receive, send)
            return
        token = _token_of(scope)
        found = self._counted_as(scope, self._policies[name], token)
        if found is None:
            await self.app(scope, receive, self._remembering(scope, token, send))
            return
        count = await self._limiter.count(*found)
        told = with_rate_limit_fields(count, send)
        if count.is_over:
            refusal = problem_response(
                Request(scope, receive), RATE_LIMITED, headers={"Retry-After": str(count.seconds)}
            )
            await refusal(scope, receive, told)
        else:
            await self.app(scope, receive, self._remembering(scope, token, told))

    def _counted_as(self, scope: Scope, policy: Policy, token: bytes | None) -> tuple[Policy, str] | None:
        who = network_key(scope["client"][0] if scope.get("client") else None)
        if who is None:
            return None
        client = self._admitted.get(token) if token is not None else None
        return (policy, who) if client is None else (self._client_policy, client)

    def _remembering(self, scope: Scope, token: bytes | None, send: Send) -> Send:
        """The way out, on which the client is remembered that the route admitted, and forgotten when it is not."""
        if token is None:
            return send

        async def remembering(message: Message) -> None:
            if message["type"] == "http.response.start":
                client = scope["state"].get("client")
                if client is not None:
                    self._admitted[token] = client
                    self._admitted.move_to_end(token)
                    if len(self._admitted) > REMEMBERED_CLIENTS:
                        self._admitted.popitem(last=False)
                elif message["status"] == UNAUTHORISED:
                    self._admitted.pop(token, None)
            await send(message)

        return remembering


def with_rate_limit_fields(count: Count, send: Send) -> Send:
    """The way out, on which the answer tells how the caller stands."""
    policy = count.policy

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers[POLICY_FIELD] = f'"{policy.name}";q={policy.item.amount};w={policy.seconds}'
            headers[FIELD] = f'"{policy.name}";r={count.remaining};t={count.seconds}'
        await send(message)

    return told


def _token_of(scope: Scope) -> bytes | None:
    """The hash of the bearer token, as clients' keys are kept."""
    given = Headers(scope=scope).get("authorization", "")
    return hashlib.sha256(given.encode("latin-1")).digest() if given else None
