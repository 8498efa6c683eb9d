"""The view of monitors: every metric is there, small counts are not, and dashboard and alerts read what exists."""

import datetime as dt
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from pyrage import x25519
from ruamel.yaml import YAML
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlmodel import Session
from starlette.testclient import TestClient

from app.config import Settings
from app.db.writer import Writer, write_without_change
from app.http.context import AppContext
from app.main import create_app
from app.models.concerns.examples import SMALLEST_EXAMPLE
from app.models.events.rows import DeliveryState
from app.pages.concerns.filled_form import FORMS_WITHOUT_GUIDE
from app.pages.languages import BY_PREFIX, SHORT_FORM
from app.services.audit.audit_log import Actor
from app.services.audit.known_time import note_time
from app.services.concerns.resealing import reseal
from app.services.concerns.sealing import Unsealer, make_sealer
from app.services.events.emails import claim_email
from app.services.events.webhooks import insert_webhook
from app.services.operations import external_services
from app.services.workers import stop_workers
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import a_concern
from tests.support.databases import drop_triggers, raw_connection
from tests.support.delivery import a_receiver
from tests.support.desk import Desk
from tests.support.live import LiveServer
from tests.support.log_lines import Lines
from tests.support.mail_server import MailServer, make_certificate
from tests.support.publishing import GUIDE
from tests.support.waiting import LONG_ENOUGH, pause, wait_until

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


def test_promtool_finds_no_fault_in_the_metrics(client: TestClient) -> None:
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

    assert hits["/v1/guides/{guide}"] == 5  # a start holds what is read first


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.any_database
def test_several_processes_answer_with_each_metric_once(tmp_path: Path) -> None:
    with LiveServer(tmp_path / "data", workers=2) as live, live.client() as client:
        texts = [client.get("/metrics", headers={"Connection": "close"}) for _ in range(4)]
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


def test_the_outbox_is_as_old_as_its_oldest_waiting_event(
    service: FastAPI, client: TestClient, clock: SettableClock
) -> None:
    context: AppContext = service.state.context
    context.writer.run(insert_webhook, a_receiver())
    none = samples(client, "guidance_outbox_age_seconds")
    for _ in range(2):
        client.post(CONCERNS, json=SMALLEST_EXAMPLE)
        clock.time += dt.timedelta(minutes=10)

    assert none == {"receiver": 0}
    assert samples(client, "guidance_outbox_age_seconds") == {"receiver": 1200}


def test_an_idle_receiver_and_each_working_part_outside_have_zeros(service: FastAPI, client: TestClient) -> None:
    context: AppContext = service.state.context
    context.writer.run(insert_webhook, a_receiver())
    context.outside.look(lambda: None)
    lines = client.get("/metrics").text.splitlines()

    assert 'guidance_deliveries{state="pending",webhook="receiver"} 0.0' in lines
    assert 'guidance_deliveries{state="dead",webhook="receiver"} 0.0' in lines
    assert 'guidance_outbox_age_seconds{webhook="receiver"} 0.0' in lines
    assert 'guidance_outside_failing{part="webhooks"} 0.0' in lines


def test_late_deliveries_stay_late_while_the_database_does_not_answer(
    service: FastAPI, client: TestClient, clock: SettableClock, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    context: AppContext = service.state.context
    context.writer.run(insert_webhook, a_receiver())
    context.writer.run(claim_email, now=clock.time)  # so that events go to the mailbox
    client.post(CONCERNS, json=SMALLEST_EXAMPLE)
    clock.time += dt.timedelta(minutes=10)
    context.outside.look(lambda: None)
    before = dict(context.outside.failures)
    lines()

    def fail(_session: Session) -> None:
        raise OperationalError("SELECT", {}, Exception())

    monkeypatch.setattr(external_services, "oldest_waiting_deliveries", fail)
    context.outside.look(lambda: None)

    assert before == {"email": "late", "webhooks": "late"} == context.outside.failures
    assert lines() == []


@pytest.mark.usefixtures("client")  # which closes what the service opened
def test_a_refused_password_is_not_tried_again_at_each_look(
    service: FastAPI, settings: Settings, clock: SettableClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, password = make_certificate(tmp_path / "mail.pem"), tmp_path / "password.txt"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    password.write_text("wrong")
    with MailServer(certificate=certificate, tls_at_once=True, password="right") as mail:  # noqa: S106  # made up
        changes: dict[str, Any] = {
            "smtp_host": "127.0.0.1",
            "smtp_port": mail.port,
            "smtp_security": "tls",
            "smtp_username": "desk",
            "smtp_from": "desk@example.org",
            "smtp_to": ("desk@example.org",),
        }
        named = Settings(data_dir=settings.data_dir, smtp_password_file=password, **changes)
        watch = external_services.ExternalServicesMonitor(named, service.state.context.engine, clock)
        seen: list[tuple[int, list[str]]] = []
        for minutes in (0, 1, 14, 16, 17, 32):
            clock.time = A_TUESDAY + dt.timedelta(minutes=minutes)
            if minutes == 17:
                password.write_text("right")
            watch.look(lambda: None)
            seen.append((mail.sign_ins, watch.failing))

    refused = ["email"]
    assert seen == [
        (2, refused),
        (2, refused),
        (2, refused),
        (4, refused),
        (4, refused),
        (5, []),
    ]  # by two mechanisms each


def check_everything(service: FastAPI, clock: SettableClock) -> None:
    """Check whatever is due, with the next night, by a clock that is right."""
    clock.time += dt.timedelta(days=1)
    context: AppContext = service.state.context
    context.writer.run(note_time, clock.time, is_checked=True)
    context.invariants.check_due(lambda: None)


def test_unbroken_invariants_are_shown_as_unbroken(client: TestClient, service: FastAPI, clock: SettableClock) -> None:
    not_due_before_tomorrow = {"immediate_danger": "no"}
    client.post(CONCERNS, json=SMALLEST_EXAMPLE | not_due_before_tomorrow)

    check_everything(service, clock)

    everything = {"overdue-events": 0, "clock": 0, "chains": 0, "access": 0}
    assert samples(client, "guidance_invariant_broken") == everything
    assert samples(client, "guidance_invariant_checked_timestamp_seconds").keys() == everything.keys()
    assert client.get("/health/ready").json()["warnings"] == {}


def test_overdue_concerns_without_an_event_break_an_invariant_and_stop_nothing(
    client: TestClient, service: FastAPI, clock: SettableClock
) -> None:
    client.post(CONCERNS, json=SMALLEST_EXAMPLE)
    clock.time += dt.timedelta(days=5)

    check_everything(service, clock)
    ready = client.get("/health/ready")

    assert samples(client, "guidance_invariant_broken")["overdue-events"] == 1
    assert (ready.status_code, ready.json()["warnings"]) == (200, {"overdue-events": "broken"})
    assert client.post(CONCERNS, json=SMALLEST_EXAMPLE).status_code == 201


def test_a_tampered_chain_breaks_an_invariant(service: FastAPI, client: TestClient, clock: SettableClock) -> None:
    client.post(CONCERNS, json=SMALLEST_EXAMPLE)
    with raw_connection(service.state.context.settings.data_dir) as database:
        drop_triggers(database)
        database.execute("UPDATE audit_entries SET client = 'somebody else'")

    check_everything(service, clock)

    assert samples(client, "guidance_invariant_broken")["chains"] == 1


@pytest.mark.slow
def test_a_removed_recipient_breaks_an_invariant_until_texts_are_resealed(
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
    everything = {"overdue-events": 0, "recipients": 0, "clock": 0, "access": 0}

    assert broken(sealing_to(first, second)) == (everything, {})
    assert broken(sealing_to(first, second, third)) == (everything, {})
    assert broken(sealing_to(first, third)) == (everything | {"recipients": 1}, {"recipients": "broken"})
    with TestClient(sealing_to(first, third)) as client:
        context: AppContext = client.app.state.context  # type: ignore[attr-defined]  # the service under test
        sealer = make_sealer(recipients(first, third))
        reseal(
            context.engine,
            context.writer,
            Unsealer((first,)),
            sealer,
            actor=Actor("key-holder", "command line", clock()),
        )
    assert broken(sealing_to(first, third)) == (everything, {})


SLOW_SECONDS = 0.06
"""Between two limits of the buckets, 0.05 and 0.1."""


def value(client: TestClient, name: str, **labels: str) -> float:
    """Return the value of the one sample of that name with these labels, or 0 if there is none yet."""
    found = [
        sample.value
        for family in text_string_to_metric_families(client.get("/metrics").text)
        for sample in family.samples
        if sample.name == f"guidance_{name}" and labels.items() <= sample.labels.items()
    ]
    assert len(found) <= 1
    return found[0] if found else 0


@pytest.fixture
def writer(service: FastAPI, client: TestClient) -> Writer:
    """The writer, without the workers of the service, whose writes would be counted too."""
    assert client
    context: AppContext = service.state.context
    stop_workers(context.workers)
    return context.writer


@contextmanager
def busy(writer: Writer) -> Iterator[ThreadPoolExecutor]:
    """Keep the writer at one operation; at the end of the block it goes on, and finishes what waits."""
    begun, released = Event(), Event()

    def hold(_: Any) -> None:
        begun.set()
        assert released.wait(LONG_ENOUGH)

    with ThreadPoolExecutor() as callers:
        held: Future[None] = callers.submit(writer.run, hold)
        assert begun.wait(LONG_ENOUGH)
        try:
            yield callers
        finally:
            released.set()
        held.result(LONG_ENOUGH)


def test_requests_are_counted_by_route_and_status(client: TestClient) -> None:
    for path in [GUIDE, GUIDE, f"{GUIDE}/factors", "/v1/guides/no-such-guide"]:
        client.get(path)
    route = "/v1/guides/{guide}"

    assert value(client, "requests_total", method="GET", route=route, status="200") == 2
    assert value(client, "requests_total", method="GET", route=route, status="404") == 1
    assert value(client, "request_seconds_count", method="GET", route=route) == 3


def test_the_time_of_a_request_is_that_which_its_caller_waited(client: TestClient, writer: Writer) -> None:
    started = time.perf_counter()
    with busy(writer) as callers:
        posted = callers.submit(client.post, CONCERNS, json=SMALLEST_EXAMPLE)
        wait_until(lambda: writer.waiting == 1)
        waiting_since = time.perf_counter()
        wait_until(lambda: time.perf_counter() - waiting_since > SLOW_SECONDS)
    assert posted.result(LONG_ENOUGH).status_code == 201
    longest = time.perf_counter() - started
    labels = {"method": "POST", "route": CONCERNS}

    assert SLOW_SECONDS < value(client, "request_seconds_sum", **labels) < longest
    assert value(client, "request_seconds_bucket", **labels, le="0.05") == 0
    assert value(client, "request_seconds_bucket", **labels, le="+Inf") == 1


def test_the_metrics_count_the_writer_queue_and_each_flush(client: TestClient, writer: Writer) -> None:
    before = {name: value(client, f"writer_acts_{name}") for name in ("count", "sum")}
    none = value(client, "writer_waiting")
    with busy(writer) as callers:
        waiting = [callers.submit(writer.run, write_without_change) for _ in range(3)]
        wait_until(lambda: writer.waiting == 3)
        queued = value(client, "writer_waiting")
    for each in waiting:
        each.result(LONG_ENOUGH)

    assert (none, queued, value(client, "writer_waiting")) == (0, 3, 0)
    assert value(client, "writer_acts_count") - before["count"] == 2  # the one that held it, then three together
    assert value(client, "writer_acts_sum") - before["sum"] == 4


def test_the_time_of_a_flush_is_that_of_the_commit(service: FastAPI, client: TestClient, writer: Writer) -> None:
    names = ("flush_seconds_count", "flush_seconds_sum")
    before = [value(client, f"writer_{name}") for name in names]
    short = value(client, "writer_flush_seconds_bucket", le="0.05")
    started = time.perf_counter()
    engine = service.state.context.engine

    def slow(_: Any) -> None:
        pause(SLOW_SECONDS)  # a disk that takes so long

    event.listen(engine, "commit", slow)
    try:
        writer.run(write_without_change)
    finally:
        event.remove(engine, "commit", slow)
    longest = time.perf_counter() - started
    count, total = (value(client, f"writer_{name}") - was for name, was in zip(names, before, strict=True))

    assert count == 1
    assert SLOW_SECONDS <= total < longest
    assert value(client, "writer_flush_seconds_bucket", le="0.05") == short


def test_deliveries_that_wait_and_that_were_given_up_are_counted_by_webhook(
    service: FastAPI, client: TestClient, writer: Writer
) -> None:
    writer.run(insert_webhook, a_receiver())
    for _ in range(3):
        client.post(CONCERNS, json=SMALLEST_EXAMPLE)
    waiting = value(client, "deliveries", webhook="receiver", state="pending")
    with raw_connection(service.state.context.settings.data_dir) as database:
        (events,) = zip(*database.execute("SELECT event_id FROM deliveries ORDER BY event_id"), strict=True)
        for state, place in ((DeliveryState.DEAD, 0), (DeliveryState.DELIVERED, 1)):
            database.execute("UPDATE deliveries SET state = ? WHERE event_id = ?", (state.value, events[place]))

    assert waiting == 3
    assert value(client, "deliveries", webhook="receiver", state="pending") == 1
    assert value(client, "deliveries", webhook="receiver", state="dead") == 1
    assert value(client, "deliveries", webhook="receiver", state="delivered") == 0


def test_the_alerts_and_the_proxy_know_every_form_for_a_concern() -> None:
    forms = [*FORMS_WITHOUT_GUIDE, "/raise-a-concern/a-guide"]
    languages = [each for each in BY_PREFIX.values() if not each.is_whole]
    short = [f"{each.prefix}{rest}" for each in languages for rest in ("", "/", "/concerns/additions")]
    alerts = [each for each in re.findall(r'route=~"([^"]*)"', ALERTS.read_text()) if CONCERNS in each]
    limited = re.findall(r"location ~ (\S+) \{\s+limit_conn", (DEPLOY / "nginx.conf").read_text())

    assert (len(alerts), len(limited)) == (2, 1)
    assert [
        (form, each) for each in alerts for form in [*forms, SHORT_FORM, CONCERNS] if not re.fullmatch(each, form)
    ] == []
    assert [
        form for form in (*forms, *(f"/cy{form}" for form in forms), *short, CONCERNS) if not re.match(limited[0], form)
    ] == []
    assert not re.match(limited[0], "/status")
