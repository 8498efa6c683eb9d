"""Time travel: which edition was current at a moment, by query and by Memento (RFC 7089)."""

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from memento_client import MementoClient
from starlette.testclient import TestClient

from app.config import Settings
from app.errors import InvalidQuery
from app.http.memento import requested_moment
from app.main import create_app
from tests.support.clock import SettableClock
from tests.support.live import LiveServer
from tests.support.loops import for_each
from tests.support.publishing import GUIDE, publish_next, withdraw

pytestmark = pytest.mark.any_database

HERE = "http://127.0.0.1:8000"
TIME_MAP = f"{GUIDE}/editions.link"
FIRST, SECOND, THIRD = "Tue, 24 Nov 2026 09:30:00 GMT", "Thu, 26 Nov 2026 12:00:00 GMT", "Sun, 29 Nov 2026 12:00:00 GMT"


@contextmanager
def three_editions(data_dir: Path) -> Iterator[tuple[TestClient, FastAPI, SettableClock]]:
    """The first on 24 November 2026 at 09:30, the second on the 26th, the third on the 29th at noon."""
    clock = SettableClock()
    service = create_app(Settings(data_dir=data_dir), clock)
    with TestClient(service) as client:
        for day in (26, 29):
            clock.time = dt.datetime(2026, 11, day, 12, 0, 0, 654_321, tzinfo=dt.UTC)
            publish_next(service, title=f"A made-up title of the {day}th")
        yield client, service, clock


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with three_editions(tmp_path_factory.mktemp("three-editions")) as (client, _, _):
        yield client


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[LiveServer]:
    """A server that callers reach under another address than its own."""
    with LiveServer(tmp_path / "data", public_url="http://guidance.example") as server:
        yield server


def led_to(client: TestClient, **asked: Any) -> str:
    """The edition that the request is led to."""
    answer = client.get(GUIDE, follow_redirects=False, **asked)
    assert (answer.status_code, answer.content) == (302, b"")
    return answer.headers["Location"].removeprefix(f"{GUIDE}/editions/")


@pytest.mark.slow
@for_each(
    ("as_of", "edition"),
    [
        ("2026-11-24", "1"),
        ("2026-11-25", "1"),
        ("2026-11-26", "2"),
        ("2026-11-26T11:59:59Z", "1"),
        ("2026-11-26T12:00:00Z", "2"),
        ("2026-11-26T13:59:59+02:00", "1"),
        ("2026-11-26T14:00:00+02:00", "2"),
        ("2026-11-26T06:59:59-05:00", "1"),
        ("2026-11-26T12:00:01Z", "2"),
        ("2026-11-29", "3"),
        ("9999-12-31", "3"),
    ],
)
def test_as_of_leads_to_the_edition_that_was_current_then(client: TestClient, as_of: str, edition: str) -> None:
    assert led_to(client, params={"as_of": as_of}) == edition


@for_each("as_of", ["2026-11-23", "2026-11-24T09:29:59Z", "2026-11-24T10:29:59+01:00", "0001-01-01"])
def test_before_the_first_edition_there_is_none(client: TestClient, as_of: str) -> None:
    answer = client.get(GUIDE, params={"as_of": as_of})

    assert (answer.status_code, answer.json()["type"]) == (404, "/v1/problems/no-such-edition")


@pytest.mark.slow
def test_a_date_before_all_editions_leads_to_the_first_readable(
    tmp_path: Path,
) -> None:
    headers = {"Accept-Datetime": "Mon, 23 Nov 2020 09:30:00 GMT"}

    with three_editions(tmp_path) as (client, service, _):
        first = client.get(GUIDE, headers=headers, follow_redirects=False)
        withdraw(service, 1)
        second = client.get(GUIDE, headers=headers, follow_redirects=False)

    assert [first.status_code, second.status_code] == [302, 302]
    assert first.headers["Location"] == f"{GUIDE}/editions/1"
    assert second.headers["Location"] == f"{GUIDE}/editions/2"


RUBBISH = [
    *("", "yesterday", "2026-11-31", "2026-13-01", "2026-11-26T12:00:00", "20261126", "26/11/2026", "2026-11-26 "),
    *("9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00", "-1", "２０２６-11-26", "1" * 41),
]


@for_each("as_of", RUBBISH)
def test_an_invalid_moment_is_refused_in_a_sentence(client: TestClient, as_of: str) -> None:
    answer = client.get(GUIDE, params={"as_of": as_of})

    assert (answer.status_code, answer.json()["type"]) == (
        400,
        f"/v1/problems/invalid-{'moment' if len(as_of) <= 40 else 'query'}",
    )
    assert answer.json()["detail"].startswith("as_of")


@pytest.mark.slow
@given(st.text(max_size=40) | st.from_regex(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:]{0,9}(Z|[+-][0-9]{2}:[0-9]{2}))?\Z"))
def test_any_text_is_a_moment_or_refused(text: str) -> None:
    for as_of, accept_datetime in ((text, None), (None, text)):
        try:
            moment = requested_moment(as_of, accept_datetime)
        except InvalidQuery:
            continue

        assert moment is not None
        assert moment.utcoffset() == dt.timedelta()


@for_each(
    ("moment", "edition"),
    [
        (FIRST, "1"),
        ("Thu, 26 Nov 2026 11:59:59 GMT", "1"),
        (SECOND, "2"),
        ("Thu, 26 Nov 2026 11:59:59 -0000", "1"),
        ("Thu, 26 Nov 2026 12:00:00 -0000", "2"),
        ("Fri, 31 Dec 2100 00:00:00 GMT", "3"),
    ],
)
def test_accept_datetime_leads_to_the_memento_of_that_moment(client: TestClient, moment: str, edition: str) -> None:
    assert led_to(client, headers={"Accept-Datetime": moment}) == edition


@for_each("moment", ["", "yesterday", "Tue, 31 Nov 2026 09:30:00 GMT", "2026-11-24", "\xff", "x" * 81])
def test_an_accept_datetime_that_is_no_date_is_refused(client: TestClient, moment: str) -> None:
    answer = client.get(GUIDE, headers={b"Accept-Datetime": moment.encode("latin-1")})

    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert "accept" in answer.json()["detail"].lower()


def vary(answer: Any) -> set[str]:
    return {name.strip().lower() for name in answer.headers.get("Vary", "").split(",")}


@pytest.mark.parametrize("accept", ["application/json", "text/markdown"])
def test_a_time_gate_and_its_mementos_carry_what_the_standard_asks(client: TestClient, accept: str) -> None:
    headers = {"Accept": accept}
    gate = client.get(GUIDE, headers=headers | {"Accept-Datetime": SECOND}, follow_redirects=False)
    memento = client.get(gate.headers["Location"], headers=headers | {"Accept-Datetime": SECOND})
    original = client.get(GUIDE, headers=headers)

    for answer in (gate, original):
        assert "accept-datetime" in vary(answer)
        assert "Memento-Datetime" not in answer.headers
    assert memento.headers["Content-Type"].startswith(accept)
    assert memento.headers["Memento-Datetime"] == SECOND
    assert "accept-datetime" not in vary(memento)
    for answer in (gate, original, memento):
        links = {rel: link for link in answer.links.values() for rel in link["rel"].split()}
        assert links["original"]["url"] == links["timegate"]["url"] == HERE + GUIDE
        assert (links["timemap"]["url"], links["timemap"]["type"]) == (HERE + TIME_MAP, "application/link-format")


def parse_time_map(text: str) -> list[tuple[str, dict[str, str]]]:
    """The links of a TimeMap, read strictly: RFC 6690, section 2, with the attributes of RFC 7089, section 5."""
    link = r'<(?P<url>https?://[^<>\s]+)>(?P<attributes>(?:; ?[a-z]+="[^"\\]*")+)'
    assert re.fullmatch(rf"{link}(,\s*{link})*\s*".replace("?P<url>", "?:").replace("?P<attributes>", "?:"), text)
    links = []
    for found in re.finditer(link, text):
        pairs = re.findall(r'([a-z]+)="([^"]*)"', found["attributes"])
        assert len(dict(pairs)) == len(pairs)
        links.append((found["url"], dict(pairs)))
    for _, attributes in links:
        assert attributes.keys() <= {"rel", "type", "datetime", "from", "until"}
        assert ("datetime" in attributes) == ("memento" in attributes["rel"].split())
        for name in attributes.keys() & {"datetime", "from", "until"}:
            moment = dt.datetime.strptime(attributes[name], "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=dt.UTC)
            assert format_datetime(moment, usegmt=True) == attributes[name]
    return links


@pytest.mark.slow
def test_the_time_map_lists_every_memento_once_the_oldest_first(client: TestClient) -> None:
    answer = client.get(TIME_MAP)

    assert answer.headers["Content-Type"] == "application/link-format"
    original, own, *mementos = parse_time_map(answer.text)
    assert original == (HERE + GUIDE, {"rel": "original timegate"})
    span = {"from": FIRST, "until": THIRD}
    assert own == (HERE + TIME_MAP, {"rel": "self", "type": "application/link-format"} | span)
    assert mementos == [
        (f"{HERE}{GUIDE}/editions/1", {"rel": "first memento", "datetime": FIRST}),
        (f"{HERE}{GUIDE}/editions/2", {"rel": "memento", "datetime": SECOND}),
        (f"{HERE}{GUIDE}/editions/3", {"rel": "last memento", "datetime": THIRD}),
    ]
    for address, attributes in mementos:
        assert client.get(address.removeprefix(HERE)).headers["Memento-Datetime"] == attributes["datetime"]


@pytest.mark.slow
def test_withdrawn_editions_are_left_out_of_the_time_map(tmp_path: Path) -> None:
    told = []
    with three_editions(tmp_path) as (client, service, _):
        for number in (3, 1, 2):
            withdraw(service, number)
            links = parse_time_map(client.get(TIME_MAP).text)[2:]
            told.append({url[-1]: attributes["rel"] for url, attributes in links})

    assert told == [{"1": "first memento", "2": "last memento"}, {"2": "first last memento"}, {}]


@pytest.mark.slow
def test_an_edition_was_current_on_a_day_even_if_withdrawn_since(tmp_path: Path) -> None:
    with three_editions(tmp_path) as (client, service, clock):
        clock.time = dt.datetime(2026, 12, 1, 12, tzinfo=dt.UTC)
        withdraw(service, 3)

        found = [led_to(client, params={"as_of": day}) for day in ("2026-11-28", "2026-11-30", "2026-12-01")]
        led = client.get(GUIDE, params={"as_of": "2026-11-30"})

    assert found == ["2", "3", "2"]
    assert (led.status_code, led.json()["detail"]) == (410, "A number was wrong.")


@pytest.mark.slow
def test_a_memento_client_finds_its_way(proxied: LiveServer) -> None:
    original, memento = f"http://guidance.example{GUIDE}", f"http://guidance.example{GUIDE}/editions/1"
    with proxied.client() as direct, MementoClient(timegate_uri="") as traveller:  # the guide is its own TimeGate
        published = direct.get(f"{GUIDE}/editions/1").headers["Memento-Datetime"]
        traveller.session.trust_env = False
        traveller.session.proxies = {"http": proxied.url}

        found = [traveller.get_memento_info(asked) for asked in (original, memento)]
        gate = MementoClient.request_head(original, accept_datetime=published, session=traveller.session)
        answers = [traveller.session.head(address) for address in (original, memento)]
        native = traveller.get_native_timegate_uri(original, dt.datetime(2026, 11, 24))  # noqa: DTZ001  # as it is asked
        origin = traveller.get_original_uri(memento)

    for told in found:
        closest = told["mementos"]["closest"]
        assert (told["original_uri"], told["timegate_uri"]) == (original, original)
        assert (closest["uri"], closest["http_status_code"]) == ([memento], 200)
        assert MementoClient.convert_to_http_datetime(closest["datetime"]) == published
    assert MementoClient.is_timegate(original, response=gate)
    assert [MementoClient.is_memento(answer.url, response=answer) for answer in answers] == [False, True]
    assert (native, origin) == (None, original)  # it seeks no other TimeGate: the guide's own path is one
