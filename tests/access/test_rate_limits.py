"""Limits: generous, told in every answer, and never a reason not to say who to call."""

import json
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from limits.storage import MemoryStorage
from starlette.testclient import TestClient

from app.config import Settings
from app.errors import SetupError
from app.http.problems import PROBLEM_MEDIA_TYPE
from app.http.rate_limits import policy_name
from app.main import create_app
from app.models.access.clients import Scope
from app.models.concerns.examples import SMALLEST_EXAMPLE
from app.services.access import limits
from app.services.access.clients import revoke_client
from app.services.access.limits import make_limiter, make_policy, networks_of
from tests.support.clock import A_TUESDAY
from tests.support.concerns import a_concern
from tests.support.log_lines import Lines
from tests.support.loops import for_each
from tests.support.openapi import operations
from tests.support.people import OWN_PAGE
from tests.support.publishing import a_key
from tests.support.store import Store
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

CONCERNS = "/v1/concerns"
CHECK = f"{CONCERNS}/check"
A_SCHOOL = "192.0.2.7"
ELSEWHERE = "198.51.100.9"

Called = Callable[[str], TestClient]


@pytest.fixture
def limited(settings: Settings) -> Settings:
    """Three submissions of a kind, two of anything else, and five of a client, a minute."""
    return settings.model_copy(
        update={
            "limit_concerns": "3/minute",
            "limit_status": "2/minute",
            "limit_wrong_codes": "2/minute",
            "limit_search": "2/minute",
            "limit_desk": "2/minute",
            "limit_sign_in": "2/minute",
            "limit_clients": "5/minute",
        }
    )


@contextmanager
def started(settings: Settings) -> Iterator[Called]:
    """The service, and a way to call it from any network address."""
    service = create_app(settings, lambda: A_TUESDAY)
    with TestClient(service):
        yield lambda host: TestClient(service, client=(host, 50_000))


@pytest.fixture
def called(limited: Settings) -> Iterator[Called]:
    with started(limited) as called:
        yield called


def expect_refusal(answer: Any) -> None:
    told = answer.json()
    assert (answer.status_code, told["type"]) == (429, "/v1/problems/too-often")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_a_refused_check_says_when_to_retry_and_who_to_call(called: Called) -> None:
    school, another = called(A_SCHOOL), called(ELSEWHERE)

    answers = [school.post(CHECK, json=a_concern()) for _ in range(3)]
    refused = school.post(CHECK, json=a_concern())
    others = another.post(CHECK, json=a_concern())

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    expect_refusal(refused)
    assert refused.json()["signposts"][0]["phones"][0]["number"] == "999"
    assert refused.json()["contacts"]
    assert others.status_code == 200


def test_every_answer_of_a_limited_route_tells_what_is_left(called: Called) -> None:
    school = called(A_SCHOOL)

    answers = [school.post(CHECK, json=each) for each in (a_concern(), {}, a_concern(), a_concern())]

    assert [answer.status_code for answer in answers] == [200, 422, 200, 429]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"checks";q=3;w=60'}
    told = [answer.headers["RateLimit"].split(";") for answer in answers]
    assert [(name, remaining) for name, remaining, _ in told] == [('"checks"', f"r={n}") for n in (2, 1, 0, 0)]
    assert all(1 <= int(seconds.removeprefix("t=")) <= 60 for _, _, seconds in told)
    assert answers[-1].headers["Retry-After"] == told[-1][2].removeprefix("t=")


def test_a_refused_body_is_not_read(called: Called) -> None:
    school = called(A_SCHOOL)
    for _ in range(3):
        school.post(CHECK, json=a_concern())

    expect_refusal(school.post(CHECK, content=b"x" * 2_000_000, headers={"Content-Type": "application/json"}))


WRONG_FIELDS = {"reference": "4F7K-926W-0X3R", "code": "of-nobody", "narrative": "An invented account.", "token": "x"}
KINDS = {
    # what is sent: how it is counted, and what its fourth request is answered, with a wrong code or key if it has one
    "POST /v1/concerns": ("concerns", 422),
    "POST /raise-a-concern": ("forms", 422),
    "POST /v1/concerns/check": ("checks", 429),
    "POST /v1/concerns/4F7K-926W-0X3R/additions": ("additions", 422),
    "GET /v1/concerns/4F7K-926W-0X3R": ("status", 429),
    "GET /v1/concerns/4F7K-926W-0X3R/messages": ("status", 429),
    "POST /concerns": ("status", 429),
    "POST /concerns/additions": ("additions", 429),
    "POST /concerns/saved": ("saved-codes", 429),
    "GET /v1/search?q=missing": ("search", 429),
    "POST /mcp": ("assistants", 429),
    "GET /desk/sign-in": ("sign-in", 200),
    "POST /desk/sign-in/options": ("sign-in", 200),
    "POST /desk/sign-in": ("sign-in", 429),
    "POST /desk/invitation/options": ("sign-in", 429),
    "GET /v1/desk/concerns": ("desk", 429),
    "POST /v1/desk/concerns/4F7K-926W-0X3R/acknowledgement": ("desk", 429),
    "POST /desk/concerns/4F7K-926W-0X3R/acknowledgement": ("desk", 429),
}


@for_each("kind", list(KINDS))
def test_each_kind_of_request_has_a_count_of_its_own(called: Called, kind: str) -> None:
    method, path = kind.split(" ")
    policy, above = KINDS[kind]
    is_page = not path.startswith(("/v1", "/mcp"))
    body: dict[str, Any] = {} if method == "GET" else {"data": WRONG_FIELDS} if is_page else {"json": {}}
    wrong = {"Authorization": "Bearer of-nobody"} if path.startswith("/v1/concerns/4F7K") else {}

    caller = called(f"192.0.2.{list(KINDS).index(kind)}")

    answers = [caller.request(method, path, headers=OWN_PAGE | wrong, **body) for _ in range(4)]

    assert {answer.headers["RateLimit-Policy"].split(";")[0] for answer in answers} == {f'"{policy}"'}
    assert answers[0].status_code != 429
    assert answers[3].status_code == above
    assert caller.post(CONCERNS, json=SMALLEST_EXAMPLE).status_code == 201


@pytest.mark.slow
def test_plain_public_reads_and_operations_have_no_limit(called: Called) -> None:
    caller = called(A_SCHOOL)
    for path in ("/v1/guides", "/v1/indicators", f"{CONCERNS}/form", "/v1/signposts", "/health/ready", "/v1"):
        answers = [caller.get(path) for _ in range(7)]

        assert {answer.status_code for answer in answers} == {200}
        assert "RateLimit" not in answers[0].headers


def test_a_client_is_counted_by_its_key_and_not_its_address(called: Called) -> None:
    school = called(A_SCHOOL)
    key = a_key(school, Scope.SUBMIT)

    admitted = [school.post(CHECK, json=a_concern(), headers=key) for _ in range(7)]
    elsewhere = called(ELSEWHERE).post(CHECK, json=a_concern(), headers=key)
    without = [school.post(CHECK, json=a_concern()) for _ in range(3)]

    assert [answer.status_code for answer in admitted] == [200] * 6 + [429]
    assert admitted[0].headers["RateLimit"].startswith('"checks";r=2;')
    assert admitted[1].headers["RateLimit"].startswith('"clients";r=4;')
    expect_refusal(elsewhere)
    assert [answer.status_code for answer in without] == [200, 200, 429]


def test_a_token_that_nobody_was_given_makes_no_count_of_its_own(called: Called) -> None:
    caller = called(A_SCHOOL)

    statuses = [
        caller.get("/v1/desk/concerns", headers={"Authorization": f"Bearer omg_{number}"}).status_code
        for number in range(3)
    ]

    assert statuses == [401, 401, 429]


def test_a_client_that_was_revoked_is_counted_by_its_address_again(called: Called) -> None:
    caller = called(A_SCHOOL)
    service = caller.app
    assert isinstance(service, FastAPI)
    key = a_key(caller, Scope.READ)
    first = caller.get("/v1/desk/concerns", headers=key)
    service.state.context.writer.run(revoke_client, "example-editor", at=A_TUESDAY)

    answers = [caller.get("/v1/desk/concerns", headers=key) for _ in range(3)]

    assert first.status_code == 200
    assert [answer.status_code for answer in answers] == [401, 401, 429]


@for_each(
    ("host", "who"),
    [
        ("192.0.2.7", "192.0.2.7 x1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64 x1, 2001:db8:1::/56 x3, 2001:db8:1::/48 x10"),
        ("2001:db8:1:2ff:ffff::1", "2001:db8:1:2ff::/64 x1, 2001:db8:1:200::/56 x3, 2001:db8:1::/48 x10"),
        ("::ffff:192.0.2.7", "192.0.2.7 x1"),
        ("10.1.2.3", "10.1.2.3 x1"),
        ("unknown", "unknown x1"),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("::ffff:127.0.0.1", ""),
        ("testclient", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_caller_is_counted_under_the_networks_that_one_line_may_have(host: str | None, who: str) -> None:
    assert ", ".join(f"{each.name} x{each.share}" for each in networks_of(host)) == who


def test_no_network_address_of_a_reporter_is_kept_or_logged(
    limited: Settings,
    lines: Lines,
) -> None:
    with started(limited) as called:
        for _ in range(5):
            called(A_SCHOOL).post(CONCERNS, json=a_concern())
        service = called(A_SCHOOL).app
        kept = [path for path in limited.data_dir.rglob("*") if path.is_file()]
        counted = _counters(service)

        assert [path for path in kept if A_SCHOOL.encode() in path.read_bytes()] == []
        assert A_SCHOOL not in json.dumps(lines())
        assert counted
        assert A_SCHOOL not in str(counted)


def _counters(service: Any) -> dict[str, int]:
    """Return the counts that the limiter holds in memory."""
    counted: dict[str, int] = dict(_limiter(service)._own.storage.storage)
    return counted


def _limiter(service: Any) -> Any:
    return service.state.context.code_tries.limiter


@pytest.mark.slow
def test_which_routes_are_limited_is_told_in_the_document(service: FastAPI) -> None:
    for told in operations(service.openapi()):
        is_limited = policy_name(told.method.upper(), told.path, service.state.context.added.limits) is not None
        responses = told.definition["responses"]

        assert ("429" in responses) == is_limited, told.path
        telling = {status for status, each in responses.items() if "RateLimit" in each.get("headers", {})}
        refusals = {status for status, each in responses.items() if PROBLEM_MEDIA_TYPE in each.get("content", {})}
        own = responses.keys() - refusals - {"304"}  # the others are described once for all routes, limited or not
        assert own, told.path
        assert telling == responses.keys() if is_limited else not telling & own, told.path


SHARED = pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    store.start()
    yield store
    store.stop()


def sharing(settings: Settings, url: str, secret: str = "") -> Settings:
    """Settings of a node that shares its counts."""
    file = settings.data_dir.parent / "limits-secret"
    file.write_text(secret or secrets.token_hex(32))
    return settings.model_copy(update={"limits_store": url, "limits_secret_file": file})


@pytest.mark.slow
@SHARED
def test_nodes_sharing_a_store_count_together_and_store_no_address(limited: Settings, store: Store) -> None:
    shared = sharing(limited, store.url)
    another = shared.model_copy(update={"data_dir": limited.data_dir / "other"})
    with started(shared) as called, started(another) as called_there:
        statuses = [at(A_SCHOOL).post(CHECK, json=a_concern()).status_code for at in (called, called_there) * 2]

    keys = subprocess.run(
        ["redis-cli", "-p", str(store.port), "KEYS", "*"], capture_output=True, check=True, text=True
    ).stdout
    assert statuses == [200, 200, 200, 429]
    assert keys.strip()
    assert A_SCHOOL not in keys


@pytest.mark.slow
@SHARED
def test_each_node_counts_locally_until_the_store_is_back(
    limited: Settings,
    store: Store,
    lines: Lines,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "RETRY_SECONDS", 0.2)

    def ask() -> tuple[int, str]:
        answer = called(A_SCHOOL).post(CHECK, json=a_concern())
        return answer.status_code, answer.headers["RateLimit"].split(";")[1]

    with started(sharing(limited, store.url)) as called:
        before = [ask() for _ in range(3)]
        store.stop()
        lines()
        away = [ask() for _ in range(4)]
        told = [line for line in lines() if line["event"] == "limits_store_unavailable"]
        store.start()
        wait_until(lambda: not _limiter(called(A_SCHOOL).app)._is_unavailable)
        back = ask()

    assert before == [(200, "r=2"), (200, "r=1"), (200, "r=0")]
    assert away == [(200, "r=2"), (200, "r=1"), (200, "r=0"), (429, "r=0")]
    assert {line["level"] for line in told} == {"error"}
    assert back == (200, "r=2")


def test_a_store_that_never_answered_stops_no_concern(limited: Settings) -> None:
    with started(sharing(limited, "redis://127.0.0.1:1/0")) as called:
        assert called(A_SCHOOL).post(CONCERNS, json=a_concern()).status_code == 201


@for_each(
    ("store", "secret", "told"),
    [
        ("redis://127.0.0.1:1", None, "GUIDANCE_LIMITS_SECRET_FILE"),
        ("redis://127.0.0.1:1", "too short", "at least 32"),
        ("nonsense://127.0.0.1", "x" * 32, "GUIDANCE_LIMITS_STORE"),
        ("async+memory://", "x" * 32, "async"),
    ],
)
def test_a_store_that_cannot_be_used_is_told_at_the_start(
    tmp_path: Path, store: str, secret: str | None, told: str
) -> None:
    file = tmp_path / "secret"
    if secret is not None:
        file.write_text(secret)

    with pytest.raises(SetupError, match=told):
        make_limiter(store, file if secret is not None else None)


def test_a_secret_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be read"):
        make_limiter("memory://", tmp_path / "none")


def test_a_limit_that_is_no_rate_is_refused_by_the_settings() -> None:
    with pytest.raises(ValueError, match="300/minute"):
        Settings(limit_concerns="many")


def test_one_thread_at_a_time_counts_in_the_memory_of_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at a time may start one timer of the library's store twice, and the second request fails."""
    held: list[bool] = []

    class Watched(MemoryStorage):
        def incr(self, *arguments: Any, **more: Any) -> int:
            held.append(limiter._own_lock.locked())
            return super().incr(*arguments, **more)

    monkeypatch.setattr(limits, "MemoryStorage", Watched)
    limiter = make_limiter("memory://", None)
    limiter.count_here(make_policy("made-up", "10/minute"), networks_of("192.0.2.7"))

    assert held == [True]
