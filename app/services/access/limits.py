"""Rate limits: requests are counted in the memory of this process, or in a store that several processes share."""

import datetime as dt
import hmac
import ipaddress
import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from threading import Lock
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from limits import RateLimitItem, parse
from limits.errors import ConfigurationError, StorageError
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from app.errors import SetupError
from app.logs import Log
from app.models.references import source_id

OWN_MEMORY = "memory://"
STORE_TIMEOUT_SECONDS = 0.25
RETRY_SECONDS = 5.0
THREADS = 10
SHORTEST_SECRET = 32
SET_CLOCK_SECONDS = 60.0
ONE_DAY = dt.timedelta(days=1)
UNKNOWN_ADDRESS = "unknown"
"""Stands for a caller whose trusted proxy forwards an invalid address."""
SHARES = {64: 1, 56: 3, 48: 10}
"""`LimitKey.share` by prefix length of an IPv6 network. A subscriber has a /64, a home line a /56, a tunnel a /48."""
OPTIONS: dict[str, dict[str, float | str | bool]] = {
    scheme: {"socket_timeout": STORE_TIMEOUT_SECONDS, "socket_connect_timeout": STORE_TIMEOUT_SECONDS}
    for scheme in ("redis", "rediss", "redis+unix", "valkey", "valkeys")
}
log = Log(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class LimitKey:
    """A network or subject, such as a concern, by which requests are counted. `share` multiplies the limit."""

    name: str
    share: int = 1


LimitKeys = tuple[LimitKey, ...]
"""Keys of one request: the caller's networks, narrowest first, or one other subject. Empty means not counted."""


@dataclass(frozen=True)
class Policy:
    """A limit on how many requests of one kind a caller may send in a window. Responses show `name`."""

    name: str
    item: RateLimitItem

    @property
    def seconds(self) -> int:
        return self.item.get_expiry()


@dataclass(frozen=True)
class Count:
    """The result of counting a request: what remains in the window, which ends after `seconds`, and who was counted."""

    policy: Policy
    remaining: int
    seconds: int
    is_over: bool
    caller: str = ""


def make_policy(name: str, notation: str) -> Policy:
    """Parse a notation such as `300/minute`. Raise `ValueError` for others."""
    return Policy(name, parse(notation))


@lru_cache
def widen(policy: Policy, share: int) -> Policy:
    item = policy.item
    return Policy(policy.name, type(item)(item.amount * share, item.multiples))


class Limiter:
    """Counts requests by caller, in a store that processes share or in `OWN_MEMORY`.

    Stores keyed hashes, never a network address. If the store fails, this process counts in its own memory until a try
    after `RETRY_SECONDS` succeeds: no request is refused for it. Raise `SetupError` if `store` cannot be used.
    """

    def __init__(
        self,
        store: str,
        secret: bytes,
        *,
        is_secret_shared: bool = True,
    ) -> None:
        self._secret = secret
        self._is_secret_shared = is_secret_shared
        self._own_store = FixedWindowRateLimiter(MemoryStorage())
        self._own_lock = Lock()  # two threads that count at the same time may start one timer of the store twice
        self._wall_clock_ahead = time.time() - time.monotonic()
        self._shared = None if store == OWN_MEMORY else FixedWindowRateLimiter(open_store(store))
        self._threads = CapacityLimiter(THREADS)
        self._unavailable_until = -math.inf
        self._day_lock = Lock()
        self._day: dt.date | None = None
        self._key_of_day = b""

    async def count(self, policy: Policy, keys: LimitKeys) -> Count:
        return await self.run(partial(self.count_here, policy, keys))

    async def run(self, counting: Callable[[], T]) -> T:
        """Run `counting` in a worker thread if it may wait for the shared store."""
        if self._shared is None or self._is_unavailable:
            return counting()
        return await to_thread.run_sync(counting, limiter=self._threads)

    def count_here(self, policy: Policy, keys: LimitKeys, cost: int = 1) -> Count:
        """Return the count that decides: the last over its limit, or the one with the fewest left. It may block.

        What is over the limit of a narrow network does not count against a wider one: neighbours keep their share.
        """
        counts: list[Count] = []
        for key in keys:
            is_over = any(count.is_over for count in counts)
            counts.append(self._count(widen(policy, key.share), key.name, 0 if is_over else cost))
        over = [count for count in counts if count.is_over]
        return over[-1] if over else min(counts, key=lambda count: count.remaining)

    def _count(self, policy: Policy, caller: str, cost: int) -> Count:
        key = hmac.digest(self._secret, f"{policy.name}\n{caller}".encode(), "sha256").hex()[:32]
        if self._shared is not None and not self._is_unavailable:
            try:
                return _count(self._shared, policy, key, caller, cost)
            except StorageError as failure:
                self._note(failure)
        with self._own_lock:
            return _count(self._own, policy, key, caller, cost)

    def source_id_of(self, caller: str, day: dt.date) -> str:
        """Return a pseudonym of a network on `day`. Thousands of networks share it, and its key changes daily."""
        with self._day_lock:
            if self._day is None or day not in (self._day, self._day - ONE_DAY):
                drawn = secrets.token_bytes(SHORTEST_SECRET)
                shared = hmac.digest(self._secret, f"marks of {day}".encode(), "sha256")
                self._day, self._key_of_day = day, shared if self._is_secret_shared else drawn
            day, key = self._day, self._key_of_day  # a request from before midnight gets the id of the new day
        return source_id(day, hmac.digest(key, caller.encode(), "sha256"))

    @property
    def _own(self) -> FixedWindowRateLimiter:
        """Starts at zero if the wall clock was set by more than a minute: a window would otherwise end too late."""
        ahead = time.time() - time.monotonic()
        if abs(ahead - self._wall_clock_ahead) > SET_CLOCK_SECONDS:
            self._own_store = FixedWindowRateLimiter(MemoryStorage())
        self._wall_clock_ahead = ahead
        return self._own_store

    @property
    def _is_unavailable(self) -> bool:
        return time.monotonic() < self._unavailable_until

    def _note(self, failure: StorageError) -> None:
        if not self._is_unavailable:  # log once for all concurrent requests
            self._unavailable_until = time.monotonic() + RETRY_SECONDS
            log.error("limits_store_unavailable", error=type(failure.storage_error).__name__)


def make_limiter(store: str, secret_file: Path | None) -> Limiter:
    """Return a limiter. Without `secret_file` its secret is random: `store` must not be shared. Raise `SetupError`."""
    if secret_file is None:
        if store != OWN_MEMORY:
            raise SetupError("a shared GUIDANCE_LIMITS_STORE needs GUIDANCE_LIMITS_SECRET_FILE, the same on every node")
        return Limiter(store, secrets.token_bytes(SHORTEST_SECRET), is_secret_shared=False)
    try:
        secret = secret_file.read_bytes().strip()
    except OSError:
        raise SetupError(f"GUIDANCE_LIMITS_SECRET_FILE: {secret_file} cannot be read") from None
    if len(secret) < SHORTEST_SECRET:
        raise SetupError(f"GUIDANCE_LIMITS_SECRET_FILE: {secret_file} must hold at least {SHORTEST_SECRET} characters")
    return Limiter(store, secret)


def networks_of(host: str | None) -> LimitKeys:
    """Return the networks under which an address is counted, narrowest first.

    A loopback address has none: everybody behind a proxy that is not trusted would count as one.
    """
    if host == UNKNOWN_ADDRESS:
        return (LimitKey(host),)
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return ()
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_loopback:
        return ()
    if isinstance(address, ipaddress.IPv4Address):
        return (LimitKey(str(address)),)
    return tuple(
        LimitKey(str(ipaddress.ip_network((int(address), bits), strict=False)), share) for bits, share in SHARES.items()
    )


def _count(limiter: FixedWindowRateLimiter, policy: Policy, key: str, caller: str, cost: int) -> Count:
    is_within = limiter.hit(policy.item, key, cost=cost) if cost else limiter.test(policy.item, key)
    window = limiter.get_window_stats(policy.item, key)
    seconds = max(1, math.ceil(window.reset_time - time.time()))
    return Count(policy, window.remaining, min(seconds, policy.seconds), is_over=not is_within, caller=caller)


def open_store(store: str) -> Storage:
    """Return the store of counts without connecting to it. Raise `SetupError` if the URL cannot be used."""
    try:
        opened = storage_from_string(store, wrap_exceptions=True, **OPTIONS.get(store.partition(":")[0], {}))
    except (ConfigurationError, ValueError):
        raise SetupError("GUIDANCE_LIMITS_STORE names no store that this installation can use") from None
    if not isinstance(opened, Storage):
        raise SetupError("GUIDANCE_LIMITS_STORE must name a store without `async+`")
    return opened
