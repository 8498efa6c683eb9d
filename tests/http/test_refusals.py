"""Refusals: one shape for every error, not a word of what was sent, and on a concern whom to call."""

import asyncio
import copy
import gzip
import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import jiter
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import TimeoutError as NoConnectionInTime
from starlette.testclient import TestClient

import app.cli.commands  # noqa: F401  # every module of the service, so that every class of error is known
from app.config import Settings
from app.db.database import DATABASE_FILE
from app.errors import GuidanceError, Problem, all_problems
from app.http import json_bodies
from app.http.json_bodies import InvalidBody, read_json
from app.http.request_bodies import MAX_BODY_BYTES
from app.logs import set_up_logs
from app.models.concerns.examples import FULL_EXAMPLE, SMALLEST_EXAMPLE
from app.models.links import problem_path
from app.services.concerns import edition_resolver
from app.services.concerns.submission import Submissions
from app.services.guides import reference_data
from tests.support.concerns import a_concern
from tests.support.loops import for_each
from tests.support.service import a_service

CANARY = "CanaryAlex"
DOORS = ("/v1/concerns", "/v1/concerns/check")
Place = tuple[str | int, ...]
SOUND_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")) | st.text("\\u0")

LINES_OF_A_CHILD = ("given_names", "family_name", "age_described", "ethnicity_described", "disability_described")
whole = json.dumps(SMALLEST_EXAMPLE | {"police_reference": CANARY})
UNREADABLE: dict[str, bytes] = {
    "not JSON": f"narrative={CANARY}".encode(),
    "a JSON text cut short": whole[:-20].encode(),
    "two JSON texts": f"{whole}{whole}".encode(),
    "a comment": f"/* {CANARY} */ {whole}".encode(),
    "a trailing comma": f'{{"police_reference": "{CANARY}",}}'.encode(),
    "single quotes": f"{{'police_reference': '{CANARY}'}}".encode(),
    "a byte order mark": b"\xef\xbb\xbf" + whole.encode(),
    "UTF-16": whole.encode("utf-16"),
    "Latin-1": f'{{"police_reference": "{CANARY}é"}}'.encode("latin-1"),
    "a surrogate in UTF-8": b'{"police_reference": "CanaryAlex\xed\xa0\x80"}',
    "NUL in a text": f'{{"police_reference": "{CANARY}\\u0000"}}'.encode(),
    "NUL in a name": f'{{"{CANARY}\\u0000": 1}}'.encode(),
    "a NUL byte": f'{{"police_reference": "{CANARY}\x00"}}'.encode(),
    "half a character": f'{{"police_reference": "{CANARY}\\ud800"}}'.encode(),
    "half a character in a name": f'{{"{CANARY}\\udfff": 1}}'.encode(),
    "a line break in a text": f'{{"police_reference": "{CANARY}\n"}}'.encode(),
    "NaN": f'{{"{CANARY}": NaN}}'.encode(),
    "Infinity": f'{{"{CANARY}": -Infinity}}'.encode(),
    "a name twice": f'{{"edition": "{CANARY}", "edition": 1}}'.encode(),
    "a name twice, once escaped": b'{"edition": 1, "\\u0065dition": "CanaryAlex"}',
    "a name twice, deep inside": f'{{"children": [{{"gp": "{CANARY}", "gp": ""}}]}}'.encode(),
    "33 levels": f'{"[" * 33}"{CANARY}"{"]" * 33}'.encode(),
    "100 levels": f'{{"children": {"[" * 100}"{CANARY}"{"]" * 100}}}'.encode(),
    "100,000 levels": b"[" * 100_000 + b"]" * 100_000,
    "100,000 levels of objects": b'{"a":' * 100_000,
    "an integer of 5,000 digits": f'{{"edition": {"9" * 5000}, "{CANARY}": 1}}'.encode(),
    "compressed": b"\x1f\x8b\x08\x00CanaryAlex",
}
REFUSED: dict[str, bytes] = {
    "no body": b"",
    "null": b"null",
    "a list": f'["{CANARY}"]'.encode(),
    "a list of one concern": f"[{whole}]".encode(),
    "a text": f'"{CANARY}"'.encode(),
    "a number": b"1e999",
    "true": b"true",
    "an empty object": b"{}",
    "every part of the wrong kind": json.dumps({name: [CANARY] for name in FULL_EXAMPLE}).encode(),
    "every part null": json.dumps(dict.fromkeys(FULL_EXAMPLE)).encode(),
    "an integer of 4,000 digits": f'{{"edition": {"9" * 4000}, "police_reference": "{CANARY}"}}'.encode(),
    "a number too large for a float": b'{"edition": 1e400, "police_reference": "CanaryAlex"}',
    "the dangerous names of other languages": f'{{"__proto__": "{CANARY}", "constructor": {{}}}}'.encode(),
    "31 children": json.dumps(SMALLEST_EXAMPLE | {"children": [{"gp": CANARY}] * 31}).encode(),
    "a name of 100,000 characters": f'{{"{CANARY * 10_000}": 1}}'.encode(),
    "9,000 unknown names": json.dumps({f"{CANARY}{number}": 1 for number in range(9_000)}).encode(),
    "a text too long": json.dumps(SMALLEST_EXAMPLE | {"police_reference": CANARY * 50}).encode(),
    "a slug that ends a line": json.dumps(SMALLEST_EXAMPLE | {"guide": f"{CANARY}\n"}).encode(),
}


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service for every test that stores nothing."""
    with TestClient(a_service(data_dir=tmp_path_factory.mktemp("steady") / "data")) as client:
        yield client


def post(client: TestClient, body: bytes, path: str = "/v1/concerns", media_type: str = "application/json") -> Any:
    return client.post(path, content=body, headers={"Content-Type": media_type})


def expect_a_problem(answer: Any, status: int) -> dict[str, Any]:
    """Assert what holds for every error, and give its body."""
    told: dict[str, Any] = answer.json()
    kinds = {problem_path(kind.slug): (kind.title, kind.status) for kind in all_problems()}
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert list(told)[:5] == ["type", "title", "status", "detail", "instance"]
    assert kinds[told["type"]] == (told["title"], status) == (told["title"], told["status"])
    assert told["detail"]
    assert uuid.UUID(told["instance"].removeprefix("urn:uuid:")) == uuid.UUID(answer.headers["X-Request-ID"])
    assert CANARY.lower() not in f"{answer.text} {answer.headers}".lower()
    return told


def expect_whom_to_call(told: dict[str, Any]) -> None:
    assert told["signposts"][0]["phones"][0]["number"] == "999"
    assert len(told["signposts"]) > 1
    assert [contact["name"] for contact in told["contacts"]]


def objects_in(value: Any, place: Place = ()) -> Iterator[Place]:
    """The place of every object."""
    if isinstance(value, dict):
        yield place
    for step, member in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(member, dict | list):
            yield from objects_in(member, (*place, step))


def changed(place: Place, /, **members: Any) -> dict[str, Any]:
    """The full example with members put into the object at that place."""
    told = inside = copy.deepcopy(FULL_EXAMPLE)
    for step in place:
        inside = inside[step]  # type: ignore[index]  # a step is a name or a number, as the place tells
    inside.update(members)
    return told


def inside(place: Place) -> dict[str, Any]:
    """Return the object of the full example at that place."""
    found: Any = FULL_EXAMPLE
    for step in place:
        found = found[step]
    return dict(found)


WRONG = ({CANARY: CANARY}, [[CANARY]], 10**40, 0.5, True, CANARY * 10_000)
FIELDS = [(place, name) for place in objects_in(FULL_EXAMPLE) for name in inside(place)]


def pointer(*place: str | int) -> str:
    return "#" + "".join(f"/{step}" for step in place)


@pytest.mark.slow
@for_each("path", DOORS)
@for_each("body", UNREADABLE.values())
def test_a_body_that_cannot_be_read_is_refused_and_not_repeated(steady: TestClient, body: bytes, path: str) -> None:
    told = expect_a_problem(post(steady, body, path), 400)

    expect_whom_to_call(told)
    assert told["type"] == "/v1/problems/unreadable-body"


@pytest.mark.slow
@for_each("path", DOORS)
@for_each("body", REFUSED.values())
def test_a_body_that_is_no_concern_is_refused_and_not_repeated(steady: TestClient, body: bytes, path: str) -> None:
    told = expect_a_problem(post(steady, body, path), 422)

    expect_whom_to_call(told)
    assert all(fault["pointer"].startswith("#") and fault["detail"].endswith(".") for fault in told["errors"])


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | SOUND_TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(SOUND_TEXTS, inner),
)


@pytest.mark.slow
@given(JSON_VALUES, st.booleans())
def test_a_readable_body_is_read_to_the_letter(value: Any, is_ascii: bool) -> None:
    assert read_json(json.dumps(value, ensure_ascii=is_ascii).encode()) == value


@for_each("text", ["\\u0000", "\\\\u0000", "u0000", "\U0001f600", "\\ud800"])
def test_a_backslash_before_a_code_is_a_backslash_and_no_nul(text: str) -> None:
    assert read_json(json.dumps({text: text}).encode()) == {text: text}


@pytest.mark.parametrize("text", ["\x00", "\\\x00", "\\\\\x00"])
def test_a_nul_is_refused_after_any_number_of_backslashes(text: str) -> None:
    with pytest.raises(InvalidBody, match="NUL"):
        read_json(json.dumps([text]).encode())


def test_the_parser_remembers_no_word_of_a_body() -> None:
    jiter.cache_clear()

    read_json(whole.encode())

    assert jiter.cache_usage() == 0


OF_TOO_MANY_VALUES = {
    "45,000 unknown names": json.dumps({f"{CANARY}{number}": 1 for number in range(45_000)}).encode(),
    "300,000 entries": json.dumps(SMALLEST_EXAMPLE | {"children": [1] * 300_000}).encode(),
    "entries in lists in lists": json.dumps(
        SMALLEST_EXAMPLE | {"children": [{"other_names": [1] * 99}] * 102}
    ).encode(),
}


@for_each("path", DOORS)
@for_each("body", OF_TOO_MANY_VALUES.values())
def test_a_body_of_too_many_values_is_refused_as_too_large(steady: TestClient, body: bytes, path: str) -> None:
    told = expect_a_problem(post(steady, body, path), 413)

    expect_whom_to_call(told)
    assert "10,000 values" in told["detail"]


@pytest.mark.parametrize(("wrong", "told_of", "is_cut"), [(100, 100, False), (101, 100, True), (120, 100, True)])
def test_a_hundred_faults_are_told_and_that_there_are_more(
    steady: TestClient, wrong: int, told_of: int, is_cut: bool
) -> None:
    children: list[dict[str, Any]] = [{} for _ in range(30)]
    for number in range(wrong):
        children[number % 30][LINES_OF_A_CHILD[number // 30]] = []
    body = json.dumps(SMALLEST_EXAMPLE | {"children": children}).encode()

    told = expect_a_problem(post(steady, body), 422)

    assert len(told["errors"]) == told_of
    assert ("the first 100" in told["detail"]) == is_cut


def test_only_a_large_body_is_parsed_off_the_event_loop(steady: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []

    def read(body: bytes) -> Any:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            threads.append(len(body))
        return read_json(body)

    monkeypatch.setattr(json_bodies, "read_json", read)

    assert post(steady, whole.encode().ljust(json_bodies.LARGE_BODY_BYTES)).is_success
    assert post(steady, whole.encode().ljust(json_bodies.LARGE_BODY_BYTES + 1)).is_success

    assert threads == [json_bodies.LARGE_BODY_BYTES + 1]


@for_each("path", DOORS)
@for_each("media_type", ["", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded", CANARY])
def test_another_media_type_is_refused(steady: TestClient, media_type: str, path: str) -> None:
    expect_whom_to_call(expect_a_problem(post(steady, whole.encode(), path, media_type), 415))


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "aes128gcm"])
def test_a_compressed_body_is_refused_for_its_encoding(steady: TestClient, path: str, encoding: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    answer = steady.post(path, content=gzip.compress(whole.encode()), headers=headers)
    plain = steady.post(path, content=whole.encode(), headers=headers | {"Content-Encoding": "Identity"})

    expect_whom_to_call(expect_a_problem(answer, 415))
    assert "Content-Encoding" in answer.json()["detail"]
    assert plain.is_success


@pytest.mark.parametrize("path", DOORS)
def test_a_body_may_have_a_million_bytes_and_not_one_more(steady: TestClient, path: str) -> None:
    largest = whole.encode().ljust(MAX_BODY_BYTES)

    assert post(steady, largest, path).is_success
    expect_whom_to_call(expect_a_problem(post(steady, largest + b" ", path), 413))


@pytest.mark.parametrize("path", DOORS)
def test_a_body_declared_too_large_is_refused_unread(steady: TestClient, path: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Length": str(MAX_BODY_BYTES + 1)}

    expect_whom_to_call(expect_a_problem(steady.post(path, content=whole, headers=headers), 413))


@pytest.mark.parametrize("path", DOORS)
def test_a_body_without_a_length_is_refused_once_too_large(steady: TestClient, path: str) -> None:
    chunks = (CANARY.encode() * 1000 for _ in range(MAX_BODY_BYTES // (1000 * len(CANARY)) + 1))

    answer = steady.post(path, content=chunks, headers={"Content-Type": "application/json"})

    assert "content-length" not in answer.request.headers
    expect_whom_to_call(expect_a_problem(answer, 413))


@pytest.mark.slow
def test_a_misspelt_field_is_reported_at_its_object_in_any_place(steady: TestClient) -> None:
    places = list(objects_in(FULL_EXAMPLE))

    answers = [post(steady, json.dumps(changed(place, acount=CANARY)).encode()) for place in places]

    assert len(places) > 20
    for place, answer in zip(places, answers, strict=True):
        faults = expect_a_problem(answer, 422)["errors"]
        assert [fault["pointer"] for fault in faults] == [pointer(*place)]


@pytest.mark.slow
def test_a_name_that_can_be_no_field_s_is_not_repeated_either(steady: TestClient) -> None:
    places = list(objects_in(FULL_EXAMPLE))

    answers = [post(steady, json.dumps(changed(place, **{CANARY: CANARY})).encode()) for place in places]

    for place, answer in zip(places, answers, strict=True):
        faults = expect_a_problem(answer, 422)["errors"]
        assert [fault["pointer"] for fault in faults] == [pointer(*place)]


@pytest.mark.slow
@pytest.mark.parametrize("step", [len(WRONG), pytest.param(1, marks=pytest.mark.nightly)], ids=["one", "each"])
def test_a_value_of_the_wrong_kind_is_refused_everywhere(steady: TestClient, step: int) -> None:
    """By day each field gets one wrong value, and each wrong value a sixth of the fields; at night each gets each."""
    for number, (place, name) in enumerate(FIELDS):
        for wrong in WRONG[number % step :: step]:
            answer = post(steady, json.dumps(changed(place, **{name: wrong})).encode())
            expect_whom_to_call(expect_a_problem(answer, 422))


@for_each(
    ("method", "path"),
    [
        ("GET", f"/{CANARY}"),
        ("POST", f"/v1/{CANARY}"),
        ("GET", f"/v1/guides/{CANARY}"),
        ("GET", "/v1/guides/x/y/z/a/b"),
    ],
)
def test_a_path_that_there_is_not_is_told(steady: TestClient, method: str, path: str) -> None:
    expect_a_problem(steady.request(method, path), 404)


@for_each("method", ["PUT", "PATCH", "DELETE", "POST", "TRACE"])
def test_a_wrong_method_is_refused_with_the_methods_allowed(steady: TestClient, method: str) -> None:
    answer = steady.request(method, "/v1/guides")

    expect_a_problem(answer, 405)
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


@for_each(
    ("method", "path", "status"),
    [
        ("DELETE", "/v1/concerns", 405),
        ("GET", f"/v1/concerns/x/{CANARY}", 404),
        ("GET", f"/v1/concerns/{CANARY}?{CANARY}={CANARY}", 400),
        ("POST", f"/v1/concerns?{CANARY}={CANARY}", 400),
        ("POST", f"/v1/concerns/check?{CANARY}", 400),
        ("GET", f"/v1/concerns/form?{CANARY}=1", 400),
        ("GET", f"/v1/concerns/{CANARY}", 401),
        ("GET", f"/v1/concerns/{CANARY * 10}", 401),
    ],
)
def test_every_refusal_on_a_path_of_concerns_says_whom_to_call(
    steady: TestClient, method: str, path: str, status: int
) -> None:
    headers = {"Content-Type": "application/json", "Host": "example:80/v1/guides?", "X-Canary": CANARY}

    answer = steady.request(method, path, content=whole if method == "POST" else None, headers=headers)

    expect_whom_to_call(expect_a_problem(answer, status))


@for_each("query", [f"{CANARY}=1", "limit=1&limit=2", f"limit={CANARY}", f"cursor={CANARY}", "limit=1&Limit=1"])
def test_an_unknown_or_repeated_or_unreadable_query_parameter_is_refused(steady: TestClient, query: str) -> None:
    expect_a_problem(steady.get(f"/v1/guides?{query}"), 400)


def every_error(root: type[GuidanceError] = GuidanceError) -> Iterator[type[GuidanceError]]:
    for error in root.__subclasses__():
        if error.__module__.startswith("app."):
            yield error
            yield from every_error(error)


def test_every_error_has_a_sentence_and_every_problem_its_details() -> None:
    assert all(error.__doc__ and error.__module__ == "app.errors" for error in every_error())
    for kind in every_error(Problem):
        assert issubclass(kind, Problem)
        assert re.fullmatch("[a-z]+(-[a-z]+)*", kind.slug)
        assert 400 <= kind.status <= 599
        assert kind.title.strip()
        assert kind.meaning.endswith(".")
        assert "\n" not in kind.meaning
    assert len({kind.slug for kind in all_problems()}) == len(all_problems())


@pytest.mark.slow
def test_every_type_of_problem_answers_at_its_path(steady: TestClient) -> None:
    listed = steady.get("/v1/problems").json()["problems"]

    assert [told["type"] for told in listed] == [problem_path(kind.slug) for kind in all_problems()]
    assert [steady.get(told["type"]).json() for told in listed] == listed


def test_a_defect_becomes_a_problem_and_none_of_its_words_is_logged(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(CANARY) from ValueError(CANARY)

    monkeypatch.setattr(Submissions, "submit", fail)
    set_up_logs("error")

    answer = client.post("/v1/concerns", json=a_concern())

    expect_whom_to_call(expect_a_problem(answer, 500))
    logged = "".join(capsys.readouterr())
    assert "RuntimeError" in logged
    assert CANARY not in logged


def test_a_defect_in_reading_contacts_stops_no_answer_with_999(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(reference_data, "get_current", fail)

    expect_whom_to_call(expect_a_problem(post(client, b"{}"), 422))


@pytest.mark.slow
def test_a_writer_that_does_not_keep_in_time_is_told_as_busy(
    client: TestClient, service: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = service.state.context.writer
    monkeypatch.setattr(writer, "_wait_seconds", 0.05)
    writer.stop()

    answer = client.post("/v1/concerns", json=a_concern())

    expect_whom_to_call(expect_a_problem(answer, 503))
    assert int(answer.headers["Retry-After"]) > 0
    assert client.get("/health/ready").status_code == 503


@pytest.mark.embedded
@pytest.mark.parametrize("instead", [b"not a database", b""])
@pytest.mark.parametrize("path", [*DOORS, "/v1/concerns/4F7K-926W-0X3R"])
def test_the_first_refusal_says_whom_to_call_without_a_database(
    client: TestClient, service: FastAPI, settings: Settings, path: str, instead: bytes
) -> None:
    for file in settings.data_dir.glob(f"{DATABASE_FILE}*"):
        file.unlink()
    (settings.data_dir / DATABASE_FILE).write_bytes(instead)
    service.state.context.engine.dispose()  # last, since a worker may have connected in between

    if path in DOORS:
        answer = client.post(path, json=a_concern())
    else:
        answer = client.get(path, headers={"Authorization": f"Bearer {CANARY}"})

    expect_whom_to_call(expect_a_problem(answer, 503))
    assert int(answer.headers["Retry-After"]) > 0


def test_the_answer_is_busy_if_no_connection_is_free_in_time(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise NoConnectionInTime

    monkeypatch.setattr(edition_resolver, "find_history", fail)

    expect_whom_to_call(expect_a_problem(client.post("/v1/concerns", json=a_concern()), 503))
