"""Rate limits: a step that counts requests, and refuses or queues requests over a limit."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum
from functools import partial

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message

from app.config import Settings
from app.errors import RateLimited
from app.extensions import Words
from app.http.exchange import Exchange
from app.http.hosts import NETWORKS
from app.http.problem_handlers import problem_response
from app.http.turns import LANE, OVER
from app.models.guides.catalogue import ACROSS_GUIDES
from app.models.links import CONCERNS
from app.services.access.limits import Count, Limiter, LimitKey, make_policy, networks_of

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
"""Policies by the first matching prefix of the path. All other paths have the policy of the desk."""


class OverLimit(Enum):
    REFUSED = "The response is 429, before the body is read."
    TURNS = "The request takes turns. The route may then refuse the request because of its content."
    PROVEN = (
        "A request with a credential takes turns. The route then serves a valid credential and refuses any other. "
        "A request without a credential gets 429."
    )


@dataclass(frozen=True)
class CountedKind:
    """A kind of request that is counted. `setting` has the limit.

    `connections` divided by `waiting`, but at least 1, may wait.
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


def policy_name(method: str, path: str, of_extensions: Words) -> str | None:
    """Return the name of a request's policy. A search without a query has `SEARCH_POLICY`, though it is not counted."""
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


class RateLimits:
    """Counts requests before their body is read, under the caller's networks.

    Once its key has been authenticated, a request counts under the key's client.
    """

    def __init__(self, limiter: Limiter, settings: Settings, limits: Words) -> None:
        self._limiter = limiter
        self._limits = limits
        self._policies = {name: make_policy(name, getattr(settings, each.setting)) for name, each in COUNTED.items()}
        self._client_policy = make_policy(CLIENT_POLICY, settings.limit_clients)
        self._client_of_token: OrderedDict[bytes | None, str] = OrderedDict()
        """Names of clients by the SHA-256 of Authorization, which itself is not kept in memory."""

    async def count_request(self, exchange: Exchange) -> ASGIApp | None:
        """Count a request, unless its address is unknown or of this host."""
        scope = exchange.scope
        name = policy_name(scope["method"], scope["path"], self._limits)
        if name is None or (name == SEARCH_POLICY and scope["method"] == "GET" and not scope["query_string"]):
            return None
        authorization = exchange.field(b"authorization")
        token = hashlib.sha256(authorization).digest() if authorization else None
        networks = networks_of(scope["client"][0] if scope.get("client") else None)
        count = None
        if networks:
            scope["state"][NETWORKS] = networks
            client = self._client_of_token.get(token)
            counted = (self._policies[name], networks) if client is None else (self._client_policy, (LimitKey(client),))
            count = await self._limiter.count(*counted)
        if count is not None or token is not None:
            exchange.changes.append(partial(self._tell, exchange, count, token))
        if count is not None and count.is_over and not _takes_turns(exchange, name, count):
            return problem_response(exchange.request, RateLimited, headers={"Retry-After": str(count.seconds)})
        return None

    async def _tell(self, exchange: Exchange, count: Count | None, token: bytes | None, start: Message) -> None:
        """Add the fields of the limit. Remember the client of `token` after authentication; forget it after a 401."""
        if count is not None:
            policy, headers = count.policy, MutableHeaders(raw=start["headers"])
            headers[POLICY_FIELD] = f'"{policy.name}";q={policy.item.amount};w={policy.seconds}'
            headers[FIELD] = f'"{policy.name}";r={count.remaining};t={count.seconds}'
        client = exchange.scope["state"].get("client")
        if token is not None and client is not None:
            self._client_of_token[token] = client
            self._client_of_token.move_to_end(token)
            if len(self._client_of_token) > MAX_REMEMBERED_TOKENS:
                self._client_of_token.popitem(last=False)
        elif start["status"] == UNAUTHORISED:
            self._client_of_token.pop(token, None)


def _takes_turns(exchange: Exchange, name: str, count: Count) -> bool:
    counted = COUNTED[name]
    if count.policy.name == CLIENT_POLICY:
        takes_turns = name == CONCERN_POLICY
    elif counted.above is OverLimit.PROVEN:
        takes_turns = exchange.field(b"authorization") is not None or exchange.field(b"cookie") is not None
    else:
        takes_turns = counted.above is OverLimit.TURNS
    if takes_turns:
        exchange.scope["state"] |= {OVER: count, LANE: (name, counted.waiting)}
    return takes_turns
