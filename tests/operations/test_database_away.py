"""PostgreSQL is stopped: guidance and the numbers to call go on, straight from a node and through each proxy."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlmodel import Session, select

from app.config import Settings
from app.http import cache
from app.main import create_app, held_versions
from app.models.guides.edition_rows import GenerationRow
from app.services import workers
from tests.operations.test_faults import comes_back, kill_postgresql
from tests.support.command import guidance
from tests.support.databases import Postgresql
from tests.support.load import A_CONCERN
from tests.support.loops import for_each
from tests.support.proxies import HOST, caddy, haproxy, nginx, varnish
from tests.support.publishing import GUIDE, publish_next, withdraw
from tests.support.threaded import run_server
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

PAGE = "/guides/child-sexual-exploitation"
AS_A_BROWSER = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "pl,en;q=0.5",
}
LONGER_THAN_A_MINUTE = 75.0
A_WEEK = 7 * 86_400.0
NOT_HELD = f"{GUIDE}/editions/1/factors"


@dataclass
class Node:
    """A node that nobody has asked anything."""

    url: str
    service: FastAPI


@dataclass
class Away:
    """Two nodes on a database that can be stopped. `shift` is by how many seconds the clock of the nodes is ahead."""

    database: Postgresql
    nodes: tuple[Node, Node]
    folder: Path
    address: str
    shift: float = 0.0

    def stop(self, *, seconds: float = LONGER_THAN_A_MINUTE) -> None:
        """Stop the database, and let so many seconds pass for the nodes."""
        kill_postgresql(self.database)
        assert eventually(
            lambda: all(each.service.state.context.response_cache.is_database_away for each in self.nodes)
        )
        self.shift += seconds

    def start(self) -> None:
        assert eventually(lambda: comes_back(self.database))

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Read from the first node."""
        return httpx.get(f"{self.nodes[0].url}{path}", headers={"Host": HOST, **headers}, trust_env=False, timeout=60)

    def knows_database(self) -> bool:
        return "age" not in self.get(GUIDE).headers

    def knows_changes(self) -> bool:
        """Return whether the first node has noticed the last publication or withdrawal."""
        context = self.nodes[0].service.state.context
        (watcher,) = (each for each in context.workers if isinstance(each, workers.GenerationWatcher))
        with Session(context.engine) as session:
            return bool(watcher._known == session.exec(select(GenerationRow.number)).one())


def a_node(address: str, data_dir: Path) -> FastAPI:
    values = {"data_dir": data_dir, "deliver": False, "database_url": address, "trusted_proxies": ("127.0.0.1",)}
    return create_app(Settings.model_validate({**values, "public_url": f"https://{HOST}"}))


@contextmanager
def two_nodes(folder: Path) -> Iterator[Away]:
    database = Postgresql(durable=True)
    address = database.address(database.database_of(folder / "shared"))
    with ExitStack() as ending:
        ending.callback(database.server.cleanup)
        patch = ending.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(Settings, "database_address", address)
        services = [a_node(address, folder / name) for name in ("first", "second")]
        urls = [ending.enter_context(run_server(each, holds_guidance=True)) for each in services]
        found = Away(database, (Node(urls[0], services[0]), Node(urls[1], services[1])), folder, address)
        for module in (workers, cache):
            patch.setattr(module, "monotonic", lambda: monotonic() + found.shift)
        yield found


@pytest.fixture
def away(tmp_path: Path) -> Iterator[Away]:
    with two_nodes(tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Away]:
    """Nodes whose database is stopped already."""
    with two_nodes(tmp_path_factory.mktemp("away")) as found:
        found.stop()
        yield found


def test_a_node_that_nobody_had_asked_gives_guidance_with_its_age(away: Away) -> None:
    paths = held_versions(away.nodes[0].service.state.context.engine)
    away.stop()
    flood = [away.get(f"/v1/search?q=missing&limit={number}") for number in range(1, 60)]

    answers = {path: away.get(path, **AS_A_BROWSER) for path in paths}

    assert {each.status_code for each in flood} == {503}
    assert {
        path: each.status_code for path, each in answers.items() if not each.is_success and not each.is_redirect
    } == {}
    assert {"/", "/cy/", PAGE, f"/cy{PAGE}", "/v1/guides", GUIDE, f"{GUIDE}/indicators", "/v1/signposts"} <= set(paths)
    ages = {path: int(each.headers.get("age", -1)) for path, each in answers.items() if each.is_success}
    assert min(ages[path] for path in ("/", PAGE, "/v1/guides", GUIDE)) >= LONGER_THAN_A_MINUTE
    assert "stale-if-error=604800" in answers[GUIDE].headers["cache-control"]


def test_an_outage_revives_no_withdrawn_edition_and_a_new_one_follows(away: Away) -> None:
    cached, second = away.nodes[0].service.state.context.response_cache, away.nodes[1].service
    publish_next(second, change_note="A made-up change.")
    withdraw(second, 2)
    assert eventually(away.knows_changes)  # what was cached before is gone
    assert eventually(lambda: away.get(f"{GUIDE}/editions/2").status_code == 410)
    assert eventually(lambda: cached.store.find((GUIDE, b"", frozenset(), ())) is not None)
    away.stop()
    during = [away.get(path) for path in (GUIDE, f"{GUIDE}/editions/2")]
    away.start()
    assert eventually(away.knows_database)
    publish_next(second, change_note="Another made-up change.")

    assert (during[0].json()["edition"], during[1].status_code) == (1, 503)
    assert eventually(lambda: away.get(GUIDE).json()["edition"] == 3)
    assert "age" not in away.get(GUIDE).headers


@pytest.mark.nightly
def test_after_a_week_nobody_is_given_what_may_be_withdrawn(away: Away) -> None:
    away.stop(seconds=A_WEEK)

    assert [away.get(path).status_code for path in ("/", GUIDE)] == [503, 503]
    assert away.get("/v1/signposts").status_code == 200  # it is made again, from no database


@for_each(
    ("method", "path", "accept"),
    [
        ("GET", NOT_HELD, "application/json"),
        ("GET", f"{NOT_HELD}.csv", "text/csv"),
        ("GET", f"{PAGE}/editions/1", "text/html"),
        ("GET", f"/cy{PAGE}/editions/1", "text/html"),
        ("GET", NOT_HELD, "text/html"),
        ("GET", "/open-referral/v3/services", "*/*"),
        ("GET", "/v1/desk/concerns", "*/*"),
        ("POST", "/v1/concerns", "*/*"),
        ("POST", f"{GUIDE}/editions", "*/*"),
    ],
)
def test_a_refusal_says_whom_to_call_and_speaks_of_what_was_asked(
    refusing: Away, method: str, path: str, accept: str
) -> None:
    headers = {"Host": HOST, "Accept": accept, "Authorization": "Bearer made-up"}
    sent = {"json": A_CONCERN} if method == "POST" else {}

    answer = httpx.request(
        method,
        f"{refusing.nodes[0].url}{path}",
        headers=headers,
        trust_env=False,
        timeout=60,
        **sent,  # type: ignore[arg-type]
    )

    assert answer.status_code == 503
    assert "999" in answer.text
    assert "01225 396312" in answer.text
    assert ("Idempotency-Key" in answer.text) is (method == "POST")
    assert ("If you were sending a concern" in answer.text) is False
    assert answer.headers["cache-control"] == "no-store"


@contextmanager
def varnish_before(work: Path, nodes: tuple[Node, Node], _export: Path) -> Iterator[httpx.Client]:
    """Run Varnish before the first node, and yield a client of it."""
    with (
        varnish(work, nodes[0]) as proxy,
        httpx.Client(base_url=proxy.url, headers={"Host": HOST}, trust_env=False, timeout=60) as client,
    ):
        yield client


@pytest.mark.nightly
@pytest.mark.parametrize("proxy", [nginx, haproxy, caddy, varnish_before])
def test_each_proxy_keeps_guidance_up_and_passes_on_node_refusals(away: Away, proxy: Any) -> None:
    ended = guidance("export", away.folder / "export", "--data-dir", away.folder / "first", DATABASE_URL=away.address)
    assert ended.returncode == 0, ended.stderr
    with proxy(away.folder / "proxy", away.nodes, away.folder / "export") as client:
        read_before = client.get(NOT_HELD)
        away.stop()
        held = [client.get(path) for path in ("/", PAGE, GUIDE)]
        not_held = client.get(NOT_HELD)
        concern = client.post("/v1/concerns", json=A_CONCERN)
        desk = client.get("/v1/desk/concerns", headers={"Authorization": "Bearer made-up"})
        published = client.post(f"{GUIDE}/editions", json={}, headers={"Authorization": "Bearer made-up"})

    assert {each.status_code for each in held} == {200}
    assert [b"999" in each.content for each in held] == [True, True, False]
    assert held[-1].json()["edition"] == 1
    if proxy is not haproxy:  # which has neither a cache of former answers nor the export
        assert (not_held.status_code, not_held.content) == (200, read_before.content)
    for refused in (concern, desk, published):
        assert refused.status_code == 503
        assert refused.json()["contacts"]
        assert refused.headers["cache-control"] == "no-store"
