"""Rate limits: middleware that counts requests, and refuses or queues requests over a limit.

A queued request takes turns with other requests over the same limit (see `app.http.turns`).
"""

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable
from dataclasses import dataclass
from enum import Enum

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.config import Settings
from app.errors import InternalError, RateLimited, UnknownHost
from app.extensions import Words
from app.http.context import context_of
from app.http.hosts import NETWORKS, HostCheck
from app.http.problem_handlers import problem_response
from app.http.turns import LANE, OVER
from app.logs import Log, frames_of
from app.models.guides.catalogue import ACROSS_GUIDES
from app.models.links import CONCERNS
from app.services.access.limits import Count, Limiter, LimitKey, LimitKeys, Policy, make_policy, networks_of

log = Log(__name__)
POLICY_FIELD = "RateLimit-Policy"
FIELD = "RateLimit"
SIGN_INS = ("/desk/sign-in", "/desk/invitation")
FOR_CLIENTS = ("/v1/desk", "/v1/events")
SEARCHES = ("/v1/search", *(f"/v1/{section.value}" for section in ACROSS_GUIDES))
MAX_REMEMBERED_TOKENS = 4096
UNAUTHORISED = 401
CONCERN_POLICY = "concerns"
FORM_POLICY = "forms"
CHECK_POLICY = "checks"
ADDITION_POLICY = "additions"
STATUS_POLICY = "status"
SAVED_POLICY = "saved-codes"
SEARCH_POLICY = "search"
ASSISTANT_POLICY = "assistants"
SIGN_IN_POLICY = "sign-in"
DESK_POLICY = "desk"
CLIENT_POLICY = "clients"
POSTED = (
    (f"{CONCERNS}/check", CHECK_POLICY),
    (f"{CONCERNS}/", ADDITION_POLICY),
    (CONCERNS, CONCERN_POLICY),
    (("/raise-a-concern", "/worried-about-yourself", "/worried-about-a-friend", "/in-your-language"), FORM_POLICY),
    ("/concerns/additions", ADDITION_POLICY),
    ("/concerns/saved", SAVED_POLICY),
    ("/concerns", STATUS_POLICY),
    ("/search", SEARCH_POLICY),
    (SIGN_INS, SIGN_IN_POLICY),
)
"""The policy of each POST, by the first prefix of its path. All others have that of the desk."""


class OverLimit(Enum):
    """What happens to a request over its limit."""

    REFUSED = "The response is 429, before the body is read."
    TURNS = "The request takes turns. The route may then refuse the request because of its content."
    PROVEN = (
        "A request with a credential takes turns. The route then serves a valid credential and refuses any other. "
        "A request without a credential gets 429."
    )


@dataclass(frozen=True)
class CountedKind:
    """Requests counted together. `setting` has the limit.

    If they take turns, `connections` divided by `waiting`, but at least 1, may wait.
    """

    setting: str
    above: OverLimit
    waiting: int = 40


COUNTED = {
    CONCERN_POLICY: CountedKind("limit_concerns", OverLimit.TURNS, waiting=4),
    FORM_POLICY: CountedKind("limit_concerns", OverLimit.TURNS, waiting=4),
    CHECK_POLICY: CountedKind("limit_concerns", OverLimit.REFUSED),
    ADDITION_POLICY: CountedKind("limit_concerns", OverLimit.TURNS),
    STATUS_POLICY: CountedKind("limit_status", OverLimit.TURNS),
    SAVED_POLICY: CountedKind("limit_concerns", OverLimit.TURNS),
    SEARCH_POLICY: CountedKind("limit_search", OverLimit.REFUSED),
    ASSISTANT_POLICY: CountedKind("limit_search", OverLimit.REFUSED),
    SIGN_IN_POLICY: CountedKind("limit_sign_in", OverLimit.TURNS),
    DESK_POLICY: CountedKind("limit_desk", OverLimit.PROVEN),
}
"""By policy. Requests of one kind do not use up the limit of another."""


def policy_name(method: str, path: str, of_extensions: Words) -> str | None:
    """Most public reads have none. A search without a query has `SEARCH_POLICY`, though it is not counted."""
    for place, policy in of_extensions.items():
        if f"{method} {path}".startswith(place):
            return policy
    if method == "POST":
        return next((policy for paths, policy in POSTED if path.startswith(paths)), DESK_POLICY)
    if path.startswith(CONCERNS):
        return STATUS_POLICY if method == "GET" and path != f"{CONCERNS}/form" else None
    if path.startswith(SIGN_INS[0]):
        return SIGN_IN_POLICY
    if path.startswith(FOR_CLIENTS):
        return DESK_POLICY
    return SEARCH_POLICY if method == "GET" and path.startswith(SEARCHES) else None


class GateMiddleware:
    """Refuses an unknown host or a request over its limit, before the body is read.

    The check of the host stops DNS rebinding. A request counts under the caller's networks, or once its key has been
    authenticated under the key's client. Some over their limit are passed on to take turns (`COUNTED`).

    An unhandled error becomes 500 here. Its log line has type and stack, not its message, which may have a reporter's
    text.
    """

    def __init__(self, app: ASGIApp, allows_host: HostCheck, limiter: Limiter, settings: Settings) -> None:
        self.app = app
        self._allows_host = allows_host
        self._limiter = limiter
        self._policies = {name: make_policy(name, getattr(settings, each.setting)) for name, each in COUNTED.items()}
        self._client_policy = make_policy(CLIENT_POLICY, settings.limit_clients)
        self._client_of_token: OrderedDict[bytes, str] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_started = False

        def watch_start(message: Message) -> Awaitable[None]:
            nonlocal has_started
            has_started = True
            return send(message)

        try:
            served, sending = await self._admit(scope, receive, watch_start)
            await served(scope, receive, sending)
        except Exception as error:  # every error becomes a 500 response, and is logged without its message
            request_id = scope["state"]["request_id"]
            log.error("unhandled_error", request_id=request_id, error=type(error).__name__, frames=frames_of(error))
            if not has_started:
                await problem_response(Request(scope, receive), InternalError)(scope, receive, send)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> tuple[ASGIApp, Send]:
        """Return the app that serves or refuses the request, and a `send` with rate limit headers."""
        if not self._allows_host(find_field(scope, b"host")):
            return problem_response(Request(scope, receive), UnknownHost), send
        name = policy_name(scope["method"], scope["path"], context_of(Request(scope)).limits)
        if name is None or (name == SEARCH_POLICY and scope["method"] == "GET" and not scope["query_string"]):
            return self.app, send
        token = _token_hash(scope)
        bucket = self._find_bucket(scope, self._policies[name], token)
        if bucket is not None:
            count = await self._limiter.count(*bucket)
            send = with_rate_limit_fields(count, send)
            if count.is_over and not _takes_turns(scope, name, count):
                retry_after = {"Retry-After": str(count.seconds)}
                return problem_response(Request(scope, receive), RateLimited, headers=retry_after), send
        return self.app, send if token is None else self._remember_client(scope, token, send)

    def _find_bucket(self, scope: Scope, policy: Policy, token: bytes | None) -> tuple[Policy, LimitKeys] | None:
        """Return policy and keys under which to count, or None if not counted: no address, or one of this host."""
        networks = networks_of(scope["client"][0] if scope.get("client") else None)
        if not networks:
            return None
        scope["state"][NETWORKS] = networks
        client = self._client_of_token.get(token) if token is not None else None
        return (policy, networks) if client is None else (self._client_policy, (LimitKey(client),))

    def _remember_client(self, scope: Scope, token: bytes, send: Send) -> Send:
        """Remember the client of `token` after authentication; forget it after a 401."""

        def send_and_remember(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                client = scope["state"].get("client")
                if client is not None:
                    self._client_of_token[token] = client
                    self._client_of_token.move_to_end(token)
                    if len(self._client_of_token) > MAX_REMEMBERED_TOKENS:
                        self._client_of_token.popitem(last=False)
                elif message["status"] == UNAUTHORISED:
                    self._client_of_token.pop(token, None)
            return send(message)

        return send_and_remember


def _takes_turns(scope: Scope, name: str, count: Count) -> bool:
    """If so, store the count (`OVER`) and the queue (`LANE`) in the request's state."""
    counted, is_client = COUNTED[name], count.policy.name == CLIENT_POLICY
    if is_client:
        takes_turns = name == CONCERN_POLICY
    elif counted.above is OverLimit.PROVEN:
        takes_turns = find_field(scope, b"authorization") is not None or find_field(scope, b"cookie") is not None
    else:
        takes_turns = counted.above is OverLimit.TURNS
    if takes_turns:
        scope["state"] |= {OVER: count, LANE: (name, counted.waiting)}
    return takes_turns


def with_rate_limit_fields(count: Count, send: Send) -> Send:
    """Add RateLimit-Policy and RateLimit to the response."""
    policy = count.policy

    def send_with_fields(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers[POLICY_FIELD] = f'"{policy.name}";q={policy.item.amount};w={policy.seconds}'
            headers[FIELD] = f'"{policy.name}";r={count.remaining};t={count.seconds}'
        return send(message)

    return send_with_fields


def _token_hash(scope: Scope) -> bytes | None:
    """Return the SHA-256 of Authorization: only this is kept in memory."""
    authorization = find_field(scope, b"authorization")
    return hashlib.sha256(authorization).digest() if authorization else None


def find_field(scope: Scope, name: bytes) -> bytes | None:
    """The first with the lower-case `name`."""
    return next((value for each, value in scope["headers"] if each == name), None)
