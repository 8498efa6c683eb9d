"""Traces: spans by route template reach a collector over OTLP, and nothing personal is in them."""

import builtins
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from starlette.testclient import TestClient

from app.config import Settings
from app.errors import SetupError
from app.http import request_bodies
from app.http.turns import LONG_BODY_BYTES
from app.main import create_app
from tests.support.concerns import a_concern
from tests.support.live import LiveServer
from tests.support.publishing import GUIDE
from tests.support.receiver import Receiver, Reply
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

WORDS = ("Alexandra", "swordfish", "canary")


@pytest.fixture
def collector() -> Iterator[Receiver]:
    """A collector that takes every span."""
    receiver = Receiver(lambda _: Reply(200))
    yield receiver
    receiver.close()


def address_of(collector: Receiver) -> str:
    return collector.url.removesuffix("/notices")


def spans_of(collector: Receiver) -> list[Span]:
    requests = [ExportTraceServiceRequest.FromString(each.body) for each in collector.notices]
    return [
        span
        for request in requests
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def attributes_of(span: Span) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value") or "") for each in span.attributes}


@pytest.mark.slow
def test_a_collector_gets_spans_of_requests_and_flushes_without_words(tmp_path: Path, collector: Receiver) -> None:
    concern = a_concern(concern={"narrative": "Alexandra told the school about the swordfish."})
    headers = {"User-Agent": "canary", "Authorization": "Bearer canary", "X-Request-ID": "canary"}
    with LiveServer(tmp_path / "data", traces_url=address_of(collector)) as live, live.client() as client:
        posted = client.post("/v1/concerns", json=concern, headers={"User-Agent": "canary"})
        reference, token = posted.json()["reference"], posted.json()["status_token"]
        client.get(f"/v1/concerns/{reference}", headers={"Authorization": f"Bearer {token}"})
        for _ in range(2):
            client.get(GUIDE)
        client.get("/v1/search?q=canary", headers=headers)
        client.get("/v1/canary/Alexandra", headers=headers)
    spans = spans_of(collector)
    names = [span.name for span in spans]
    (post,) = [span for span in spans if span.name == "POST /v1/concerns"]
    sent = b"".join(each.body + repr(each.headers).encode() for each in collector.notices)

    assert posted.status_code == 201
    assert {"GET /v1/concerns/{reference}", "GET /v1/search", "GET (none)", "writer flush"} <= set(names)
    assert [attributes_of(span)["guidance.cached"] for span in spans if span.name == "GET /v1/guides/{guide}"] == [
        True,
        True,
    ]
    assert attributes_of(post) == {
        "http.request.method": "POST",
        "http.route": "/v1/concerns",
        "http.response.status_code": 201,
        "guidance.request_id": posted.headers["X-Request-ID"],
        "guidance.cached": False,
    }
    assert 0 < post.end_time_unix_nano - post.start_time_unix_nano < 30e9
    found = [word for word in (*WORDS, reference, token, "127.0.0.1", str(tmp_path)) if word.encode() in sent]
    assert found == ["127.0.0.1"]  # the collector's own address, in the Host field of what is sent to it
    assert not any(b"127.0.0.1" in each.body for each in collector.notices)


def test_a_collector_that_is_away_stops_no_request(settings: Settings) -> None:
    away = settings.model_copy(update={"traces_url": "http://127.0.0.1:9"})

    with TestClient(create_app(away)) as client:
        assert client.get(GUIDE).status_code == 200


def test_errors_of_the_server_are_marked(
    settings: Settings, collector: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = create_app(settings.model_copy(update={"traces_url": address_of(collector)}))
    monkeypatch.setattr(request_bodies, "MAX_BUFFERED_BYTES", 0)
    with TestClient(service) as client:
        refused = client.post("/v1/concerns", json={"long": "x" * (LONG_BODY_BYTES + 1)})
    wait_until(lambda: spans_of(collector))
    (span,) = [each for each in spans_of(collector) if each.name.startswith("POST")]

    assert refused.status_code == 503
    assert span.status.code == span.status.STATUS_CODE_ERROR


def test_without_the_extra_the_setting_is_refused_in_a_sentence(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def refuse(name: str, *more: Any) -> Any:
        if name.startswith("opentelemetry"):
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.delitem(sys.modules, "app.http.tracing", raising=False)
    monkeypatch.setattr(builtins, "__import__", refuse)

    with pytest.raises(SetupError, match="extra `traces`"):
        create_app(settings.model_copy(update={"traces_url": "http://127.0.0.1:4318"}))


def test_without_the_setting_no_library_of_traces_is_loaded(settings: Settings) -> None:
    assert create_app(settings).state.context.traces is None
