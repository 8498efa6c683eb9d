"""The pages as they are served: their headers, the form and the models, and what becomes of odd posts."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import ValidationError
from starlette.testclient import TestClient

from app.config import SEED_DIR, Settings
from app.errors import StoreBusy
from app.main import create_app
from app.models.concerns.concern import Concern
from app.models.concerns.examples import FULL_EXAMPLE
from app.pages.assets import words_upon
from app.pages.form.elements import ConcernForm, Question
from app.pages.form.form_builder import FormBuilder, schema_fields, the_schema
from app.pages.form.form_data import SubmittedForm, hidden_fields, read_answers, value_at
from app.pages.form.layout import FORM_SECTIONS, HANGS_ON, ONE, OTHER_HINTS, OTHER_WORDS
from app.services.guidance.reference_data import read_reference_data
from app.web.context import AppContext
from tests.support.clock import SettableClock
from tests.support.desk import desk_of
from tests.support.publishing import SLUG, an_edition, publish_next, withdraw

FORM = f"/raise-a-concern/{SLUG}"
NARRATIVE = "Alex Example was collected from school by an adult whom staff do not know."
KEY = "5d2f0c8e-7a8f-4e0e-9d55-0f7a3c0a9b11"
LIGHTEST = 60_000
"""Bytes of a page with its stylesheet and script."""
ANSWERS = {
    "immediate_danger": "no",
    "concern.narrative": NARRATIVE,
    "reporter.kind": "professional",
    "key": KEY,
    "edition": "1",
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service for tests that leave nothing behind which another could see."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("shared") / "data", deliver=False)
    with TestClient(create_app(settings, SettableClock())) as client:
        yield client


def post(client: TestClient, told: dict[str, Any] | None = None, **headers: str) -> Any:
    return client.post(FORM, data=ANSWERS | (told or {}), headers=headers)


def reference_in(page: str) -> str:
    return str(re.findall(r'<p class="reference">([^<]*)</p>', page)[0])


def the_form(**counts: int) -> ConcernForm:
    return FormBuilder(an_edition(), read_reference_data(SEED_DIR), counts).make()


def questions(form: ConcernForm) -> list[Question]:
    return [question for section in form for question in section.questions]


def test_every_part_of_a_concern_is_asked_in_one_section() -> None:
    places = {asked.place for asked in schema_fields(the_schema())}

    for place in places:
        sections = [
            arranged.id
            for arranged in FORM_SECTIONS
            if any(place == p or (p.endswith("*") and place.startswith(p[:-1])) for p in arranged.places)
        ]
        assert len(sections) == 1, place


def test_the_tables_of_the_form_name_only_what_is_there() -> None:
    counts = dict.fromkeys(ONE, 1)
    asked = {re.sub(r"\.\d+", "", question.name): question for question in questions(the_form(**counts))}

    for place in (*HANGS_ON, *(on for on, _ in HANGS_ON.values()), *OTHER_WORDS):
        assert place in asked, place
    assert set(OTHER_HINTS) - set(asked) <= set(ONE)
    for place, (on, answers) in HANGS_ON.items():
        assert {choice.value for choice in asked[on].choices} >= set(answers), place
        assert asked[place] in asked[on].then


def test_the_longest_concern_goes_through_the_form_and_comes_out_the_same() -> None:
    """All that the form asks of the full example; what it leaves out is named, with reasons."""
    counts = {name: len(value_at(FULL_EXAMPLE, name)) for name in ONE}
    form = the_form(**counts)
    told = read_answers(form, _posted(form, FULL_EXAMPLE))

    again = read_answers(form, _posted(form, told))

    concern = Concern.model_validate(told)
    assert again == told
    assert concern.concern.narrative == FULL_EXAMPLE["concern"]["narrative"]
    assert str(concern.children[0].date_of_birth) == FULL_EXAMPLE["children"][0]["date_of_birth"]
    assert sum(1 for question in questions(form) if value_at(told, question.name) is not None) > 90


def _posted(form: ConcernForm, told: dict[str, Any]) -> SubmittedForm:
    fields: dict[str, list[str]] = {}
    for name, value in hidden_fields(form, told):
        fields.setdefault(name, []).append(value)
    return SubmittedForm(fields)


def test_the_form_asks_for_no_more_than_the_api_does() -> None:
    required = [question.name for question in questions(the_form()) if question.is_required]

    assert required == ["immediate_danger", "concern.narrative", "reporter.kind"]
    with pytest.raises(ValidationError):
        Concern.model_validate(read_answers(the_form(), SubmittedForm()))


def test_not_known_may_be_answered_wherever_yes_and_no_may() -> None:
    yes_or_no = [question for question in questions(the_form()) if {"yes", "no"} <= {c.value for c in question.choices}]

    assert len(yes_or_no) > 10
    assert all({"not_known", "not_sure"} & {c.value for c in question.choices} for question in yes_or_no)


def test_a_concern_from_the_page_is_the_concern_that_the_api_would_keep(client: TestClient, service: FastAPI) -> None:
    told = {"concern.indicators": ["secrecy"], "concern.indicators.secrecy:note": "A new telephone", "do": "send"}

    answer = post(client, told)

    assert answer.status_code == 201
    opened = desk_of(service, client).get(f"/concerns/{reference_in(answer.text)}").json()
    assert opened["submission"] == {
        "guide": SLUG,
        "edition": 1,
        "immediate_danger": "no",
        "reporter": {"kind": "professional"},
        "children": [{}],
        "concern": {"narrative": NARRATIVE, "indicators": [{"id": "secrecy", "note": "A new telephone"}]},
    }


def test_a_note_without_a_tick_is_not_lost(shared: TestClient) -> None:
    page = post(shared, {"concern.indicators.secrecy:note": "A new telephone", "do": "check"}).text

    assert "A new telephone" in page


def test_nothing_is_kept_before_it_is_sent(client: TestClient, service: FastAPI) -> None:
    desk = desk_of(service, client)
    for act in ("check", "change:worry", "add:children", ""):
        assert post(client, {"do": act}).status_code == 200

    assert desk.get("/concerns").json()["concerns"] == []


def test_the_same_form_sent_twice_makes_one_concern_and_other_words_are_told_so(shared: TestClient) -> None:
    first, again = post(shared, {"do": "send"}), post(shared, {"do": "send"})

    other = post(shared, {"do": "send", "concern.narrative": "Other words about Alex Example."})

    assert reference_in(first.text) == reference_in(again.text)
    assert other.status_code == 422
    assert "You sent this form before, with other words" in other.text
    assert "Other words about Alex Example." in other.text
    key = re.findall(r'name="key" value="([^"]*)"', other.text)[0]
    assert reference_in(
        post(shared, {"do": "send", "concern.narrative": "Other words about Alex Example.", "key": key}).text
    ) != reference_in(first.text)


def test_entries_are_added_and_removed_and_the_others_stay(shared: TestClient) -> None:
    told = {"count:others": "2", "others.0.name": "Charlie Example", "others.1.name": "Sam Example"}

    more = post(shared, told | {"do": "add:others"}).text
    fewer = post(shared, told | {"do": "remove:others.0"}).text

    assert [re.findall(rf'name="others.{place}.name"[^>]*value="([^"]*)"', more) for place in (0, 1, 2)] == [
        ["Charlie Example"],
        ["Sam Example"],
        [],
    ]
    assert 'name="others.2.name"' in more
    assert re.findall(r'name="others.\d+.name"[^>]*value="([^"]*)"', fewer) == ["Sam Example"]


def test_a_fault_that_only_the_service_knows_of_is_told_at_its_question(shared: TestClient) -> None:
    page = post(shared, {"children.0.ethnicity": "NO-SUCH-CODE"})

    assert page.status_code == 422
    assert 'href="#children.0.ethnicity"' in page.text


def test_a_withdrawn_edition_stops_nobody(client: TestClient, service: FastAPI) -> None:
    withdraw(service, 1)

    shown, sent = client.get(FORM), post(client, {"do": "send"})

    assert shown.status_code == 200
    assert "was withdrawn" in shown.text
    assert sent.status_code == 201


def test_a_form_that_shows_an_older_edition_stays_with_it(client: TestClient, service: FastAPI) -> None:
    publish_next(service, change_note="A second.")

    receipt = post(client, {"do": "send"}).text

    assert f"{SLUG}, edition 1" in receipt


def test_a_busy_store_loses_nothing(client: TestClient, service: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(_act: object) -> None:
        raise StoreBusy

    parts: AppContext = service.state.parts
    monkeypatch.setattr(parts.intake.writer, "kept", busy)

    page = post(client, {"do": "send"})

    assert page.status_code == 503
    assert "It could not be kept just now" in page.text
    assert NARRATIVE in page.text
    assert f'name="key" value="{KEY}"' in page.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://other.example"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://other.example"}, 403),
        ({"Origin": "http://testserver"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://partner.example"}, 200),
    ],
)
def test_another_site_cannot_post_the_form(tmp_path: Path, headers: dict[str, str], status: int) -> None:
    settings = Settings(data_dir=tmp_path / "data", deliver=False, allowed_origins=("https://partner.example",))
    with TestClient(create_app(settings, SettableClock())) as client:
        answer = post(client, {"do": "check"}, **headers)

    assert answer.status_code == status
    assert "access-control-allow-origin" not in answer.headers or status == 200
    assert answer.headers.get("access-control-allow-origin") is None


ODD = [
    ("application/json", b"{}", 415),
    ("application/x-www-form-urlencoded", b"a=%FF", 400),
    ("application/x-www-form-urlencoded", b"a=\xff", 400),
    ("application/x-www-form-urlencoded", b"concern.narrative=%00", 400),
    ("application/x-www-form-urlencoded", b"&".join([b"a=1"] * 20_001), 400),
    ("application/x-www-form-urlencoded", b"count:others=999999999&count:children=-1&do=add:no.such", 200),
    ("application/x-www-form-urlencoded", b"do=remove:children.7&edition=x&key=x", 200),
    ("application/x-www-form-urlencoded", b"do=change:%22%3E%3Cscript%3E", 200),
    ("application/x-www-form-urlencoded", b"edition=99", 404),
]


@pytest.mark.parametrize(("media_type", "body", "status"), ODD)
def test_an_odd_post_is_answered_with_a_page_that_says_whom_to_call(
    shared: TestClient, media_type: str, body: bytes, status: int
) -> None:
    answer = shared.post(FORM, content=body, headers={"Content-Type": media_type})

    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert 'href="tel:999"' in answer.text
    assert 'href="tel:+441225396312"' in answer.text
    assert "<script>" not in answer.text


def test_a_form_that_is_too_long_is_told_whom_to_call(shared: TestClient) -> None:
    answer = post(shared, {"concern.narrative": "x" * 1_000_001})

    assert answer.status_code == 413
    assert answer.json()["signposts"][0]["phones"][0]["number"] == "999"


def test_what_is_typed_cannot_become_markup(shared: TestClient) -> None:
    page = post(shared, {"concern.narrative": '"><script>alert(1)</script>', "do": "check"}).text

    assert "<script>alert" not in page


def test_a_closed_form_says_whom_to_call(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", deliver=False, anonymous_concerns=False)
    with TestClient(create_app(settings, SettableClock())) as client:
        answers = [client.get(FORM), post(client)]

    for answer in answers:
        assert answer.status_code == 401
        assert "This form is closed" in answer.text
        assert 'href="tel:+441225396312"' in answer.text


@pytest.mark.parametrize("path", ["/guides/no-such", f"/guides/{SLUG}/editions/9", "/guides/NO", "/docs/reference/no"])
def test_a_page_that_is_not_there_is_told_as_a_page(shared: TestClient, path: str) -> None:
    answer = shared.get(path)

    assert answer.status_code == 404
    assert "<h1>Page not found</h1>" in answer.text


ASKS_FOR_A_PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/no-such-place", b"", 404),
        ("PUT", "/raise-a-concern/child-sexual-exploitation", b"", 405),
        ("POST", "/raise-a-concern/child-sexual-exploitation", b"x" * 1_000_001, 413),
    ],
)
def test_what_is_refused_before_any_page_is_told_as_a_page_where_one_was_asked_for(
    shared: TestClient, method: str, path: str, body: bytes, status: int
) -> None:
    page = shared.request(method, path, content=body, headers=ASKS_FOR_A_PAGE)
    data = shared.request(method, path, content=body, headers={"Accept": "*/*"})

    assert (page.status_code, data.status_code) == (status, status)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "999" in page.text
    assert "01225 396312" in page.text
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    if status == 405:
        assert page.headers["Allow"] == data.headers["Allow"]


def test_a_read_of_data_that_is_refused_stays_data_whatever_is_asked_for(shared: TestClient) -> None:
    answer = shared.get("/v1/guides/no-such-guide", headers=ASKS_FOR_A_PAGE)

    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")


def test_a_withdrawn_edition_is_told_with_its_reason(client: TestClient, service: FastAPI) -> None:
    publish_next(service, change_note="A second.")
    withdraw(service, 1, reason="A number was wrong.")

    answer = client.get(f"/guides/{SLUG}/editions/1")

    assert answer.status_code == 410
    assert "A number was wrong." in answer.text
    assert "withdrawn on 24 November 2026. A number was wrong." in client.get(f"/guides/{SLUG}").text


def test_an_edition_compared_with_itself_is_refused(shared: TestClient) -> None:
    assert shared.get(f"/guides/{SLUG}/editions/1/changes?since=1").status_code == 400


def test_a_defect_is_a_page_that_tells_none_of_its_words(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.pages.guide.guide_pages.list_current", lambda *_args, **_more: 1 / 0)

    answer = client.get("/")

    assert answer.status_code == 500
    assert "Something went wrong" in answer.text
    assert "division" not in answer.text


PRIVATE = (FORM, "/concerns", "/concerns/4F7K-926W-0X3R")
PUBLIC = ("/", f"/guides/{SLUG}", f"/guides/{SLUG}/editions/1", "/covering-your-tracks", "/docs/getting-started")


@pytest.mark.parametrize("path", [*PRIVATE, *PUBLIC, "/docs/reference"])
def test_every_page_is_under_a_strict_policy_sets_no_cookie_and_weighs_little(shared: TestClient, path: str) -> None:
    answer = shared.get(path)

    sources = {name: told for name, *told in map(str.split, answer.headers["content-security-policy"].split(";"))}
    assert sources["default-src"] == ["'none'"]
    assert sources["script-src"] == sources["style-src"] == sources["form-action"] == ["'self'"]
    assert sources["frame-ancestors"] == ["'none'"]
    assert "set-cookie" not in answer.headers
    assert (answer.headers["cache-control"] == "no-store") is (path in PRIVATE)
    assert not re.search(r"<style|<script>| style=| on[a-z]+=", answer.text)
    looks = sum(len(shared.get(f"/looks/{name}").content) for name in ("pages.css", "pages.js"))
    assert len(answer.content) + looks < LIGHTEST


@pytest.mark.parametrize("act", ["check", "send", "change:", "add:children"])
def test_no_answer_to_the_form_may_be_kept_by_a_cache(shared: TestClient, act: str) -> None:
    assert post(shared, {"do": act}).headers["cache-control"] == "no-store"


def test_a_wrong_reference_and_a_wrong_code_are_told_alike(shared: TestClient) -> None:
    reference = reference_in(post(shared, {"do": "send"}).text)

    pages = [
        shared.post("/concerns", data={"reference": told, "code": "wrong"}) for told in (reference, "4F7K-926W-0X3R")
    ]

    assert [page.status_code for page in pages] == [404, 404]
    assert pages[0].text.replace(reference, "4F7K-926W-0X3R") == pages[1].text


def test_only_what_was_signed_here_is_given_back_as_a_file(shared: TestClient) -> None:
    receipt = re.findall(r'name="receipt" value="([^"]*)"', post(shared, {"do": "send"}).text)[0]

    genuine = shared.post("/concerns/receipt", data={"receipt": receipt})
    forged = shared.post("/concerns/receipt", data={"receipt": f"{receipt[:-4]}AAAA"})

    assert genuine.text == receipt
    assert genuine.headers["content-disposition"].startswith('attachment; filename="receipt-')
    assert forged.status_code == 404


def test_the_council_has_its_own_name_colours_and_logo(tmp_path: Path) -> None:
    (tmp_path / "logo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    settings = Settings(
        data_dir=tmp_path / "data",
        deliver=False,
        council_name="Example & Council",
        council_colour="#ffee00",
        council_logo=tmp_path / "logo.svg",
        embedding_origins=("https://www.council.example",),
    )
    with TestClient(create_app(settings, SettableClock())) as client:
        page = client.get("/")
        style, logo = client.get("/looks/pages.css").text, client.get("/looks/logo")

    assert "Example &amp; Council" in page.text
    assert "--band:#ffee00;--on-band:#000000" in style
    assert 'src="/looks/logo"' in page.text
    assert logo.headers["content-type"] == "image/svg+xml"
    assert "frame-ancestors https://www.council.example" in page.headers["content-security-policy"]


def test_without_a_logo_there_is_none(shared: TestClient) -> None:
    assert shared.get("/looks/logo").status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"council_colour": "red"},
        {"council_logo": "no-such.svg"},
        {"embedding_origins": "https://a.example; script-src *"},
        {"embedding_origins": "https://a.example/path"},
        {"exit_url": "javascript:alert(1)"},
    ],
)
def test_a_look_that_cannot_be_used_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(**wrong)


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def colours() -> Iterator[str]:
    steps = range(0, 256, 51)
    return (f"#{r:02x}{g:02x}{b:02x}" for r in steps for g in steps for b in steps)


def test_words_can_be_read_upon_every_colour() -> None:
    assert min(contrast(colour, words_upon(colour)) for colour in colours()) >= 4.5
