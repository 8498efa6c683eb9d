"""Renditions, the history and withdrawals on the editors' pages."""

import re
from typing import Any

import pytest
from fastapi import FastAPI
from sqlmodel import Session
from starlette.testclient import TestClient

from app.extensions.editing.verification import find_changed_drafts
from app.models.access.roles import Role
from tests.extensions.editing.test_edit_pages import Editor, editor, fields_in
from tests.support.drafts import SEED_GUIDE
from tests.support.people import context_of_service
from tests.support.publishing import an_edition, publish_next

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

GUIDE = f"/{SEED_GUIDE}"
WELSH = f"{GUIDE}/renditions/cy"
BEGIN_WELSH = {"form": "translation", "language": "cy"}
NEW_WORDS = "Having quite a few new things, money or phones"


@pytest.fixture
def ann(service: FastAPI, client: TestClient) -> Editor:
    return editor(service, client, "Ann Example")


@pytest.fixture
def ben(service: FastAPI, client: TestClient) -> Editor:
    return editor(service, client, "Ben Example", Role.PUBLISHER)


def reword(service: FastAPI) -> str:
    """Publish an edition in which one indicator has new words, and return the path of that text."""
    indicators = [each.model_dump() for each in an_edition().indicators]
    indicators[1]["text"] = NEW_WORDS
    publish_next(service, indicators=indicators, change_note="One sign in new words.")
    return f"indicators/{indicators[1]['id']}/text"


def texts_of(person: Editor) -> dict[str, Any]:
    return fields_in(person.get(f"{WELSH}/texts").text)


def words_of(page: str) -> str:
    return " ".join(page.split())


def version_of(person: Editor, path: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', person.get(path).text)
    assert found is not None
    return found[1]


def publish_welsh(writer: Editor, second: Editor, follows: str = "2") -> Any:
    query = "?language=cy"
    version = version_of(writer, WELSH)
    writer.post(f"{GUIDE}/offer{query}", {"version": version})
    agreed = {"version": version, "agreed": "yes", "follows": follows}
    return second.post(f"{GUIDE}/publication{query}", agreed)


def test_a_welsh_rendition_goes_stale_and_is_mended(
    service: FastAPI, client: TestClient, ann: Editor, ben: Editor
) -> None:
    path = reword(service)
    assert 'renditions#cy">Welsh</a>' in ann.get().text
    ann.post(f"{GUIDE}/renditions/begin", BEGIN_WELSH)
    fields = texts_of(ann)
    page = words_of(ann.get(WELSH).text)
    assert page.count("The guide’s words changed") == 1
    assert "1 text is of former words" in page

    checked = {"checked_by": "Example Translation Team", "checked_on": "2026-11-24"}
    ann.post(f"{WELSH}/texts", fields | checked | {f"text:{path}": "Geiriau newydd"})
    published = publish_welsh(ann, ben)

    assert published.status_code == 200
    read = client.get(f"/v1/guides/{SEED_GUIDE}/renditions/cy").json()
    facts = read["rendition"]
    assert (facts["behind"], facts["checked_by"]) == (False, "Example Translation Team")
    assert read["indicators"][1]["text"] == "Geiriau newydd"
    assert "renditions#cy" not in ann.get().text


@pytest.mark.parametrize("path", ["title/x", "indicators/NOT AN ID/text", "indicators/secrecy/nothing", "made-up"])
def test_a_text_that_no_edition_has_is_refused_and_the_draft_stays(ann: Editor, path: str) -> None:
    ann.post(f"{GUIDE}/renditions/begin", BEGIN_WELSH)
    fields = texts_of(ann)

    refused = ann.post(f"{WELSH}/texts", fields | {f"text:{path}": "Geiriau"})

    assert refused.status_code == 400
    assert texts_of(ann) == fields


def test_a_published_rendition_is_not_called_an_edition(ann: Editor, ben: Editor) -> None:
    ann.post(f"{GUIDE}/renditions/begin", BEGIN_WELSH)
    ann.post(f"{WELSH}/texts", texts_of(ann) | {"text:title": "Geiriau newydd"})

    page = publish_welsh(ann, ben, follows="1").text

    assert "<h1>Welsh, number 2, is published</h1>" in page
    assert f'href="/guides{WELSH}/2"' in page


@pytest.mark.parametrize("settled", [False, True])
def test_a_translation_of_former_words_counts_only_once_it_is_settled(
    service: FastAPI, client: TestClient, ann: Editor, ben: Editor, settled: bool
) -> None:
    path = reword(service)
    ann.post(f"{GUIDE}/renditions/begin", BEGIN_WELSH)
    fields = texts_of(ann)
    old = fields[f"text:{path}"]

    ann.post(f"{WELSH}/texts", fields | ({f"settled:{path}": "yes"} if settled else {}))
    publish_welsh(ann, ben)

    read = client.get(f"/v1/guides/{SEED_GUIDE}/renditions/cy").json()
    assert read["indicators"][1]["text"] == (old if settled else NEW_WORDS)
    assert ("/indicators/1/text" in read["rendition"]["in_guide_language"]) is not settled


def test_a_draft_of_a_rendition_moves_to_a_newer_edition(service: FastAPI, ann: Editor) -> None:
    ann.post(f"{GUIDE}/renditions/begin", BEGIN_WELSH)
    reword(service)
    assert "Edition 2 is current now" in ann.get(WELSH).text

    ann.post(f"{WELSH}/move")

    assert words_of(ann.get(WELSH).text).count("The guide’s words changed") == 1


def test_two_translators_see_each_other_s_texts(ann: Editor, ben: Editor) -> None:
    ann.post(f"{GUIDE}/renditions/begin", BEGIN_WELSH)
    of_ann, of_ben = texts_of(ann), texts_of(ben)
    ben.post(f"{WELSH}/texts", of_ben | {"text:title": "Geiriau Ben"})

    conflict = ann.post(f"{WELSH}/texts", of_ann | {"text:title": "Geiriau Ann"})

    assert conflict.status_code == 412
    assert "Geiriau Ann" in conflict.text
    assert "Geiriau Ben" in conflict.text
    again = ann.post(f"{WELSH}/texts", of_ann | {"text:title": "Geiriau Ann", "act": "autosave"})
    assert again.status_code == 412
    assert ann.post(f"{WELSH}/texts", fields_in(conflict.text)).status_code == 303
    assert texts_of(ben)["text:title"] == "Geiriau Ann"


def test_a_film_needs_its_link_and_an_unknown_language_is_refused(ann: Editor) -> None:
    unknown = ann.post(f"{GUIDE}/renditions/begin", BEGIN_WELSH | {"language": "Klingonese"})
    ann.post(f"{GUIDE}/renditions/begin", {"form": "bsl_video", "language": ""})

    assert unknown.headers["location"].endswith("?fault=language#language")
    assert "Enter the name of a language" in ann.get(f"{GUIDE}/renditions?fault=language").text
    assert "Large print, a film or a recording needs its link." in ann.get(f"{GUIDE}/renditions/bfi").text


def test_a_language_is_begun_by_its_name(ann: Editor) -> None:
    begun = ann.post(f"{GUIDE}/renditions/begin", BEGIN_WELSH | {"language": "polish"})

    assert begun.headers["location"] == f"/edit{GUIDE}/renditions/pl/texts"


def test_the_details_of_a_rendition_are_read_as_written_with_errors_beside_them(ann: Editor) -> None:
    ann.post(f"{GUIDE}/renditions/begin", {"form": "bsl_video", "language": ""})
    film = f"{GUIDE}/renditions/bfi"
    typed = fields_in(ann.get(f"{film}/texts").text) | {
        "checked_by": "Example Translation Team",
        "checked_on": "30th Sept 2026",
        "link.url": "film.example",
        "act": "autosave",
    }

    saved = ann.post(f"{film}/texts", typed).json()
    page, draft = ann.get(f"{film}/texts").text, words_of(ann.get(film).text)
    unclear = ann.post(f"{film}/texts", typed | {"shown": saved["shown"], "checked_on": "soon"}).json()

    assert fields_in(page)["checked_on"] == "30 September 2026"
    assert "Example Translation Team on 30 September 2026." in draft
    assert saved["beside"] == {
        "link.url": "Enter a web address that begins with https://",
        "link.title": "Fill in ‘Title’",
        "link.text_alternative": "Fill in ‘Text alternative’",
    }
    assert unclear["beside"]["checked_on"] == "Enter a day, such as 30 September 2027"
    assert re.search(r'id="link.title-fault"[^>]*><span class="vh">Error: </span><span>Fill in ‘Title’', page)


def test_a_rendition_is_previewed_as_readers_will_see_it(client: TestClient, ann: Editor) -> None:
    ann.post(f"{GUIDE}/renditions/begin", BEGIN_WELSH)
    ann.post(f"{WELSH}/texts", texts_of(ann) | {"text:title": "Geiriau newydd", "made_by": "human"})

    preview = ann.get(f"{WELSH}/preview")

    assert "DRAFT. Not published" in preview.text
    assert '<html lang="cy">' in preview.text
    assert '<h1 lang="cy" dir="ltr">Geiriau newydd</h1>' in preview.text
    assert (preview.headers["cache-control"], preview.headers["x-robots-tag"]) == ("no-store", "noindex")
    linked = re.search(r'id="link" value="[^"#]*#([^"]+)"', ann.post(f"{GUIDE}/links?language=cy", {"days": "1"}).text)
    assert linked is not None
    assert "Geiriau newydd" in client.post("/draft-preview", data={"token": linked[1]}).text
    assert "Geiriau newydd" not in client.get(f"/cy/guides/{SEED_GUIDE}").text
    ann.post(f"{WELSH}/texts", texts_of(ann) | {"made_by": "machine", "tool": ""})
    assert ann.get(f"{WELSH}/preview").history[0].headers["location"] == f"/edit{WELSH}#to-do"


def test_an_edition_is_withdrawn_after_a_look_at_what_readers_get(
    service: FastAPI, client: TestClient, ann: Editor, ben: Editor
) -> None:
    contacts = [each.model_dump(mode="json") for each in an_edition().contacts]
    contacts[0]["phones"][0] |= {"number": "+441225396999", "display": "396999"}
    publish_next(service, contacts=contacts, change_note="A number.")
    path = f"{GUIDE}/editions/2/withdrawal"
    reason = {"reason": "The number was wrong."}

    look = words_of(ben.post(path, reason | {"do": "look"}).text)
    assert "The number was wrong." in look
    assert "edition 1</a>" in look
    assert re.search(r"01225 396999.* is now .*01225 396312", look)
    assert client.get(f"/guides/{SEED_GUIDE}/editions/2").status_code == 200
    assert ann.post(path, reason | {"do": "withdraw"}).status_code == 403, "an editor does not withdraw"
    assert ben.post(path, {"reason": " ", "do": "withdraw"}).status_code == 200, "not without a reason"
    ben.post(path, reason | {"do": "withdraw"})

    assert client.get(f"/guides/{SEED_GUIDE}/editions/2").status_code == 410
    page = words_of(ann.get(f"{GUIDE}/history").text)
    assert "by Ben Example: The number was wrong." in page
    assert re.search(r"01225 396312.* is now .*01225 396999", page)
    with Session(context_of_service(service).engine) as session:
        assert [*find_changed_drafts(session)] == []


def test_a_rendition_is_withdrawn_on_its_page(client: TestClient, ben: Editor) -> None:
    path = f"{WELSH}/1/withdrawal"

    assert "readers have the guide in English" in ben.get(path).text
    ben.post(path, {"reason": "A word was wrong.", "do": "withdraw"})

    assert client.get(f"/v1/guides/{SEED_GUIDE}/renditions/cy").status_code == 410


def test_a_language_in_the_query_does_not_withdraw_a_rendition_in_place_of_an_edition(
    client: TestClient, ben: Editor
) -> None:
    ben.post(f"{GUIDE}/editions/1/withdrawal?language=cy", {"reason": "A number was wrong.", "do": "withdraw"})

    assert client.get(f"/guides/{SEED_GUIDE}/editions/1").status_code == 410
    assert client.get(f"/v1/guides/{SEED_GUIDE}/renditions/cy/1").json().get("withdrawn_at") is None


def test_a_comment_on_a_text_without_a_translation_keeps_its_place(ann: Editor) -> None:
    ann.post(f"{GUIDE}/renditions/begin", BEGIN_WELSH | {"language": "pl"})
    polish = f"{GUIDE}/renditions/pl"
    about = re.findall(r'<option value="(indicators/[^"]+)">', ann.get(polish).text)[0]

    ann.post(f"{GUIDE}/comments?language=pl", {"about": about, "text": "Who can translate this?"})
    ann.post(f"{GUIDE}/comments?language=pl", {"about": "indicators/none-such", "text": "About all of it"})

    page = ann.get(polish).text
    assert page.count(f'href="/edit{polish}#{about}"') == 1
    assert page.count(", about ") == 1
