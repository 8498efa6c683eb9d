"""Clients: a key that is shown once, scopes that open only their own routes, and the command that gives and takes."""

import base64
import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.config import Settings
from app.main import create_app
from app.models.access.clients import Scope
from app.services.access import clients
from docs_site.api import resolved
from tests.support import command
from tests.support.clock import SettableClock
from tests.support.concerns import a_concern
from tests.support.databases import files_of
from tests.support.live import LiveServer
from tests.support.loops import for_each
from tests.support.publishing import GUIDE, a_key

CONCERNS = "/v1/concerns"
EDITIONS = f"{GUIDE}/editions"
SUBMISSIONS = {("post", CONCERNS), ("post", f"{CONCERNS}/check")}

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def guidance(tmp_path: Path) -> Command:
    """`guidance clients ...` on the data folder of the test: its exit status, and what it wrote to each stream."""

    def run(*words: str) -> tuple[int, str, str]:
        done = command.guidance("clients", *words, "--data-dir", tmp_path / "data")
        return done.returncode, done.stdout, done.stderr

    return run


def pieces_of(key: str) -> set[bytes]:
    """Return every part that would give the key away: eight of its characters, or six of its bytes."""
    secret = key.removeprefix(clients.KEY_PREFIX)
    raw = base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
    return {secret[at : at + 8].encode() for at in range(len(secret) - 7)} | {raw[at : at + 6] for at in range(27)}


@pytest.mark.slow
def test_a_key_is_shown_once_and_is_in_no_file_or_log(live: LiveServer, guidance: Command) -> None:
    key = guidance("add", "example-app", "--scope", "concerns:submit")[1].strip()
    with live.client() as caller:
        caller.headers["Authorization"] = f"Bearer {key}"
        answers = [caller.post(CONCERNS, json=a_concern()), caller.post(EDITIONS, json={}), caller.get("/v1")]
        told = [guidance("list"), guidance("revoke", "example-app")]
        answers.append(caller.post(CONCERNS, json=a_concern()))
    kept = b"".join([*files_of(live.data_dir).values(), live.log.read_bytes(), str(told).encode()])

    assert [answer.status_code for answer in answers] == [201, 403, 200, 401]
    assert len(key) == len(clients.KEY_PREFIX) + 43
    assert [piece for piece in pieces_of(key) if piece in kept] == []
    assert hashlib.sha256(key.encode()).digest() in kept


@pytest.mark.slow
@for_each("given", [None, "Basic ZXhhbXBsZTpleGFtcGxl", "Bearer", "Bearer "])
def test_a_request_without_a_token_is_asked_for_one(client: TestClient, given: str | None) -> None:
    answer = client.post(EDITIONS, json={}, headers={"Authorization": given} if given else {})

    assert (answer.status_code, answer.json()["type"]) == (401, "/v1/problems/token-needed")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_an_unknown_key_and_a_revoked_key_get_the_same_answer(client: TestClient, guidance: Command) -> None:
    revoked = a_key(client, Scope.PUBLISH)
    guidance("revoke", "example-editor")
    tokens = [revoked["Authorization"], "Bearer omg_unknown", "Bearer a.b.c", "Bearer \xe9", f"Bearer {'x' * 4000}"]

    answers = [client.post(EDITIONS, json={}, headers={b"Authorization": token.encode("latin-1")}) for token in tokens]

    assert {(answer.status_code, answer.json()["type"]) for answer in answers} == {(401, "/v1/problems/token-unknown")}
    assert {answer.headers["Content-Type"] for answer in answers} == {"application/problem+json"}
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {'Bearer error="invalid_token"'}


def guarded_routes(service: FastAPI) -> Iterator[tuple[str, str, str, set[str]]]:
    """Every route that reads a client's key: its method, template, path (made of examples) and the scopes it needs."""
    for template, operations in resolved(service.openapi())["paths"].items():
        for method, operation in operations.items():
            for told in operation.get("security", ()):
                if "ClientKey" in told:
                    in_path = [each for each in operation.get("parameters", ()) if each["in"] == "path"]
                    examples = {each["name"]: each["example"] for each in in_path}
                    needed = {Scope.SUBMIT.value} if (method, template) in SUBMISSIONS else set(told["ClientKey"])
                    yield method, template, template.format_map(examples), needed


@pytest.mark.slow
def test_each_scope_opens_only_its_own_routes(client: TestClient, service: FastAPI) -> None:
    scopes, routes = {scope.value for scope in Scope}, list(guarded_routes(service))
    keys: dict[frozenset[str], dict[str, str]] = {}

    def told_to(having: set[str], method: str, path: str) -> Any:
        """Return the answer to a client that has these scopes, and no other."""
        if frozenset(having) not in keys:
            keys[frozenset(having)] = a_key(client, *map(Scope, sorted(having)), name=f"client-{len(keys)}")
        body: dict[str, Any] = {"json": {}} if method in ("post", "put") else {}
        return client.request(method, path, headers=keys[frozenset(having)], **body)

    for method, template, path, needed in routes:
        for scope in needed or scopes:
            opened = told_to({scope}, method, path)
            assert opened.status_code not in (401, 403), (method, template, scope, opened.status_code)
        if needed:  # all others together do not open it
            answer = told_to(scopes - needed, method, path)
            told = (method, template, answer.status_code)
            assert (answer.status_code, answer.json()["type"]) == (403, "/v1/problems/scope-missing"), told
            challenge = [f'Bearer error="insufficient_scope", scope="{each}"' for each in needed]
            assert [answer.headers["WWW-Authenticate"]] == challenge
    publishing = {template for _, template, _, needed in routes if needed == {Scope.PUBLISH.value}}
    assert publishing == {
        "/v1/guides/{guide}/editions",
        "/v1/guides/{guide}/editions/{number}/withdrawal",
        "/v1/guides/{guide}/renditions",
        "/v1/guides/{guide}/renditions/{language}/{number}/withdrawal",
        "/v1/guides/{guide}/draft/publication",
    }
    assert {(method, template) for method, template, *_ in routes} >= SUBMISSIONS


def test_a_key_is_compared_by_its_hash_in_constant_time(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = a_key(client, Scope.PUBLISH)
    compared = []

    def unlike(*pair: bytes) -> bool:
        compared.append(pair)
        return False

    monkeypatch.setattr("app.services.access.clients.hmac.compare_digest", unlike)

    answer = client.post(EDITIONS, json={}, headers=headers)

    hashed = hashlib.sha256(headers["Authorization"].removeprefix("Bearer ").encode()).digest()
    assert compared == [(hashed, hashed)]
    assert answer.status_code == 401


@pytest.mark.slow
def test_clients_are_added_listed_and_revoked_by_command(guidance: Command) -> None:
    added, key, _ = guidance("add", "example-app", "--scope", "concerns:submit", "--scope", "concerns:read")
    active = guidance("list")
    revoked = [guidance("revoke", "example-app") for _ in range(2)]
    _, listed, _ = guidance("list")

    assert (added, key.count("\n")) == (0, 1)
    assert active == (0, "example-app\tactive\tconcerns:read concerns:submit\tnever used\tends never\n", "")
    assert revoked == [(0, "example-app: revoked\n", "")] * 2
    assert re.fullmatch(r"example-app\trevoked 20\d\d-\d\d-\d\d\tconcerns:read concerns:submit\tnever used\n", listed)


@pytest.mark.slow
def test_a_name_is_given_once_even_if_it_was_revoked(guidance: Command) -> None:
    guidance("add", "example-app", "--scope", "concerns:submit")
    again = guidance("add", "example-app", "--scope", "guidance:publish")
    guidance("revoke", "example-app")
    after = guidance("add", "example-app", "--scope", "guidance:publish")

    assert again == after == (1, "", "A client with this name already exists.\n")


@pytest.mark.slow
@for_each(
    ("words", "code", "told"),
    [
        (
            ("add", "Example App", "--scope", "concerns:read"),
            1,
            "A client's name is lower-case words joined by hyphens.",
        ),
        (("add", "example\n", "--scope", "concerns:read"), 1, "A client's name is lower-case words joined by hyphens."),
        (("add", "example-app", "--scope", "concerns:everything"), 2, "'--scope'"),
        (("add", "docs-page", "--scope", "concerns:submit"), 1, "A client's name is not docs-page"),
        (("add", "example-app"), 1, "A client has one scope or more"),
        (("add", "example-app", "--test", "--scope", "concerns:read"), 1, "one for tests has concerns:submit alone"),
        (("revoke", "nobody"), 1, "There is no client with this name."),
    ],
)
def test_what_the_command_cannot_do_it_refuses_with_a_sentence(
    guidance: Command, words: tuple[str, ...], code: int, told: str
) -> None:
    status, printed, refusal = guidance(*words)

    assert (status, printed) == (code, "")
    assert told in refusal
    assert guidance("list") == (0, "", "")


def test_only_a_submitter_may_post_a_concern_if_strangers_may_not(settings: Settings, clock: SettableClock) -> None:
    service = create_app(settings.model_copy(update={"anonymous_concerns": False}), clock)
    with TestClient(service) as client:
        submitter, editor = a_key(client, Scope.SUBMIT, name="a-form"), a_key(client, Scope.PUBLISH)

        answers = [client.post(CONCERNS, json=a_concern(), headers=headers) for headers in (submitter, editor, {})]

    assert [answer.status_code for answer in answers] == [201, 403, 401]


def test_a_caller_who_may_not_post_concerns_is_told_who_to_call(client: TestClient) -> None:
    editor = a_key(client, Scope.PUBLISH)

    answers = [client.post(path, json=a_concern(), headers=editor) for path in (CONCERNS, f"{CONCERNS}/check")]

    contacts = [contact["id"] for contact in client.get(f"{GUIDE}/contacts").json()["contacts"]]
    for answer in answers:
        assert (answer.status_code, answer.json()["type"]) == (403, "/v1/problems/scope-missing")
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="concerns:submit"'
        assert answer.json()["signposts"][0]["phones"][0]["number"] == "999"
        assert [contact["id"] for contact in answer.json()["contacts"]] == contacts


def test_the_idempotency_keys_of_two_clients_do_not_meet(client: TestClient) -> None:
    callers = [a_key(client, Scope.SUBMIT, name="one-form"), a_key(client, Scope.SUBMIT, name="another-form"), {}]

    first, again = (
        [client.post(CONCERNS, json=a_concern(), headers=caller | {"Idempotency-Key": "a-key"}) for caller in callers]
        for _ in range(2)
    )

    assert len({answer.json()["reference"] for answer in first}) == 3
    assert {answer.headers.get("Idempotency-Replayed") for answer in first} == {None}
    assert [answer.content for answer in again] == [answer.content for answer in first]
    assert {answer.headers.get("Idempotency-Replayed") for answer in again} == {"true"}
