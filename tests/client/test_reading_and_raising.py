"""The typed client reads guidance, raises concerns and checks what it gets, against a real service."""

import asyncio
import json
import random
import re
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from runpy import run_path
from threading import Lock, Thread
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from app.models.access.clients import Scope
from app.models.concerns.examples import FULL_EXAMPLE, SMALLEST_EXAMPLE
from guidance_client import (
    AsyncGuidanceClient,
    ConcernRefused,
    EditionCache,
    GuidanceClient,
    NotGenuine,
    ProblemError,
    RetryPolicy,
    ServiceUnreachable,
    check_digest,
)
from guidance_client.receipts import check_receipt
from guidance_client.sealed import open_sealed
from tests.support.command import ROOT, guidance
from tests.support.databases import raw_connection
from tests.support.live import LiveServer
from tests.support.loops import for_each
from tests.support.publishing import SLUG

pytestmark = pytest.mark.slow

RESET_AT_CLOSE = struct.pack("ii", 1, 0)
CHUNK = 4096


class CuttingProxy:
    """Listens on a free port, and passes bytes to `target` (host, port)."""

    def __init__(self, target: tuple[str, int], budget: Callable[[], int | None]) -> None:
        """`budget` gives the number of bytes of the next connection; None lets it be."""
        self._target, self._budget = target, budget
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.cut = 0
        self._lock = Lock()
        Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        host, port = self._listener.getsockname()
        return f"http://{host}:{port}"

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # by itself, `close` would take one more caller
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            Thread(target=self._carry, args=(caller, socket.create_connection(self._target)), daemon=True).start()

    def _carry(self, caller: socket.socket, service: socket.socket) -> None:
        left = self._budget()
        allowance = _Allowance(left)
        ways = [
            Thread(target=self._pass, args=way, daemon=True)
            for way in ((caller, service, allowance), (service, caller, allowance))
        ]
        for each in ways:
            each.start()
        for each in ways:
            each.join()
        for end in (caller, service):
            end.close()
        if allowance.is_spent:
            with self._lock:
                self.cut += 1

    @staticmethod
    def _pass(source: socket.socket, goal: socket.socket, allowance: "_Allowance") -> None:
        try:
            while chunk := source.recv(CHUNK):
                goal.sendall(chunk[: allowance.take(len(chunk))])
                if allowance.is_spent:
                    break
        except OSError:
            pass
        for each in (source, goal):
            if allowance.is_spent:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class _Allowance:
    """The number of bytes that a connection may still carry."""

    def __init__(self, left: int | None) -> None:
        self._left, self._lock = left, Lock()
        self.is_spent = False

    def take(self, wanted: int) -> int:
        if self._left is None:
            return wanted
        with self._lock:
            taken = min(wanted, self._left)
            self._left -= taken
            self.is_spent = self._left == 0
        return taken


IMPATIENT = RetryPolicy(attempts=2, first_pause=0.01)
CONNECTIONS_TO_CUT = 1000
SECTIONS = ("definitions", "factors", "indicators", "linked_risks", "responsibilities", "contacts")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with LiveServer(tmp_path_factory.mktemp("client") / "data") as server:
        yield server


@pytest.fixture
def reader(server: LiveServer) -> Iterator[GuidanceClient]:
    with GuidanceClient(server.url) as guidance:
        yield guidance


def stored_references(server: LiveServer) -> list[str]:
    with raw_connection(server.data_dir) as connection:
        return [row[0] for row in connection.execute("SELECT reference FROM concerns").fetchall()]


def copied(example: dict[str, Any]) -> Any:
    return json.loads(json.dumps(example))


@pytest.mark.parametrize("example", [SMALLEST_EXAMPLE, FULL_EXAMPLE], ids=["smallest", "full"])
def test_five_lines_raise_a_concern_and_check_its_receipt(server: LiveServer, example: dict[str, Any]) -> None:
    concern = copied(example)

    with GuidanceClient(server.url) as guidance:
        receipt = guidance.raise_concern(concern)
        claims = check_receipt(receipt, guidance.receipt_keys(), concern)

    assert claims["jti"] == receipt["reference"]
    with GuidanceClient(server.url) as guidance:
        assert guidance.concern_status(receipt["reference"], receipt["status_token"])["state"] == "received"
        added = guidance.add_to_concern(
            receipt["reference"], receipt["status_token"], {"concern": {"narrative": "Alex Example is at home now."}}
        )
    assert added["reference"] == receipt["reference"]


def test_the_sample_of_the_readme_runs(server: LiveServer) -> None:
    sample = re.search(
        r"```python[^\n]*\n(.*?)```", (ROOT / "client" / "README.md").read_text(encoding="utf-8"), re.DOTALL
    )
    assert sample is not None

    found: dict[str, Any] = {}
    exec(sample[1].replace("http://127.0.0.1:8000", server.url), found)  # noqa: S102  # the README's own words

    assert found["receipt"]["reference"] in stored_references(server)


def test_the_generated_files_are_those_that_the_sources_make() -> None:
    made = run_path(str(ROOT / "client" / "generate.py"))["generated"]()

    assert [path for path, text in made.items() if path.read_text(encoding="utf-8") != text] == []


def test_httpx_is_all_that_it_needs() -> None:
    extras = "import sys; sys.modules |= dict.fromkeys(('cryptography', 'pyrage', 'pydantic', 'app')); "
    environment = {"PYTHONPATH": str(ROOT / "client" / "src")}

    subprocess.run([sys.executable, "-c", f"{extras}import guidance_client"], check=True, env=environment, timeout=60)


def test_the_asynchronous_client_does_the_same(server: LiveServer) -> None:
    async def raise_one() -> str:
        async with AsyncGuidanceClient(server.url) as guidance:
            receipt = await guidance.raise_concern(copied(SMALLEST_EXAMPLE))
            indicators = (await guidance.indicators(SLUG)).content["indicators"]
            assert len(indicators) == 10
            check_receipt(receipt, await guidance.receipt_keys())
            return receipt["reference"]

    assert asyncio.run(raise_one())


def test_every_section_matches_its_guide_and_the_digest_matches_the_words(reader: GuidanceClient) -> None:
    edition = reader.guide(SLUG).content

    check_digest(edition)
    check_digest(reader.edition(SLUG, 1).content)
    check_digest({"added_later": "new", **dict(reversed(edition.items()))})
    for name in SECTIONS:
        section = getattr(reader, name)(SLUG)
        assert section.content[name] == edition[name]  # type: ignore[literal-required]  # each section by its name
        assert not section.is_stale
    with pytest.raises(NotGenuine):
        check_digest(copied(dict(edition)) | {"title": "Other words"})


def test_a_guide_is_read_in_another_language(reader: GuidanceClient) -> None:
    listed = reader.renditions(SLUG, edition=1).content["renditions"]
    welsh = reader.rendition(SLUG, "cy").content["rendition"]

    assert [each["language"] for each in listed] == ["cy", "en-GB-simple"]
    assert (welsh["digest"], welsh["notices"]) == (listed[0]["digest"], listed[0]["notices"])


def test_a_refusal_names_each_fault_and_repeats_nothing(reader: GuidanceClient) -> None:
    wrong = copied(SMALLEST_EXAMPLE) | {"immediate_danger": "made-up words of Alex Example"}
    del wrong["reporter"]

    with pytest.raises(ConcernRefused) as refusal:
        reader.raise_concern(wrong)

    assert {fault["pointer"] for fault in refusal.value.faults} == {"#/immediate_danger", "#/reporter"}
    assert "Alex" not in repr(refusal.value)
    assert reader.check_concern(copied(SMALLEST_EXAMPLE))["kept"] is False


def test_key_and_concern_must_both_say_test_or_neither(server: LiveServer) -> None:
    real, marked = copied(SMALLEST_EXAMPLE), copied(SMALLEST_EXAMPLE) | {"test": True}
    test_key = guidance("clients", "add", "example-sandbox", "--test", "--data-dir", server.data_dir).stdout.strip()
    sandbox = GuidanceClient(server.url, key=test_key)
    live, anyone = GuidanceClient(server.url, key=server.new_key(Scope.SUBMIT)), GuidanceClient(server.url)
    with sandbox, live, anyone:
        receipt = sandbox.raise_concern(marked)
        added = sandbox.add_to_concern(receipt["reference"], receipt["status_token"], {"concern": real["concern"]})
        status = sandbox.concern_status(receipt["reference"], receipt["status_token"])

        assert (receipt["test"], added["test"], status["test"]) == (True, True, True)
        assert (live.raise_concern(real)["test"], anyone.raise_concern(real)["test"]) == (False, False)
        for caller, concern in ((sandbox, real), (sandbox, real | {"test": False}), (live, marked), (anyone, marked)):
            for call in (caller.raise_concern, caller.check_concern):
                with pytest.raises(ConcernRefused) as refused:
                    call(concern)
                assert [fault["pointer"] for fault in refused.value.faults] == ["#/test"]


def test_a_changed_receipt_or_one_for_other_words_is_not_genuine(reader: GuidanceClient) -> None:
    receipt, keys = reader.raise_concern(copied(SMALLEST_EXAMPLE)), reader.receipt_keys()
    head, body, signature = receipt["receipt"].split(".")
    other = reader.raise_concern(copied(SMALLEST_EXAMPLE))

    for changed in (
        receipt | {"reference": other["reference"]},
        receipt | {"receipt": other["receipt"]},
        receipt | {"receipt": f"{head}.{body}.{signature[:-4]}AAAA"},
        receipt | {"receipt": f"{head}.{body}"},
        receipt | {"receipt": ""},
    ):
        with pytest.raises(NotGenuine):
            check_receipt(changed, keys)
    with pytest.raises(NotGenuine):
        check_receipt(receipt, keys, copied(FULL_EXAMPLE))
    with pytest.raises(NotGenuine):
        check_receipt(receipt, {"keys": []})


def test_the_identity_opens_a_sealed_concern_only_under_its_own_reference(server: LiveServer) -> None:
    identity = next(
        line
        for line in (server.data_dir / "development-identity.txt").read_text().splitlines()
        if line.startswith("AGE-SECRET-KEY-1")
    )
    with GuidanceClient(server.url) as anyone, GuidanceClient(server.url, key=server.new_key(Scope.READ)) as desk:
        receipt = anyone.raise_concern(copied(SMALLEST_EXAMPLE))
        sealed = desk.sealed_concern(receipt["reference"])

    opened = open_sealed(sealed, identity, reference=receipt["reference"])
    assert opened["submission"] == SMALLEST_EXAMPLE
    with pytest.raises(NotGenuine):
        open_sealed(sealed, identity, reference="0000-0000-0000")
    with pytest.raises(NotGenuine):
        open_sealed(sealed[:-1], identity, reference=receipt["reference"])


def test_the_client_cache_gives_dated_guidance_for_a_week_without_the_service(
    tmp_path: Path,
) -> None:
    started, now = datetime.now(UTC), [datetime.now(UTC)]
    cache = EditionCache(tmp_path / "cache", now=lambda: now[0])
    server = LiveServer(tmp_path / "data")
    server.start()
    with GuidanceClient(server.url, cache=cache, retries=IMPATIENT) as guidance:
        fresh = guidance.indicators(SLUG)
        assert guidance.indicators(SLUG) == fresh or not guidance.indicators(SLUG).is_stale
        server.stop()

        now[0] = started + timedelta(days=6)
        stale = guidance.indicators(SLUG)
        assert stale.is_stale
        assert stale.content == fresh.content
        assert timedelta(0) <= stale.confirmed_at - started < timedelta(minutes=5)

        now[0] = started + timedelta(days=8)
        with pytest.raises(ServiceUnreachable):
            guidance.indicators(SLUG)
        with pytest.raises(ServiceUnreachable) as failure:
            guidance.raise_concern(copied(SMALLEST_EXAMPLE))
        assert failure.value.idempotency_key


def test_a_refusal_by_the_service_is_never_answered_from_the_disk(server: LiveServer, tmp_path: Path) -> None:
    cache = EditionCache(tmp_path)
    with GuidanceClient(server.url, cache=cache) as guidance:
        cache.store(f"{server.url}/v1/guides/no-such-guide", '"etag"', {"title": "Old words"})
        with pytest.raises(ProblemError) as refusal:
            guidance.guide("no-such-guide")
    assert refusal.value.status == 404


def test_a_damaged_file_of_the_cache_is_not_used(server: LiveServer, tmp_path: Path) -> None:
    with GuidanceClient(server.url, cache=EditionCache(tmp_path)) as guidance:
        first = guidance.guide(SLUG)
        for file in tmp_path.iterdir():
            file.write_text('{"etag": 5')
        assert guidance.guide(SLUG).content == first.content


def answers(*responses: httpx.Response) -> httpx.MockTransport:
    left = list(responses)
    return httpx.MockTransport(lambda _request: left.pop(0))


def test_the_client_retries_a_busy_service_with_the_same_key() -> None:
    keys: list[str] = []
    left = [httpx.Response(503, headers={"Retry-After": "0"}), httpx.Response(429, headers={"Retry-After": "0"})]

    def answer(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        return left.pop(0) if left else httpx.Response(201, json={"reference": "A"})

    with GuidanceClient("http://service.example", transport=httpx.MockTransport(answer)) as guidance:
        assert guidance.raise_concern(copied(SMALLEST_EXAMPLE))["reference"] == "A"
    assert len(keys) == 3
    assert len(set(keys)) == 1


@for_each("retry_after", ["3600", "²", "-1", "soon", "Fri, 31 Dec 2100 23:59:59 GMT", ""])
def test_no_retry_after_stops_the_client_for_long_or_breaks_it(retry_after: str) -> None:
    refusal = httpx.Response(503, headers=[(b"Retry-After", retry_after.encode("latin-1", "replace"))])
    policy = RetryPolicy(attempts=2, first_pause=0.01, longest_pause=1)
    with (
        GuidanceClient("http://service.example", retries=policy, transport=answers(refusal, refusal)) as guidance,
        pytest.raises(ProblemError) as failure,
    ):
        guidance.guide(SLUG)
    assert failure.value.status == 503


@pytest.mark.nightly
@pytest.mark.slow
def test_a_thousand_cut_connections_lose_and_repeat_no_concern(server: LiveServer) -> None:
    parts = urlsplit(server.url)
    draw = random.Random(8)  # noqa: S311  # where to cut, repeatable
    proxy = CuttingProxy((str(parts.hostname), int(parts.port or 0)), lambda: draw.randint(0, 16_000))
    patient = RetryPolicy(attempts=10_000, first_pause=0.0)
    sent: dict[str, str] = {}
    before = len(stored_references(server))
    with GuidanceClient(proxy.url, retries=patient) as guidance:
        while proxy.cut < CONNECTIONS_TO_CUT:
            narrative = f"An invented concern, number {len(sent)}."
            concern = copied(SMALLEST_EXAMPLE) | {"concern": {"narrative": narrative}}
            sent[guidance.raise_concern(concern)["reference"]] = narrative
    proxy.close()

    stored = stored_references(server)
    assert len(sent) > 100
    assert len(stored) - before == len(sent)
    assert set(sent) <= set(stored)
