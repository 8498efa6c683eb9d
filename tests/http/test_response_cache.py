"""The response cache: the same answers as without it, whatever is published between two reads, and no private one."""

import asyncio
import datetime as dt
import gzip
import re
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from starlette.responses import Response
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Send
from starlette.types import Scope as ASGIScope

from app.clock import utc_now
from app.config import Settings
from app.db.database import open_database
from app.http import cache as cache_module
from app.http.cache import (
    MAX_CACHED_RESPONSES,
    NOT_PUBLIC,
    WITHOUT_GUIDES,
    CachedResponse,
    CacheKey,
    CacheRequest,
    CacheStore,
    ResponseCache,
)
from app.http.held import HeldGuidance
from app.http.held_file import HeldFile, Numbers
from app.main import create_app
from app.models.access.clients import Scope
from app.services import workers
from app.services.clock.teams import DutyHours
from app.services.workers import SILENT_SECONDS, GenerationWatcher
from tests.support.clock import SettableClock
from tests.support.concerns import a_concern, raise_concern, token_of
from tests.support.doors import door_of
from tests.support.log_lines import Lines
from tests.support.publishing import GUIDE, a_key, an_edition, content_of, publish, publish_next, withdraw
from tests.support.service import a_service
from tests.support.threaded import run_server
from tests.support.waiting import LONG_ENOUGH, wait_until

pytestmark = pytest.mark.any_database

PATHS = (
    "",
    "/indicators",
    "/indicators.csv",
    "/indicators/secrecy",
    "/contacts",
    ".md",
    "/editions",
    "/editions.link",
    "/editions/1",
    "/editions/1.md",
    "/editions/1/factors",
    "/editions/2",
    "/editions/2/changes",
    "/editions/2/indicators.csv",
)
ELSEWHERE = (
    "/v1",
    "/v1/guides",
    "/v1/guides?limit=1",
    "/v1/guides?nonsense=1",
    "/v1/indicators",
    "/v1/search?q=missing",
    "/v1/search?q=made-up",
    "/v1/feed.json",
    "/v1/feed.atom",
    "/v1/signposts",
    "/v1/code-lists",
    "/v1/concerns/form",
    "/open-referral/v3/services",
    "/v1/desk/concerns",
    "/no-such-path",
)
ACCEPTS = (
    None,
    "*/*",
    "text/csv",
    "text/markdown",
    "application/json, text/csv",
    "text/csv;q=0.5, */*;q=0.1",
    "text/*",
)
ENCODINGS = (
    None,
    "gzip",
    "gzip, deflate, br, zstd",
    "identity",
    "gzip;q=0",
    "GZIP;q=0.4",
    "identity, gzip;q=0.5",
    "br",
)
KNOWN = (None, None, "now", "W/now", "*", '"another", now', '"another"', "zipped", "before")
OF_THE_MOMENT = ("x-request-id", "date")
OF_THE_BODY = ("content-length", "content-type", "content-encoding")
NO_MORE: dict[str, str] = {}
SMALL = 1000
BIG = 1_000_000
HELD = 4  # answers of a twentieth of a store, which holds two copies of each


class CacheAndNoCache(RuleBasedStateMachine):
    """The same acts and reads, on a service with a response_cache and on one without."""

    pair: tuple[FastAPI, FastAPI]
    clients: tuple[httpx.Client, TestClient]
    guides = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).guides += 1
        self.guide = f"a-made-up-guide-{self.guides}"
        self.published = 0
        self.withdrawn: set[int] = set()
        self.before = '"none"'
        self.publish("first")

    @rule(word=st.sampled_from(["made-up", "missing", "invented"]))
    def publish(self, word: str) -> None:
        self.published += 1
        for service in self.pair:
            publish_next(
                service, self.guide, title=f"{word} {self.published}", change_note=f"Edition {self.published}."
            )

    @rule(back=st.integers(0, 2))
    def withdraw(self, back: int) -> None:
        number = max(1, self.published - back)
        if number not in self.withdrawn:
            self.withdrawn.add(number)
            for service in self.pair:
                withdraw(service, number, guide=self.guide)

    @rule(
        path=st.sampled_from(PATHS),
        accept=st.sampled_from(ACCEPTS),
        encoding=st.sampled_from(ENCODINGS),
        known=st.sampled_from(KNOWN),
        method=st.sampled_from(["GET", "GET", "HEAD"]),
    )
    def read(self, path: str, accept: str | None, encoding: str | None, known: str | None, method: str) -> None:
        self._compare(method, f"/v1/guides/{self.guide}{path}", accept, encoding, known)

    @rule(path=st.sampled_from(ELSEWHERE), encoding=st.sampled_from(ENCODINGS), known=st.sampled_from(KNOWN))
    def read_elsewhere(self, path: str, encoding: str | None, known: str | None) -> None:
        self._compare("GET", path, None, encoding, known)

    @rule(
        query=st.sampled_from(["?as_of=2026-11-24", "?as_of=2020-01-01", "?as_of=soon", "?cursor=NTA", "?"]),
        more=st.sampled_from(["Accept-Datetime", "Authorization", "Origin", None]),
        path=st.sampled_from(["", "/editions", "/indicators"]),
    )
    def read_otherwise(self, path: str, query: str, more: str | None) -> None:
        told = {
            "Accept-Datetime": "Tue, 24 Nov 2026 09:30:00 GMT",
            "Authorization": "Bearer x",
            "Origin": "https://a.example",
        }
        self._compare(
            "GET", f"/v1/guides/{self.guide}{path}{query}", "text/csv", "gzip", None, {more: told[more]} if more else {}
        )

    def _compare(
        self,
        method: str,
        path: str,
        accept: str | None,
        encoding: str | None,
        known: str | None,
        more: dict[str, str] = NO_MORE,
    ) -> None:
        headers = {"Accept": accept or "", **more}
        response_cache, no_cache = self.clients
        plain = no_cache.get(path, headers={**headers, "Accept-Encoding": "identity"}, follow_redirects=False)
        now = plain.headers.get("etag", '"none"')
        if known is not None:
            tags = {"now": now, "zipped": zipped(now), "before": self.before}
            for name, tag in tags.items():
                known = known.replace(name, tag)
            headers["If-None-Match"] = known
        asked = {**headers, "Accept-Encoding": encoding or ""}

        answer = response_cache.request(method, path, headers=asked, follow_redirects=False)

        assert seen(answer) == expected(plain, method, encoding, known, more)
        self.before = answer.headers.get("etag", self.before)


def zipped(etag: str) -> str:
    return etag[:-1] + '-gzip"'


def seen(answer: Any) -> tuple[int, dict[str, str], bytes]:
    """The answer that the caller sees, with its body decoded."""
    headers = {name: told for name, told in answer.headers.items() if name not in OF_THE_MOMENT}
    if answer.content or answer.status_code == 304:
        headers.pop("content-length", None)  # checked by the client against the bytes that came
    return answer.status_code, headers, re.sub(rb"urn:uuid:[0-9a-f-]{36}", b"urn:uuid:" + 36 * b"-", answer.content)


def expected(plain: Any, method: str, encoding: str | None, known: str | None, more: dict[str, str]) -> tuple[Any, ...]:
    """The answer of the service without a response_cache, for a caller who asks so."""
    status, headers, body = seen(plain)
    is_kept = status == 200 and headers.get("cache-control", "").startswith("public")
    if is_kept and "Accept-Datetime" not in more:
        if len(body) >= SMALL:
            headers["vary"] = ", ".join([*filter(None, [headers.get("vary")]), "Accept-Encoding"])
            if encoding is not None and encoding.lower().startswith("gzip") and encoding != "gzip;q=0":
                headers |= {"etag": zipped(headers["etag"]), "content-encoding": "gzip"}
        tags = [tag.strip().removeprefix("W/") for tag in (known or "").split(",")]
        if "*" in tags or headers["etag"] in tags:
            return 304, {name: told for name, told in headers.items() if name not in OF_THE_BODY}, b""
    if method == "HEAD":
        length = len(gzip.compress(body, mtime=0)) if "content-encoding" in headers else len(body)
        return status, headers | {"content-length": str(length)}, b""
    return status, headers, body


@pytest.mark.slow
def test_answers_are_always_the_same_with_and_without_the_cache(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "GENERATION_SECONDS", LONG_ENOUGH)  # so that nothing is right by waiting
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        services = [a_service(data_dir=Path(folder) / name, cache_megabytes=2) for name in ("with", "without")]
        services[1].door.steps = services[1].door.steps[1:]
        CacheAndNoCache.pair = services[0], services[1]
        address = running.enter_context(run_server(services[0], Settings()))
        plain = httpx.Client(base_url=address, timeout=LONG_ENOUGH, trust_env=False, headers={"User-Agent": ""})
        over_http = running.enter_context(plain)
        no_cache = running.enter_context(TestClient(services[1]))
        CacheAndNoCache.clients = over_http, no_cache
        run_state_machine_as_test(
            CacheAndNoCache,
            # One example is thirty requests to two services: a second, where another property takes a hundredth.
            settings=hypothesis_settings(
                max_examples=hypothesis_settings().max_examples // 5, stateful_step_count=30, phases=[Phase.generate]
            ),
        )
        over_http.get("/v1")
        no_cache.get("/v1")
        assert len(services[0].state.context.response_cache.store) > 0
        assert len(services[1].state.context.response_cache.store) == 0


class Inner:
    """The application behind the response_cache: counts its requests, and may do something during one."""

    def __init__(self, **more: str) -> None:
        self.asked = 0
        self.is_slow = False
        self.headers = {"cache-control": "public, max-age=60", "etag": '"a"', **more}
        self.in_the_midst: Any = lambda: None

    async def __call__(self, _scope: ASGIScope, _receive: Receive, send: Send) -> None:
        self.asked += 1
        read = str(self.asked).encode()
        if self.is_slow:
            await asyncio.sleep(0)  # all others that came at the same time have their turn
        self.in_the_midst()
        headers = [(name.encode(), told.encode()) for name, told in self.headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": read, "more_body": True})
        await send({"type": "http.response.body", "body": b"."})


def ask(inner: Inner, response_cache: ResponseCache, **changes: Any) -> bytes:
    """The body of the answer to a read, with whatever the test changes of it."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []} | changes

    async def serve() -> None:
        await door_of(inner, response_cache.answer_from_cache)(scope, receive, send)

    asyncio.run(serve())
    return b"".join(message.get("body", b"") for message in sent)


@pytest.fixture
def response_cache() -> ResponseCache:
    return ResponseCache(1)


def test_a_repeated_answer_is_made_once(response_cache: ResponseCache) -> None:
    inner = Inner()

    assert [ask(inner, response_cache), ask(inner, response_cache)] == [b"1.", b"1."]


def test_an_answer_made_during_a_publication_is_sent_but_not_kept(
    response_cache: ResponseCache,
) -> None:
    inner = Inner()
    inner.in_the_midst = response_cache.clear
    ask(inner, response_cache)
    inner.in_the_midst = lambda: None

    assert [ask(inner, response_cache), ask(inner, response_cache)] == [b"2.", b"2."]


@pytest.mark.parametrize("path", sorted(WITHOUT_GUIDES))
def test_a_publication_keeps_the_document_that_no_edition_changes(
    service: FastAPI, client: TestClient, path: str
) -> None:
    before = client.get(path).content
    client.get("/v1/guides")
    cache: ResponseCache = service.state.context.response_cache
    (made,) = [entry for key, entry in cache.store._entries.items() if key[0] == path]
    first, *others = an_edition().contacts
    publish_next(service, contacts=(first.model_copy(update={"name": "Invented team"}), *others))

    assert "/v1/guides" not in {key[0] for key in cache.store._entries}
    assert client.get(path).content == before
    assert [entry for key, entry in cache.store._entries.items() if key[0] == path] == [made]
    cache.store._entries.clear()
    assert client.get(path).content == before  # made again, with the new edition


def ask_at_once(inner: Inner, response_cache: ResponseCache, callers: int) -> list[bytes]:
    """The bodies of the answers to so many callers who ask the same at the same time."""
    layer = door_of(inner, response_cache.answer_from_cache)

    async def one() -> bytes:
        body = b""

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            nonlocal body
            body += message.get("body", b"")

        await layer({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}, receive, send)
        return body

    async def every_one() -> list[bytes]:
        return list(await asyncio.gather(*(one() for _ in range(callers))))

    return asyncio.run(every_one())


def test_what_many_ask_at_once_is_made_once(response_cache: ResponseCache) -> None:
    inner = Inner()
    inner.is_slow = True

    assert ask_at_once(inner, response_cache, 20) == [b"1."] * 20
    assert response_cache.store.pending == {}


def test_an_answer_not_to_be_kept_is_made_for_each_caller(response_cache: ResponseCache) -> None:
    inner = Inner(**{"cache-control": "no-store"})
    inner.is_slow = True

    assert sorted(ask_at_once(inner, response_cache, 5)) == [b"1.", b"2.", b"3.", b"4.", b"5."]
    assert response_cache.store.pending == {}


def test_a_defect_in_an_answer_reaches_only_its_first_caller(response_cache: ResponseCache) -> None:
    inner = Inner()
    inner.is_slow = True
    fails = iter([True])

    def fail_once() -> None:
        if next(fails, False):
            raise RuntimeError

    inner.in_the_midst = fail_once

    answers = ask_at_once(inner, response_cache, 5)

    assert [b"/v1/problems/internal-error" in answer for answer in answers] == [True, False, False, False, False]
    assert response_cache.store.pending == {}
    assert ask_at_once(inner, response_cache, 5) == [ask(inner, response_cache)] * 5


@pytest.mark.parametrize(
    "changes",
    [
        {"path": "/other"},
        {"query_string": b"a=1"},
        {"query_string": b"a=2"},
        {"headers": [(b"accept", b"text/csv")]},
        {"headers": [(b"accept-datetime", b"x")]},
        {"headers": [(b"content-length", b"1")]},
        {"headers": [(b"transfer-encoding", b"chunked")]},
        {"headers": [(b"accept", b"text/html"), (b"accept", b"text/csv")]},
        {"method": "POST"},
        {"method": "OPTIONS"},
    ],
)
def test_another_request_does_not_get_the_same_answer(response_cache: ResponseCache, changes: dict[str, Any]) -> None:
    inner = Inner()
    ask(inner, response_cache)

    assert ask(inner, response_cache, **changes) == b"2."
    assert ask(inner, response_cache) == b"1."


def test_a_credential_changes_nothing(response_cache: ResponseCache) -> None:
    inner = Inner()
    with_credential = {"headers": [(b"authorization", b"x")]}

    answers = [ask(inner, response_cache, **changes) for changes in (with_credential, {}, with_credential)]

    assert answers == [b"1."] * 3


@pytest.mark.parametrize(
    "more",
    [
        {"cache-control": "no-store"},
        {"cache-control": "private"},
        {"vary": "Origin"},
        {"vary": "Accept, Cookie"},
        {"vary": "*"},
        {"set-cookie": "a=b"},
        {"ratelimit": '"search";r=9'},
    ],
)
def test_an_answer_for_one_caller_is_never_kept(response_cache: ResponseCache, more: dict[str, str]) -> None:
    inner = Inner(**more)

    assert [ask(inner, response_cache), ask(inner, response_cache)] == [b"1.", b"2."]


def test_nothing_is_kept_if_the_cache_is_off() -> None:
    inner = Inner()
    off = ResponseCache(0)

    assert [ask(inner, off), ask(inner, off)] == [b"1.", b"2."]


@pytest.mark.parametrize(
    "path", ["/v1/desk/concerns", "/v1/events", "/v1/concerns/ABCD-EFGH-JKMN", "/desk", "/edit/a", "/health/ready"]
)
def test_no_private_response_is_stored_whatever_its_headers_say(response_cache: ResponseCache, path: str) -> None:
    inner = Inner()

    answers = [ask(inner, response_cache, path=path) for _ in range(2)]

    assert (answers, len(response_cache.store)) == ([b"1.", b"2."], 0)


def test_two_private_reads_do_not_wait_for_each_other(response_cache: ResponseCache) -> None:
    scope = {"type": "http", "method": "GET", "path": "/v1/events", "query_string": b"wait=30", "headers": []}

    async def read_both() -> None:
        both = asyncio.Barrier(2)

        async def inner(_scope: ASGIScope, _receive: Receive, _send: Send) -> None:
            await both.wait()

        door = door_of(inner, response_cache.answer_from_cache)
        reads = (door(dict(scope), nothing, nothing) for _ in range(2))
        await asyncio.wait_for(asyncio.gather(*reads), LONG_ENOUGH)

    async def nothing(*_: Any) -> Any: ...

    asyncio.run(read_both())


@pytest.mark.slow
def test_exactly_the_reads_that_are_not_public_pass_the_cache(service: FastAPI, client: TestClient) -> None:
    reads = [each for each in iter_route_contexts(service.routes) if "GET" in (each.methods or ())]
    paths = {re.sub(r"{[^}]*}", "1", str(each.path)) for each in reads}

    answers = {path: client.get(path) for path in paths}
    refused = {path for path, each in answers.items() if each.status_code == 401}
    public = {path for path, each in answers.items() if each.headers.get("cache-control", "").startswith("public")}

    assert (len(refused) > 20, len(public) > 20) == (True, True)
    assert {path for path in refused if not NOT_PUBLIC.match(path)} == set()
    assert {path for path in public if NOT_PUBLIC.match(path)} == set()


def a_kept(size: int) -> CachedResponse:
    return CachedResponse(None, [(b"etag", b'"a"'), (b"vary", b"Accept")], bytes(size))


def key(number: int) -> CacheKey:
    return f"/{number}", b"", frozenset(), ()


def test_the_least_recently_used_answer_makes_way() -> None:
    room = CacheStore(BIG)
    for number in range(9):
        room.put(key(number), a_kept(50_000))
        room.find(key(0))
        assert room.used_bytes <= BIG
    room.put(key(9), a_kept(50_000))

    assert room.find(key(0)) is not None
    assert room.find(key(1)) is None
    assert room.find(key(9)) is not None


def test_one_large_answer_does_not_drive_out_the_rest() -> None:
    room = CacheStore(BIG)
    room.put(key(1), a_kept(100))
    room.put(key(2), a_kept(BIG))

    assert room.find(key(1)) is not None
    assert room.find(key(2)) is None


@pytest.mark.slow
def test_small_answers_are_bounded_in_number_and_repeats_count_once() -> None:
    room = CacheStore(1000 * BIG)
    for number in range(MAX_CACHED_RESPONSES + 5):
        room.put(key(number), a_kept(0))
        room.put(key(number), a_kept(0))

    assert len(room) == MAX_CACHED_RESPONSES
    assert room.used_bytes == MAX_CACHED_RESPONSES * a_kept(0).size


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/", "/cy/", "/guides/child-sexual-exploitation"])
def test_a_stored_page_never_outlives_the_duty_hours_it_shows(
    client: TestClient, clock: SettableClock, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    made: list[dt.datetime] = []
    monkeypatch.setattr(DutyHours, "next_change", noting(DutyHours.next_change, made))
    opens = dt.datetime(2026, 11, 25, 8, 30, tzinfo=dt.UTC)

    for minutes in range(-120, 20):
        clock.time = opens + dt.timedelta(minutes=minutes, seconds=1)
        answer = client.get(path)
        night, day = (
            answer.text.partition('class="card call"')[2].index(team) for team in ("01454 615165", "01225 396312")
        )
        assert (night < day) == (clock.time < opens), clock.time
        known = re.match(r"public, max-age=(\d+), stale-while-revalidate=(\d+)", answer.headers["Cache-Control"])
        reused = sum(map(int, known.groups())) if known else 0
        assert known or answer.headers["Cache-Control"] == "public, no-cache"
        assert clock.time >= opens or clock.time + dt.timedelta(seconds=reused) <= opens, clock.time

    of_requests = [at for at in made if at.second]  # the watch of unanswered hours asks for whole minutes
    assert [at - opens for at in dict.fromkeys(of_requests)] == [
        dt.timedelta(hours=-2, seconds=1),
        dt.timedelta(minutes=-11, seconds=1),
        dt.timedelta(seconds=1),
    ]


def noting(function: Callable[..., Any], made: list[dt.datetime]) -> Callable[..., Any]:
    """Return the function, which also notes for which time it was called."""

    def note(self: Any, contacts: Any, at: dt.datetime) -> Any:
        made.append(at)
        return function(self, contacts, at)

    return note


@pytest.mark.slow
def test_a_publisher_is_answered_after_the_old_edition_leaves_the_cache(client: TestClient) -> None:
    headers = a_key(client, Scope.PUBLISH)
    for number in (2, 3, 4):
        content = content_of(client) | {"title": f"A made-up title {number}"}
        assert publish(client, content, headers).status_code == 201

        assert client.get(GUIDE).json()["edition"] == number


@pytest.mark.slow
def test_what_another_process_publishes_is_served_within_a_moment(client: TestClient, settings: Settings) -> None:
    assert client.get(GUIDE).json()["edition"] == 1
    other = create_app(settings, SettableClock())
    other.state.context.writer.start()
    publish_next(other, change_note="Another.")
    other.state.context.writer.stop()

    wait_until(lambda: client.get(GUIDE).json()["edition"] == 2)


def test_the_next_poll_repeats_a_failed_clearing(service: FastAPI, client: TestClient) -> None:
    assert client.get(GUIDE).is_success
    failures = [RuntimeError()]
    changes: list[None] = []

    def clear() -> None:
        if failures:
            raise failures.pop()
        changes.append(None)

    watch = GenerationWatcher(service.state.context.engine, clear, lambda _: None)
    with pytest.raises(RuntimeError):
        watch.poll()

    watch.poll()

    assert len(changes) == 1


def test_a_database_that_does_not_answer_changes_nothing_and_is_told_once(
    monkeypatch: pytest.MonkeyPatch, service: FastAPI, client: TestClient, tmp_path: Path
) -> None:
    changes, silences, now = list[None](), list[float | None](), 0.0
    monkeypatch.setattr(workers, "monotonic", lambda: now)
    watch = GenerationWatcher(service.state.context.engine, lambda: changes.append(None), silences.append)
    assert client.get(GUIDE).is_success
    watch.poll()
    watch._engine = open_database(tmp_path / "empty")
    now = SILENT_SECONDS
    watch.poll()
    assert silences == [None]  # it may have been away before the first poll

    for seconds in (SILENT_SECONDS + 1, 61.0, 3 * 86_400.0):
        now = seconds
        watch.poll()
    watch._engine = service.state.context.engine
    watch.poll()

    assert silences == [None, 0.0, None]
    assert len(changes) == 1


@pytest.mark.parametrize(("days", "answer"), [(0, b"1."), (6.9, b"1."), (7.1, b"2.")])
def test_stored_answers_last_a_week_while_the_database_is_away(
    response_cache: ResponseCache, monkeypatch: pytest.MonkeyPatch, days: float, answer: bytes
) -> None:
    inner, now = Inner(), 1000.0
    monkeypatch.setattr(cache_module, "monotonic", lambda: now)
    ask(inner, response_cache)
    response_cache.set_database_unavailable(now)
    now += days * 86_400

    assert ask(inner, response_cache) == answer


def test_the_age_counts_from_when_the_answer_was_last_current(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(cache_module, "monotonic", lambda: now)
    response_cache = ResponseCache(1)
    before, after = a_kept(10), None
    response_cache.store.put(key(1), before)
    assert response_cache.age_of(before) is None
    now = 50.0
    response_cache.set_database_unavailable(40.0)
    after = a_kept(10)
    now = 55.5

    assert (response_cache.age_of(before), response_cache.age_of(after)) == (15.5, 5.5)
    response_cache.set_database_unavailable(None)
    assert response_cache.age_of(before) is None


def test_held_answers_stay_and_take_half_of_the_room() -> None:
    room = CacheStore(BIG)
    for number in range(12):
        room.hold(key(number))
        room.put(key(number), a_kept(49_000))
    for number in range(100, 200):
        room.put(key(number), a_kept(50_000))

    held = [number for number in range(12) if room.find(key(number)) is not None]
    assert held == [0, 1, 2, 3, 4]
    assert room.used_bytes <= BIG
    assert len(room) >= 4 + len(held)


def test_what_has_no_room_to_be_held_is_not_made_again_in_each_round(lines: Lines, tmp_path: Path) -> None:
    made: list[str] = []

    async def answer(scope: ASGIScope, receive: Receive, send: Send) -> None:
        made.append(scope["path"])
        headers = {"Cache-Control": "public", "ETag": '"made-up"'}
        await Response(b"x" * (BIG // 20), headers=headers)(scope, receive, send)

    cache, paths = ResponseCache(megabytes=1), [f"/{number}" for number in range(20)]
    door = door_of(answer, cache.answer_from_cache)

    file = HeldFile(Settings(data_dir=tmp_path), Ed25519PrivateKey.generate(), utc_now)

    async def hold() -> None:
        held = HeldGuidance(cache, door.serve, lambda: dict.fromkeys(paths), lambda: None, file, Numbers)
        task = asyncio.create_task(held.run())
        await held.wait_for_first()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(hold())
    assert made == paths[: HELD + 1]
    asyncio.run(hold())

    assert made == paths[: HELD + 1]
    assert [(each["event"], each["count"]) for each in lines()] == [("guidance_not_held", 20 - HELD)] * 2


def test_without_a_database_an_unheld_language_falls_back_to_the_default(
    response_cache: ResponseCache,
) -> None:
    kept = a_kept(10)
    response_cache.store.put(("/v1/guides/a", b"", frozenset(), ()), kept)
    wanted = ("/v1/guides/a", b"", frozenset[str](), ("pl",))
    assert response_cache.find_entry(wanted) is None

    response_cache.set_database_unavailable(0.0)

    assert response_cache.find_entry(wanted) is kept


def test_the_front_finds_nothing_if_an_answer_must_say_more(response_cache: ResponseCache) -> None:
    request = CacheRequest(key(1), accepts_gzip=False, if_none_match=None)
    response_cache.store.put(key(1), a_kept(10))
    store = response_cache.store
    assert response_cache.find(request) is not None

    response_cache.set_database_unavailable(0.0)
    assert response_cache.find(request) is None
    assert response_cache.store is not store

    response_cache.set_database_unavailable(None)
    assert response_cache.find(request) is not None
    response_cache.leave_front()
    assert response_cache.find(request) is None


def test_every_cached_answer_has_its_own_id_and_is_counted(client: TestClient) -> None:
    answers = [client.get(f"{GUIDE}/factors") for _ in range(3)]

    assert len({answer.headers["X-Request-ID"] for answer in answers}) == 3
    counted = 'guidance_requests_total{method="GET",route="/v1/guides/{guide}/factors",status="200"} 3.0'
    assert counted in client.get("/metrics").text


def test_no_word_of_a_concern_is_ever_on_the_cache(client: TestClient, service: FastAPI) -> None:
    receipt = raise_concern(client)
    before = len(service.state.context.response_cache.store)
    token = token_of(receipt)
    client.post("/v1/concerns/check", json=a_concern())
    client.get(f"/v1/concerns/{receipt['reference']}", headers=token)
    client.get(f"/v1/concerns/{receipt['reference']}")

    assert len(service.state.context.response_cache.store) == before


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_an_editor_follows_the_edition_in_whatever_encoding_it_was_read(client: TestClient, encoding: str) -> None:
    headers = a_key(client, Scope.PUBLISH)
    content = content_of(client) | {"title": "A made-up title"}
    current = client.get(GUIDE, headers={"Accept-Encoding": encoding})
    assert current.headers.get("Content-Encoding", "identity") == encoding

    answer = client.post(f"{GUIDE}/editions", json=content, headers=headers | {"If-Match": current.headers["ETag"]})

    assert answer.status_code == 201


def test_without_cache_memory_answers_are_compressed_and_not_stored(tmp_path: Path) -> None:
    service = create_app(Settings(data_dir=tmp_path / "data", deliver=False, cache_megabytes=0))
    with TestClient(service) as client:
        answers = [client.get(GUIDE, headers={"Accept-Encoding": "gzip"}) for _ in range(2)]

    assert [answer.headers["content-encoding"] for answer in answers] == ["gzip", "gzip"]
    assert answers[0].content == answers[1].content
    assert len(service.state.context.response_cache.store) == 0
