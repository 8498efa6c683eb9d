"""What monitors see: every metric is there, small counts are not, and dashboard and alerts read what exists."""

import datetime as dt
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from pyrage import x25519
from ruamel.yaml import YAML
from starlette.testclient import TestClient

from app.config import Settings
from app.http.context import AppContext
from app.main import create_app
from app.models.form import SMALLEST_EXAMPLE
from app.services.record import Actor
from app.services.resealing import ChangeOfKeys, reseal
from app.services.sealing import Unsealer, make_sealer
from app.services.verification import Invariants
from app.services.webhooks import insert_webhook
from tests.support.clock import SettableClock
from tests.support.databases import drop_triggers, raw_connection
from tests.support.delivery import a_receiver
from tests.support.desk import Desk
from tests.support.live import LiveServer
from tests.support.publishing import GUIDE

pytestmark = pytest.mark.slow


def promtool(*arguments: str | Path, stdin: bytes = b"") -> None:
    """Run promtool, which must find no fault. Without it skip the test; in continuous integration, fail."""
    if shutil.which("promtool") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("promtool is not installed, and continuous integration must have it")
        pytest.skip("promtool is not installed")
    checked = subprocess.run(
        ["promtool", *map(str, arguments)], input=stdin, capture_output=True, check=False, timeout=60
    )
    assert checked.returncode == 0, checked.stdout.decode() + checked.stderr.decode()


DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARD = DEPLOY / "grafana" / "guidance.json"
ALERTS = DEPLOY / "prometheus" / "alerts.yml"
REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
METRIC = re.compile(r"\bguidance_[a-z_]+")
CONCERNS = "/v1/concerns"


def families(client: Any) -> dict[str, Any]:
    return {each.name: each for each in text_string_to_metric_families(client.get("/metrics").text)}


def samples(client: Any, name: str) -> dict[str, float]:
    """Return the values of the metric by the value of its first label, or by none."""
    family = families(client)[name.removesuffix("_total")]
    return {next(iter(each.labels.values()), ""): each.value for each in family.samples if each.name == name}


def sample_names(client: Any) -> set[str]:
    """Every name under which Prometheus stores something of this service."""
    endings = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
    return {name + end for name, each in families(client).items() for end in endings.get(each.type, ("",))}


def dashboard_queries() -> list[str]:
    return [target["expr"] for panel in json.loads(DASHBOARD.read_text())["panels"] for target in panel["targets"]]


def rules() -> list[dict[str, Any]]:
    (group,) = YAML(typ="safe").load(ALERTS.read_text())["groups"]
    return list(group["rules"])


def test_the_reference_lists_every_metric_with_its_kind_and_labels(client: TestClient, desk: Desk) -> None:
    client.get(GUIDE)
    rows = [line.split(" | ") for line in REFERENCE.read_text().splitlines() if line.startswith("| `")]
    listed = {row[0].strip("|` "): row[1] for row in rows}
    own = {name: each.type for name, each in families(client).items() if name.startswith("guidance_")}

    assert desk
    assert {name for name in own if not name.endswith("_created")} == set(listed)
    assert {name: own[name] for name in listed} == listed


def test_alerts_and_dashboard_read_metrics_that_the_service_has(client: TestClient) -> None:
    there = sample_names(client)
    read = {
        name for words in [*dashboard_queries(), *(rule["expr"] for rule in rules())] for name in METRIC.findall(words)
    }

    assert len(read) > 12
    assert read - there == set()


def test_every_alert_says_what_to_do_and_whom_it_wakes() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"].keys() == {"summary", "action"}


def test_the_dashboard_names_no_data_source_of_its_own() -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    panels = dashboard["panels"]
    ids = [panel["id"] for panel in panels]

    assert len(set(ids)) == len(ids) > 10
    assert {panel["datasource"]["uid"] for panel in panels} == {"${datasource}"}
    assert {each["name"] for each in dashboard["templating"]["list"]} == {"datasource", "job"}


@pytest.mark.slow
def test_promtool_finds_no_fault_in_the_rules_and_their_test_passes() -> None:
    promtool("check", "rules", ALERTS)
    promtool("check", "config", "--syntax-only", DEPLOY / "prometheus" / "prometheus.yml")
    promtool("test", "rules", DEPLOY / "prometheus" / "alerts_test.yml")


def test_promtool_can_read_every_query_of_the_dashboard(tmp_path: Path) -> None:
    queries = [query.replace("$__rate_interval", "5m").replace("$job", ".*") for query in dashboard_queries()]
    recorded = [{"record": f"q:{place}", "expr": query} for place, query in enumerate(queries)]
    path = tmp_path / "queries.yml"
    path.write_text(json.dumps({"groups": [{"name": "queries", "rules": recorded}]}))

    promtool("check", "rules", path)


def test_promtool_finds_no_fault_in_the_metrics(client: TestClient, a_concern: Any) -> None:
    client.post(CONCERNS, json=a_concern())
    client.get(GUIDE)

    promtool("check", "metrics", stdin=client.get("/metrics").content)


def test_cache_hits_are_counted_by_route(client: TestClient) -> None:
    for _ in range(3):
        client.get(GUIDE)

    assert samples(client, "guidance_cache_hits_total") == {"/v1/guides/{guide}": 2}
    assert samples(client, "guidance_cache_responses")[""] == 1
    assert samples(client, "guidance_cache_bytes")[""] > 0


@pytest.mark.slow
def test_cache_hits_that_the_front_answers_are_counted(live: LiveServer) -> None:
    with live.client() as client:
        for _ in range(5):
            client.get(GUIDE)

        hits = samples(client, "guidance_cache_hits_total")

    assert hits["/v1/guides/{guide}"] == 4


@pytest.mark.slow
@pytest.mark.any_database
def test_several_processes_answer_with_each_metric_once(tmp_path: Path) -> None:
    live = LiveServer(tmp_path / "data", workers=2)
    live.start()
    try:
        with live.client() as client:
            texts = [client.get("/metrics", headers={"Connection": "close"}) for _ in range(4)]
    finally:
        live.stop()
    helps = [re.findall(r"^# HELP (\S+)", each.text, flags=re.MULTILINE) for each in texts]

    assert all("guidance_writer_alive" in each and len(set(each)) == len(each) for each in helps)
    assert not any("pid=" in each.text for each in texts)
    promtool("check", "metrics", stdin=texts[-1].content)


@pytest.mark.parametrize(("count", "is_shown"), [(4, False), (5, True)])
def test_the_time_to_acknowledge_is_shown_of_five_or_more(
    client: TestClient, desk: Desk, clock: SettableClock, count: int, is_shown: bool
) -> None:
    references = [client.post(CONCERNS, json=SMALLEST_EXAMPLE).json()["reference"] for _ in range(count)]
    clock.time += dt.timedelta(minutes=20)
    for reference in references:
        desk.act(reference, "acknowledgement")

    assert samples(client, "guidance_acknowledgement_seconds") == ({"0.5": 1200, "0.9": 1200} if is_shown else {})


def test_the_age_of_the_outbox_is_that_of_the_oldest_event_that_waits(
    service: FastAPI, client: TestClient, clock: SettableClock
) -> None:
    context: AppContext = service.state.context
    context.writer.run(lambda session: insert_webhook(session, a_receiver()))
    none = samples(client, "guidance_outbox_age_seconds")
    for _ in range(2):
        client.post(CONCERNS, json=SMALLEST_EXAMPLE)
        clock.time += dt.timedelta(minutes=10)

    assert none == {}
    assert samples(client, "guidance_outbox_age_seconds") == {"receiver": 1200}


@pytest.fixture
def invariants(service: FastAPI, client: TestClient) -> Invariants:
    """The invariants of the service, which a test checks by hand."""
    assert client
    found: Invariants = service.state.context.invariants
    return found


def check_everything(invariants: Invariants, clock: SettableClock) -> None:
    """Check whatever is due, with the next night."""
    clock.time += dt.timedelta(days=1)
    invariants.check_due(lambda: None)


def test_invariants_that_hold_are_shown_as_such(
    client: TestClient, invariants: Invariants, clock: SettableClock
) -> None:
    client.post(CONCERNS, json=SMALLEST_EXAMPLE)

    check_everything(invariants, clock)

    assert samples(client, "guidance_invariant_broken") == {"overdue-events": 0, "chains": 0}
    assert set(samples(client, "guidance_invariant_checked_timestamp_seconds")) == {"overdue-events", "chains"}
    assert client.get("/health/ready").json()["warnings"] == {}


def test_what_is_overdue_without_an_event_breaks_an_invariant_and_concerns_are_still_taken(
    client: TestClient, invariants: Invariants, clock: SettableClock
) -> None:
    client.post(CONCERNS, json=SMALLEST_EXAMPLE)
    clock.time += dt.timedelta(days=5)

    check_everything(invariants, clock)
    ready = client.get("/health/ready")

    assert samples(client, "guidance_invariant_broken")["overdue-events"] == 1
    assert (ready.status_code, ready.json()["warnings"]) == (200, {"overdue-events": "broken"})
    assert client.post(CONCERNS, json=SMALLEST_EXAMPLE).status_code == 201


def test_a_tampered_chain_breaks_an_invariant(
    service: FastAPI, client: TestClient, invariants: Invariants, clock: SettableClock
) -> None:
    client.post(CONCERNS, json=SMALLEST_EXAMPLE)
    with raw_connection(service.state.context.settings.data_dir) as database:
        drop_triggers(database)
        database.execute("UPDATE disclosures SET client = 'somebody else'")

    check_everything(invariants, clock)

    assert samples(client, "guidance_invariant_broken")["chains"] == 1


@pytest.mark.slow
def test_a_text_that_is_sealed_to_a_removed_recipient_breaks_an_invariant_until_it_is_resealed(
    settings: Settings, clock: SettableClock
) -> None:
    first, second, third = (x25519.Identity.generate() for _ in range(3))

    def recipients(*identities: Any) -> tuple[str, ...]:
        return tuple(str(each.to_public()) for each in identities)

    def sealing_to(*identities: Any) -> FastAPI:
        return create_app(settings.model_copy(update={"seal_to": recipients(*identities)}), clock)

    def broken(service: FastAPI) -> tuple[dict[str, float], dict[str, str]]:
        with TestClient(service) as client:
            service.state.context.invariants.check_due(lambda: None)
            return samples(client, "guidance_invariant_broken"), client.get("/health/ready").json()["warnings"]

    with TestClient(sealing_to(first, second)) as client:
        client.post(CONCERNS, json=SMALLEST_EXAMPLE)
    everything = {"overdue-events": 0, "recipients": 0}

    assert broken(sealing_to(first, second)) == (everything, {})
    assert broken(sealing_to(first, second, third)) == (everything, {})
    assert broken(sealing_to(first, third)) == (everything | {"recipients": 1}, {"recipients": "broken"})
    with TestClient(sealing_to(first, third)) as client:
        context: AppContext = client.app.state.context  # type: ignore[attr-defined]  # the service under test
        sealer = make_sealer(recipients(first, third))
        reseal(
            context.engine,
            context.writer,
            ChangeOfKeys(Unsealer((first,)), sealer),
            actor=Actor("key-holder", "command line"),
            at=clock(),
        )
    assert broken(sealing_to(first, third)) == (everything, {})
