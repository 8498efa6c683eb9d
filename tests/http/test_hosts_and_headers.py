"""The layers around the routes: hosts, proxies, origins, security headers, and where to report a weakness."""

import datetime as dt
import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app import build
from app.build import VERSION, commit_of_clone
from app.cli.commands import app
from app.config import Settings
from app.main import create_app
from app.models.access.clients import Scope
from app.services.concerns.submission import Submissions
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import a_concern, raise_concern
from tests.support.desk import Desk
from tests.support.loops import for_each
from tests.support.publishing import GUIDE, SLUG, a_key, an_edition, publish_next

CONCERNS = "/v1/concerns"
A_SITE = "https://forms.council.example"
ANOTHER_SITE = "https://elsewhere.example"
SECURITY_TXT = "/.well-known/security.txt"


@contextmanager
def started(settings: Settings, **changes: Any) -> Iterator[TestClient]:
    with TestClient(create_app(settings.model_copy(update=changes), lambda: A_TUESDAY)) as client:
        yield client


def expect_whom_to_call(answer: Any) -> None:
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["signposts"][0]["phones"][0]["number"] == "999"
    assert answer.json()["contacts"]


KNOWN_HOSTS = (
    "guidance.council.example",
    "GUIDANCE.council.example:8443",
    "a.forms.example",
    "api.council.example",
    "127.0.0.1:8000",
    "[::1]:8000",
    "192.0.2.7",
    "localhost:8000",
    "guidance",
)
UNKNOWN_HOSTS = (
    "forms.example",
    "council.example",
    "guidance.council.example.attacker.example",
    "attacker.example",
    "127.0.0.1.attacker.example",
)


def test_only_the_names_of_this_service_are_answered(settings: Settings) -> None:
    names = ("*.forms.example", "api.council.example")
    with started(settings, public_url="https://guidance.council.example", allowed_hosts=names) as client:
        known = {host: client.get("/v1/guides", headers={"Host": host}) for host in KNOWN_HOSTS}
        unknown = {host: client.get("/v1/guides", headers={"Host": host}) for host in UNKNOWN_HOSTS}

    assert {host: answer.status_code for host, answer in known.items()} == dict.fromkeys(KNOWN_HOSTS, 200)
    assert {host: answer.status_code for host, answer in unknown.items()} == dict.fromkeys(UNKNOWN_HOSTS, 400)
    assert {answer.json()["type"] for answer in unknown.values()} == {"/v1/problems/unknown-host"}
    assert [host for host, answer in unknown.items() if host in answer.text] == []


def test_a_cached_answer_is_not_given_under_another_name(client: TestClient) -> None:
    told = [client.get("/v1/guides", headers={"Host": host}) for host in ("localhost", "localhost", "rebound.example")]

    assert [answer.status_code for answer in told] == [200, 200, 400]


def test_any_name_is_answered_if_the_operator_allows_it(settings: Settings) -> None:
    with started(settings, allowed_hosts=("*",)) as client:
        assert client.get("/v1", headers={"Host": "attacker.example"}).status_code == 200


def test_a_concern_to_an_unknown_host_is_refused_with_contacts(client: TestClient) -> None:
    answer = client.post(CONCERNS, json=a_concern(), headers={"Host": "attacker.example"})

    assert answer.status_code == 400
    expect_whom_to_call(answer)


@pytest.mark.parametrize(
    ("trusted", "recorded"),
    [((), "127.0.0.1"), (("192.0.2.0/24",), "127.0.0.1"), (("127.0.0.1",), "198.51.100.9")],
)
def test_a_forwarded_address_is_believed_only_from_a_named_proxy(
    settings: Settings, trusted: tuple[str, ...], recorded: str
) -> None:
    service = create_app(settings.model_copy(update={"trusted_proxies": trusted}), lambda: A_TUESDAY)
    with TestClient(service, client=("127.0.0.1", 50_000)) as client:
        key = a_key(client, Scope.AUDIT)
        for _ in range(2):  # a look at the record is on the record too
            forwarded = {"X-Forwarded-For": "203.0.113.5, 198.51.100.9"}
            told = client.get("/v1/desk/disclosures?chain=audit", headers=key | forwarded)

    assert told.json()["disclosures"][0]["address"] == recorded


@pytest.mark.parametrize("proxies", ["*", "proxy.example", "300.0.0.1"])
def test_a_proxy_is_named_only_by_its_address(proxies: str) -> None:
    with pytest.raises(ValueError, match="an IP address"):
        Settings(trusted_proxies=proxies)  # type: ignore[arg-type]  # as the environment gives it


def test_every_answer_carries_the_security_headers_whatever_its_status(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    answers = [
        client.get("/v1"),
        client.get("/v1/nothing"),
        client.delete("/v1/guides"),
        client.get("/v1", headers={"Host": "attacker.example"}),
        client.options(CONCERNS, headers={"Origin": ANOTHER_SITE, "Access-Control-Request-Method": "POST"}),
        client.post(CONCERNS, json=a_concern()),
        client.post(CONCERNS, json={}),
        client.post(CONCERNS, content=b"x" * 1_000_001, headers={"Content-Type": "application/json"}),
    ]
    monkeypatch.setattr(Submissions, "submit", fail)
    answers.append(client.post(CONCERNS, json=a_concern()))

    assert [answer.status_code for answer in answers] == [200, 404, 405, 400, 400, 201, 422, 413, 500]
    assert {answer.headers["Cache-Control"] for answer in answers[1:]} == {"no-store"}
    for answer in answers:
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "Server" not in answer.headers


def test_browsers_are_told_to_use_https_if_the_service_does(settings: Settings) -> None:
    with started(settings) as plain, started(settings, public_url="https://guidance.council.example") as secure:
        answers = [plain.get("/v1"), secure.get("/v1"), secure.get("/v1/nothing")]

    assert [answer.headers.get("Strict-Transport-Security") for answer in answers] == [
        None,
        "max-age=63072000",
        "max-age=63072000",
    ]


def test_a_defect_can_be_read_by_the_pages_that_may_post(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(Submissions, "submit", fail)
    with started(settings, allowed_origins=(A_SITE,)) as client:
        ours, theirs = (
            client.post(CONCERNS, json=a_concern(), headers={"Origin": origin}) for origin in (A_SITE, ANOTHER_SITE)
        )

    assert [answer.status_code for answer in (ours, theirs)] == [500, 500]
    assert ours.headers["Access-Control-Allow-Origin"] == A_SITE
    assert "Access-Control-Allow-Origin" not in theirs.headers
    expect_whom_to_call(ours)


def test_a_busy_service_can_be_read_by_the_pages_that_may_post(settings: Settings) -> None:
    service = create_app(settings.model_copy(update={"allowed_origins": (A_SITE,)}), lambda: A_TUESDAY)
    with TestClient(service) as client:
        service.state.context.writer._queue_size = 0
        answer = client.post(CONCERNS, json=a_concern(), headers={"Origin": A_SITE})

    assert answer.status_code == 503
    assert answer.headers["Access-Control-Allow-Origin"] == A_SITE
    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
    expect_whom_to_call(answer)


@pytest.mark.parametrize(
    ("origin", "method", "status"), [(A_SITE, "POST", 200), (ANOTHER_SITE, "POST", 400), (A_SITE, "DELETE", 400)]
)
def test_a_preflight_follows_the_rules_and_refusals_say_whom_to_call(
    settings: Settings, origin: str, method: str, status: int
) -> None:
    with started(settings, allowed_origins=(A_SITE,)) as client:
        answer = client.options(CONCERNS, headers={"Origin": origin, "Access-Control-Request-Method": method})

    assert answer.status_code == status
    assert answer.headers.get("Access-Control-Allow-Origin") == (A_SITE if origin == A_SITE else None)
    if status == 400:
        assert answer.json()["type"] == "/v1/problems/origin-refused"
        assert answer.headers["Vary"].startswith("Origin")
        expect_whom_to_call(answer)


def test_a_refused_preflight_of_a_public_read_is_a_problem(client: TestClient) -> None:
    answer = client.options("/v1/guides", headers={"Origin": A_SITE, "Access-Control-Request-Method": "PUT"})

    assert (answer.status_code, answer.json()["type"]) == (400, "/v1/problems/origin-refused")


@pytest.mark.slow
def test_what_answers_get_is_said_to_answer_head(client: TestClient) -> None:
    paths = {
        "/v1/guides": "GET, HEAD, OPTIONS",
        CONCERNS: "OPTIONS, POST",
        f"{CONCERNS}/x": "GET, HEAD, OPTIONS",
        f"{GUIDE}/editions": "GET, HEAD, OPTIONS, POST",
    }
    answers = {path: client.delete(path) for path in paths}

    assert {answer.status_code for answer in answers.values()} == {405}
    assert {path: answer.headers["Allow"] for path, answer in answers.items()} == paths


@pytest.mark.slow
def test_a_caller_can_ask_for_the_methods_of_a_path(client: TestClient) -> None:
    answers = [client.options(path) for path in ("/v1/guides", CONCERNS)]

    assert [(each.status_code, each.headers["Allow"], each.content) for each in answers] == [
        (204, "GET, HEAD, OPTIONS", b""),
        (204, "OPTIONS, POST", b""),
    ]
    assert client.options("/v1/nothing").status_code == 404


@pytest.mark.slow
def test_an_edition_has_one_number_and_no_other_name(client: TestClient) -> None:
    for number in ("1.0", "+1", "01", " 1", "1 ", "1_0", "１", "-1", "1e0", "0x1"):
        assert client.get(f"{GUIDE}/editions/{number}").status_code == 404, number
        assert client.get(f"{GUIDE}/editions/{number}/indicators").status_code == 404, number
        assert client.get(f"{GUIDE}/editions/1/changes", params={"since": number}).status_code == 400, number
        assert client.get("/v1/guides", params={"limit": number}).status_code == 400, number


def test_two_idempotency_keys_are_refused_and_nothing_is_kept(client: TestClient) -> None:
    twice = [("Idempotency-Key", "a-key"), ("Idempotency-Key", "another-key")]

    answer = client.post(CONCERNS, json=a_concern(), headers=twice)

    assert (answer.status_code, answer.json()["type"]) == (400, "/v1/problems/two-keys")
    expect_whom_to_call(answer)
    assert client.post(CONCERNS, json=a_concern(), headers={"Idempotency-Key": "a-key"}).status_code == 201


def test_security_txt_tells_the_operator_s_contact_and_until_when_it_holds(settings: Settings) -> None:
    expires = dt.datetime(2027, 6, 1, tzinfo=dt.UTC)
    contacts = ("mailto:security@council.example", "https://council.example/report")
    with started(settings, security_contact=contacts, security_expires=expires) as client:
        answer = client.get(SECURITY_TXT)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.text.splitlines() == [
        "Contact: mailto:security@council.example",
        "Contact: https://council.example/report",
        "Expires: 2027-06-01T00:00:00Z",
        "Preferred-Languages: en",
        "Canonical: http://127.0.0.1:8000/.well-known/security.txt",
    ]


def test_without_a_contact_security_txt_says_which_setting_is_missing(client: TestClient) -> None:
    answer = client.get(SECURITY_TXT)

    assert answer.status_code == 404
    assert "GUIDANCE_SECURITY_CONTACT" in answer.json()["detail"]


@for_each(
    "given",
    [
        {"security_contact": "mailto:security@council.example"},
        {"security_expires": "2027-06-01T00:00:00Z"},
        {"security_contact": "nobody", "security_expires": "2027-06-01T00:00:00Z"},
        {"security_contact": "mailto:a@council.example", "security_expires": "2027-06-01T00:00:00"},
    ],
)
def test_a_security_contact_that_is_not_whole_is_refused_by_the_settings(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"SECURITY|mailto|timezone"):
        Settings(**given)


ORIGIN = "https://front-end.example"
READ = ("accept-datetime", "traceparent", "tracestate", "x-request-id", "if-none-match")
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def preflight(client: TestClient, path: str, method: str, *names: str) -> Any:
    headers = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": ", ".join(names),
    }
    return client.options(path, headers=headers)


@for_each("name", READ)
def test_a_page_of_any_origin_may_send_the_header(client: TestClient, name: str) -> None:
    assert preflight(client, GUIDE, "GET", name).status_code == 200


def test_a_page_that_may_post_may_send_its_trace(settings: Settings, clock: SettableClock) -> None:
    own = settings.model_copy(update={"allowed_origins": (ORIGIN,)})
    with TestClient(create_app(own, clock)) as client:
        answer = preflight(
            client, "/v1/concerns", "POST", "content-type", "idempotency-key", "traceparent", "x-request-id"
        )

    assert answer.status_code == 200


def test_a_reader_in_a_browser_sees_what_it_needs(client: TestClient) -> None:
    exposed = client.get(f"{GUIDE}/editions/1").headers["Access-Control-Expose-Headers"].lower()

    for name in ("memento-datetime", "content-location", "link", "etag", "ratelimit", "retry-after", "x-request-id"):
        assert name in exposed


@pytest.mark.parametrize("path", ["/metrics", "/health/live", "/health/ready"])
def test_what_is_for_operators_is_not_for_pages_of_other_origins(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"Origin": ORIGIN})

    assert answer.status_code == 200
    assert [name for name in answer.headers if name.startswith("access-control")] == []
    assert preflight(client, path, "GET", "traceparent").status_code == 405


def test_an_acknowledgement_needs_no_body(client: TestClient, desk: Desk) -> None:
    references = [raise_concern(client)["reference"] for _ in range(2)]
    paths = [f"/v1/desk/concerns/{reference}/acknowledgement" for reference in references]

    bare = client.post(paths[0], headers=desk.headers)
    empty = client.post(paths[1], headers=desk.headers | {"Content-Type": "application/json"}, json={})
    other = client.post(paths[1], headers=desk.headers | {"Content-Type": "text/plain"}, content="seen")

    assert [bare.json()["state"], empty.json()["state"]] == ["acknowledged", "acknowledged"]
    assert other.status_code == 415


def test_the_build_is_named_by_the_index_the_metrics_and_the_command(settings: Settings, clock: SettableClock) -> None:
    with TestClient(create_app(settings.model_copy(update={"commit": COMMIT}), clock)) as client:
        index, metrics = client.get("/v1").json(), client.get("/metrics").text
        health = [client.get(f"/health/{name}").json() for name in ("live", "ready")]
    printed = CliRunner().invoke(app, ["--version"], env={"GUIDANCE_COMMIT": COMMIT})

    assert (index["version"], index["commit"]) == (VERSION, COMMIT)
    assert [(each["version"], each["commit"]) for each in health] == [(VERSION, COMMIT)] * 2
    assert f'guidance_build_info{{commit="{COMMIT}",version="{VERSION}"}} 1.0' in metrics
    assert (printed.exit_code, printed.output.strip()) == (0, f"guidance {VERSION} ({COMMIT})")


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_clone_names_its_commit_also_in_a_second_work_tree(tmp_path: Path, is_packed: bool) -> None:
    commit = a_clone(tmp_path / "clone")
    git(tmp_path / "clone", "worktree", "add", "--quiet", str(tmp_path / "second"), "-b", "other")
    if is_packed:
        git(tmp_path / "clone", "pack-refs", "--all")
    found = [commit_of_clone(tmp_path / name) for name in ("clone", "second")]
    git(tmp_path / "clone", "checkout", "--quiet", "--detach")

    assert (found, commit_of_clone(tmp_path / "clone")) == ([commit] * 2, commit)


def test_a_folder_that_git_refuses_names_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = a_clone(tmp_path)
    (tmp_path / "inside").mkdir()
    (tmp_path / "broken" / ".git").mkdir(parents=True)
    (tmp_path / "unborn").mkdir()
    git(tmp_path / "unborn", "init", "--quiet")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / ".git"))

    assert commit_of_clone(tmp_path) == commit
    assert [commit_of_clone(tmp_path / each) for each in ("inside", "broken", "unborn")] == [None] * 3


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a folder away")
def test_a_clone_of_another_owner_names_no_commit(tmp_path: Path) -> None:
    commit = a_clone(tmp_path)
    own = commit_of_clone(tmp_path)
    for each in (tmp_path, *tmp_path.rglob("*")):
        os.chown(each, 12345, 12345)

    assert (own, commit_of_clone(tmp_path)) == (commit, None)


@pytest.mark.parametrize("program", [None, "exit 1", "exec /bin/sleep 60"])
def test_a_machine_without_a_git_that_answers_names_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str | None
) -> None:
    a_clone(tmp_path / "clone")
    if program is not None:
        (tmp_path / "git").write_text(f"#!/bin/sh\n{program}\n")
        (tmp_path / "git").chmod(0o755)
    monkeypatch.setattr(build, "GIT_SECONDS", 0.1)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert commit_of_clone(tmp_path / "clone") is None


def a_clone(folder: Path) -> str:
    """Make a repository with one commit there, and return its hash."""
    folder.mkdir(exist_ok=True)
    git(folder, "init", "--quiet")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", f"An example in {folder.name}")
    return git(folder, "rev-parse", "HEAD")


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Jo Example", "-c", "user.email=jo@council.example"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_an_event_has_the_same_id_whenever_it_is_pulled(client: TestClient) -> None:
    key = a_key(client, Scope.EVENTS)
    for _ in range(2):
        client.post("/v1/concerns", json=a_concern())

    first, again = (client.get("/v1/events", headers=key).json()["events"] for _ in range(2))

    ids = [event["id"] for event in first]
    assert len(set(ids)) == len(ids) == 5
    assert ids == [event["id"] for event in again]


@pytest.mark.parametrize(
    "path", ["/v1/indicators.csv", f"{GUIDE}/indicators.csv", f"{GUIDE}/editions/1/indicators.csv"]
)
def test_a_table_has_a_utf_8_mark_if_requested(client: TestClient, path: str) -> None:
    plain, marked = client.get(path), client.get(path, params={"bom": "1"})

    assert marked.content == b"\xef\xbb\xbf" + plain.content
    assert not plain.content.startswith(b"\xef")
    assert plain.headers["ETag"] != marked.headers["ETag"]
    assert client.get(path, params={"bom": "yes"}).status_code == 400


def test_a_table_across_guides_has_every_item_with_its_guide(client: TestClient, service: FastAPI) -> None:
    publish_next(service, "another-guide")

    lines = client.get("/v1/indicators.csv").text.splitlines()
    one = client.get("/v1/indicators.csv", params={"guide": "another-guide"}).text.splitlines()

    count = len(an_edition().indicators)
    assert len(lines) == 1 + 2 * count
    assert len(one) == 1 + count
    assert all(line.startswith("another-guide,1,sha256:") for line in one[1:])


@pytest.mark.slow
def test_the_guide_s_page_leads_programs_to_its_data(client: TestClient) -> None:
    page = client.get(f"/guides/{SLUG}").text

    links = re.findall(r'<link rel="alternate" type="([^"]+)"(?: title="Editions")? href="([^"]+)">', page)
    assert {"application/json", "text/markdown", "application/feed+json", "application/atom+xml"} <= {
        t for t, _ in links
    }
    for media_type, path in links:
        assert client.get(path).headers["Content-Type"].startswith(media_type)


def test_no_text_can_leave_the_data_block_of_a_guide_page(client: TestClient, service: FastAPI) -> None:
    publish_next(service, "nasty", title="</script><script>alert(1)</script>")

    page = client.get("/guides/nasty").text

    (block,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, flags=re.DOTALL)
    data = json.loads(block)
    assert data["@context"] == "https://schema.org"
    assert data["name"] == "</script><script>alert(1)</script>"
    assert data["mainEntity"]["availableChannel"][0]["servicePhone"][0]["telephone"].startswith("+44")
    assert "<" not in block
    assert "<script>alert" not in page


@pytest.mark.slow
def test_a_program_that_knows_only_the_host_finds_the_document(client: TestClient) -> None:
    answer = client.get("/.well-known/api-catalog")

    linkset = answer.json()["linkset"]
    assert answer.headers["Content-Type"].startswith("application/linkset+json")
    described = {each["anchor"]: each for each in linkset}
    document = described["http://127.0.0.1:8000/v1"]["service-desc"][0]["href"]
    assert client.get(document.removeprefix("http://127.0.0.1:8000")).json()["openapi"].startswith("3.1")
    assert [item["href"] for item in linkset[0]["item"]] == [each["anchor"] for each in linkset[1:]]
