"""Callers above a limit take turns: they have few places for any request, and their late answers have none."""

import http.client
import json
import math
from select import select as select_readable
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func
from sqlmodel import Session, select
from starlette.types import Message, Receive, Scope, Send

from app.config import Settings
from app.http import turns
from app.http.exchange import LATE
from app.http.rate_limits import COUNTED, OverLimit
from app.http.request_bodies import RequestBodies
from app.http.turns import LANE, LONG_BODY_BYTES, OVER, PLACES, Turns
from app.main import create_app
from app.models.concerns.examples import SMALLEST_EXAMPLE
from app.models.concerns.rows import ConcernRow
from tests.support.clock import A_TUESDAY
from tests.support.doors import door_of
from tests.support.threaded import run_server
from tests.support.waiting import LONG_ENOUGH, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

CONNECTIONS = 80
WAITING = CONNECTIONS // 4
A_LANE = ("concerns", 4)


@pytest.fixture(autouse=True)
def at_any_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let requests begin as fast as they come."""
    monkeypatch.setattr(turns, "PER_SECOND", math.inf)


class Flooded:
    """The steps of bodies and turns before a route that works on each request until it is told to go on."""

    def __init__(self, service: FastAPI | None = None, /, **state: Any) -> None:
        self.go_on = anyio.Event()
        self.at_work = 0
        self.statuses: list[int] = []
        self.state = {"request_id": "00000000-0000-4000-8000-000000000000"}
        self.over = self.state | {OVER: object(), LANE: A_LANE} | state
        self.door = door_of(
            self._route, RequestBodies(LONG_ENOUGH).read_body, Turns(CONNECTIONS, 2).take_turn, service=service
        )

    async def _route(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if OVER in scope["state"]:
            self.at_work += 1
            await self.go_on.wait()
        await send({"type": "http.response.start", "status": 201, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def post(self, state: dict[str, Any], body: bytes = b"{}", *, is_whole: bool = True) -> None:
        """Post one body. One that is not whole never ends."""
        parts = [{"type": "http.request", "body": body, "more_body": not is_whole}]

        async def receive() -> Message:
            if not parts:
                await anyio.sleep_forever()
            return parts.pop()

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.statuses.append(message["status"])

        scope: Scope = {"type": "http", "method": "POST", "path": "/v1", "headers": [], "query_string": b""}
        await self.door({**scope, "state": dict(state)}, receive, send)


def test_a_flood_on_one_route_takes_no_place_of_the_others() -> None:
    async def together() -> tuple[int, list[int], list[int]]:
        flooded = Flooded()
        async with anyio.create_task_group() as tasks:
            for number in (PLACES, WAITING):
                for _ in range(number):
                    tasks.start_soon(flooded.post, flooded.over)
                await anyio.wait_all_tasks_blocked()
            at_work = flooded.at_work
            await flooded.post(flooded.state)
            others = list(flooded.statuses)
            flooded.go_on.set()
        return at_work, others, flooded.statuses

    assert anyio.run(together) == (PLACES, [201], [201] * (PLACES + WAITING + 1))


def test_a_flood_that_is_taken_begins_at_a_bounded_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PER_SECOND", 1 / LONG_ENOUGH)

    async def together() -> tuple[int, list[int]]:
        flooded = Flooded()
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(flooded.post, flooded.over)
            await anyio.wait_all_tasks_blocked()
            await flooded.post(flooded.state)
            at_work, others = flooded.at_work, list(flooded.statuses)
            tasks.cancel_scope.cancel()
        return at_work, others

    assert anyio.run(together) == (1, [201])


def test_beyond_the_room_for_those_who_wait_the_next_is_refused(service: FastAPI) -> None:
    async def together() -> tuple[list[int], int]:
        flooded = Flooded(service)
        async with anyio.create_task_group() as tasks:
            for number in (PLACES, WAITING):
                for _ in range(number):
                    tasks.start_soon(flooded.post, flooded.over)
                await anyio.wait_all_tasks_blocked()
            await flooded.post(flooded.over)
            refused = list(flooded.statuses)
            flooded.go_on.set()
        return refused, flooded.statuses.count(201)

    assert anyio.run(together) == ([503], PLACES + WAITING)


def test_waiting_large_bodies_have_a_memory_limit_and_short_ones_still_wait(
    service: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "MAX_WAITING_BYTES", LONG_BODY_BYTES + 10)
    long = b"x" * (LONG_BODY_BYTES + 1)

    async def together() -> list[int]:
        flooded = Flooded(service)
        async with anyio.create_task_group() as tasks:
            for body in [b"x"] * PLACES + [long]:
                tasks.start_soon(flooded.post, flooded.over, body)
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(flooded.post, flooded.over, long)
            tasks.start_soon(flooded.post, flooded.over, b"x")
            await anyio.wait_all_tasks_blocked()
            refused = list(flooded.statuses)
            flooded.go_on.set()
        return refused

    assert anyio.run(together) == [503]


def test_a_body_that_trickles_holds_no_turn() -> None:
    async def together() -> int:
        flooded = Flooded()
        async with anyio.create_task_group() as tasks:
            for _ in range(PLACES * 2):
                tasks.start_soon(lambda: flooded.post(flooded.over, is_whole=False))
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(flooded.post, flooded.over)
            await anyio.wait_all_tasks_blocked()
            at_work = flooded.at_work
            tasks.cancel_scope.cancel()
        return at_work

    assert anyio.run(together) == 1


def test_late_answers_hold_no_place_and_beyond_their_room_go_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LATE_SECONDS", LONG_ENOUGH)
    room = CONNECTIONS // 8

    async def together() -> tuple[int, int]:
        flooded = Flooded(**{LATE: True})
        flooded.go_on.set()
        async with anyio.create_task_group() as tasks:
            for _ in range(room + 5):
                tasks.start_soon(flooded.post, flooded.over)
                await anyio.wait_all_tasks_blocked()
            answered = len(flooded.statuses)
            tasks.cancel_scope.cancel()
        return flooded.at_work, answered

    assert anyio.run(together) == (room + 5, 5)


def test_the_lanes_that_wait_and_the_late_answers_leave_connections_to_others() -> None:
    lanes = [each for each in COUNTED.values() if each.above is not OverLimit.REFUSED]

    assert sum(1 / each.waiting for each in lanes) + 1 / 8 < 0.9
    assert PLACES * (len(lanes) - 1) < 40  # the threads of a process; a concern by the API needs none


@pytest.mark.any_database
def test_a_concern_that_is_answered_late_is_stored_before(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LATE_SECONDS", 5.0)  # the server waits for it when it stops
    late = settings.model_copy(update={"limit_anonymous": "1/hour", "trusted_proxies": ("127.0.0.1",)})
    body, headers = json.dumps(SMALLEST_EXAMPLE), {"Content-Type": "application/json", "X-Forwarded-For": "192.0.2.7"}
    flooded = create_app(late, lambda: A_TUESDAY)

    def stored() -> int:
        with Session(flooded.state.context.engine) as session:
            return session.exec(select(func.count()).select_from(ConcernRow)).one()

    with run_server(flooded, late) as url:
        first = httpx.post(f"{url}/v1/concerns", content=body, headers=headers, trust_env=False)
        second = http.client.HTTPConnection(urlsplit(url).netloc)
        second.request("POST", "/v1/concerns", body, headers)
        wait_until(lambda: stored() == 2)
        assert not select_readable([second.sock], [], [], 0)[0]  # it has no answer yet
        second.close()

    assert first.status_code == 201
