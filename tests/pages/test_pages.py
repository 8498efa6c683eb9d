"""The pages over HTTP: their headers, the form against the models, and the responses to unusual posts."""

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from markupsafe import escape
from pydantic import ValidationError
from starlette.testclient import TestClient

from app.config import SEED_DIR, Settings
from app.errors import StoreBusy
from app.http.context import AppContext
from app.models.concerns.concern import Concern
from app.models.concerns.examples import FULL_EXAMPLE
from app.models.concerns.status_tokens import new_status_token
from app.models.references import new_reference
from app.pages.concerns.form_answers import hidden_fields, read_answers
from app.pages.concerns.form_builder import FormBuilder, concern_schema, schema_fields
from app.pages.concerns.form_layout import (
    ACCOUNT_OF_THE_FIRST,
    ENTRY_NAMES,
    FORM_SECTIONS,
    PARTS_OF_A_CHILD,
    QUESTIONS,
    ConcernForm,
    Question,
    Wording,
)
from app.pages.posted_forms import SubmittedForm, value_at
from app.services.guides.pdf import text_colour_on
from app.services.guides.reference_data import read_reference_data
from tests.support.colours import contrast
from tests.support.desk import desk_of
from tests.support.form_answers import FORM, KEY, NARRATIVE, REQUIRED_ANSWERS, reference_in
from tests.support.loops import for_each
from tests.support.publishing import SLUG, an_edition, publish_next, withdraw
from tests.support.service import a_service

MAX_BYTES = 70_000
"""Of a page with its stylesheet and scripts, as they are sent."""
MAX_COMPRESSED_BYTES = 17_000
"""Of an empty form."""
MOST_FIRST_QUESTIONS = 20
ABOUT_THE_REPORTER = {
    *("name", "role", "organisation", "phone", "email", "safe_times_to_contact"),
    "duty_to_report.made_under_duty",
}
"""Of summaries, code and print, and of the header and the bar if letters are twice as large on a phone."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Yield a client of one service, for tests that change nothing which another test sees."""
    with TestClient(a_service(data_dir=tmp_path_factory.mktemp("shared") / "data")) as client:
        yield client


def post(client: TestClient, fields: dict[str, Any] | None = None, **headers: str) -> Any:
    return client.post(FORM, data=REQUIRED_ANSWERS | (fields or {}), headers=headers)


def build_form(**counts: int) -> ConcernForm:
    return FormBuilder(an_edition(), read_reference_data(SEED_DIR), counts).make()


def questions(form: ConcernForm) -> list[Question]:
    return [question for section in form for question in section.questions]


def test_every_field_of_a_concern_is_in_one_section() -> None:
    paths = {field.path for field in schema_fields(concern_schema())}

    for path in paths:
        sections = [
            section.id
            for section in FORM_SECTIONS
            if any(path == p or (p.endswith("*") and path.startswith(p[:-1])) for p in section.paths)
        ]
        assert len(sections) == 1, path


def test_the_tables_of_the_layout_name_only_fields_that_exist() -> None:
    counts = dict.fromkeys(ENTRY_NAMES, 1)
    by_path = {re.sub(r"\.\d+", "", question.name): question for question in questions(build_form(**counts))}

    folded = [f"children.{name}" for names in PARTS_OF_A_CHILD.values() for name in names]
    assert set(folded) <= set(by_path)
    for path, wording in QUESTIONS.items():
        assert path in by_path or (path in ENTRY_NAMES and wording == Wording(hint=wording.hint)), path
        if wording.choices:
            assert set(wording.choices) <= {choice.value for choice in by_path[path].choices}, path
        parent, answers = wording.after
        if parent:
            assert {choice.value for choice in by_path[parent].choices} >= set(answers), path
            assert by_path[path] in by_path[parent].follow_ups


def test_the_longest_concern_goes_through_the_form_and_comes_out_the_same() -> None:
    """Every field of the full example that is in the form; the layout names the others, with reasons."""
    counts = {name: len(value_at(FULL_EXAMPLE, name)) for name in ENTRY_NAMES}
    form = build_form(**counts)
    answers = read_answers(form, _fill_in(form, FULL_EXAMPLE))

    again = read_answers(form, _fill_in(form, answers))

    concern = Concern.model_validate(answers)
    assert again == answers
    assert concern.concern.narrative == FULL_EXAMPLE["concern"]["narrative"]
    assert str(concern.children[0].date_of_birth) == FULL_EXAMPLE["children"][0]["date_of_birth"]
    assert sum(1 for question in questions(form) if value_at(answers, question.name) is not None) > 90


def _fill_in(form: ConcernForm, answers: dict[str, Any]) -> SubmittedForm:
    fields: dict[str, list[str]] = {}
    for name, value in hidden_fields(form, answers):
        fields.setdefault(name, []).append(value)
    return SubmittedForm(fields)


def test_the_form_requires_no_more_than_the_api_does() -> None:
    required = [question.name for question in questions(build_form()) if question.is_required]

    assert required == ["immediate_danger", "concern.narrative", "reporter.kind"]
    with pytest.raises(ValidationError):
        Concern.model_validate(read_answers(build_form(), SubmittedForm()))


def test_every_yes_or_no_question_also_has_not_known() -> None:
    yes_or_no = [
        question for question in questions(build_form()) if {"yes", "no"} <= {c.value for c in question.choices}
    ]

    assert len(yes_or_no) > 10
    assert all({"not_known", "not_sure"} & {c.value for c in question.choices} for question in yes_or_no)


def test_the_page_stores_the_same_concern_as_the_api(client: TestClient, service: FastAPI) -> None:
    fields = {"concern.indicators": ["secrecy"], "concern.indicators.secrecy:note": "A new telephone", "do": "send"}

    response = post(client, fields)

    assert response.status_code == 201
    opened = desk_of(service, client).get(f"/concerns/{reference_in(response.text)}").json()
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


@pytest.mark.slow
def test_nothing_is_stored_before_it_is_sent(client: TestClient, service: FastAPI) -> None:
    desk = desk_of(service, client)
    for action in ("check", "change:worry", "add:children", ""):
        assert post(client, {"do": action}).status_code == 200

    assert desk.get("/concerns").json()["concerns"] == []


def test_a_repeated_form_makes_one_concern_and_other_answers_are_refused(
    shared: TestClient,
) -> None:
    first, again = post(shared, {"do": "send"}), post(shared, {"do": "send"})

    other = post(shared, {"do": "send", "concern.narrative": "Other words about Alex Example."})

    assert reference_in(first.text) == reference_in(again.text)
    assert other.status_code == 422
    assert "You have already sent this form with different answers" in other.text
    assert "Other words about Alex Example." in other.text
    key = re.findall(r'name="key" value="([^"]*)"', other.text)[0]
    assert reference_in(
        post(shared, {"do": "send", "concern.narrative": "Other words about Alex Example.", "key": key}).text
    ) != reference_in(first.text)


def test_entries_are_added_and_removed_and_the_others_stay(shared: TestClient) -> None:
    entries = {"count:others": "2", "others.0.name": "Charlie Example", "others.1.name": "Sam Example"}

    more = post(shared, entries | {"do": "add:others"}).text
    fewer = post(shared, entries | {"do": "remove:others.0"}).text

    assert [re.findall(rf'name="others.{number}.name"[^>]*value="([^"]*)"', more) for number in (0, 1, 2)] == [
        ["Charlie Example"],
        ["Sam Example"],
        [],
    ]
    assert 'name="others.2.name"' in more
    assert re.findall(r'name="others.\d+.name"[^>]*value="([^"]*)"', fewer) == ["Sam Example"]


def test_an_error_that_only_the_service_finds_is_shown_at_its_question(shared: TestClient) -> None:
    page = post(shared, {"children.0.ethnicity": "NO-SUCH-CODE"})

    assert page.status_code == 422
    assert 'href="#children.0.ethnicity"' in page.text


def test_a_withdrawn_edition_does_not_stop_a_concern(client: TestClient, service: FastAPI) -> None:
    withdraw(service, 1)

    shown, sent = client.get(FORM), post(client, {"do": "send"})

    assert shown.status_code == 200
    assert "was withdrawn" in shown.text
    assert sent.status_code == 201


def test_a_form_that_shows_an_older_edition_stays_with_it(client: TestClient, service: FastAPI) -> None:
    publish_next(service, change_note="A second.")

    receipt = post(client, {"do": "send"}).text

    assert f"{escape(an_edition().title)}</span>, edition 1" in receipt


def test_a_busy_store_loses_nothing(client: TestClient, service: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(_act: object) -> None:
        raise StoreBusy

    context: AppContext = service.state.context
    monkeypatch.setattr(context.writer, "run_async", busy)

    page = post(client, {"do": "send"})

    assert page.status_code == 503
    assert "We could not save it just now" in page.text
    assert NARRATIVE in page.text
    assert f'name="key" value="{KEY}"' in page.text


@pytest.mark.slow
@for_each(
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
def test_another_site_cannot_post_build_form(tmp_path: Path, headers: dict[str, str], status: int) -> None:
    with TestClient(a_service(data_dir=tmp_path / "data", allowed_origins=("https://partner.example",))) as client:
        response = post(client, {"do": "check"}, **headers)

    assert response.status_code == status
    assert "access-control-allow-origin" not in response.headers or status == 200
    assert response.headers.get("access-control-allow-origin") is None


UNUSUAL_POSTS = [
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


@for_each(("media_type", "body", "status"), UNUSUAL_POSTS)
def test_an_unusual_post_gets_a_page_that_says_who_to_call(
    shared: TestClient, media_type: str, body: bytes, status: int
) -> None:
    response = shared.post(FORM, content=body, headers={"Content-Type": media_type})

    assert response.status_code == status
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert 'href="tel:999"' in response.text
    assert 'href="tel:+441225396312"' in response.text
    assert "<script>" not in response.text


def test_the_refusal_of_a_long_form_says_who_to_call(shared: TestClient) -> None:
    response = post(shared, {"concern.narrative": "x" * 1_000_001})

    assert response.status_code == 413
    assert response.json()["signposts"][0]["phones"][0]["number"] == "999"


def test_typed_text_cannot_become_markup(shared: TestClient) -> None:
    page = post(shared, {"concern.narrative": '"><script>alert(1)</script>', "do": "check"}).text

    assert "<script>alert" not in page


def test_a_closed_form_says_who_to_call(tmp_path: Path) -> None:
    with TestClient(a_service(data_dir=tmp_path / "data", anonymous_concerns=False)) as client:
        responses = [client.get(FORM), post(client)]

    for response in responses:
        assert response.status_code == 401
        assert "This form is closed" in response.text
        assert 'href="tel:+441225396312"' in response.text


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/guides/no-such", f"/guides/{SLUG}/editions/9", "/guides/NO"])
def test_a_missing_page_is_an_error_page(shared: TestClient, path: str) -> None:
    response = shared.get(path)

    assert response.status_code == 404
    assert "<h1>Page not found</h1>" in response.text


PREFERS_HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/no-such-place", b"", 404),
        ("PUT", "/raise-a-concern/child-sexual-exploitation", b"", 405),
        ("POST", "/raise-a-concern/child-sexual-exploitation", b"x" * 1_000_001, 413),
    ],
)
def test_an_early_refusal_is_an_error_page_if_html_is_preferred(
    shared: TestClient, method: str, path: str, body: bytes, status: int
) -> None:
    page = shared.request(method, path, content=body, headers=PREFERS_HTML)
    data = shared.request(method, path, content=body, headers={"Accept": "*/*"})

    assert (page.status_code, data.status_code) == (status, status)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "999" in page.text
    assert "01225 396312" in page.text
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    if status == 405:
        assert page.headers["Allow"] == data.headers["Allow"]


def test_a_refused_read_of_data_stays_data_even_if_html_is_preferred(shared: TestClient) -> None:
    response = shared.get("/v1/guides/no-such-guide", headers=PREFERS_HTML)

    assert (response.status_code, response.headers["Content-Type"]) == (404, "application/problem+json")


def test_a_withdrawn_edition_is_shown_with_its_reason(client: TestClient, service: FastAPI) -> None:
    publish_next(service, change_note="A second.")
    withdraw(service, 1, reason="A number was wrong.")

    response = client.get(f"/guides/{SLUG}/editions/1")

    assert response.status_code == 410
    assert "A number was wrong." in response.text
    assert "withdrawn on 24 November 2026. <span>A number was wrong.</span>" in client.get(f"/guides/{SLUG}").text


def test_comparing_an_edition_with_the_same_one_is_refused(shared: TestClient) -> None:
    assert shared.get(f"/guides/{SLUG}/editions/1/changes?since=1").status_code == 400


def test_a_defect_is_a_page_without_the_words_of_the_exception(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.pages.guides.guides.list_guides", lambda *_args, **_more: 1 / 0)

    response = client.get("/")

    assert response.status_code == 500
    assert "Something went wrong" in response.text
    assert "division" not in response.text


PRIVATE = (
    "/status",
    FORM,
    "/raise-a-concern",
    "/worried-about-yourself",
    "/worried-about-a-friend",
    "/search",
    "/concerns",
    "/concerns/4F7K-926W-0X3R",
)
PUBLIC = (
    "/",
    f"/guides/{SLUG}",
    f"/guides/{SLUG}/editions/1",
    "/guides",
    "/subjects/child_sexual_exploitation",
    "/covering-your-tracks",
    "/accessibility",
    "/privacy",
    "/docs/getting-started",
)


@pytest.mark.slow
@for_each("path", [*PRIVATE, *PUBLIC])
def test_every_page_is_small_without_cookies_under_a_strict_policy(shared: TestClient, path: str) -> None:
    response = shared.get(path)

    sources = {name: values for name, *values in map(str.split, response.headers["content-security-policy"].split(";"))}
    assert sources["default-src"] == ["'none'"]
    assert sources["script-src"] == sources["form-action"] == ["'self'"]
    (style,) = re.findall(r"<style>(.*?)</style>", response.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert sources["style-src"] == ["'self'", f"'sha256-{digest}'"]
    assert sources["frame-ancestors"] == ["'none'"]
    assert "set-cookie" not in response.headers
    assert (response.headers["cache-control"] == "no-store") is (path in PRIVATE)
    assert not re.search(r"<style[^>]|<script>| style=| on[a-z]+=", response.text)
    sent = [response, *(shared.get(f"/looks/{name}") for name in ("pages.css", "pages.js", "form.js", "copy.js"))]
    assert sum(int(each.headers["content-length"]) for each in sent) < MAX_BYTES


@pytest.mark.parametrize("path", [FORM, "/raise-a-concern", "/worried-about-yourself"])
def test_an_empty_form_is_compressed_and_a_form_with_answers_is_not(shared: TestClient, path: str) -> None:
    empty = shared.get(path, headers={"Accept-Encoding": "gzip"})
    plain = shared.get(path, headers={"Accept-Encoding": "identity"})
    filled = shared.post(path, data=REQUIRED_ANSWERS | {"do": "change:"}, headers={"Accept-Encoding": "gzip"})

    assert empty.headers["content-encoding"] == "gzip"
    assert int(empty.headers["content-length"]) < MAX_COMPRESSED_BYTES
    assert empty.headers["cache-control"] == "no-store"
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in filled.headers
    assert NARRATIVE in filled.text


def test_a_concern_needs_no_guide_even_if_there_are_two(client: TestClient, service: FastAPI) -> None:
    publish_next(service, guide="child-criminal-exploitation")

    page = client.get("/raise-a-concern")
    sent = client.post("/raise-a-concern", data=REQUIRED_ANSWERS | {"do": "send"})

    assert page.status_code == 200
    assert "Signs you have noticed" not in page.text
    assert sent.status_code == 201
    assert desk_of(service, client).get(f"/concerns/{reference_in(sent.text)}").json()["submission"]["concern"] == {
        "narrative": NARRATIVE
    }


def test_home_and_guides_lead_to_their_own_forms(client: TestClient, service: FastAPI) -> None:
    one = client.get("/").text
    publish_next(service, guide="child-criminal-exploitation")
    two = client.get("/").text

    for page in (one, two):
        assert 'class="button start" href="/raise-a-concern"' in page
        assert 'href="/worried-about-yourself"' in page
    assert f'class="button start" href="/raise-a-concern/{SLUG}"' in client.get(f"/guides/{SLUG}").text


def test_a_child_gets_five_direct_questions_with_childline_first(shared: TestClient) -> None:
    page = shared.get("/worried-about-yourself").text

    main = page[page.index("<main") :]
    assert re.findall(r"<b>([^<]*)</b>", main) == [
        "Are you safe now?",
        "What has happened?",
        "How can we reach you safely?",
        "Is there anything that we must not do?",
        "What language do you speak best?",
    ]
    assert main.index("tel:999") < main.index("tel:+448001111") < main.index("<form") < main.index("What will happen")
    assert "They may need to tell a parent" in main
    assert "Report Remove" in main
    assert not re.search(r"\bthe child\b", main)


def test_what_a_child_answers_is_a_concern_like_any_other(client: TestClient, service: FastAPI) -> None:
    answers = {
        "key": KEY,
        "edition": "1",
        "immediate_danger": "not_sure",
        "concern.narrative": "Somebody online says that he will share my picture.",
        "reporter.safe_times_to_contact": "Ask for me at Example Academy",
        "informed_and_basis.childs_wishes": "Do not ring my home",
    }

    checked = client.post("/worried-about-yourself", data=answers | {"do": "check"})
    sent = client.post("/worried-about-yourself", data=answers | {"do": "send"})

    assert "I am not sure" in checked.text
    assert sent.status_code == 201
    assert desk_of(service, client).get(f"/concerns/{reference_in(sent.text)}").json()["submission"] == {
        "immediate_danger": "not_sure",
        "reporter": {"kind": "child", "safe_times_to_contact": "Ask for me at Example Academy"},
        "children": [{}],
        "concern": {"narrative": "Somebody online says that he will share my picture."},
        "informed_and_basis": {"childs_wishes": "Do not ring my home"},
    }


@pytest.mark.slow
def test_a_friend_has_a_form_in_their_own_words(client: TestClient, service: FastAPI) -> None:
    own, page = (client.get(path).text for path in ("/worried-about-yourself", "/worried-about-a-friend"))
    answers = {"immediate_danger": "no", "concern.narrative": "My friend Alex gets gifts.", "do": "send"}

    sent = client.post("/worried-about-a-friend", data=answers | {"key": KEY})
    by_hand = client.post("/raise-a-concern", data=answers | {"reporter.kind": "friend"})

    for each, question, other in (
        (own, "Is it about a friend?", "/worried-about-a-friend"),
        (page, "Is it about you?", "/worried-about-yourself"),
    ):
        assert f'{question} <a href="{other}">Use this form</a>' in each.partition("<form")[0]
        assert "/concerns/saved" not in each, "nothing of a child is ever saved"
    main = page[page.index("<main") :]
    assert "Is your friend safe now?" in main
    assert "your fault" not in main
    assert main.index("tel:999") < main.index("tel:+448001111") < main.index("<form")
    opened = desk_of(service, client).get(f"/concerns/{reference_in(sent.text)}").json()["submission"]
    assert opened["reporter"] == {"kind": "friend"}
    for receipt in (sent, by_hand):
        assert receipt.status_code == 201
        assert "None of this is your fault, or your friend’s." in receipt.text


ADULTS_ALONE = (
    "<dt>Guide</dt>",
    "Foxtrot",
    "Alfa",
    "signed receipt",
    "immediate danger",
    "Keep a copy",
)


@pytest.mark.parametrize("danger", ["yes", "no"])
@pytest.mark.parametrize("path", ["/worried-about-yourself", "/worried-about-a-friend"])
def test_a_childs_receipt_status_and_file_begin_with_999_and_childline(
    client: TestClient, path: str, danger: str
) -> None:
    answers = {"immediate_danger": danger, "concern.narrative": "Somebody frightens me.", "key": KEY, "do": "send"}

    page = client.post(path, data=answers).text
    main = page[page.index("<main") :]
    fields = dict(re.findall(r'name="(receipt|code|voice|reference)" value="([^"]*)"', main))
    status = client.post("/concerns", data=fields).text
    added = client.post("/concerns/additions", data=fields | {"narrative": "More."}).text
    file = client.post("/concerns/receipt", data=fields)

    assert "Thank you. You did the right thing." in main
    assert "your fault" in main
    assert main.index("tel:999") < main.index("tel:+448001111") < main.index("What happens next")
    assert ("A social worker should read it by" in main) == (danger == "no")  # no time for danger is set
    assert "We will only contact you in a way you say is safe." in main
    assert ("Do not wait for us. Call 999 now." in main) == (danger == "yes")
    assert [each for each in ADULTS_ALONE if each in main] == []
    safe = main.index("Is it safe to keep a copy?")
    assert main.rindex("<details", 0, safe) > 0, "a file is only for who says that it is safe"
    assert 'action="/concerns/receipt"' not in main[:safe]
    for each in (status, added):
        assert each.index("tel:999", each.index("<main")) < each.index("tel:+448001111") < each.index("Tell us more")
        assert 'name="voice"' in each
        assert "Foxtrot" not in each[each.index("<main") :]
    lines = file.text.splitlines()
    assert file.headers["content-disposition"] == 'attachment; filename="note.txt"'
    assert lines[0] == "THANK YOU. YOU DID THE RIGHT THING."
    assert file.text.index("999") < file.text.index("0800 1111") < file.text.index(fields["code"])
    assert lines[-1] == fields["receipt"]
    assert max(map(len, lines[:-1])) <= 76


def test_a_reader_who_says_under_18_gets_a_childs_words(client: TestClient, receipt: dict[str, Any]) -> None:
    form = client.get("/concerns").text
    proof = {"reference": receipt["reference"], "code": receipt["status_token"]}

    own, others = (
        client.post("/concerns", data=proof | {"voice": "child"}).text,
        client.post("/concerns", data=proof).text,
    )
    strange = client.post("/concerns", data=proof | {"voice": "<b>"}).text

    assert "I am under 18" in form
    assert ("Are you in danger right now?" in own, "Are you in danger right now?" in others) == (True, False)
    assert 'name="voice"' not in others + strange


@pytest.mark.slow
def test_a_tick_about_a_worker_with_children_shows_whom_to_call(client: TestClient, service: FastAPI) -> None:
    tick = {"concern.people_of_concern.0.works_with_children": "yes"}
    named = tick | {"count:concern.people_of_concern": "1", "concern.people_of_concern.0.name": "Pat Example"}

    checked = post(client, tick | {"do": "check"}).text
    changed = post(client, named | {"do": "change:of-concern"}).text
    sent = post(client, named | {"do": "send"}).text
    begun = post(client, tick | {"do": "add:concern.people_of_concern"}).text

    assert 'id="concern.people_of_concern.0" tabindex="-1" autofocus' in begun
    assert 'id="concern.people_of_concern.1"' not in begun
    assert "Designated officer" in checked.partition('id="also-call"')[2].partition("</section>")[0]
    assert "Person 1" not in checked
    assert len(re.findall(r'name="concern.people_of_concern.0.works_with_children"[^>]* checked', changed)) == 1
    opened = desk_of(service, client).get(f"/concerns/{reference_in(sent)}").json()["submission"]
    assert opened["concern"]["people_of_concern"] == [{"works_with_children": "yes", "name": "Pat Example"}]


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/worried-about-yourself", "/worried-about-a-friend"])
def test_each_page_of_the_young_has_a_dull_title_and_childline(client: TestClient, path: str) -> None:
    answers = {"immediate_danger": "no", "concern.narrative": "Somebody frightens me.", "key": KEY}
    pages = {do: client.post(path, data=answers | {"do": do}).text for do in ("change:", "check", "now", "send")}
    pages["form"] = client.get(path).text
    fields = dict(re.findall(r'name="(code|voice|reference)" value="([^"]*)"', pages["send"]))
    pages["status"] = client.post("/concerns", data=fields).text

    for name, page in pages.items():
        assert "<title>Form - One Minute Guide</title>" in page, name
        assert "data-dull" in page, name
        assert "tel:+448001111" in page.partition("<main")[2], name


def test_covering_your_tracks_names_that_title_and_childline_first(shared: TestClient) -> None:
    main = shared.get("/covering-your-tracks").text.partition("<main")[2]

    assert "The title of a form for young people is only ‘Form’." in main
    assert re.findall('href="tel:([^"]*)"', main)[0] == "+448001111"


CLOSED = {
    "child": ("You can still write to us here", "help to you and your family", "tel:+448001111"),
    "friend": ("You can still write to us here", "help to your friend", "tel:+448001111"),
    "professional": ("ask for a manager", "We may ask you to take part."),
    "under_duty": ("ask for a manager", "Keep your signed receipt."),
    "": ("We have finished with this concern.", "A worker will offer the family help. You do not need"),
}


@pytest.mark.slow
def test_a_closed_concern_speaks_to_whoever_reads_it(
    client: TestClient, service: FastAPI, receipt: dict[str, Any]
) -> None:
    desk, reference = desk_of(service, client), receipt["reference"]
    desk.act(reference, "acknowledgement")
    assert desk.act(reference, "outcome", outcome="early_help", shared_with_reporter=True).is_success
    proof = {"reference": reference, "code": receipt["status_token"]}

    for reader, said in CLOSED.items():
        main = client.post("/concerns", data=proof | {"voice": reader}).text.partition("<main")[2]
        assert [each for each in said if each not in main] == [], reader
        assert (re.search("(?i)>closed<|have finished", main) is None) == (reader in ("child", "friend")), reader


@pytest.mark.slow
@for_each(
    ("duty", "reader"), [({}, "professional"), ({"reporter.duty_to_report.made_under_duty": "yes"}, "under_duty")]
)
def test_the_receipt_leads_on_in_the_readers_words(tmp_path: Path, duty: dict[str, str], reader: str) -> None:
    with TestClient(a_service(data_dir=tmp_path / "data", duty_to_report_from="2026-01-01")) as client:
        page = post(client, duty | {"do": "send", "key": ""}).text

    assert re.findall(r'name="voice" value="([^"]*)"', page) == [reader]


@pytest.mark.slow
def test_a_further_child_takes_home_and_school_of_the_first(shared: TestClient) -> None:
    two = {
        "count:children": "2",
        "children.0.given_names": "Alex",
        "children.0.school_or_setting": "Example Academy",
        "children.0.home_address.postcode": "BA1 1AA",
        "children.1.given_names": "Billie",
    }

    offered = post(shared, two | {"do": "change:"}).text
    checked = [post(shared, two | {"do": do}).text for do in ("same:children.1", "same:children.9", "same:others.1")]

    assert re.findall(r'value="(same:[^"]*)"', offered) == ["same:children.1", "same:children.2"][:1]
    for page, copies in zip(checked, (2, 1, 1), strict=True):
        assert page.count('value="Example Academy"') == page.count('value="BA1 1AA"') == copies
        assert page.count('value="Alex"') == page.count('value="Billie"') == 1


def test_each_of_several_children_has_an_account_that_no_removal_loses(shared: TestClient) -> None:
    one = {"count:children": "1", "children.0.given_names": "Alex"}
    two = {"count:children": "2", "children.0.given_names": "Alex", "children.1.account": "Billie hides food."}
    asks = 'name="children.{}.account"'

    alone, added = (post(shared, one | {"do": do}).text for do in ("change:", "add:children"))
    without_alex = post(shared, two | {"do": "remove:children.0"}).text
    checked = post(shared, REQUIRED_ANSWERS | {"children.0.account": "Billie hides food.", "do": "check"}).text

    assert asks.format(0) not in alone
    assert asks.format(0) in added
    assert asks.format(1) in added
    assert "Billie hides food.</textarea>" in without_alex
    assert asks.format(1) not in without_alex
    assert '<input type="hidden" name="children.0.account" value="Billie hides food.">' in checked


def test_every_field_of_free_text_takes_the_direction_of_what_is_typed(shared: TestClient) -> None:
    pages = [shared.get(path).text for path in (FORM, "/worried-about-yourself", "/search")]
    pages.append(post(shared, {"do": "check", "concern.narrative": "\u0645\u06cc\u06ba \u067e\u0631"}).text)

    fields = [each for page in pages for each in re.findall(r"<textarea[^>]*>|<input type=\"text\"[^>]*>", page)]
    words = [each for each in fields if "inputmode" not in each]
    assert len(words) > 60
    assert [each for each in words if 'dir="auto"' not in each] == []
    assert '<span class="as-typed" dir="auto">\u0645' in pages[-1]


def test_a_child_who_leaves_out_a_required_answer_reads_what_to_do(shared: TestClient) -> None:
    page = shared.post("/worried-about-yourself", data={"do": "check"})

    assert page.status_code == 422
    assert re.findall(r'<li><a href="#([^"]*)">([^<]*)</a></li>', page.text)[:2] == [
        ("immediate_danger", "Select whether you are safe now."),
        ("concern.narrative", "Write what has happened. One sentence is enough."),
    ]


def test_the_browser_may_fill_in_the_reporters_own_details_and_no_childs(shared: TestClient) -> None:
    page = shared.get(FORM).text

    filled = re.findall(r'<input type="(\w+)" name="([\w.]+)"[^>]* autocomplete="([\w-]+)"', page)
    assert sorted(filled) == [
        ("email", "reporter.email", "email"),
        ("tel", "reporter.phone", "tel"),
        ("text", "reporter.name", "name"),
        ("text", "reporter.organisation", "organization"),
        ("text", "reporter.role", "organization-title"),
    ]
    assert '<form method="post" action="/raise-a-concern/child-sexual-exploitation" autocomplete="off"' in page


def test_what_may_be_added_is_folded_in_four_groups(shared: TestClient) -> None:
    groups = shared.get(FORM).text.split('<details class="group"')[1:]

    assert [re.findall("<h3>([^<]*)<", each)[:1] for each in groups] == [
        ["More about what happened"],
        ["People, places and things"],
        ["The family, and who helps them"],
        ["Who knows, and calls and visits"],
    ]
    folded = [section.id for section in build_form() if section.is_collapsed]
    assert [name for each in groups for name in re.findall('<details id="([^"]*)"><summary>', each)] == folded


def test_a_professional_has_few_first_questions_with_the_childs_words() -> None:
    asked = [
        question.name
        for section in build_form()
        if not section.is_collapsed
        for question in section.questions
        if not question.part
    ]
    folded = {"reporter.safeguarding_lead_name", ACCOUNT_OF_THE_FIRST}
    of_duty = "reporter.duty_to_report"  # from the day that the council sets

    first = [name for name in asked if name not in folded and ".expected" not in name and not name.startswith(of_duty)]
    assert len(first) <= MOST_FIRST_QUESTIONS
    assert asked[1:3] == ["concern.narrative", "informed_and_basis.childs_own_words"]


@pytest.mark.slow
@for_each(
    ("kind", "asked"),
    [
        ("professional", ABOUT_THE_REPORTER),
        ("family", {"name", "phone", "email", "safe_times_to_contact"}),
        ("child", {"safe_times_to_contact"}),
        ("anonymous", set()),
    ],
)
def test_questions_about_the_reporter_hang_on_who_reports(kind: str, asked: set[str]) -> None:
    question = next(each for each in questions(build_form()) if each.name == "reporter.kind")
    opened = next(choice.opens.split() for choice in question.choices if choice.value == kind)

    groups = [group for number, group in enumerate(question.follow_up_groups, 1) if str(number) in opened]

    shown = {each.name.removeprefix("reporter.") for group in groups for each in group if not each.part}
    assert (shown if kind in {"child", "anonymous"} else shown & ABOUT_THE_REPORTER) == asked


def test_a_date_is_read_back_in_words(shared: TestClient) -> None:
    born = {"day": "3", "month": "2", "year": "2012"}
    fields = {f"children.0.date_of_birth:{part}": value for part, value in born.items()}

    page = post(
        shared, fields | {"do": "check", "concern.latest_event:month": "11", "concern.latest_event:year": "2026"}
    )

    assert "3 February 2012" in page.text
    assert "November 2026" in page.text


@for_each("action", ["check", "send", "change:", "add:children"])
def test_no_response_to_the_form_may_be_cached(shared: TestClient, action: str) -> None:
    assert post(shared, {"do": action}).headers["cache-control"] == "no-store"


def test_a_wrong_reference_and_a_wrong_code_get_the_same_page(shared: TestClient) -> None:
    reference = reference_in(post(shared, {"do": "send"}).text)

    answers = [
        shared.post("/concerns", data={"reference": typed, "code": new_status_token()})
        for typed in (reference, new_reference())
    ]
    pages = [re.sub("(?:[0-9A-Z]{4}-){2,3}[0-9A-Z]{4}", "", page.text) for page in answers]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert pages[0] == pages[1]


def test_the_council_has_its_own_name_colours_and_logo(tmp_path: Path) -> None:
    (tmp_path / "logo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    with TestClient(
        a_service(
            data_dir=tmp_path / "data",
            council_name="Example & Council",
            council_colour="#ffee00",
            council_logo=tmp_path / "logo.svg",
            embedding_origins=("https://www.council.example",),
        )
    ) as client:
        page = client.get("/")
        style, logo = client.get("/looks/pages.css").text, client.get("/looks/logo")

    assert "Example &amp; Council" in page.text
    assert "--band:#ffee00;--on-band:#000000" in style
    assert 'src="/looks/logo"' in page.text
    assert logo.headers["content-type"] == "image/svg+xml"
    assert "frame-ancestors https://www.council.example" in page.headers["content-security-policy"]


def test_without_a_logo_its_path_is_not_found(shared: TestClient) -> None:
    assert shared.get("/looks/logo").status_code == 404


@for_each(
    "wrong",
    [
        {"council_colour": "red"},
        {"council_logo": "no-such.svg"},
        {"embedding_origins": "https://a.example; script-src *"},
        {"embedding_origins": "https://a.example/path"},
        {"exit_url": "javascript:alert(1)"},
    ],
)
def test_a_setting_of_the_pages_that_cannot_be_used_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(**wrong)


def colours() -> Iterator[str]:
    steps = range(0, 256, 51)
    return (f"#{r:02x}{g:02x}{b:02x}" for r in steps for g in steps for b in steps)


def test_text_can_be_read_on_every_colour() -> None:
    assert min(contrast(colour, text_colour_on(colour)) for colour in colours()) >= 4.5


@pytest.mark.slow
@for_each("verb", ["add", "remove", "change"])
@for_each(
    "target",
    [
        "children.x",
        "children.0.x.y",
        "children.²",
        "children.-1",
        f"children.{'9' * 5000}",
        "children.0.estimated_age",
        "children.0.estimated_age.0",
        "children.0.given_names",
        "concern.narrative",
        "concern.narrative.0",
        "no.such.name",
        ".",
        "",
    ],
)
def test_a_button_that_the_form_does_not_have_loses_nothing_typed(client: TestClient, verb: str, target: str) -> None:
    fields = {"do": f"{verb}:{target}", "count:children": "1", "children.0.estimated_age": "12"}

    response = post(client, fields)

    assert response.status_code == 200
    assert NARRATIVE in response.text


PAGES = ("/", f"/guides/{SLUG}", f"/raise-a-concern/{SLUG}", "/worried-about-yourself", "/concerns", "/no-such-page")
WAYS = ("https://999bsl.co.uk/", "tel:18000", "https://www.emergencysms.net/")


@for_each("path", PAGES)
def test_every_page_has_each_way_to_999_without_speech(client: TestClient, path: str) -> None:
    page = client.get(path, headers={"Accept": "text/html"}).text

    for way in WAYS:
        assert f'href="{way}"' in page, way


def test_ways_without_speech_are_signposts_and_999_stays_first(client: TestClient) -> None:
    signposts = client.get("/v1/signposts").json()["signposts"]

    assert [each["id"] for each in signposts if each["without_speech"]] == [
        "bsl-999",
        "relay-uk-emergency",
        "emergency-sms",
    ]
    assert [each["id"] for each in signposts if each["emergency"]] == [signposts[0]["id"]] == ["police-emergency"]
    assert all(each["verified_on"] is None for each in signposts if each["without_speech"])
