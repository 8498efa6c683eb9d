"""Additions in number: as many as a concern takes, read a page at a time, and never in the writer's thread."""

import html
import io
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdf
import pytest
from fastapi import FastAPI
from sqlalchemy import event
from starlette.testclient import TestClient

from app.config import Settings
from app.main import create_app
from app.models.access.clients import Scope
from app.models.audit.entry_kinds import ENTRY_SPECS, EntryKind
from app.pages.desk.concern import ADDED_ON_PAGE
from app.services.concerns import opened_entries
from app.services.concerns.keys import create_identity
from tests.support.clock import A_TUESDAY
from tests.support.concerns import add, raise_concern, token_of
from tests.support.desk import Desk, desk_of, press
from tests.support.live import LiveServer
from tests.support.loops import for_each
from tests.support.people import sign_in_as
from tests.support.service import a_service

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

OF_ADDITIONS = ENTRY_SPECS[EntryKind.ADDITION]
MEGABYTE = 1_000_000
GREASE = 600  # a sealed file is some bytes longer or shorter: age adds a line that says nothing
SEALED_IS_READ = re.compile(r"(?<!length\()(?:concerns|entries)\.sealed(?! IS)")
Receipt = dict[str, Any]


@pytest.fixture
def statements(service: FastAPI) -> Iterator[list[tuple[str, str, int]]]:
    """Every statement that reads: the thread that ran it, its text, and the numbers that it names."""
    found: list[tuple[str, str, int]] = []
    engine = service.state.context.engine

    @event.listens_for(engine, "before_cursor_execute")
    def listen(_connection: Any, _cursor: Any, text: str, *_rest: Any) -> None:
        found.append((threading.current_thread().name, text, len(found)))

    yield found
    event.remove(engine, "before_cursor_execute", listen)


def desk_get(desk: Desk) -> Any:
    return lambda path: desk.http.get(path, headers=desk.headers)


def words_of(additions: list[dict[str, Any]]) -> list[str]:
    return [each["addition"]["concern"]["narrative"] for each in additions]


def walk(get: Any, receipt: Receipt, first: str) -> list[list[dict[str, Any]]]:
    """Every page of additions, from the one of that query on."""
    pages, path = [], f"/v1/desk/concerns/{receipt['reference']}/additions?{first}"
    while path:
        answer = get(path)
        assert answer.status_code == 200, answer.text
        pages.append(answer.json()["additions"])
        path = answer.json()["links"].get("next", "")
    return pages


def test_pages_of_additions_have_each_once_in_order_while_more_arrive(
    client: TestClient, desk: Desk, receipt: Receipt
) -> None:
    path = f"/concerns/{receipt['reference']}/additions"
    for number in range(5):
        add(client, receipt, f"Number {number}.")
    first = desk.get(f"{path}?limit=2").json()
    add(client, receipt, "Number 5.")

    pages = walk(desk_get(desk), receipt, "limit=2")

    assert [len(page) for page in pages] == [2, 2, 2]
    assert pages[0] == first["additions"]
    assert words_of([each for page in pages for each in page]) == [f"Number {number}." for number in range(6)]
    assert desk.get(f"{path}?limit=6").json()["next_cursor"] is None


def test_large_texts_end_a_page_and_the_concern_links_the_next(
    client: TestClient, desk: Desk, receipt: Receipt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened_entries, "PAGE_BYTES", 3_000)
    for length in (10, 3_500, 10, 10, 1_800, 1_800):
        add(client, receipt, "x" * length)

    opened = desk.get(f"/concerns/{receipt['reference']}").json()
    rest = walk(desk_get(desk), receipt, opened["links"]["next"].partition("?")[2])

    assert [each["number"] for each in opened["additions"]] == [1]
    assert [[each["number"] for each in page] for page in rest] == [[2], [3, 4], [5], [6]]
    assert "next" not in desk.get("/concerns").json()["concerns"][0]["links"]


@for_each("query", ["cursor=*", "cursor=LTE", "cursor=IjEi", "limit=0", "limit=201", "number=1"])
def test_a_page_that_cannot_be_is_refused(client: TestClient, desk: Desk, receipt: Receipt, query: str) -> None:
    add(client, receipt)

    assert desk.get(f"/concerns/{receipt['reference']}/additions?{query}").status_code == 400


def test_without_an_identity_additions_are_listed_with_their_sealed_files(tmp_path: Path) -> None:
    recipient = create_identity(tmp_path / "away", at=A_TUESDAY)
    service = a_service(data_dir=tmp_path / "data", seal_to=(recipient,))
    with TestClient(service) as client:
        desk = desk_of(service, client)
        receipt = raise_concern(client)
        add(client, receipt, danger="yes")

        (entry,) = desk.get(f"/concerns/{receipt['reference']}/additions").json()["additions"]
        sealed = client.get(entry["links"]["self"], headers=desk.headers)
        record = desk.get(f"/disclosures?chain={receipt['reference']}").json()["disclosures"]

    assert (entry["number"], entry["immediate_danger"], entry["addition"]) == (1, "yes", None)
    assert sealed.headers["Content-Type"] == "application/age"
    assert [row["act"] for row in record[:2]] == ["received", "added"]
    assert [(row["act"], row["detail"]) for row in record[2:]] == [
        ("listed", "additions 1 to 1"),
        ("opened", "sealed file of addition 1"),
    ]


def test_the_writer_reads_no_sealed_text_and_an_addition_is_one_row(
    client: TestClient, desk: Desk, receipt: Receipt, statements: list[tuple[str, str, int]]
) -> None:
    for _ in range(3):
        add(client, receipt)
    reference = receipt["reference"]
    key = token_of(receipt)
    statements.clear()

    one = desk.get(f"/concerns/{reference}/additions/2")
    of_one = [text for _, text, _ in statements if SEALED_IS_READ.search(text)]
    answers = [
        one,
        desk.get(f"/concerns/{reference}"),
        desk.get(f"/concerns/{reference}", Accept="application/age"),
        desk.get(f"/concerns/{reference}/additions"),
        desk.get("/concerns"),
        desk.get("/summary"),
        client.get(receipt["links"]["self"], headers=key),
        add(client, receipt),
        desk.act(reference, "acknowledgement", up_to_addition=3),
        desk.act(reference, "additions/4/acknowledgement"),
        desk.act(reference, "outcome", outcome="early_help"),
        desk.act(reference, "hold", held=True, reason="A made-up reason."),
        desk.act(reference, "hold", held=False, reason="A made-up reason."),
        desk.act(reference, "erasure", reason="A made-up reason."),
    ]

    assert {answer.status_code for answer in answers} == {200, 201}
    assert len(of_one) == 1
    assert "entries.number = " in of_one[0]
    reads = [
        (thread, text) for thread, text, _ in statements if text.startswith("SELECT") and SEALED_IS_READ.search(text)
    ]
    assert len(reads) > 5
    assert {thread for thread, _ in reads} & {"writer"} == set()


def test_addition_201_is_refused_with_contacts_and_a_retry_gets_its_receipt(
    client: TestClient, desk: Desk, receipt: Receipt
) -> None:
    for number in range(OF_ADDITIONS.most):
        kept = add(client, receipt, **{"Idempotency-Key": f"key-{number}"})
        assert kept.status_code == 201

    refused = add(client, receipt, **{"Idempotency-Key": "one-more"})
    again = add(client, receipt, **{"Idempotency-Key": f"key-{OF_ADDITIONS.most - 1}"})

    assert OF_ADDITIONS.most == 200
    assert (refused.status_code, refused.json()["type"]) == (429, "/v1/problems/too-many-additions")
    assert refused.json()["signposts"][0]["phones"][0]["number"] == "999"
    assert [contact["id"] for contact in refused.json()["contacts"]] == [each["id"] for each in receipt["contacts"]]
    assert (again.status_code, again.content) == (201, kept.content)
    opened = desk.get(f"/concerns/{receipt['reference']}").json()
    assert [each["number"] for each in opened["additions"]] == list(range(1, OF_ADDITIONS.most + 1))
    assert "next" not in opened["links"]


def test_a_concern_takes_so_many_sealed_bytes_of_additions_and_no_more(
    client: TestClient, receipt: Receipt, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert OF_ADDITIONS.most_bytes == 20 * MEGABYTE
    assert add(client, receipt, "x" * 1_000).status_code == 201
    with client.app.state.context.engine.connect() as connection:  # type: ignore[attr-defined]  # TestClient knows ASGI alone
        size = connection.exec_driver_sql("SELECT length(sealed) FROM entries WHERE kind = 'addition'").scalar()

    statuses = []
    for limit in (2 * size - GREASE, 2 * size + GREASE):
        monkeypatch.setitem(ENTRY_SPECS, EntryKind.ADDITION, replace(OF_ADDITIONS, most_bytes=limit))
        statuses.append(add(client, receipt, "x" * 1_000).status_code)

    assert statuses == [429, 201]


def test_the_limit_holds_if_many_add_at_once_on_two_nodes(
    service: FastAPI, client: TestClient, settings: Settings, receipt: Receipt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENTRY_SPECS, EntryKind.ADDITION, replace(OF_ADDITIONS, most=5))
    with TestClient(create_app(settings, service.state.context.clock)) as another, ThreadPoolExecutor(8) as callers:
        adding = [callers.submit(add, (client, another)[number % 2], receipt) for number in range(16)]
        statuses = [each.result().status_code for each in adding]

    assert sorted(statuses) == [201] * 5 + [429] * 11


class Memory:
    """The memory of a process, and the most that it has used since it was last asked."""

    def __init__(self, pid: int) -> None:
        self._process = Path(f"/proc/{pid}")
        self._before = self._read("VmRSS")
        (self._process / "clear_refs").write_text("5")  # Linux forgets the peak

    def _read(self, name: str) -> int:
        (line,) = [each for each in (self._process / "status").read_text().splitlines() if each.startswith(name)]
        return int(line.split()[1]) * 1024

    @property
    def peak(self) -> int:
        """Return the bytes of its peak beyond its memory at first."""
        return self._read("VmHWM") - self._before


@pytest.mark.nightly
@pytest.mark.slow
def test_opening_a_concern_with_200_large_additions_takes_little_memory(live: LiveServer) -> None:
    key = live.new_key(Scope.READ)
    headers = {"Authorization": f"Bearer {key}"}
    with live.client() as http:
        small, large = (raise_concern(http) for _ in range(2))
        assert add(http, small).status_code == 201
        kept = [add(http, large, "é" * 49_000).status_code for _ in range(OF_ADDITIONS.most)]
        assert http.get(f"/v1/desk/concerns/{small['reference']}", headers=headers).status_code == 200
        memory = Memory(live.pid)

        opened = http.get(f"/v1/desk/concerns/{large['reference']}", headers=headers)
        of_one = memory.peak
        following = opened.json()["links"]["next"].partition("?")[2]
        http.headers.update(headers)
        read = [len(page) for page in [opened.json()["additions"], *walk(http.get, large, following)]]
        of_all = memory.peak

    assert kept == [201] * OF_ADDITIONS.most
    assert (opened.status_code, sum(read)) == (200, OF_ADDITIONS.most)
    assert of_one < 30 * MEGABYTE
    assert of_all < 30 * MEGABYTE


MANY = ADDED_ON_PAGE + 2
WORDS = re.compile(r"Word-([0-9]+)-came")
NEXT = re.compile(r'href="([^"]+/additions\?cursor=[^"]+)"')


def raise_with_additions(client: Any) -> str:
    """Raise a concern to which much is added, all at one moment, and return its reference."""
    receipt = raise_concern(client)
    for number in range(1, MANY + 1):
        assert add(client, receipt, f"Word-{number}-came").status_code == 201
    return str(receipt["reference"])


def numbers_on_pages(browser: Any, reference: str) -> list[list[int]]:
    """Return the additions of each page, in its order, from the concern's own page to the last."""
    found, path = [], f"/desk/concerns/{reference}"
    while path:
        page = browser.get(path).text
        found.append([int(number) for number in WORDS.findall(page)])
        path = html.unescape(next(iter(NEXT.findall(page)), ""))
    return found


IN_ORDER = [list(range(1, ADDED_ON_PAGE + 1)), list(range(ADDED_ON_PAGE + 1, MANY + 1))]


def test_pages_and_print_have_additions_in_order_of_arrival(client: TestClient, service: Any) -> None:
    reference = raise_with_additions(client)
    sign_in_as(service, client)

    pages = numbers_on_pages(client, reference)
    pdf = pypdf.PdfReader(io.BytesIO(press(client, reference, "export").content))

    printed = [int(number) for page in pdf.pages for number in WORDS.findall(page.extract_text())]
    assert pages == IN_ORDER
    assert printed == [*range(1, MANY + 1)]
