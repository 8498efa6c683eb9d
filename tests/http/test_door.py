"""The order of the steps that every request passes before its route, and why it is this one."""

import asyncio
from typing import Any

import anyio
import pytest
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from app.config import Settings
from app.errors import NotFound
from app.http.exchange import Exchange
from app.http.problem_handlers import problem_response
from app.main import create_app
from tests.support.clock import A_TUESDAY
from tests.support.concerns import a_concern
from tests.support.doors import door_of
from tests.support.log_lines import Lines
from tests.support.publishing import GUIDE

ORDER = (
    ("answer_from_cache", "first: a hit is the same for every caller, and needs nothing of what follows"),
    ("read_forwarded_address", "before all that uses the caller's address or scheme: pages, and the limits"),
    ("find_language", "before each refusal: a person gets it as a page, in the language of the path"),
    ("add_headers", "before each refusal: pages of other origins must read it. It protects an error page too"),
    ("check_host", "before the limits: a page that attacks by DNS rebinding uses up nobody's limit"),
    ("count_request", "before the body: a request that is refused costs no memory"),
    ("read_body", "before the turn: a body that arrives slowly takes no place of those at work"),
    ("take_turn", "last of those that refuse: from here on the request is served"),
    ("choose_format", "last: no other step sees the path of the format in place of the path that was asked for"),
)
"""Each step, and why it stands here."""
CHECK = "/v1/concerns/check"
ELSEWHERE = {"Host": "attacker.example"}
A_HEAD = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}


@pytest.fixture
def limited(settings: Settings) -> Any:
    """A service that answers two checks an hour, behind a proxy that it trusts."""
    changes = {"limit_concerns": "2/hour", "trusted_proxies": ("192.0.2.1",)}
    service = create_app(settings.model_copy(update=changes), lambda: A_TUESDAY)
    with TestClient(service, client=("192.0.2.1", 50_000)) as client:
        yield client


def statuses_of(client: TestClient, times: int, **headers: str) -> list[int]:
    return [client.post(CHECK, json=a_concern(), headers=headers).status_code for _ in range(times)]


def test_every_request_passes_the_steps_in_this_order(settings: Settings) -> None:
    steps: list[Any] = [*create_app(settings, lambda: A_TUESDAY).door.steps]

    assert [step.__name__ for step in steps] == [name for name, _ in ORDER]


def test_a_hit_passes_no_other_step(settings: Settings) -> None:
    async def refuse(exchange: Exchange) -> Any:
        return problem_response(exchange.request, NotFound)

    service = create_app(settings, lambda: A_TUESDAY)
    with TestClient(service) as client:
        made = client.get(GUIDE)
        service.door.steps = [service.door.steps[0], refuse]

        assert client.get(GUIDE).content == made.content
        assert client.get("/v1/concerns/form").status_code == 404


def test_a_caller_behind_a_trusted_proxy_is_counted_by_the_forwarded_address(limited: TestClient) -> None:
    first, second = ({"X-Forwarded-For": f"203.0.113.{number}"} for number in (5, 6))

    assert statuses_of(limited, 3, **first) == [200, 200, 429]
    assert statuses_of(limited, 1, **second) == [200]


def test_a_refused_host_gets_a_page_in_the_language_of_the_path(limited: TestClient) -> None:
    answer = limited.get("/cy/guides", headers=ELSEWHERE | {"Accept": "text/html"})

    assert (answer.status_code, answer.headers["Content-Language"]) == (400, "cy")
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_a_page_of_another_origin_can_read_why_it_is_refused(limited: TestClient) -> None:
    answer = limited.get("/v1/guides", headers=ELSEWHERE | {"Origin": "https://elsewhere.example"})

    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (400, "*")


def test_requests_to_another_host_are_not_counted(limited: TestClient) -> None:
    assert statuses_of(limited, 4, **ELSEWHERE) == [400] * 4
    assert statuses_of(limited, 3) == [200, 200, 429]


def test_a_request_over_its_limit_is_refused_before_its_body_is_looked_at(limited: TestClient) -> None:
    statuses_of(limited, 2)

    answer = limited.post(CHECK, content=b"x" * 3_000_000, headers={"Content-Type": "application/json"})

    assert answer.status_code == 429


def test_a_body_that_arrives_slowly_takes_no_place_of_those_at_work(settings: Settings) -> None:
    service = create_app(settings.model_copy(update={"concurrent_requests": 1}), lambda: A_TUESDAY)
    sent: list[Message] = []

    async def never() -> Message:
        await anyio.sleep_forever()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    async def together() -> None:
        async with service.router.lifespan_context(service), anyio.create_task_group() as tasks:
            tasks.start_soon(service, A_HEAD | {"method": "POST", "path": CHECK}, never, send)
            await anyio.wait_all_tasks_blocked()
            await service(A_HEAD | {"path": "/v1/concerns/form"}, never, send)
            tasks.cancel_scope.cancel()

    anyio.run(together)

    assert sent[0]["status"] == 200


def test_a_format_is_chosen_after_the_limits_of_the_path_that_was_asked_for(limited: TestClient) -> None:
    answer = limited.get(GUIDE, headers={"Accept": "text/markdown"})

    assert answer.headers["Content-Location"] == f"{GUIDE}.md"
    assert "Accept" in answer.headers["Vary"]


@pytest.mark.parametrize("has_begun", [False, True])
def test_a_defect_is_a_problem_unless_the_response_has_begun_and_what_steps_began_is_ended(
    has_begun: bool, lines: Lines
) -> None:
    ended: list[str] = []

    async def step(exchange: Exchange) -> None:
        exchange.ends.callback(ended.append, "ended")

    async def route(_scope: Scope, _receive: Receive, send: Send) -> None:
        if has_begun:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("a secret")

    async def ask() -> list[Message]:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        await door_of(route, step)(A_HEAD, None, send)  # type: ignore[arg-type]
        return sent

    sent = asyncio.run(ask())

    assert ([each.get("status") for each in sent], ended) == ([200] if has_begun else [500, None], ["ended"])
    assert [each["error"] for each in lines() if each["event"] == "unhandled_error"] == ["RuntimeError"]
    assert "secret" not in str(lines())


def test_a_held_response_is_sent_after_what_the_steps_began_has_ended() -> None:
    """So a defect in the middle of a response that was held back is a problem, and not half a page."""
    events: list[Any] = []

    async def step(exchange: Exchange) -> None:
        async def hold(_start: Message) -> None:
            exchange.held = []

        exchange.changes.append(hold)
        exchange.ends.callback(events.append, "ended")

    async def route(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"whole"})

    async def ask() -> None:
        async def send(message: Message) -> None:
            events.append(message.get("status") or message["body"])

        await door_of(route, step)(A_HEAD, None, send)  # type: ignore[arg-type]

    asyncio.run(ask())

    assert events == ["ended", 200, b"whole"]
