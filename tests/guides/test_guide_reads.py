"""The guide as data: what every read holds, where it leads, how long it may be kept, and what never changes."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import rfc8785
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from app.services.guides import editions, pdf
from docs_site.api import resolved
from tests.support.live import LiveServer
from tests.support.loops import for_each
from tests.support.publishing import GUIDE, an_edition, publish_next
from tests.support.service import a_service

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

CURRENT = "public, max-age=60, stale-while-revalidate=600, stale-if-error=604800"
FOR_A_YEAR = "public, max-age=31536000, immutable"
HEAD = {"guide", "edition", "status", "digest", "cautions", "links"}
WORDS = {"title", "publisher", "change_note", "review_by", "source", "cautions"}
SECTIONS = {
    "definitions": {"id", "kind", "text", "limbs", "source"},
    "factors": {"id", "position", "text", "related_codes"},
    "indicators": {"id", "position", "text", "kind", "note", "related_codes"},
    "linked-risks": {"id", "position", "text", "related_codes"},
    "responsibilities": {"id", "position", "name", "text"},
    "contacts": {"id", "position", "name", "kind", "phones", "url", "when", "verified_on"},
}
HERE = "http://127.0.0.1:8000"
KEPT_BY_NOBODY = (
    "/status",
    "/raise-a-concern",
    "/worried-about-yourself",
    "/worried-about-a-friend",
    "/concerns",
    "/search",
)  # people type there
POINTERS = {"in_guide_language"}  # places in the answer itself, not addresses
UNLISTED = ("/openapi.json", "/docs", "/docs/docs.js", "/docs/docs.css")

Answers = dict[str, Response]


def changed_indicators() -> list[dict[str, Any]]:
    """The first is reworded, the next two change places, the last goes and a made-up one comes."""
    first, second, third, *others = [indicator.model_dump() for indicator in an_edition().indicators]
    new = others.pop() | {"id": "a-made-up-indicator", "text": "A made-up indicator."}
    ordered = [first | {"text": "Made-up words."}, third, second, *others, new]
    return [indicator | {"position": place} for place, indicator in enumerate(ordered, start=1)]


def everything_in(value: Any) -> Iterator[Any]:
    """The value and, of objects and arrays, everything in them."""
    yield value
    members = [inner for key, inner in value.items() if key not in POINTERS] if isinstance(value, dict) else value
    for member in members if isinstance(members, list) else ():
        yield from everything_in(member)


def leads_to(path: str, answer: Response) -> Iterator[str]:
    """Wherever an answer leads: its links, in body and header, the items of a section, and the next page."""
    kind = answer.headers.get("content-type", "").partition(";")[0]
    body = (
        answer.json()
        if kind == "application/json" and not path.endswith(("/openapi.json", "/openapi.public.json"))
        else {}
    )
    told = re.findall(r"<([^>]*)>", answer.headers.get("link", ""))
    told += re.findall(r"<([^>]*)>", answer.text) if kind == "application/link-format" else []
    told += re.findall(r'(?:href|src)="([^"]+)"', answer.text) if kind == "text/html" else []
    told += [each for each in everything_in(body) if isinstance(each, str)]
    yield from (each.removeprefix(HERE) for each in told if each.removeprefix(HERE).startswith("/"))
    section = path.rpartition("/")[2]
    if path.startswith(GUIDE) and section in SECTIONS:
        yield from (f"{path}/{item['id']}" for item in body.get(section.replace("-", "_"), ()))


def walk(client: TestClient) -> Answers:
    """Every answer that can be reached from the index."""
    found: Answers = {}
    waiting = ["/v1", f"{GUIDE}/editions?limit=1"]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found[path] = client.get(path)
            waiting += leads_to(path, found[path])
    return found


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, Answers]]:
    """A service with two editions, and every answer that its links lead to. `test_print.py` looks at the prints."""
    service = a_service(data_dir=tmp_path_factory.mktemp("walked") / "data", deliver=True)
    with TestClient(service) as client, pytest.MonkeyPatch.context() as patch:
        patch.setattr(pdf, "_compile", lambda *_: b"%PDF-1.7")
        publish_next(service, indicators=changed_indicators())
        yield client, walk(client)


def public_reads(answers: Answers) -> Answers:
    return {
        path: answer
        for path, answer in answers.items()
        if answer.status_code == 200 and not path.startswith(KEPT_BY_NOBODY)
    }


def test_every_list_but_a_search_links_to_itself_and_its_next_page(walked: tuple[TestClient, Answers]) -> None:
    _, answers = walked
    bodies = {
        path: answer.json()
        for path, answer in answers.items()
        if path.startswith("/v1") and answer.headers["content-type"] == "application/json"
    }
    every = {path: body for path, body in bodies.items() if "next_cursor" in body or path == "/v1/problems"}
    lists = {path: body for path, body in every.items() if "q=" not in path}

    assert {path for path in lists if "?" not in path} >= {"/v1/guides", "/v1/indicators", f"{GUIDE}/renditions"}
    assert {path: body["links"]["self"] for path, body in lists.items()} == {path: path for path in lists}
    nexts = {path: ("next" in body["links"]) for path, body in lists.items()}
    assert nexts == {path: body.get("next_cursor") is not None for path, body in lists.items()}
    assert any(nexts.values())
    assert [body["links"] for path, body in every.items() if "q=" in path] == [{}] * (len(every) - len(lists))


def is_numbered(path: str) -> bool:
    """Whether the path is of a numbered edition as data: pages for people tell whom to call from outside editions too.

    The list of its renditions changes, and each says by itself when it is behind.
    """
    is_of_one = re.search(r"^/v1/.*/editions/[0-9]+", path) is not None
    return is_of_one and not path.endswith((".md", ".pdf", "/renditions"))


@pytest.mark.slow
@pytest.mark.any_database
def test_the_index_leads_to_every_read_and_no_link_is_broken(
    walked: tuple[TestClient, Answers],
) -> None:
    _, answers = walked

    broken = {path: answer.status_code for path, answer in answers.items() if answer.status_code != 200}

    assert broken == {"/v1/concerns": 405, "/v1/concerns/check": 401}  # links for those who post
    assert {"/v1/guides", GUIDE, "/v1/signposts", "/v1/code-lists/sex", "/v1/problems/busy", *UNLISTED} <= set(answers)
    assert {f"{GUIDE}/{section}" for section in SECTIONS} <= set(answers)
    assert {f"{GUIDE}/editions/{number}/{section}" for number in (1, 2) for section in SECTIONS} <= set(answers)
    assert f"{GUIDE}/editions/1/indicators/{an_edition().indicators[9].id}" in answers


def test_every_read_with_indicators_or_factors_has_cautions_and_edition(
    walked: tuple[TestClient, Answers],
) -> None:
    client, answers = walked
    reads = [*(path for path in answers if path.startswith(GUIDE)), "/v1/indicators", "/v1/factors", "/v1/search?q=the"]
    bodies = {path: answers.get(path, client.get(path)) for path in reads}

    holding = [
        (path, held)
        for path, body in bodies.items()
        if body.headers["content-type"] == "application/json"
        for held in everything_in(body.json())
        if holds_indicators_or_factors(held)
    ]

    assert [path for path, held in holding if not all(held.get(key) for key in HEAD)] == []
    assert {path for path, _ in holding} >= {GUIDE, f"{GUIDE}/editions/2/factors", "/v1/indicators", "/v1/factors"}


def holds_indicators_or_factors(held: Any) -> bool:
    """Whether it is an object with a list of them, or with one of them and the name of its section."""
    if not isinstance(held, dict):
        return False
    listed = [item for section in ("indicators", "factors") for item in held.get(section) or () if "text" in item]
    return bool(listed) or ("item" in held and held["section"] in ("indicators", "factors"))


def caching_of(path: str) -> str:
    """Return how long the answer may be stored: renditions say at once that they are behind, reviews go by the day."""
    if "/renditions" in path:
        return "public, no-cache"
    if path.startswith("/v1/reviews-due"):
        return "max-age=3600"
    return FOR_A_YEAR if is_numbered(path) else CURRENT


def test_every_public_read_says_how_long_it_may_be_kept(walked: tuple[TestClient, Answers]) -> None:
    _, answers = walked

    told = {path: answer.headers.get("cache-control") for path, answer in public_reads(answers).items()}

    assert told == {path: caching_of(path) for path in told}


def test_a_caller_that_has_an_answer_gets_304_with_the_same_headers(walked: tuple[TestClient, Answers]) -> None:
    client, answers = walked
    kept = ("etag", "cache-control", "link", "vary", "access-control-allow-origin")

    for path, answer in public_reads(answers).items():
        again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})

        assert (path, again.status_code, again.content) == (path, 304, b"")
        assert [again.headers.get(name) for name in kept] == [answer.headers.get(name) for name in kept]
        assert re.fullmatch(r'"[\x21\x23-\x7e]+"', again.headers["etag"])


@for_each(
    ("header", "status"),
    [
        ("{etag}", 304),
        ("W/{etag}", 304),
        ('"another", {etag}', 304),
        ('"another" , W/{etag},"a third"', 304),
        ("*", 304),
        ('"another"', 200),
        ("", 200),
    ],
)
def test_if_none_match_is_read_as_the_standard_says(client: TestClient, header: str, status: int) -> None:
    etag = client.get(GUIDE).headers["etag"]

    answer = client.get(GUIDE, headers={"If-None-Match": header.format(etag=etag)})

    assert answer.status_code == status


def test_every_origin_may_read_whether_or_not_it_is_named(walked: tuple[TestClient, Answers]) -> None:
    client, answers = walked

    for path, answer in public_reads(answers).items():
        named = client.get(path, headers={"Origin": "https://reader.example"})

        assert [each.headers.get("access-control-allow-origin") for each in (answer, named)] == ["*", "*"], path
        assert "ETag" in answer.headers["access-control-expose-headers"]


def test_a_browser_may_ask_before_it_reads(client: TestClient) -> None:
    asked = {"Origin": "https://reader.example", "Access-Control-Request-Method": "GET"}

    answer = client.options(GUIDE, headers=asked | {"Access-Control-Request-Headers": "if-none-match"})

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "If-None-Match" in answer.headers["access-control-allow-headers"]


@pytest.mark.slow
@pytest.mark.any_database
def test_head_tells_what_get_tells_without_the_body(live: LiveServer, service: FastAPI) -> None:
    passing = {"x-request-id", "date"}
    with live.client() as caller:
        for path in [*every_get(service), *UNLISTED]:
            got, head = caller.get(path), caller.head(path)
            counted = {"content-length"} if path == "/metrics" else set()  # it has grown by one request

            told = [{name: told.headers[name] for name in {*told.headers} - passing - counted} for told in (got, head)]
            assert (path, head.status_code, head.content) == (path, got.status_code, b"")
            assert told[1] == told[0], path


def every_get(service: FastAPI) -> Iterator[str]:
    """The path of every GET route, filled in with the examples of its own documentation."""
    for template, operations in resolved(service.openapi())["paths"].items():
        if "get" in operations:
            parameters = operations["get"].get("parameters", ())
            examples = {each["name"]: each["schema"].get("examples", [None])[0] for each in parameters}
            yield template.format_map(examples)


def test_the_current_edition_has_the_keys_of_the_contract(client: TestClient) -> None:
    answer = client.get(GUIDE).json()

    assert {*HEAD, *WORDS, *(section.replace("-", "_") for section in SECTIONS), "published_at"} <= set(answer)
    assert (answer["edition"], answer["status"]) == (1, "current")
    assert {"name", "gss_code"} <= set(answer["publisher"])
    assert {"title", "publisher", "document", "sha256"} <= set(answer["source"])


@for_each(("section", "keys"), SECTIONS.items())
def test_a_section_holds_its_part_of_the_edition_whole(client: TestClient, section: str, keys: set[str]) -> None:
    whole = client.get(GUIDE).json()
    key = section.replace("-", "_")

    current, numbered = (client.get(f"{base}/{section}").json() for base in (GUIDE, f"{GUIDE}/editions/1"))

    assert current[key] == numbered[key] == whole[key] != []
    assert set(current) == HEAD | {key}
    assert all(keys <= set(item) for item in current[key])
    assert client.get(f"{GUIDE}/{section}/{current[key][-1]['id']}").json()["item"] == current[key][-1]


def test_an_item_lists_its_editions_and_what_changed_in_each(client: TestClient, service: FastAPI) -> None:
    reworded, moved, _, kept, *_ = (indicator.id for indicator in an_edition().indicators)
    publish_next(service, indicators=changed_indicators())

    def told(item: str) -> list[tuple[int, str, str]]:
        history = client.get(f"{GUIDE}/indicators/{item}").json()["history"]
        return [(entry["edition"], entry["status"], entry["change"]) for entry in history]

    assert told(reworded) == [(2, "current", "reworded"), (1, "superseded", "added")]
    assert told(moved) == [(2, "current", "moved"), (1, "superseded", "added")]
    assert told(kept) == [(2, "current", "unchanged"), (1, "superseded", "added")]
    assert told("a-made-up-indicator") == [(2, "current", "added")]


def test_the_history_tells_every_edition_the_newest_first(client: TestClient, service: FastAPI) -> None:
    published = publish_next(service, change_note="A made-up change.")

    newest, first = client.get(f"{GUIDE}/editions").json()["editions"]

    assert {"number", "status", "published_at", "change_note", "digest"} <= set(newest)
    assert (newest["number"], newest["status"], newest["change_note"]) == (2, "current", "A made-up change.")
    assert (newest["digest"], newest["published_at"]) == (published.digest, "2026-11-24T09:30:00Z")
    assert (first["number"], first["status"]) == (1, "superseded")


def test_editions_name_their_neighbours(client: TestClient, service: FastAPI) -> None:
    publish_next(service, change_note="A made-up change.")
    first, second = f"{GUIDE}/editions/1/factors", f"{GUIDE}/editions/2/factors"

    before, after = ({rel: link["url"] for rel, link in client.get(path).links.items()} for path in (first, second))

    assert before["self"] == first
    assert before["latest-version"] == after["latest-version"] == f"{GUIDE}/factors"
    assert before["version-history"] == after["version-history"] == f"{GUIDE}/editions"
    assert (before["successor-version"], after["predecessor-version"]) == (second, first)
    assert "predecessor-version" not in before
    assert "successor-version" not in after


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_a_read_of_another_version_than_the_callers_is_refused(client: TestClient, coding: str) -> None:
    encoded = {"Accept-Encoding": coding}
    etag = client.get(GUIDE, headers=encoded).headers["etag"]
    answers = [
        client.get(GUIDE, headers=encoded | {"If-Match": header})
        for header in (etag, f'"another", {etag}', "*", '"another"', f"W/{etag}")
    ]

    assert [each.status_code for each in answers] == [200, 200, 200, 412, 412]
    assert answers[3].json()["type"] == "/v1/problems/version-not-current"


@pytest.mark.parametrize("path", ["/v1/guides", f"{GUIDE}/editions"])
def test_lists_come_page_by_page(client: TestClient, service: FastAPI, path: str) -> None:
    for guide in ("a-made-up-guide", "child-sexual-exploitation", "the-last-made-up-guide"):
        publish_next(service, guide, title="A made-up title")
    key = path.rpartition("/")[2]
    everything = client.get(path).json()
    pages = [client.get(path, params={"limit": 1}).json()]
    while (cursor := pages[-1]["next_cursor"]) and len(pages) <= len(everything[key]):
        pages.append(client.get(path, params={"limit": 1, "cursor": cursor}).json())

    assert everything["next_cursor"] is None
    assert len(everything[key]) > 1
    assert [page[key] for page in pages] == [[entry] for entry in everything[key]]


@pytest.mark.parametrize("path", ["/v1/guides", f"{GUIDE}/editions"])
def test_a_cursor_of_another_making_is_refused(client: TestClient, path: str) -> None:
    keys: list[Any] = [None, [], {}, True, 1.5, "\ud800", "\0", -1, 7 if path == "/v1/guides" else "a-guide"]
    made = [base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=") for key in keys]

    answers = {told: client.get(path, params={"cursor": told}) for told in [*made, "", "?", "é", "AAAA", "a" * 401]}

    assert {told: answer.status_code for told, answer in answers.items()} == dict.fromkeys(answers, 400)
    assert {answer.json()["type"] for answer in answers.values()} == {
        "/v1/problems/invalid-cursor",
        "/v1/problems/invalid-query",  # longer than any cursor
    }


def test_a_caller_can_compute_the_digest_from_the_answer(client: TestClient, service: FastAPI) -> None:
    publish_next(service, indicators=changed_indicators(), introductions={}, review_by="2027-01-31")

    for path in (GUIDE, f"{GUIDE}/editions/1", f"{GUIDE}/editions/2"):
        answer = client.get(path).json()
        told = {name: answer[name] for name in answer["digest_of"]}
        canonical = rfc8785.dumps(without_empty_members(told))

        assert answer["digest"] == f"sha256:{hashlib.sha256(canonical).hexdigest()}"


def without_empty_members(value: Any) -> Any:
    if isinstance(value, list):
        return [without_empty_members(item) for item in value]
    if not isinstance(value, dict):
        return value
    members = {name: without_empty_members(member) for name, member in value.items()}
    return {name: member for name, member in members.items() if member not in (None, [], {})}


@pytest.mark.slow
def test_a_new_edition_changes_no_bytes_of_the_older_ones(
    walked: tuple[TestClient, Answers], client: TestClient, service: FastAPI
) -> None:
    def told(answer: Response) -> tuple[bytes, str]:
        return answer.content, answer.headers["etag"]

    before = {path: told(answer) for path, answer in walked[1].items() if is_numbered(path)}
    publish_next(service, indicators=changed_indicators())
    publish_next(service, title="A made-up title")

    assert {path: told(client.get(path)) for path in before} == before
    assert client.get(GUIDE).json()["title"] == "A made-up title"
    assert len(before) > 60


def test_999_is_the_first_signpost(client: TestClient) -> None:
    first, *others = client.get("/v1/signposts").json()["signposts"]

    assert [phone["number"] for phone in first["phones"]] == ["999"]
    assert first["emergency"] is True
    assert others != []


def test_every_code_list_is_served_whole_under_its_name(client: TestClient, service: FastAPI) -> None:
    listed = client.get("/v1/code-lists").json()["code_lists"]

    whole = [client.get(entry["links"]["self"]).json() for entry in listed]

    assert {entry["name"] for entry in listed} == set(service.state.context.reference_data.code_lists)
    assert [each["name"] for each in whole] == [entry["name"] for entry in listed]
    assert all({"name", "title", "source", "status", "codes"} <= set(each) for each in whole)
    assert all({"code", "label"} <= set(code) for each in whole for code in each["codes"])


def test_every_problem_is_explained_at_its_own_type(client: TestClient) -> None:
    kinds = client.get("/v1/problems").json()["problems"]

    assert [client.get(kind["type"]).json() for kind in kinds] == kinds


@pytest.mark.slow
@pytest.mark.any_database
def test_a_started_server_answers_as_the_readme_says(live: LiveServer) -> None:
    with live.client() as client:
        assert len(client.get(f"{GUIDE}/indicators").json()["indicators"]) == 10


@for_each("path", [GUIDE, f"{GUIDE}/indicators", f"{GUIDE}/editions/2", f"{GUIDE}/editions/2/indicators"])
def test_a_first_read_reads_one_edition_of_many(
    service: FastAPI, client: TestClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    for number in range(5):
        publish_next(service, change_note=f"Correction {number}.")
    newest = client.get(f"{GUIDE}/editions").json()["editions"][0]["number"]
    heads: list[int] = []
    made = editions.EditionHead.__init__

    def make(self: editions.EditionHead, guide: str, number: int, *rest: Any) -> None:
        heads.append(number)
        made(self, guide, number, *rest)

    monkeypatch.setattr(editions.EditionHead, "__init__", make)
    answer = client.get(path)

    assert answer.status_code == 200
    assert heads
    assert newest > 5
    assert set(heads) <= {answer.json()["edition"], newest, 1}  # whom to call is the newest's, a rendition the first's
