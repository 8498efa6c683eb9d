"""No text that a stranger sends makes a parser slow: eight times the text takes about eight times as long.

`test_patterns.py` says the same of each regular expression, and `test_framing.py` of the head of a request.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli.commands import app as commands
from app.db.search import words_in
from app.errors import SeedFileError
from app.extensions.editing.pages.posted_files import parse_multipart
from app.extensions.editing.services.importing import draft_of, parse_document
from app.extensions.editing.services.written_values import read_day, split_lines
from app.http.cache import accepts_gzip, preferred_media_types
from app.http.json_bodies import read_json
from app.http.memento import requested_moment
from app.http.preferred_languages import preferred_languages
from app.http.responses import matches_etag
from app.http.visitors import SESSION_COOKIE
from app.models.concerns.examples import SMALLEST_EXAMPLE
from app.models.concerns.status_tokens import standard_token
from app.models.guides.edition_files import read_edition_file
from app.models.guides.proposed_ids import propose_id
from app.models.references import find_reference, find_reference_start
from app.services.clock.working_hours import read_hours
from app.services.cursors import decode_key, decode_position
from app.services.desk.exports import read_export_file
from app.services.guides.written_phones import read_number
from tests.support.loops import by_day, first_by_day, for_each
from tests.support.parsers import (
    CHARACTERS,
    FORM_RUNS,
    GUIDE_RUNS,
    JSON_RUNS,
    MARKDOWN_RUNS,
    OF_A_FIELD,
    OF_A_HEAD,
    PDF_RUNS,
    TEXT,
    YAML_RUNS,
    Parser,
    check_short_lists,
    draft_with,
    fill_a_table,
    find_words_without_place,
    from_file,
    from_word,
    of_a_field,
    read_page_back,
    save_entries,
    save_section,
    word_document,
)
from tests.support.publishing import GUIDE, SLUG
from tests.support.service import a_service

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

PROXY = "192.0.2.1"
PDF_END = "\nstartxref\n1\n%%EOF\n%guidance-export a\nstartxref\n1\n%%EOF\n"
UNLIMITED = dict.fromkeys(("limit_concerns", "limit_search", "limit_status", "limit_sign_in"), "1000000/minute")
OF_TEXT = [
    of_a_field("Accept", lambda text: preferred_media_types.__wrapped__(text.encode())),
    of_a_field("Accept-Encoding", lambda text: accepts_gzip.__wrapped__(text.encode())),
    of_a_field("Accept-Language", preferred_languages.__wrapped__),
    of_a_field("If-None-Match", lambda text: matches_etag([text], '"a"', weakly=True)),
    of_a_field("Accept-Datetime", lambda text: requested_moment(None, text)),
    of_a_field("as_of", lambda text: requested_moment(text, None)),
    Parser("cursor", lambda text: decode_key(text, otherwise=""), ["a", "-", "_", "=", "7", " ", "IiIi", "W1tb"]),
    Parser("cursor of a place", lambda text: decode_position(text, (str, int)), ["IGEg", "ICAg"], "ImEi", "ImEi"),
    Parser("search words", words_in, TEXT),
    Parser("reference", find_reference, TEXT),
    Parser("start of a reference", find_reference_start, TEXT),
    Parser("status token", standard_token, TEXT),
    Parser("hours", read_hours.__wrapped__, [*TEXT, "mon ", "mon to ", "mon, ", "mon-fri 9-17, ", "mon 9 to 17 and "]),
    Parser("phone number", read_number, TEXT),
    Parser("day", read_day, [*TEXT, "sept ", "30 ", "th "]),
    Parser("pasted lines", split_lines, TEXT),
    Parser(
        "pasted document",
        lambda text: parse_document(Path("a.txt"), text.encode()),
        [*TEXT, "- a\n", "a: b | ", "Review: "],
    ),
    Parser(
        "form with a file", lambda text: parse_multipart(text.encode(), b"a"), [*TEXT, "\r\n--a", 'form-data; name="']
    ),
    Parser("translator's table", fill_a_table, [*TEXT, "\n,", "\n=", "title,a,?a,\n"]),
    Parser("JSON", lambda text: read_json(text.encode()), [*TEXT, *JSON_RUNS]),
    Parser("JSON: text", lambda text: read_json(text.encode()), [*CHARACTERS, "\\", "\\\\", "\\u0041"], '{"a":"', '"}'),
    Parser("JSON: list", lambda text: read_json(text.encode()), ["7", "1,", "1.5,", "1e9,", "[],", '"",'], "[", "0]"),
    Parser("edition: words", draft_with("indicators", text=""), TEXT),
    Parser("edition: id", draft_with("indicators", id=""), TEXT),
    Parser("edition: email", draft_with("contacts", email="a@"), [*TEXT, "a@", "a.", "@a."]),
    Parser("edition: web address", draft_with("contacts", url="https://a"), [*TEXT, "%41", "a:", "a@"]),
    Parser("edition: lists that are too short", check_short_lists, ["a"]),
    Parser("page that is read back", read_page_back, ["a"]),
    Parser("words without a place in a draft", find_words_without_place, ["a"]),
    Parser("proposed id", propose_id, TEXT),
    Parser("editor's form", save_section, [*TEXT, "a.", "0.", "contacts.0."]),
    Parser("editor's form: many entries", save_entries, ["a"]),
    Parser("PDF", lambda text: read_export_file(text.encode()), [*CHARACTERS, *PDF_RUNS], "%PDF-1.7\n", PDF_END),
]
OF_AN_EDITOR = ("hours", "pasted document", "translator's table", "editor's form")
"""Parsers of what only people who signed in send, which take half of the time."""
BY_DAY = [parser for parser in OF_TEXT if parser.name not in OF_AN_EDITOR]
FIELDS = {
    "Accept": GUIDE,
    "Accept-Language": GUIDE,
    "Accept-Encoding": GUIDE,
    "Accept-Datetime": GUIDE,
    "If-None-Match": GUIDE,
    "Host": GUIDE,
    "Origin": GUIDE,
    "traceparent": GUIDE,
    "Authorization": "/v1/desk/concerns",
    "X-Forwarded-For": "/v1/search?q=a",
    "Cookie": "/desk",
}
QUERIES = {
    "/v1/search": ["q=a&", "q=a+", "a=b&", "a&", "&", "=", "%41", "%", "%c3%a9", "limit=1&", "q=%22"],
    GUIDE: ["as_of=1&", "as_of=2026-11-24&", "a"],
    "/v1/guides": ["cursor=a&", "limit=1&", "limit=7", "7"],
    "/search": ["words=a&", "words=a+", "+", "%20"],
}
MEMBERS = ['"reporter":{},', '"x":1,', '"concern":[],']
ENTRIES = {"children": ['{"a":1},', '{"sex":"a"},'], "already_telephoned": ["[],"]}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("service")
    service = a_service(data_dir=folder / "data", trusted_proxies=(PROXY,), **UNLIMITED)
    with TestClient(service, client=(PROXY, 50_000)) as client:
        yield client


def sent_in(client: TestClient, field: str, path: str) -> Callable[[str], object]:
    return lambda text: client.get(path, headers={field.encode(): text.encode("latin-1")})


def posted(client: TestClient, path: str, media_type: str) -> Callable[[str], object]:
    return lambda text: client.post(path, content=text.encode(), headers={"Content-Type": media_type})


def verify_receipt(path: Path) -> Any:
    keys = path.with_name("jwks.json")
    keys.write_text('{"keys": []}', encoding="utf-8")
    return CliRunner().invoke(commands, ["receipts", "verify", str(path), "--jwks", str(keys)])


def expect_linear(parser: Parser) -> None:
    assert next(parser.slow_runs(), None) is None, parser.name


@pytest.mark.parametrize("parser", by_day(OF_TEXT, BY_DAY), ids=lambda parser: parser.name)
def test_64_kb_of_each_run_take_a_parser_linear_time(parser: Parser) -> None:
    expect_linear(parser)


def test_a_parser_that_takes_the_square_of_a_text_is_named() -> None:
    slow = re.compile(r"\s+$")
    parser = Parser("blanks", slow.search, ["a", " "], after="a", sizes=OF_A_FIELD)

    assert list(parser.slow_runs()) == [" "]


@pytest.mark.parametrize(
    ("field", "path"),
    [
        pytest.param(*each, marks=pytest.mark.nightly if each[0] in {parser.name for parser in OF_TEXT} else ())
        for each in FIELDS.items()
    ],
)
def test_a_field_of_a_request_takes_linear_time(client: TestClient, field: str, path: str) -> None:
    expect_linear(of_a_field(field, sent_in(client, field, path)))


@for_each("path", ["/desk", "/desk/sign-in", "/v1/search?q=a", "/search", "/v1/problems"])
def test_cookies_in_quotes_take_linear_time(client: TestClient, path: str) -> None:
    def send(text: str) -> object:
        return client.get(path, headers=[("Cookie", text)] * 7)  # as many as a head holds

    expect_linear(Parser(path, send, ["\\", "\\1", '\\"', "a"], f'{SESSION_COOKIE}="', '"', OF_A_FIELD))


@for_each(("field", "path"), [("Content-Type", "/v1/concerns/check"), ("Idempotency-Key", "/v1/concerns")])
def test_a_field_of_a_post_takes_linear_time(client: TestClient, field: str, path: str) -> None:
    def send(text: str) -> object:
        fields = {b"Content-Type": b"application/json", field.encode(): text.encode()}
        return client.post(path, content=b"{}", headers=fields)

    expect_linear(of_a_field(field, send))


@for_each(("path", "runs"), QUERIES.items())
def test_a_query_takes_linear_time(client: TestClient, path: str, runs: list[str]) -> None:
    expect_linear(Parser(path, lambda text: client.get(f"{path}?{text}"), runs, sizes=OF_A_HEAD))


def test_a_path_takes_linear_time(client: TestClient) -> None:
    runs = ["a", "a-", "/", "%41", ".", "%2F"]

    expect_linear(Parser("path", lambda text: client.get(f"/v1/guides/{text}"), runs, sizes=OF_A_HEAD))


@for_each("path", ["/v1/concerns/check", "/v1/concerns"])
def test_the_json_of_a_concern_takes_linear_time(client: TestClient, path: str) -> None:
    send, example = posted(client, path, "application/json"), json.dumps(SMALLEST_EXAMPLE)

    expect_linear(Parser("members", send, MEMBERS, "{", example[1:]))
    for name, runs in ENTRIES.items():
        expect_linear(Parser(name, send, runs, f'{{"{name}":[', f"{{}}],{example[1:]}"))
    expect_linear(Parser("words", send, [*CHARACTERS, "\\n", "\\u0041"], '{"concern":{"narrative":"', '"}}'))


@pytest.mark.parametrize("path", first_by_day([f"/raise-a-concern/{SLUG}", "/concerns"]))
def test_a_form_takes_linear_time(client: TestClient, path: str) -> None:
    expect_linear(Parser(path, posted(client, path, "application/x-www-form-urlencoded"), FORM_RUNS))


def test_a_message_of_an_assistant_takes_linear_time(client: TestClient) -> None:
    call = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_guidance","arguments":{"words":"'

    expect_linear(Parser("message", posted(client, "/mcp", "application/json"), ["[", '{"a":', *CHARACTERS], call))
    expect_linear(Parser("words", posted(client, "/mcp", "application/json"), CHARACTERS, call, '"}}}'))


@pytest.mark.nightly
@for_each(("before", "after"), [("", ""), ('title: "', '"\n'), ("a: !b c\n", "")])
def test_a_yaml_file_takes_linear_time(tmp_path: Path, before: str, after: str) -> None:
    read = from_file(tmp_path / SLUG / "1.yaml", read_edition_file)

    expect_linear(Parser(before, read, [*TEXT, *YAML_RUNS], before, after))


@pytest.mark.nightly
def test_a_markdown_document_takes_linear_time(tmp_path: Path) -> None:
    read = from_file(tmp_path / "guide.md", draft_of)

    expect_linear(Parser("Markdown", read, [*TEXT, *MARKDOWN_RUNS, *GUIDE_RUNS], "# A title\n\n"))


@pytest.mark.nightly
def test_a_word_document_of_one_paragraph_takes_linear_time(tmp_path: Path) -> None:
    read = from_word(tmp_path / "guide.docx", lambda text: ["A title", text])

    expect_linear(Parser("paragraph", read, [*CHARACTERS, *GUIDE_RUNS]))


def test_a_document_with_a_list_in_one_paragraph_takes_linear_time(tmp_path: Path) -> None:
    read = from_file(tmp_path / "guide.md", draft_of)

    def read_signs(text: str) -> object:
        return read("# A title\n\nSigns: " + "; ".join(f"a{number}" for number in range(len(text) // 8)))

    expect_linear(Parser("signs", read_signs, ["a"]))


@pytest.mark.nightly
def test_a_word_document_of_many_paragraphs_takes_linear_time(tmp_path: Path) -> None:
    runs = [f"{each.strip()}\n{' ' * 24}\n" for each in GUIDE_RUNS]

    expect_linear(Parser("paragraphs", from_word(tmp_path / "guide.docx"), runs))


def test_a_word_document_of_16_000_paragraphs_is_refused_in_seconds(tmp_path: Path) -> None:
    path = tmp_path / "guide.docx"
    path.write_bytes(word_document([f"Words {number}." for number in range(16_000)]))
    began = time.process_time()

    with pytest.raises(SeedFileError, match="too long"):
        draft_of(path)

    assert time.process_time() - began < 5


@for_each("before", ["", "{", '{"receipt":"'])
def test_the_file_of_a_receipt_takes_linear_time(tmp_path: Path, before: str) -> None:
    read = from_file(tmp_path / "receipt.txt", verify_receipt)

    expect_linear(Parser(before, read, ["a", "a.", ".", "{", "[", '"', "\n", "a\n", "e30.", "\\", "é"], before, '"}'))
