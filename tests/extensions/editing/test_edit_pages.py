"""The editor's pages without scripts: a form for each section, nothing lost, and a second person to publish."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from fastapi import FastAPI
from sqlmodel import Session
from starlette.testclient import TestClient

from app.extensions.editing.pages.edit_posts import EDIT_PAGES
from app.extensions.editing.services.drafts import find_guide_draft
from app.http.context import AppContext
from app.http.visitors import SESSION_COOKIE
from app.models.access.clients import Scope
from app.models.access.roles import SCOPES_OF, Role
from tests.support.drafts import NEW_GUIDE, SEED_GUIDE, whole_draft, writer_of
from tests.support.people import OWN_PAGE, sign_in_as

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

EDIT = "/edit"


class _Form(HTMLParser):
    """The fields of a page's autosaved form, as a browser sends them."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self._inside = False
        self._text: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._inside = "data-autosave" in given
        name = given.get("name")
        if not self._inside:
            return
        if tag == "input" and name and (given.get("type") != "checkbox" or "checked" in given):
            self.fields.append((name, given.get("value") or ""))
        elif tag == "textarea" and name:
            self.fields.append((name, ""))
            self._text = name
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            self.fields.append((self._select, given.get("value") or ""))

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            name, before = self.fields[-1]
            self.fields[-1] = (name, before + data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._text is not None:
            name, words = self.fields[-1]
            self.fields[-1] = (name, words.removeprefix("\n"))
            self._text = None
        if tag == "form":
            self._inside = False


def fields_in(page: str) -> dict[str, Any]:
    """Return what the form on the page sends; a name with several values has a list."""
    form = _Form()
    form.feed(page)
    fields: dict[str, Any] = {}
    for name, value in form.fields:
        fields.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}


class Editor:
    """A person who is signed in, and works in the editor's pages."""

    def __init__(self, http: Any, token: str) -> None:
        self.http, self._cookies = http, {"Cookie": f"{SESSION_COOKIE}={token}"}

    def get(self, path: str = "") -> Any:
        return self.http.get(EDIT + path, headers=self._cookies)

    def post(self, path: str, fields: dict[str, Any] | None = None, **headers: str) -> Any:
        sent = self._cookies | OWN_PAGE | headers
        return self.http.post(EDIT + path, data=fields or {}, headers=sent, follow_redirects=False)

    def open(self, guide: str, page: str) -> dict[str, Any]:
        """Return the fields of a section's form as it is opened now."""
        response = self.get(f"/{guide}/sections/{page}")
        assert response.status_code == 200, response.text
        return fields_in(response.text)

    def save(self, guide: str, page: str, fields: dict[str, Any], act: str = "") -> Any:
        return self.post(f"/{guide}/sections/{page}", fields | ({"act": act} if act else {}))

    def version(self, guide: str) -> str:
        """Return the version that the draft's page shows."""
        found = re.search(r'name="version" value="(\d+)"', self.get(f"/{guide}").text)
        assert found is not None
        return found[1]


ANN, BEN = "Ann Example", "Ben Example"
WORDS = "Words that only Ann wrote"


def editor(service: FastAPI, client: TestClient, name: str, role: Role = Role.EDITOR) -> Editor:
    token = sign_in_as(service, client, name, role)
    client.cookies.clear()
    return Editor(client, token)


@pytest.fixture
def ann(service: FastAPI, client: TestClient) -> Editor:
    return editor(service, client, ANN)


@pytest.fixture
def ben(service: FastAPI, client: TestClient) -> Editor:
    return editor(service, client, BEN, Role.PUBLISHER)


def stored(service: FastAPI, guide: str = SEED_GUIDE) -> dict[str, Any]:
    context: AppContext = service.state.context
    with Session(context.engine) as session:
        draft = find_guide_draft(session, guide)
        assert draft is not None
        return draft.read()


def ids_of(service: FastAPI) -> list[str]:
    return [each["id"] for each in stored(service)["indicators"]]


def test_a_form_that_is_saved_as_it_was_opened_changes_no_word(service: FastAPI, ann: Editor) -> None:
    ann.post(f"/{SEED_GUIDE}/begin")
    before = stored(service)

    for page in EDIT_PAGES:
        saved = ann.save(SEED_GUIDE, page, ann.open(SEED_GUIDE, page))
        assert saved.status_code == 303, saved.text

    assert stored(service) == before


def test_what_no_field_shows_stays_as_it_was(service: FastAPI, client: TestClient, ann: Editor) -> None:
    odd = {
        "title": 5,
        "titel": [1],
        "publisher": "Example",
        "review_by": None,
        "indicators": ["a word", {"id": "x", "text": "T", "acount": {"deep": 1}, "kind": "other"}, {"id": "x"}],
        "contacts": [{"id": "Not A Slug", "phones": "none", "opening_hours": [{"days": ["friday", "day"]}, 3]}],
        "factors": {"not": "a list"},
    }
    writer_of(service, client, "cms").saved(odd)

    for page in EDIT_PAGES:
        saved = ann.save(NEW_GUIDE, page, ann.open(NEW_GUIDE, page))
        assert saved.status_code == 303, saved.text

    found = stored(service, NEW_GUIDE)
    assert (found["titel"], found["publisher"], found["indicators"][0]) == ([1], "Example", "a word")
    assert found["indicators"][1]["acount"] == {"deep": 1}
    assert found["indicators"][1]["kind"] == "other"
    assert found["contacts"][0]["phones"] == "none"
    assert found["contacts"][0]["opening_hours"] == [{"days": ["friday", "day"]}, 3]
    assert len({each["id"] for each in found["indicators"][1:]}) == 2
    assert found["factors"] == {"not": "a list"}


def test_items_are_moved_and_removed_by_buttons(service: FastAPI, ann: Editor) -> None:
    ann.post(f"/{SEED_GUIDE}/begin")
    first, second, third, *rest = ids_of(service)

    ann.save(SEED_GUIDE, "indicators", ann.open(SEED_GUIDE, "indicators"), "up:indicators.1")
    assert ids_of(service) == [second, first, third, *rest]
    ann.save(SEED_GUIDE, "indicators", ann.open(SEED_GUIDE, "indicators"), "down:indicators.1")
    assert ids_of(service) == [second, third, first, *rest]
    ann.save(SEED_GUIDE, "indicators", ann.open(SEED_GUIDE, "indicators"), "remove:indicators.0")
    assert ids_of(service) == [third, first, *rest]


def test_new_items_get_ids_from_words_and_published_ones_keep_theirs(service: FastAPI, ann: Editor) -> None:
    ann.post(f"/{SEED_GUIDE}/begin")
    added = ann.save(SEED_GUIDE, "linked_risks", ann.open(SEED_GUIDE, "linked_risks"), "add:linked_risks")
    fields = ann.open(SEED_GUIDE, "linked_risks")
    last = len(stored(service)["linked_risks"]) - 1
    first_id = fields["linked_risks.0.id"]
    fields |= {f"linked_risks.{last}.text": "forced labour", "linked_risks.0.text": "Quite other words"}

    ann.save(SEED_GUIDE, "linked_risks", fields)

    items = stored(service)["linked_risks"]
    assert added.headers["location"].endswith(f"#linked_risks.{last}")
    assert (items[last]["id"], items[0]["id"], items[0]["text"]) == ("forced-labour", first_id, "Quite other words")


def test_two_editors_in_two_sections_do_not_meet(service: FastAPI, ann: Editor, ben: Editor) -> None:
    ann.post(f"/{SEED_GUIDE}/begin")
    of_ann, of_ben = ann.open(SEED_GUIDE, "factors"), ben.open(SEED_GUIDE, "details")

    saved = [
        ann.save(SEED_GUIDE, "factors", of_ann | {"factors.0.text": WORDS}),
        ben.save(SEED_GUIDE, "details", of_ben | {"title": "Ben's title"}),
    ]

    assert [each.status_code for each in saved] == [303, 303]
    assert (stored(service)["factors"][0]["text"], stored(service)["title"]) == (WORDS, "Ben's title")


def test_the_later_of_two_editors_sees_both_texts_and_can_take_over(service: FastAPI, ann: Editor, ben: Editor) -> None:
    ann.post(f"/{SEED_GUIDE}/begin")
    of_ann, of_ben = ann.open(SEED_GUIDE, "factors"), ben.open(SEED_GUIDE, "factors")
    ben.save(SEED_GUIDE, "factors", of_ben | {"factors.0.text": "Words of Ben"})

    conflict = ann.save(SEED_GUIDE, "factors", of_ann | {"factors.0.text": WORDS}, "remove:factors.1")

    assert conflict.status_code == 412
    assert WORDS in conflict.text
    assert "Words of Ben" in conflict.text
    assert "Ben Example" in conflict.text
    assert stored(service)["factors"][0]["text"] == "Words of Ben"
    assert ann.save(SEED_GUIDE, "factors", fields_in(conflict.text)).status_code == 303
    assert stored(service)["factors"][0]["text"] == WORDS


def test_words_typed_while_the_draft_was_removed_are_not_lost(service: FastAPI, ann: Editor, ben: Editor) -> None:
    ann.post(f"/{SEED_GUIDE}/begin")
    fields = ann.open(SEED_GUIDE, "factors")
    ben.post(f"/{SEED_GUIDE}/removal", {"version": ben.version(SEED_GUIDE), "agreed": "yes"})

    conflict = ann.save(SEED_GUIDE, "factors", fields | {"factors.0.text": WORDS})

    assert conflict.status_code == 412
    assert WORDS in conflict.text
    ann.save(SEED_GUIDE, "factors", fields_in(conflict.text))
    assert stored(service)["factors"][0]["text"] == WORDS
    assert stored(service)["indicators"], "the rest is that of the current edition"


def test_an_autosave_is_answered_again_if_its_answer_was_lost(ann: Editor) -> None:
    ann.post(f"/{SEED_GUIDE}/begin")
    fields = ann.open(SEED_GUIDE, "factors")
    typed = fields | {"factors.0.text": WORDS, "act": "autosave"}
    tag = f'"{fields["shown"]}"'
    path = f"/{SEED_GUIDE}/sections/factors"

    first, again = ann.post(path, typed, **{"If-Match": tag}), ann.post(path, typed, **{"If-Match": tag})
    stale = ann.post(path, typed | {"factors.0.text": "Other words"}, **{"If-Match": tag})

    assert first.json()["shown"] == again.json()["shown"]
    assert (first.status_code, stale.status_code) == (200, 412)


def test_a_second_person_publishes_what_the_page_showed(
    service: FastAPI, client: TestClient, ann: Editor, ben: Editor
) -> None:
    writer_of(service, client, "cms").saved(whole_draft(indicators=[]))
    ann.save(NEW_GUIDE, "details", ann.open(NEW_GUIDE, "details") | {"title": "A guide by Ann"})
    version = ann.version(NEW_GUIDE)
    ann.post(f"/{NEW_GUIDE}/offer", {"version": version})
    assert "Waiting for a second person" in ben.get().text

    by_writer = ann.post(f"/{NEW_GUIDE}/publication", {"version": version, "follows": "", "agreed": "yes"})
    unread = ben.post(f"/{NEW_GUIDE}/publication", {"version": "1", "follows": "", "agreed": "yes"})
    published = ben.post(f"/{NEW_GUIDE}/publication", {"version": version, "follows": "", "agreed": "yes"})

    assert (by_writer.status_code, unread.status_code, published.status_code) == (403, 412, 200)
    assert client.get(f"/guides/{NEW_GUIDE}").status_code == 200
    assert ann.get(f"/{NEW_GUIDE}").status_code == 404


def test_a_publisher_who_wrote_a_word_does_not_publish(service: FastAPI, ben: Editor, client: TestClient) -> None:
    writer_of(service, client, "cms").saved(whole_draft())
    ben.save(NEW_GUIDE, "details", ben.open(NEW_GUIDE, "details") | {"title": "A guide by Ben"})

    refused = ben.post(f"/{NEW_GUIDE}/publication", {"version": ben.version(NEW_GUIDE), "follows": "", "agreed": "yes"})

    assert refused.status_code == 403
    assert client.get(f"/guides/{NEW_GUIDE}").status_code == 404


def test_a_title_begins_a_guide_and_a_taken_title_is_refused(service: FastAPI, ann: Editor) -> None:
    begun = ann.post("/new", {"title": "County lines"})
    again = ann.post("/new", {"title": "County Lines!"})

    assert begun.headers["location"] == f"/edit/{NEW_GUIDE}"
    assert stored(service, NEW_GUIDE)["title"] == "County lines"
    assert again.headers["location"] == f"/edit?fault={NEW_GUIDE}"
    assert "There is already a guide or draft with this name" in ann.get(f"?fault={NEW_GUIDE}").text


def test_the_preview_is_marked_and_stored_nowhere(service: FastAPI, client: TestClient, ann: Editor) -> None:
    writer = writer_of(service, client, "cms")
    writer.saved(whole_draft())

    for preview in (ann.get(f"/{NEW_GUIDE}/preview"), writer.call("GET", "/preview")):
        assert "DRAFT. Not published" in preview.text
        assert preview.headers["cache-control"] == "no-store"
    writer.saved({"title": "Not yet"})
    assert writer.call("GET", "/preview").status_code == 422


def test_no_other_role_sees_drafts(service: FastAPI, client: TestClient, ann: Editor) -> None:
    ann.post(f"/{SEED_GUIDE}/begin")
    for role in (each for each in Role if Scope.DRAFT not in SCOPES_OF[each]):
        other = editor(service, client, f"Jo {role}", role)
        for path in ("", f"/{SEED_GUIDE}", f"/{SEED_GUIDE}/sections/details", f"/{SEED_GUIDE}/preview"):
            assert other.get(path).status_code == 403, (role, path)
        assert other.post(f"/{SEED_GUIDE}/begin").status_code == 403


def test_nobody_sees_drafts_without_signing_in_and_no_other_site_posts(client: TestClient, ann: Editor) -> None:
    assert client.get("/edit", follow_redirects=False).headers["location"] == "/desk/sign-in?page=%2Fedit"
    assert ann.post("/new", {"title": "X"}, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_an_editor_is_led_to_the_guides_and_sees_no_concern(service: FastAPI, client: TestClient) -> None:
    sign_in_as(service, client, ANN, Role.EDITOR)

    assert client.get("/desk", follow_redirects=False).headers["location"] == "/edit"
    assert client.get("/desk/people").status_code == 403
