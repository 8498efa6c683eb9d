"""The mixed load of a council: concerns, additions, reads and desk actions, in random order, at a fixed total rate."""

import asyncio
import json
import random
import time
from array import array
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import quote
from uuid import UUID

from bench.content import CONCERN, FULL_CONCERN, GUIDE
from bench.load import OK, exchange, raw_request
from bench.signed_in import SignedIn

AN_EDITION = f"/v1/guides/{GUIDE}/editions/1"
READS = (
    "/v1/guides",
    f"/v1/guides/{GUIDE}",
    f"{AN_EDITION}/indicators",
    f"/v1/guides/{GUIDE}/contacts.csv",
    f"/v1/guides/{GUIDE}.md",
    f"/v1/guides/{GUIDE}.pdf",
    "/v1/signposts",
    "/v1/code-lists",
    "/v1/concerns/form",
    "/v1/feed.json",
)
PAGES = (
    "/",
    f"/guides/{GUIDE}",
    f"/raise-a-concern/{GUIDE}",
    "/worried-about-yourself",
    "/concerns",
    "/accessibility",
    "/cy/",
)
OTHERS = ("/metrics", "/health/ready", "/v1/events", "/v1/desk/summary", "/v1/desk/figures?days=30")
WORDS = [
    "missing",
    "gift",
    "friend",
    "older",
    "school",
    "drug",
    "phone",
    "travel",
    "hotel",
    "boyfriend",
    "night",
    "money",
    "health",
    "home",
    "self",
    "harm",
]
VIEWS = ("", "/day", "?show=overdue", "?show=unassigned", "?show=changed", "?state=received", "?danger=yes")
ADDITION = b'{"immediate_danger":"no","concern":{"narrative":"Alex Example came home."}}'
NOTE, OUTCOME = b'{"text":"School was called."}', b'{"outcome":"early_help"}'
JSON = {"Content-Type": "application/json"}
ONE_IN_FIVE = 0.2
REMEMBERED = 2000
"""Number of latest concerns that the callers keep for later actions."""
IN_A_WEEK = {
    "concern": 70_000,
    "addition": 7_000,
    "read": 170_000,
    "search": 45_000,
    "page": 60_000,
    "status": 24_000,
    "other": 1_000,
    "inbox": 2_000,
    "inbox page": 1_000,
    "open": 5_000,
    "concern page": 1_000,
    "acknowledge": 6_000,
    "note": 2_000,
    "close": 3_000,
}
"""The plan of a run: seven years of concerns in a week, with 300,000 reads and 20,000 desk actions."""
ABOUT_ONE = {"addition", "status", "open", "concern page", "acknowledge", "note", "close"}
"""Actions about one concern, which must have been submitted before."""
CREATED = 201


class _Act(NamedTuple):
    """A request. `concern` is the reference of its concern if the response matters for later actions."""

    path: str
    headers: dict[str, str] = {}  # noqa: RUF012  # nothing changes it
    body: bytes = b""
    concern: str = ""


@dataclass
class MixedLoad:
    """Callers of one server who carry out a plan. `plan` is the number of times for each action, by name."""

    url: str
    who: SignedIn
    plan: dict[str, int]
    seed: int = 1
    statuses: Counter[str] = field(default_factory=Counter)
    """Number of responses, by action and HTTP status (`concern 201`)."""
    took: defaultdict[str, "array[float]"] = field(default_factory=lambda: defaultdict(lambda: array("f")))
    """Seconds of each response, by action. Whoever reads these lists may empty them."""

    def __post_init__(self) -> None:
        self._draw = random.Random(self.seed)  # noqa: S311  # a load that can be repeated
        self._concerns: deque[tuple[str, str]] = deque(maxlen=REMEMBERED)
        self._waiting: deque[str] = deque(maxlen=REMEMBERED)
        self._acknowledged: deque[str] = deque(maxlen=REMEMBERED)
        self.left = [each for each, number in self.plan.items() for _ in range(number)]
        self._draw.shuffle(self.left)
        self._sent = 0

    async def run(self, *, rate: float, connections: int = 16) -> None:
        """Carry out the whole plan on `connections` connections, with at most `rate` requests a second in total."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as callers:
            for _ in range(connections):
                callers.create_task(self._call(rate, began))

    async def _call(self, rate: float, began: float) -> None:
        host, port = self.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            while self.left:
                name, self._sent = self.left.pop(), self._sent + 1
                await asyncio.sleep(max(0.0, began + self._sent / rate - time.monotonic()))
                await self._do(name, reader, writer)
        finally:
            writer.close()

    async def _do(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        act = self._request(name)
        request = raw_request(self.url + act.path, "POST" if act.body else "GET", act.headers, act.body)
        began = time.perf_counter()
        status, body = await exchange(reader, writer, request)
        self.took[name].append(time.perf_counter() - began)
        self.statuses[f"{name} {status}"] += 1
        if status == CREATED and name == "concern":
            receipt = json.loads(body)
            self._concerns.append((receipt["reference"], receipt["status_token"]))
            self._waiting.append(receipt["reference"])
        elif status in OK and name == "acknowledge" and act.concern:
            self._acknowledged.append(act.concern)

    def _request(self, name: str) -> _Act:
        """Return the request for the action `name`, or a read if the action needs a concern and none is known yet."""
        if name in ABOUT_ONE:
            return self._about_one(name, *self._draw.choice(self._concerns)) if self._concerns else _Act(READS[0])
        general: dict[str, Callable[[], _Act]] = {
            "concern": self._concern,
            "read": lambda: _Act(self._draw.choice(READS)),
            "search": lambda: _Act(f"/v1/search?q={quote(' '.join(self._draw.sample(WORDS, 2)))}"),
            "page": lambda: _Act(self._draw.choice(PAGES), {"Accept-Encoding": "gzip"}),
            "other": lambda: _Act(self._draw.choice(OTHERS), self.who.headers),
            "inbox": lambda: _Act("/v1/desk/concerns", self.who.headers),
            "inbox page": lambda: _Act(f"/desk{self._draw.choice(VIEWS)}", self.who.cookies),
        }
        return general[name]()

    def _concern(self) -> _Act:
        body = FULL_CONCERN if self._draw.random() < ONE_IN_FIVE else CONCERN
        return _Act("/v1/concerns", JSON | {"Idempotency-Key": self._key()}, body)

    def _about_one(self, name: str, reference: str, token: str) -> _Act:
        """Return the request for the action `name` on a concern.

        `reference` and `token` are of a random concern. To acknowledge or close, take a concern that is due for it, if
        any.
        """
        if name == "acknowledge" and self._waiting:
            reference = self._waiting.popleft()
        elif name == "close" and self._acknowledged:
            reference = self._acknowledged.pop()  # the newest: retention may have erased the others
        reporter, worker = {"Authorization": f"Bearer {token}"}, self.who.headers | JSON
        concern, desk = f"/v1/concerns/{reference}", f"/v1/desk/concerns/{reference}"
        acts = {
            "status": _Act(concern, reporter),
            "addition": _Act(f"{concern}/additions", reporter | JSON | {"Idempotency-Key": self._key()}, ADDITION),
            "open": _Act(desk, worker),
            "concern page": _Act(f"/desk/concerns/{reference}", self.who.cookies),
            "note": _Act(f"{desk}/notes", worker, NOTE),
            "acknowledge": _Act(f"{desk}/acknowledgement", worker, b"{}", reference),
            "close": _Act(f"{desk}/outcome", worker, OUTCOME),
        }
        return acts[name]

    def _key(self) -> str:
        return str(UUID(int=self._draw.getrandbits(128), version=4))
