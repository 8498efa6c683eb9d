"""An hour of a council: reads, searches, pages, concerns with additions, and the desk, so many a second in all."""

import asyncio
import json
import random
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from bench.content import CONCERN, FULL_CONCERN, GUIDE
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
VIEWS = ("", "?show=overdue", "?show=unassigned", "?show=changed", "?state=received", "?danger=yes")
ADDITION = {"immediate_danger": "no", "concern": {"narrative": "Alex Example came home."}}
ONE_IN_FIVE = 0.2
REMEMBERED = 2000
"""Concerns that the callers still know."""
SOME_OF_THEM = 40
"""The concerns that are added to and opened: the last ones, so that some get many additions."""


@dataclass
class MixedLoad:
    """Callers of one server, who do everything in these proportions."""

    url: str
    who: SignedIn
    seed: int = 1
    statuses: Counter[str] = field(default_factory=Counter)
    """How many answers there were, by what was done and the status."""

    def __post_init__(self) -> None:
        self._draw = random.Random(self.seed)  # noqa: S311  # a load that can be repeated
        self._concerns: deque[dict[str, Any]] = deque(maxlen=REMEMBERED)
        self._acts: dict[Callable[[httpx.AsyncClient], Awaitable[httpx.Response]], int] = {
            self._read: 24,
            self._search: 8,
            self._page: 10,
            self._post_concern: 16,
            self._add: 12,
            self._read_status: 6,
            self._read_inbox: 5,
            self._open: 6,
            self._acknowledge: 3,
            self._note: 2,
            self._desk_page: 4,
            self._concern_page: 2,
            self._other: 2,
        }

    async def run(self, *, rate: float, seconds: float, connections: int = 8) -> None:
        """Send so many requests a second, for so long."""
        began, sent = time.monotonic(), 0
        slots = asyncio.Semaphore(connections)
        async with (
            httpx.AsyncClient(base_url=self.url, timeout=60, trust_env=False) as client,
            asyncio.TaskGroup() as all_,
        ):
            while (now := time.monotonic() - began) < seconds:
                if sent / rate > now:
                    await asyncio.sleep(sent / rate - now)
                await slots.acquire()
                sent += 1
                (act,) = self._draw.choices(list(self._acts), list(self._acts.values()))
                all_.create_task(self._do(act, client, slots))

    async def _do(self, act: Callable[..., Awaitable[httpx.Response]], client: Any, slots: asyncio.Semaphore) -> None:
        try:
            answer = await act(client)
            self.statuses[f"{act.__name__[1:]} {answer.status_code}"] += 1
        except httpx.TransportError as fault:
            self.statuses[f"{act.__name__[1:]} {type(fault).__name__}"] += 1
        finally:
            slots.release()

    def _key(self) -> str:
        return str(UUID(int=self._draw.getrandbits(128), version=4))

    def _one(self, *, recent: bool = False) -> dict[str, Any] | None:
        if not self._concerns:
            return None
        return self._concerns[-self._draw.randint(1, min(SOME_OF_THEM if recent else REMEMBERED, len(self._concerns)))]

    async def _read(self, client: httpx.AsyncClient) -> httpx.Response:
        return await client.get(self._draw.choice(READS))

    async def _search(self, client: httpx.AsyncClient) -> httpx.Response:
        return await client.get("/v1/search", params={"q": " ".join(self._draw.sample(WORDS, 2))})

    async def _page(self, client: httpx.AsyncClient) -> httpx.Response:
        return await client.get(self._draw.choice(PAGES))

    async def _post_concern(self, client: httpx.AsyncClient) -> httpx.Response:
        body = FULL_CONCERN if self._draw.random() < ONE_IN_FIVE else CONCERN
        headers = {"Content-Type": "application/json", "Idempotency-Key": self._key()}
        answer = await client.post("/v1/concerns", content=body, headers=headers)
        if answer.status_code == httpx.codes.CREATED:
            self._concerns.append({name: answer.json()[name] for name in ("reference", "status_token")})
        return answer

    async def _add(self, client: httpx.AsyncClient) -> httpx.Response:
        concern = self._one(recent=True)
        if concern is None:
            return await self._post_concern(client)
        headers = {"Authorization": f"Bearer {concern['status_token']}", "Idempotency-Key": self._key()}
        return await client.post(f"/v1/concerns/{concern['reference']}/additions", json=ADDITION, headers=headers)

    async def _read_status(self, client: httpx.AsyncClient) -> httpx.Response:
        concern = self._one()
        if concern is None:
            return await self._post_concern(client)
        headers = {"Authorization": f"Bearer {concern['status_token']}"}
        return await client.get(f"/v1/concerns/{concern['reference']}", headers=headers)

    async def _read_inbox(self, client: httpx.AsyncClient) -> httpx.Response:
        return await client.get("/v1/desk/concerns", headers=self.who.headers)

    async def _open(self, client: httpx.AsyncClient) -> httpx.Response:
        return await self._at_the_desk(client, "GET", "")

    async def _acknowledge(self, client: httpx.AsyncClient) -> httpx.Response:
        return await self._at_the_desk(client, "POST", "/acknowledgement", {"up_to_addition": 0})

    async def _note(self, client: httpx.AsyncClient) -> httpx.Response:
        return await self._at_the_desk(client, "POST", "/notes", {"text": "School was called."})

    async def _at_the_desk(self, client: httpx.AsyncClient, method: str, path: str, body: Any = None) -> httpx.Response:
        concern = self._one(recent=True)
        if concern is None:
            return await self._post_concern(client)
        content = None if body is None else json.dumps(body)
        headers = self.who.headers | ({} if body is None else {"Content-Type": "application/json"})
        url = f"/v1/desk/concerns/{concern['reference']}{path}"
        return await client.request(method, url, content=content, headers=headers)

    async def _desk_page(self, client: httpx.AsyncClient) -> httpx.Response:
        path = "/day" if self._draw.random() < ONE_IN_FIVE else self._draw.choice(VIEWS)
        return await client.get(f"/desk{path}", headers=self.who.cookies)

    async def _concern_page(self, client: httpx.AsyncClient) -> httpx.Response:
        concern = self._one(recent=True)
        if concern is None:
            return await self._post_concern(client)
        return await client.get(f"/desk/concerns/{concern['reference']}", headers=self.who.cookies)

    async def _other(self, client: httpx.AsyncClient) -> httpx.Response:
        return await client.get(self._draw.choice(OTHERS), headers=self.who.headers)
