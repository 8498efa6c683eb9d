"""Rate limits, counted in this process or in a store that several processes share; and how many codes may be tried."""

import datetime as dt
import hmac
import ipaddress
import math
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock

from anyio import CapacityLimiter, to_thread
from limits import RateLimitItem, parse
from limits.errors import ConfigurationError, StorageError
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from app.errors import NoSuchConcern, NoSuchDraft, SetupError, TooManyConcerns, TooManyTries
from app.logs import Log
from app.models.receipts import burst_mark, find_reference

OWN_MEMORY = "memory://"
STORE_TIMEOUT_SECONDS = 0.25
RETRY_SECONDS = 5.0
THREADS = 10
SHORTEST_SECRET = 32
SET_CLOCK_SECONDS = 60.0
ONE_DAY = dt.timedelta(days=1)
UNKNOWN_ADDRESS = "unknown"
"""The address of a caller whose proxy forwards something that is not an address."""
SHORT_ADDITION_BYTES = 4096
"""Up to this size an addition is no way to fill a disk: whoever writes 'they are here now' is never refused."""
NETWORK_OF_ONE_SUBSCRIBER = 64  # bits: one IPv6 subscriber has a whole /64
OPTIONS: dict[str, dict[str, float | str | bool]] = {
    scheme: {"socket_timeout": STORE_TIMEOUT_SECONDS, "socket_connect_timeout": STORE_TIMEOUT_SECONDS}
    for scheme in ("redis", "rediss", "redis+unix", "valkey", "valkeys")
}

log = Log(__name__)


@dataclass(frozen=True)
class Policy:
    """How many requests of one kind a caller may send in a window, under a name that the responses show."""

    name: str
    item: RateLimitItem

    @property
    def seconds(self) -> int:
        """Length of the window in seconds."""
        return self.item.get_expiry()


@dataclass(frozen=True)
class Count:
    """The count after one more request: requests that remain in the window, and seconds until it ends."""

    policy: Policy
    remaining: int
    seconds: int
    is_over: bool


def make_policy(name: str, notation: str) -> Policy:
    """Return the policy for a limit in the notation `300/minute`."""
    return Policy(name, parse(notation))


class Limiter:
    """Counts requests by a keyed hash of the caller, so that neither memory nor store holds a network address.

    If the shared store is unavailable, each process counts for itself until it is available again. No request is
    refused because of that, and it is logged.
    """

    def __init__(
        self,
        store: str,
        secret: bytes,
        clock: Callable[[], float] = time.monotonic,
        *,
        is_secret_shared: bool = True,
    ) -> None:
        self._secret = secret
        self._is_secret_shared = is_secret_shared
        self._clock = clock
        self._own_store = FixedWindowRateLimiter(MemoryStorage())
        self._wall_clock_ahead = time.time() - time.monotonic()
        self._shared = None if store == OWN_MEMORY else FixedWindowRateLimiter(open_store(store))
        self._threads = CapacityLimiter(THREADS)
        self._unavailable_until = -math.inf
        self._marking = Lock()
        self._day: dt.date | None = None
        self._key_of_day = b""

    async def count(self, policy: Policy, caller: str) -> Count:
        """Count one more request of that caller."""
        if self._shared is None or self._is_unavailable:
            return self.count_here(policy, caller)
        return await to_thread.run_sync(partial(self.count_here, policy, caller), limiter=self._threads)

    def count_here(self, policy: Policy, caller: str) -> Count:
        """Count one more in this thread, which may wait for the store."""
        key = self._key(policy, caller)
        if self._shared is not None and not self._is_unavailable:
            try:
                return _count(self._shared, policy, key)
            except StorageError as failure:
                self._note(failure)
        return _count(self._own, policy, key)

    def mark(self, caller: str, day: dt.date) -> str:
        """Return the mark of that caller on that day. Without a shared secret the key of the day is drawn anew.

        A mark is so short that thousands of callers fit it, so that it tells none even to whoever has the secret.
        """
        with self._marking:
            if self._day is None or day not in (self._day, self._day - ONE_DAY):
                drawn = secrets.token_bytes(SHORTEST_SECRET)
                shared = hmac.digest(self._secret, f"marks of {day}".encode(), "sha256")
                self._day, self._key_of_day = day, shared if self._is_secret_shared else drawn
            day, key = self._day, self._key_of_day  # a request that began before midnight is of today
        return burst_mark(day, hmac.digest(key, caller.encode(), "sha256"))

    @property
    def _own(self) -> FixedWindowRateLimiter:
        """The counts of this process. They begin again when the clock is set, since a window would end too late."""
        ahead = time.time() - time.monotonic()
        if abs(ahead - self._wall_clock_ahead) > SET_CLOCK_SECONDS:
            self._own_store = FixedWindowRateLimiter(MemoryStorage())
        self._wall_clock_ahead = ahead
        return self._own_store

    def _key(self, policy: Policy, caller: str) -> str:
        return hmac.digest(self._secret, f"{policy.name}\n{caller}".encode(), "sha256").hex()[:32]

    @property
    def _is_unavailable(self) -> bool:
        return self._clock() < self._unavailable_until

    def _note(self, failure: StorageError) -> None:
        if not self._is_unavailable:  # log once for all concurrent requests
            self._unavailable_until = self._clock() + RETRY_SECONDS
            log.error("limits_store_unavailable", error=type(failure.storage_error).__name__)


def make_limiter(store: str, secret_file: Path | None) -> Limiter:
    """Return the limiter of this process. Raises `SetupError`."""
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


def network_key(host: str | None) -> str | None:
    """Return the key of the caller's network: None for this machine itself, and for a connection without an address.

    A request from this machine is an operator's, or came through a proxy that is not configured as trusted: all of its
    callers would be counted as one. Callers at an `UNKNOWN_ADDRESS`, which a trusted proxy forwarded, are counted so.
    """
    if host == UNKNOWN_ADDRESS:
        return host
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return None
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_loopback:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(address), NETWORK_OF_ONE_SUBSCRIBER), strict=False))
    return str(address)


def _count(limiter: FixedWindowRateLimiter, policy: Policy, key: str) -> Count:
    is_within = limiter.hit(policy.item, key)
    window = limiter.get_window_stats(policy.item, key)
    seconds = max(1, math.ceil(window.reset_time - time.time()))
    return Count(policy, window.remaining, min(seconds, policy.seconds), is_over=not is_within)


def open_store(store: str) -> Storage:
    """Return the shared store, without connecting to it."""
    try:
        opened = storage_from_string(store, wrap_exceptions=True, **OPTIONS.get(store.partition(":")[0], {}))
    except (ConfigurationError, ValueError):
        raise SetupError("GUIDANCE_LIMITS_STORE names no store that this installation can use") from None
    if not isinstance(opened, Storage):
        raise SetupError("GUIDANCE_LIMITS_STORE must name a store without `async+`")
    return opened


@dataclass(frozen=True)
class Sources:
    """Counts concerns without a key by the network that they come from, and marks those of a network that sends many.

    `unmarked` is small and marks, so that a school is taken and the desk can tell a flood apart; `most` is large and
    refuses, so that a flood has an end.
    """

    limiter: Limiter
    unmarked: Policy
    most: Policy

    def admit_addition(self, network: str | None, size: int) -> None:
        """Count one more large addition, of so many bytes. Raises `TooManyConcerns`. A short one is always taken.

        Runs in a worker thread. Additions have a count of their own, so that a flood of concerns stops none.
        """
        if network is None or size <= SHORT_ADDITION_BYTES:
            return
        count = self.limiter.count_here(Policy("large-additions", self.most.item), network)
        if count.is_over:
            raise TooManyConcerns(count.seconds)

    def mark(self, network: str | None, *, day: dt.date) -> str:
        """Return the mark of the network on that day; empty for one that is not counted."""
        return "" if network is None else self.limiter.mark(network, day)

    async def admit(self, network: str, *, day: dt.date) -> str:
        """Count one more concern, and return its mark, which is empty for all but many. Raises `TooManyConcerns`."""
        all_that_came = await self.limiter.count(self.most, network)
        if all_that_came.is_over:
            raise TooManyConcerns(all_that_came.seconds)
        few = await self.limiter.count(self.unmarked, network)
        return self.limiter.mark(network, day) if few.is_over else ""


@dataclass(frozen=True)
class CodeTries:
    """Counts wrong codes by what they are for, whether or not it exists. A right code is never counted or refused."""

    limiter: Limiter
    policy: Policy

    @contextmanager
    def guard(self, typed_reference: str) -> Iterator[None]:
        """Count a wrong try where the block raises `NoSuchConcern`.

        Raises `TooManyTries` in its place, once too many were wrong: so whoever tries wrong codes keeps nobody from
        their concern, and learns no more than before. Runs in a worker thread.
        """
        reference = find_reference(typed_reference)
        if reference is None:  # no concern has it, so no code opens it
            yield
            return
        with self.guard_name(reference):
            yield

    @contextmanager
    def guard_name(self, name: str) -> Iterator[None]:
        """Do the same for anything else that has a code, and count by `name`."""
        try:
            yield
        except (NoSuchConcern, NoSuchDraft):
            count = self.limiter.count_here(self.policy, name)
            if count.is_over:
                raise TooManyTries(count.seconds) from None
            raise
