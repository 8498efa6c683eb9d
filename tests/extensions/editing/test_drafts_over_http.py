"""Drafts over HTTP: incomplete ones are saved, nobody overwrites another, and two people publish."""

import copy
import datetime as dt
import json
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, select
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli.commands import app as command
from app.config import SEED_DIR, Settings
from app.errors import NobodyPublishesAlone
from app.extensions.editing.pages.edit_fields import form_fields, show_entries, show_fields
from app.extensions.editing.pages.edit_posts import EDIT_PAGES, do_act, section_value, with_ids, with_section
from app.extensions.editing.services.draft_checks import read_partly
from app.http.context import AppContext
from app.main import create_app
from app.models.access.clients import Scope
from app.models.guides.comparison import changed_fields, changed_sections
from app.models.guides.edition_rows import GuideDraftActRow
from app.models.guides.editions import EDITION_EXAMPLE, EditionContent
from app.models.guides.renditions import RENDITION_EXAMPLE
from app.models.guides.written_checks import parse_written
from app.pages.guides.change_words import DETAILS
from app.pages.posted_forms import SubmittedForm
from app.services.access.clients import add_client
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.drafts import NEW_GUIDE, SEED_GUIDE, Writer, whole_draft, writer_of
from tests.support.loops import for_each
from tests.support.publishing import EXAMPLES

UNREAD_WORDS = "Words that nobody may read yet"
EDITORS_REQUESTS = (
    ("GET", ""),
    ("PUT", ""),
    ("DELETE", ""),
    ("GET", "/check"),
    ("GET", "/changes"),
    ("GET", "/preview"),
    ("POST", "/offer"),
)
FOR_A_NEW_ONE = {"follows": None}
INCOMPLETE = {"title": UNREAD_WORDS, "indicators": [{"text": UNREAD_WORDS}, {}], "titel": "?"}


@pytest.fixture
def ann(service: FastAPI, client: TestClient) -> Writer:
    return writer_of(service, client, "ann-cms", person="Ann Example")


@pytest.fixture
def ben(service: FastAPI, client: TestClient) -> Writer:
    return writer_of(service, client, "ben-cms", person="Ben Example")


@pytest.mark.slow
def test_a_draft_with_faults_is_saved_and_read_as_it_was_sent(ann: Writer) -> None:
    saved = ann.save(INCOMPLETE)

    read = ann.call("GET")
    assert (saved.status_code, read.status_code) == (201, 200)
    assert read.json()["content"] == INCOMPLETE
    assert read.headers["etag"] == saved.headers["etag"]
    assert read.json()["written_by"] == "ann-cms/Ann Example"
    assert read.headers["cache-control"] == "no-store"


@pytest.mark.slow
def test_a_save_names_the_version_that_it_follows(ann: Writer, ben: Writer) -> None:
    first = ann.saved(INCOMPLETE)
    second = ben.save({"title": "B"}, tag=first).headers["etag"]

    unnamed, stale = ann.save({"title": "A"}), ann.save({"title": "A"}, tag=first)

    assert (unnamed.status_code, unnamed.json()["type"]) == (428, "/v1/problems/draft-not-named")
    assert (stale.status_code, stale.json()["type"]) == (412, "/v1/problems/draft-changed")
    assert ann.call("GET").json()["content"] == {"title": "B"}
    assert ann.call("GET").headers["etag"] == second


@pytest.mark.slow
def test_one_of_many_simultaneous_saves_wins_and_the_others_are_told(ann: Writer, ben: Writer) -> None:
    first = ann.saved(INCOMPLETE)

    def save(number: int) -> int:
        status: int = (ann, ben)[number % 2].save({"title": f"Title {number}"}, tag=first).status_code
        return status

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(save, range(8)))

    assert sorted(statuses) == [200, *[412] * 7]
    assert ann.call("GET").json()["version"] == 2


@pytest.mark.slow
def test_of_many_who_begin_at_once_one_begins(ann: Writer) -> None:
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda number: ann.save({"title": f"Title {number}"}).status_code, range(4)))

    assert sorted(statuses) == [201, 428, 428, 428]


@pytest.mark.slow
def test_a_save_whose_answer_was_lost_is_safe_to_repeat(ann: Writer) -> None:
    first = ann.saved(INCOMPLETE)
    answered = ann.save({"title": "A"}, tag=first)

    repeated = ann.save({"title": "A"}, tag=first)

    assert repeated.status_code == 200
    assert repeated.headers["etag"] == answered.headers["etag"]


@pytest.mark.slow
def test_every_act_names_the_version_that_it_is_about(ann: Writer, ben: Writer) -> None:
    first = ann.saved(whole_draft())
    ann.save(whole_draft(title="Another"), tag=first)

    for method, below, body in (
        ("DELETE", "", None),
        ("POST", "/offer", None),
        ("POST", "/publication", FOR_A_NEW_ONE),
    ):
        unnamed, stale = ben.call(method, below, body=body), ben.call(method, below, tag=first, body=body)
        assert (unnamed.status_code, stale.status_code) == (428, 412), below
    assert ann.call("GET").json()["content"]["title"] == "Another"


@pytest.mark.slow
def test_nobody_publishes_a_draft_in_which_they_wrote(ann: Writer, ben: Writer) -> None:
    ann.saved(whole_draft())
    tag = ben.saved(whole_draft(title="Ben's title"))

    by_first, by_last = ann.publish(tag, None), ben.publish(tag, None)

    for refused in (by_first, by_last):
        assert (refused.status_code, refused.json()["type"]) == (403, "/v1/problems/second-person-needed")
    assert ann.http.get(f"/v1/guides/{NEW_GUIDE}").status_code == 404


@pytest.mark.slow
def test_one_person_with_two_clients_is_one_person(service: FastAPI, ann: Writer) -> None:
    tag = ann.saved(whole_draft())
    other_key = writer_of(service, ann.http, "other-cms", person="Ann Example")

    assert other_key.publish(tag, None).status_code == 403


@pytest.mark.slow
def test_another_person_publishes_and_the_draft_ends(ann: Writer, ben: Writer) -> None:
    tag = ann.saved(whole_draft())

    published = ben.publish(tag, None)

    assert published.status_code == 201, published.text
    assert ann.http.get(f"/v1/guides/{NEW_GUIDE}").json()["digest"] == published.json()["digest"]
    assert ann.call("GET").status_code == 404
    again = ben.saved(whole_draft(change_note="Second edition."))
    assert ann.publish(again, 1).status_code == 201, "who wrote the edition before may publish this one"


@pytest.mark.slow
def test_publishing_a_draft_must_name_the_edition_it_follows_or_none(ann: Writer, ben: Writer) -> None:
    tag = ann.saved(whole_draft())

    unsaid = ben.call("POST", "/publication", tag=tag, body={})
    wrong = ben.publish(tag, 1)

    assert unsaid.status_code == 422
    assert (wrong.status_code, wrong.json()["type"]) == (409, "/v1/problems/follows-another-edition")
    ben.publish(tag, None)
    other = ann.saved(whole_draft(change_note="Second edition."))
    assert ben.publish(other, None).status_code == 409


@pytest.mark.slow
def test_only_publishing_and_offering_refuse_faults_with_all_of_them(ann: Writer, ben: Writer) -> None:
    tag = ann.saved(INCOMPLETE)

    checked = ann.call("GET", "/check").json()
    refused = ben.publish(tag, None)

    said = {each["pointer"]: each["detail"] for each in checked["faults"]}
    assert said["#/indicators/1/text"] == "Indicator 2 needs some text"
    assert said["#/titel"].startswith("the file has the key `titel`, which is not known here. Did you mean `title`?")
    assert "#/contacts" in said
    assert refused.status_code == 422
    assert {each["pointer"] for each in refused.json()["errors"]} == set(said)
    assert ann.call("POST", "/offer", tag=tag).status_code == 422


@pytest.mark.slow
def test_the_check_has_warnings_and_the_digest_of_the_edition(ann: Writer, ben: Writer) -> None:
    tag = ann.saved(whole_draft())

    checked = ann.call("GET", "/check").json()

    assert checked["faults"] == []
    assert any("nobody has checked it" in each["detail"] for each in checked["warnings"])
    assert any("this is a new guide" in each["detail"] for each in checked["warnings"])
    assert checked["digest"] == ben.publish(tag, None).json()["digest"]


@pytest.mark.slow
def test_the_words_of_the_current_edition_are_not_published_again(ann: Writer, ben: Writer) -> None:
    ben.publish(ann.saved(whole_draft()), None)

    refused = ben.publish(ann.saved(whole_draft()), 1)

    assert refused.status_code == 422


@pytest.mark.slow
def test_a_draft_is_warned_of_a_newer_edition_and_not_published(
    clock: SettableClock, client: TestClient, ann: Writer, ben: Writer
) -> None:
    ben.publish(ann.saved(whole_draft()), None)
    tag = ann.saved(whole_draft(change_note="Mine."))
    current = client.get(f"/v1/guides/{NEW_GUIDE}").headers["etag"]
    headers = {"Authorization": f"Bearer {ben.key}", "If-Match": current}
    clock.time += dt.timedelta(hours=1)
    client.post(f"/v1/guides/{NEW_GUIDE}/editions", json=whole_draft(change_note="Theirs."), headers=headers)

    assert ben.publish(tag, 1).status_code == 409
    warned = ann.call("GET", "/check").json()["warnings"]
    assert any("edition 2 was published after this draft was started" in each["detail"] for each in warned)


@pytest.mark.slow
def test_an_offer_lasts_until_the_words_change(ann: Writer) -> None:
    tag = ann.saved(whole_draft())

    offered = ann.call("POST", "/offer", tag=tag).json()
    changed = ann.save(whole_draft(title="Another"), tag=tag).json()

    assert offered["offered_by"] == "ann-cms/Ann Example"
    assert changed["offered_by"] is None


@pytest.mark.slow
def test_the_changes_say_what_is_new_and_what_cannot_be_compared(service: FastAPI, client: TestClient) -> None:
    writer = writer_of(service, client, "cms", guide=SEED_GUIDE)
    words = client.get(f"/v1/guides/{SEED_GUIDE}").json()
    content = {name: words[name] for name in list(words)[list(words).index("title") : -1] if name != "links"}
    content["title"] = "Another title"
    content["contacts"] = [{"name": "No number"}]
    content["indicators"] = content["indicators"][1:]
    for place, item in enumerate(content["indicators"], start=1):
        item["position"] = place
    writer.saved(content)

    changes = writer.call("GET", "/changes").json()

    assert [each["field"] for each in changes["fields"]] == ["title"]
    assert len(changes["sections"]["indicators"]["removed"]) == 1
    assert changes["not_compared"] == ["contacts"]


@pytest.mark.slow
def test_a_removed_draft_leaves_the_record_of_who_wrote_it(service: FastAPI, ann: Writer, ben: Writer) -> None:
    tag = ann.saved(INCOMPLETE)

    removed = ben.call("DELETE", tag=tag)

    assert (removed.status_code, ann.call("GET").status_code) == (200, 404)
    assert removed.json()["content"] == INCOMPLETE
    context: AppContext = service.state.context
    with Session(context.engine) as session:
        acts = [(row.act, row.by) for row in session.exec(select(GuideDraftActRow))]
    assert acts == [("written", "ann-cms/Ann Example"), ("discarded", "ben-cms/Ben Example")]
    assert ben.saved(INCOMPLETE) == '"draft-3"', "no version is used twice"


@pytest.mark.slow
def test_no_other_scope_reads_or_writes_drafts(service: FastAPI, client: TestClient, ann: Writer) -> None:
    tag = ann.saved(whole_draft())
    other = writer_of(service, client, "other", *(each for each in Scope if each is not Scope.DRAFT))

    for method, below in EDITORS_REQUESTS:
        assert other.call(method, below, tag=tag, body={} if method == "PUT" else None).status_code == 403, below
    only_editor = writer_of(service, client, "editor", Scope.DRAFT)
    assert only_editor.publish(tag, None).status_code == 403


@pytest.mark.slow
def test_a_draft_shows_in_no_public_read(client: TestClient, ann: Writer) -> None:
    ann.saved(INCOMPLETE)
    mcp: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    search = {"name": "search_guidance", "arguments": {"words": "nobody"}}
    read = {"name": "read_guide", "arguments": {"guide": NEW_GUIDE}}

    answers = [
        client.get(path).text
        for path in (
            "/",
            "/v1",
            "/v1/guides",
            "/v1/search?q=nobody",
            "/v1/indicators",
            "/v1/feed.json",
            "/v1/feed.atom",
        )
    ]
    answers += [client.post("/mcp", json=mcp | {"params": params}).text for params in (search, read)]

    assert not any(UNREAD_WORDS in each or NEW_GUIDE in each for each in answers)
    for path in (f"/v1/guides/{NEW_GUIDE}", f"/v1/guides/{NEW_GUIDE}/editions", f"/guides/{NEW_GUIDE}"):
        assert client.get(path).status_code == 404
    assert client.get(f"/v1/guides/{NEW_GUIDE}/draft").status_code == 401
    assert client.get(f"/v1/guides/{NEW_GUIDE}/draft/check").status_code == 401


@pytest.mark.slow
def test_a_number_that_no_guide_has_is_refused_with_its_place(ann: Writer) -> None:
    for words in (1e300, 1.5, [0.1]):
        refused = ann.save({"title": words})
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["pointer"].startswith("#/title")


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "text", "x", "phones"]), inner),
    max_leaves=6,
)
CURRENT = EditionContent.model_validate(EDITION_EXAMPLE)


def places_in(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for step, each in inner for place in places_in(each, (*at, step)))]


PLACES = places_in(EDITION_EXAMPLE)[1:]


@st.composite
def drafts(draw: st.DrawFn) -> dict[str, Any]:
    """Return the example with other JSON in a few of its places."""
    draft = copy.deepcopy(EDITION_EXAMPLE)
    for place in draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=3)):
        owner: Any = draft
        for step in place[:-1]:
            owner = owner.get(step) if isinstance(owner, dict) else None
        if isinstance(owner, dict) and isinstance(place[-1], str):  # JSON has no other keys
            owner[place[-1]] = draw(ANY_JSON)
    return draft


@pytest.mark.slow
@given(drafts())
def test_no_draft_is_too_odd(draft: dict[str, Any]) -> None:
    saved = json.dumps(draft)
    content, faults = parse_written(copy.deepcopy(draft))
    after, _ = read_partly(copy.deepcopy(draft), CURRENT)
    changed_sections(CURRENT, after)
    changed_fields(CURRENT, after)
    for page in EDIT_PAGES:
        value = section_value(draft, page)
        shown = show_fields(form_fields(page), "", value) if page == DETAILS else ()
        entries = show_entries(form_fields(page), page, value)
        assert shown or page != DETAILS
        assert len(entries) == (len(value) if isinstance(value, list) else 0)
        with_ids(with_section(draft, page, SubmittedForm()), page, draft, None)

    assert (content is None) == bool(faults)
    assert json.dumps(draft) == saved


@for_each(
    "act", ["", "up", "up:", "add:", "add:title", "add:title.x", "up:contacts", "up:contacts.9", "down:contacts.0.id.1"]
)
def test_an_act_that_makes_no_sense_changes_nothing(act: str) -> None:
    content = copy.deepcopy(EDITION_EXAMPLE)

    assert do_act(content, act) == ""
    assert content == EDITION_EXAMPLE


def test_after_the_last_entry_is_removed_no_entry_is_shown() -> None:
    content = {"contacts": [{"name": "Duty team"}]}

    assert do_act(content, "remove:contacts.0") == ""
    assert content == {"contacts": []}


@pytest.fixture
def two(settings: Settings, clock: SettableClock) -> Iterator[FastAPI]:
    """A service of a council that decided that two people publish."""
    service = create_app(settings.model_copy(update={"two_people_publish": True}), clock)
    with TestClient(service):
        yield service


def test_no_route_publishes_for_one_person_if_two_must(two: FastAPI) -> None:
    context: AppContext = two.state.context
    client = TestClient(two)
    key = add_client(context.writer, "content-system", tuple(Scope), "Ann Example", at=A_TUESDAY)
    routes = [
        (method, route.path or "") for route in iter_route_contexts(two.routes) for method in (route.methods or ())
    ]
    publishing = [(method, path) for method, path in routes if method != "GET" and path.startswith("/v1/guides/")]
    alone = [(method, path) for method, path in publishing if "/draft" not in path and "/withdrawal" not in path]
    bodies = {"editions": EDITION_EXAMPLE, "renditions": RENDITION_EXAMPLE}

    answers = {
        path: client.request(
            method,
            path.replace("{guide}", NEW_GUIDE),
            json=bodies[path.rpartition("/")[2]],
            headers={"Authorization": f"Bearer {key}"},
        )
        for method, path in alone
    }

    assert sorted(answers) == ["/v1/guides/{guide}/editions", "/v1/guides/{guide}/renditions"]
    for answer in answers.values():
        assert (answer.status_code, answer.json()["type"]) == (403, "/v1/problems/second-person-needed")
        assert "The council requires two people to publish" in answer.json()["detail"]


@pytest.mark.slow
def test_no_command_publishes_for_one_person_if_two_must(tmp_path: Path) -> None:
    path = tmp_path / NEW_GUIDE / "1.yaml"
    path.parent.mkdir()
    shutil.copy(EXAMPLES[0], path)
    runner, folder = CliRunner(env={"GUIDANCE_TWO_PEOPLE_PUBLISH": "true"}), ["--data-dir", str(tmp_path / "data")]
    digest = re.findall(r"sha256:[0-9a-f]{64}", runner.invoke(command, ["approve", str(path), *folder]).output)[0]
    seeded = SEED_DIR / "renditions" / SEED_GUIDE / "cy.yaml"

    ended = [
        runner.invoke(command, ["publish", str(path), "--new", "--digest", digest, *folder]),
        runner.invoke(command, ["publish", str(SEED_DIR / "guides" / SEED_GUIDE / "1.yaml"), *folder]),
        runner.invoke(command, ["rendition", "publish", str(seeded), *folder]),
    ]

    assert [type(each.exception) for each in ended] == [NobodyPublishesAlone] * 3
    published = CliRunner().invoke(command, ["publish", str(path), "--new", "--digest", digest, *folder])
    assert published.exit_code == 0, published.output


@pytest.mark.slow
def test_a_draft_needs_one_person_to_write_and_another_to_publish(
    two: FastAPI,
) -> None:
    client = TestClient(two)
    ann, ben = (writer_of(two, client, name, person=person) for name, person in PEOPLE)
    system = writer_of(two, client, "content-system")
    tag = ann.saved(whole_draft())

    assert ann.publish(tag, None).status_code == 403
    by_a_program = system.publish(tag, None)
    tag = system.saved(whole_draft(title="Words of a program"))
    of_a_program = ben.publish(tag, None)
    ann.call("DELETE", tag=tag)
    published = ben.publish(ann.saved(whole_draft()), None)

    for refused in (by_a_program, of_a_program):
        assert (refused.status_code, refused.json()["type"]) == (403, "/v1/problems/second-person-needed")
        assert "a client without a person" in refused.json()["detail"]
    assert published.status_code == 201


PEOPLE = (("ann", "Ann Example"), ("ben", "Ben Example"))
