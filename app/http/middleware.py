"""The middleware around all routes: from the log of requests, the outermost, to the limits of their bodies.

What only changes a request or its response, and awaits nothing itself, is no coroutine: it returns what it calls. Every
coroutine around a route is entered again each time the route waits for something.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils import uuid4
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.config import Settings
from app.errors import (
    BadRequest,
    ContentTooLarge,
    InternalError,
    OriginNotAllowed,
    Problem,
    RateLimited,
    RequestTimeout,
    ServiceUnavailable,
    UnknownHost,
)
from app.http.cache import RawHeaders
from app.http.metrics import Answered, Metrics
from app.http.problem_handlers import PAGES_OF_CONCERNS, problem_response
from app.http.turns import HELD_SECONDS, LANE, LONG_BODY_BYTES, OVER, HeldAnswer, Turns
from app.logs import Log, frames_of
from app.models.catalogue import ACROSS_GUIDES
from app.models.links import CONCERNS, MCP
from app.services.limits import (
    UNKNOWN_ADDRESS,
    Count,
    Limiter,
    Network,
    Networks,
    Policy,
    make_policy,
    networks_of,
)

if TYPE_CHECKING:
    from app.http.tracing import Traces

log = Log(__name__)

SAME_ORIGIN_ONLY = ("/v1/desk", "/desk", "/edit", "/metrics", "/health", *PAGES_OF_CONCERNS)
"""The paths that send no CORS headers at all."""
EXPOSED_HEADERS = (
    "Deprecation",
    "Sunset",
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "RateLimit-Policy",
    "RateLimit",
    "X-Request-ID",
    "Idempotency-Replayed",
    "Memento-Datetime",
    "Content-Location",
    "Content-Disposition",
    "WWW-Authenticate",
)
TRACING_HEADERS = ("traceparent", "tracestate", "X-Request-ID")
READ_HEADERS = ("If-None-Match", "Authorization", "Accept-Datetime", *TRACING_HEADERS)
SUBMISSION_HEADERS = ("Content-Type", "Idempotency-Key", "Authorization", "If-None-Match", *TRACING_HEADERS)
DAY = 86_400
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
HTTPS_HEADERS = {"Strict-Transport-Security": "max-age=63072000"}  # two years
FOR_EVERY_ORIGIN = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": ", ".join(EXPOSED_HEADERS)}


def security_headers(*, is_https: bool) -> dict[str, str]:
    """Return the security headers of every response."""
    return SECURITY_HEADERS | HTTPS_HEADERS if is_https else SECURITY_HEADERS


class HeadersMiddleware:
    """ASGI middleware that adds the headers which the route did not set: security headers, and those of CORS.

    A security header has the strictest value. Reads are open to every origin, submissions to the configured ones only.
    A public read says so even if the request has no Origin, so that a copy in a shared cache works for browsers too.
    """

    def __init__(self, app: ASGIApp, *, is_https: bool, allowed_origins: Sequence[str]) -> None:
        self.app = app
        self.reads = CORSMiddleware(
            app, allow_origins=["*"], allow_methods=["GET", "HEAD"], allow_headers=READ_HEADERS, max_age=DAY
        )
        self.submissions = CORSMiddleware(
            app,
            allow_origins=list(allowed_origins),
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=SUBMISSION_HEADERS,
            expose_headers=EXPOSED_HEADERS,
            max_age=DAY,
        )
        self._security = _raw(security_headers(is_https=is_https))
        self._security_and_cors = self._security + _raw(FOR_EVERY_ORIGIN)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request."""
        if scope["type"] != "http":
            return self.app(scope, receive, send)
        path: str = scope["path"]
        if path.startswith(SAME_ORIGIN_ONLY):
            return self.app(scope, receive, _with_headers(send, self._security))
        is_submission = path.startswith(CONCERNS) and path != f"{CONCERNS}/form"
        rules = self.submissions if is_submission else self.reads
        send = _with_headers(send, self._security if is_submission else self._security_and_cors)
        if _is_preflight(scope):
            return _answer_preflight(rules, Request(scope, receive), send)
        return self.submissions(scope, receive, send) if is_submission else self.app(scope, receive, send)


def _raw(headers: Mapping[str, str]) -> RawHeaders:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


def _with_headers(send: Send, headers: RawHeaders) -> Send:
    """Wrap `send`: add those of the headers that the response has not."""

    def send_with_headers(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            present = {name for name, _ in message["headers"]}
            missing = [pair for pair in headers if pair[0] not in present]
            message = {**message, "headers": [*message["headers"], *missing]}
        return send(message)

    return send_with_headers


def _is_preflight(scope: Scope) -> bool:
    if scope["method"] != "OPTIONS":
        return False
    return {"origin", "access-control-request-method"} <= set(Headers(scope=scope).keys())


async def _answer_preflight(rules: CORSMiddleware, request: Request, send: Send) -> None:
    """Answer the preflight: what the browser may send, or a problem if it may not."""
    response = rules.preflight_response(request.headers)
    if response.status_code == OriginNotAllowed.status:
        headers = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
        response = problem_response(request, OriginNotAllowed, headers=headers)
    await response(request.scope, request.receive, send)


ANY = "*"
CACHED_HOSTS = 1000
FORWARDED_FOR = "x-forwarded-for"
IS_BELIEVED = "forwarded_by_trusted_proxy"
"""The key of the scope of a request that a trusted proxy sent."""

HostCheck = Callable[[bytes | None], bool]


class ForwardedAddressMiddleware:
    """ASGI middleware that takes the caller's address and scheme from a trusted proxy, as uvicorn's own reads them.

    What is not an IP address becomes `UNKNOWN_ADDRESS`: those callers are counted as one, and nothing that they wrote
    is recorded.
    """

    def __init__(self, app: ASGIApp, trusted_proxies: Sequence[str]) -> None:
        self.app = app
        self._reader = ProxyHeadersMiddleware(_do_nothing, list(trusted_proxies))  # type: ignore[arg-type]  # its own ASGI types

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        peer = scope.get("client")
        if peer and peer[0] in self._reader.trusted_hosts:
            scope[IS_BELIEVED] = True
            await self._reader(scope, receive, send)  # type: ignore[arg-type]  # its own ASGI types
            if FORWARDED_FOR in Headers(scope=scope):
                forwarded = scope["client"]
                scope["client"] = (_readable_address("" if forwarded is peer else forwarded[0]), forwarded[1])
        await self.app(scope, receive, send)


def is_forwarded_by_stranger(scope: Scope) -> bool:
    """Return True if the request has an X-Forwarded-For that nobody believes: its sender is no trusted proxy."""
    return FORWARDED_FOR in Headers(scope=scope) and IS_BELIEVED not in scope


async def _do_nothing(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Answer nothing: the reader only changes the scope."""


def _readable_address(text: str) -> str:
    """Return the IP address in its usual form, without a zone, which may be any text; else `UNKNOWN_ADDRESS`."""
    try:
        return str(ip_address(text.partition("%")[0]))
    except ValueError:
        return UNKNOWN_ADDRESS


def make_host_check(*, public_url: str, allowed_hosts: Sequence[str]) -> HostCheck:
    """Return the check of a Host header: True if its value is allowed, or if the header is missing.

    Allowed are the host of the public address, the names in the setting (`*.council.example` for every name below a
    domain, `*` for any), IP addresses, and names without a dot: no page on the open internet has one of the last two.
    """
    names = frozenset(name.lower() for name in (urlsplit(public_url).hostname or "", *allowed_hosts))
    endings = tuple(name.lower()[1:] for name in allowed_hosts if name.startswith("*."))

    @lru_cache(maxsize=CACHED_HOSTS)
    def allows_host(host: bytes | None) -> bool:
        if host is None or ANY in names:
            return True
        name = _strip_port(host.decode("latin-1").lower())
        return "." not in name or name in names or name.endswith(endings) or _is_address(name)

    return allows_host


def _strip_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


POLICY_FIELD = "RateLimit-Policy"
FIELD = "RateLimit"
SIGN_INS = ("/desk/sign-in", "/desk/invitation")
FOR_CLIENTS = ("/v1/desk", "/v1/events")
SEARCHES = ("/v1/search", *(f"/v1/{section.value}" for section in ACROSS_GUIDES), "/open-referral/v3/")
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


class Above(Enum):
    """What happens to a request above its limit."""

    REFUSED = "429, before its body is read"
    TURNS = "it takes turns with others above that limit: whether it is refused depends on what it says"
    PROVEN = (
        "it takes turns if it has a credential: a right one is served, a wrong one refused. Without one it is refused"
    )


@dataclass(frozen=True)
class Counted:
    """A kind of request that is counted for itself: the setting of its limit, and what happens above it.

    At most one in `waiting` of the connections waits for its turn.
    """

    setting: str
    above: Above
    waiting: int = 40


COUNTED = {
    CONCERN_POLICY: Counted("limit_concerns", Above.TURNS, waiting=4),
    FORM_POLICY: Counted("limit_concerns", Above.TURNS, waiting=4),
    CHECK_POLICY: Counted("limit_concerns", Above.REFUSED),
    ADDITION_POLICY: Counted("limit_concerns", Above.TURNS),
    STATUS_POLICY: Counted("limit_status", Above.TURNS),
    SAVED_POLICY: Counted("limit_concerns", Above.TURNS),
    SEARCH_POLICY: Counted("limit_search", Above.REFUSED),
    ASSISTANT_POLICY: Counted("limit_search", Above.REFUSED),
    SIGN_IN_POLICY: Counted("limit_sign_in", Above.TURNS),
    DESK_POLICY: Counted("limit_desk", Above.PROVEN),
}
"""What is counted, each for itself: so that what is sent of one kind stops nothing of another."""

POSTED = (
    (f"{CONCERNS}/check", CHECK_POLICY),
    (f"{CONCERNS}/", ADDITION_POLICY),
    (CONCERNS, CONCERN_POLICY),
    (("/raise-a-concern", "/worried-about-yourself", "/worried-about-a-friend"), FORM_POLICY),
    ("/concerns/additions", ADDITION_POLICY),
    ("/concerns/saved", SAVED_POLICY),
    ("/concerns", STATUS_POLICY),
    ("/search", SEARCH_POLICY),
    (MCP, ASSISTANT_POLICY),
    (SIGN_INS, SIGN_IN_POLICY),
)
"""The policy of each post, by the first beginning of its path. Others are the desk's."""


def policy_name(method: str, path: str) -> str | None:
    """Return the name of the route's policy, or None: plain public reads have no limit. They are cheap.

    A search has a limit only if the request has a query, or is that of the search page.
    """
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
    """ASGI middleware that refuses an unknown host and a caller over its limit, before the body of a request is read.

    The name in the Host header must be known, which stops DNS rebinding by another site. A caller is counted by the
    networks of its address. After its key was authenticated once, it is counted by client instead. What is not refused
    above its limit (`COUNTED`) is passed on with its count, and takes turns.

    An error that nothing else handled is answered 500, inside CORS, so that pages can read it. The log line has the
    type of the error and its stack frames, never its message, which may hold a reporter's words.
    """

    def __init__(self, app: ASGIApp, allows_host: HostCheck, limiter: Limiter, settings: Settings) -> None:
        self.app = app
        self._allows_host = allows_host
        self._limiter = limiter
        self._policies = {name: make_policy(name, getattr(settings, each.setting)) for name, each in COUNTED.items()}
        self._client_policy = make_policy(CLIENT_POLICY, settings.limit_clients)
        self._client_of_token: OrderedDict[bytes, str] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
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
        except Exception as error:  # whatever it is, it is answered and logged, without its message
            request_id = scope["state"]["request_id"]
            log.error("unhandled_error", request_id=request_id, error=type(error).__name__, frames=frames_of(error))
            if not has_started:
                await problem_response(Request(scope, receive), InternalError)(scope, receive, send)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> tuple[ASGIApp, Send]:
        """Return what serves the request, which may be a refusal, and `send` with what it adds to the response."""
        if not self._allows_host(find_field(scope, b"host")):
            return problem_response(Request(scope, receive), UnknownHost), send
        name = policy_name(scope["method"], scope["path"])
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

    def _find_bucket(self, scope: Scope, policy: Policy, token: bytes | None) -> tuple[Policy, Networks] | None:
        """Return the policy and what to count the request under, or None if it is not counted (see `networks_of`)."""
        networks = networks_of(scope["client"][0] if scope.get("client") else None)
        if not networks:
            return None
        client = self._client_of_token.get(token) if token is not None else None
        return (policy, networks) if client is None else (self._client_policy, (Network(client),))

    def _remember_client(self, scope: Scope, token: bytes, send: Send) -> Send:
        """Wrap `send`: remember token -> client after authentication, forget it on 401."""

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
    """Return whether the request, which is over its limit, takes turns; its state then has the count and the lane."""
    counted, is_client = COUNTED[name], count.policy.name == CLIENT_POLICY
    if is_client:
        takes_turns = name == CONCERN_POLICY
    elif counted.above is Above.PROVEN:
        takes_turns = find_field(scope, b"authorization") is not None or find_field(scope, b"cookie") is not None
    else:
        takes_turns = counted.above is Above.TURNS
    if takes_turns:
        scope["state"] |= {OVER: count, LANE: (name, counted.waiting)}
    return takes_turns


def with_rate_limit_fields(count: Count, send: Send) -> Send:
    """Wrap `send`: add the RateLimit header fields."""
    policy = count.policy

    def send_with_fields(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers[POLICY_FIELD] = f'"{policy.name}";q={policy.item.amount};w={policy.seconds}'
            headers[FIELD] = f'"{policy.name}";r={count.remaining};t={count.seconds}'
        return send(message)

    return send_with_fields


def _token_hash(scope: Scope) -> bytes | None:
    """Return the SHA-256 of the Authorization header, so that no token is held in memory; None without one."""
    authorization = find_field(scope, b"authorization")
    return hashlib.sha256(authorization).digest() if authorization else None


def find_field(scope: Scope, name: bytes) -> bytes | None:
    """Return the first header field of that name."""
    return next((value for each, value in scope["headers"] if each == name), None)


MAX_BODY_BYTES = 1_000_000
MAX_BUFFERED_BYTES = 64 * MAX_BODY_BYTES
"""Limit of all bodies that are being received at the same time. Above it, short ones are still received."""
ALWAYS_ANSWERED = ("/health/", "/metrics")
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class RequestBodyMiddleware:
    """ASGI middleware that reads the whole body of a request before it passes the request on.

    A slow client uses memory for its body, for at most `seconds`, but none of the `most_at_work` places for requests in
    progress. A caller above its limit takes none of these places either: it takes turns (`Turns`).
    """

    def __init__(self, app: ASGIApp, *, seconds: float, most_at_work: int, turns: Turns) -> None:
        self.app = app
        self._turns = turns
        self._seconds = seconds
        self._most_at_work = most_at_work
        self._at_work = 0
        self._arriving = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"].startswith(ALWAYS_ANSWERED):
            await self.app(scope, receive, send)
            return
        if scope["method"] not in WITH_BODY:
            await self._serve(scope, receive, send, size=0)
            return
        body = await self._read_body(scope, receive)
        if isinstance(body, type):
            closing = {"Connection": "close"}  # the rest of the body is not read
            await problem_response(Request(scope, receive), body, headers=closing)(scope, receive, send)
            return
        answer = HeldAnswer(scope, send)
        await self._serve(scope, _replay(body, receive), answer.send, size=len(body))
        if answer.messages:
            await self._turns.answer_late(answer)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, *, size: int) -> None:
        """Pass the request on when it has a place, or refuse it."""
        takes_turns = OVER in scope["state"]
        has_room = self._turns.has_room(scope, size) if takes_turns else self._at_work < self._most_at_work
        if not has_room:
            await problem_response(Request(scope, receive), ServiceUnavailable)(scope, receive, send)
        elif takes_turns:
            await self._turns.serve(self.app, scope, receive, send, size)
        else:
            self._at_work += 1
            try:
                await self.app(scope, receive, send)
            finally:
                self._at_work -= 1

    async def _read_body(self, scope: Scope, receive: Receive) -> bytes | type[Problem]:
        """Return the body, or the problem with it."""
        length = find_field(scope, b"content-length") or b""
        if length.isdigit() and int(length) > MAX_BODY_BYTES:
            return ContentTooLarge
        body = bytearray()
        try:
            async with asyncio.timeout(self._seconds):
                while True:
                    message = await receive()
                    chunk = message.get("body", b"")
                    body += chunk
                    self._arriving += len(chunk)
                    refusal = self._problem_with(message, len(body))
                    if refusal is not None or not message.get("more_body", False):
                        return refusal or bytes(body)
        except TimeoutError:
            return RequestTimeout
        finally:
            self._arriving -= len(body)

    def _problem_with(self, message: Message, length: int) -> type[Problem] | None:
        if message["type"] == "http.disconnect":
            return BadRequest  # the client has left, and does not read this
        if length > MAX_BODY_BYTES:
            return ContentTooLarge
        is_refused = length > LONG_BODY_BYTES and self._arriving > MAX_BUFFERED_BYTES
        return ServiceUnavailable if is_refused else None


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body in one message, and then the server's own messages."""
    is_sent = False

    async def receive_body() -> Message:
        nonlocal is_sent
        if is_sent:
            return await receive()
        is_sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_body


NO_ROUTE = "(none)"
OTHER_METHOD = "OTHER"
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
SERVER_ERROR = 500


class RequestRecords:
    """The records of answered requests: the metrics, one line each in the log, and a span where traces are set."""

    def __init__(self, metrics: Metrics, traces: "Traces | None" = None) -> None:
        self._metrics = metrics
        self._traces = traces
        self._answered: list[Answered] = []

    def add(self, answered: Answered) -> None:
        """Record it when this turn of the event loop is over, with all that were answered in the same turn.

        Only a kill within the turn loses them.
        """
        if not self._answered:
            asyncio.get_running_loop().call_soon(self._write)
        self._answered.append(answered)

    def _write(self) -> None:
        answered, self._answered = self._answered, []
        self._metrics.record(answered)
        log.info_each("request", [each.fields() for each in answered])
        if self._traces is not None:
            self._traces.record(answered)


class RequestLogMiddleware:
    """ASGI middleware, the outermost: request ids, the log and the metrics of requests, and HEAD."""

    def __init__(self, app: ASGIApp, records: RequestRecords) -> None:
        self.app = app
        self._records = records

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        method = scope["method"] if scope["method"] in METHODS else OTHER_METHOD
        request_id = new_request_id()
        if method == "HEAD":
            scope = {**scope, "method": "GET"}  # a copy: the server must go on knowing that no body follows
        scope.setdefault("state", {})["request_id"] = request_id
        outgoing = _Outgoing(send, request_id, with_body=method != "HEAD")
        try:
            await self.app(scope, receive, outgoing.send)
        finally:
            took = time.perf_counter() - began - scope["state"].get(HELD_SECONDS, 0.0)
            route, cached = route_template(scope.get("route")), scope.get("cached", False)
            self._records.add(Answered(request_id, method, route, outgoing.status, took, cached))


class _Outgoing:
    """Wrap `send`: add the request id, store the status, and drop the body of a response to HEAD."""

    __slots__ = ("_request_id", "_send", "_with_body", "status")

    def __init__(self, send: Send, request_id: str, *, with_body: bool) -> None:
        self._send = send
        self._request_id = request_id
        self._with_body = with_body
        self.status = SERVER_ERROR

    def send(self, message: Message) -> Awaitable[None]:
        """Send one message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [*message["headers"], (b"x-request-id", self._request_id.encode())]
            message = {**message, "headers": headers}
        elif not self._with_body and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        return self._send(message)


def new_request_id() -> str:
    """Return a random UUID (version 4)."""
    return str(uuid4())  # of this package: that of the standard library takes as long as the rest of a cache hit


def route_template(route: Any) -> str:
    """Return the template of the route, such as /v1/concerns/{reference}: never the path of the request."""
    path: str = getattr(route, "path", NO_ROUTE)
    return path
