"""Pictures in simple words, from an editor's upload to the pages, the API and print, and until they are withdrawn."""

import io
import json
import re
from typing import Any

import pytest
from fastapi import FastAPI
from pypdf import PdfReader
from sqlmodel import Session, select
from starlette.testclient import TestClient

from app.extensions.editing import DOCUMENT_PATH, PICTURE_PATH
from app.extensions.editing.pages.pictures import CHANGED, NO_ALT, NO_PICTURE, TOO_LARGE
from app.extensions.editing.services import uploads
from app.extensions.editing.services.picture_child import NOT_A_PICTURE, read
from app.models.access.roles import Role
from app.models.guides.edition_rows import PictureRow
from app.pages.error_pages import FILE_TOO_LARGE
from tests.extensions.editing.test_edit_pages import Editor, editor
from tests.extensions.editing.test_rendition_drafts import version_of
from tests.support.drafts import SEED_GUIDE
from tests.support.people import OWN_PAGE, context_of_service
from tests.support.pictures import ALT, ITEM, SIMPLE, drawing, file_of, picture_of, publish_pictured, stored_jpeg
from tests.support.publishing import GUIDE, an_edition, publish_next
from tests.support.renditions import withdraw_a_rendition

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

DRAFT = f"/{SEED_GUIDE}/renditions/{SIMPLE}"
PICTURES = f"{DRAFT}/pictures"
PUBLIC = f"/guides{DRAFT}"
CONTACT = "contacts/duty-and-assessment-team"


@pytest.fixture(autouse=True)
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read pictures in this process: a child takes a moment to start."""
    monkeypatch.setattr(uploads, "_run_reader", lambda _name, data, _reader: json.loads(read("", data)))


@pytest.fixture
def ann(service: FastAPI, client: TestClient) -> Editor:
    person = editor(service, client, "Ann Example")
    person.post(f"/{SEED_GUIDE}/renditions/begin", {"form": "easy_read", "language": ""})
    return person


def shown_for(person: Editor, item: str = ITEM) -> str:
    """Return what the form names as the picture that it shows for the item."""
    form = person.get(PICTURES).text.partition(f'name="item" value="{item}"')[2]
    found = re.search(r'name="shown" value="([^"]*)"', form)
    assert found is not None
    return found[1]


def upload(person: Editor, data: bytes = b"", item: str = ITEM, **fields: str) -> Any:
    given = {"guide": SEED_GUIDE, "language": SIMPLE, "item": item, "alt": ALT} | fields
    given.setdefault("shown", shown_for(person, item))
    return person.http.post(
        "/edit/picture",
        files={"picture": ("picture.svg", data)},
        data=given,
        headers=person._cookies | OWN_PAGE,
        follow_redirects=False,
    )


def stored_pictures(service: FastAPI) -> set[str]:
    with Session(context_of_service(service).engine) as session:
        return set(session.exec(select(PictureRow.digest)))


def sources(page: str) -> list[str]:
    return re.findall(r'<img[^>]* src="([^"]+)"', page) + re.findall(r'<img src="([^"]+)"', page)


def test_a_picture_goes_from_upload_to_every_form_that_shows_it(
    service: FastAPI, client: TestClient, ann: Editor
) -> None:
    ben = editor(service, client, "Ben Example", Role.PUBLISHER)
    assert upload(ann, file_of(drawing())).headers["location"] == f"/edit{PICTURES}#{ITEM}"
    seen = ben.get(DRAFT).text
    assert f"Picture: {ALT}" in seen
    assert 'src="data:image/jpeg;base64,' in ben.get(f"{DRAFT}/preview").text
    version = version_of(ann, DRAFT)
    ann.post(f"/{SEED_GUIDE}/offer?language={SIMPLE}", {"version": version})

    agreed = {"version": version, "agreed": "yes", "follows": "1"}
    assert ben.post(f"/{SEED_GUIDE}/publication?language={SIMPLE}", agreed).status_code == 200

    facts = client.get(f"{GUIDE}/renditions/{SIMPLE}").json()["rendition"]
    (shown,) = facts["pictures"]
    assert (shown["alt"], shown["width"], shown["height"]) == (ALT, 320, 240)
    page = client.get(PUBLIC).text
    image = f'<img src="{shown["url"]}" alt="{ALT}" width="320" height="240" loading="lazy" lang="{SIMPLE}" dir="ltr">'
    assert image in page
    assert f"{GUIDE}/renditions/{SIMPLE}/large-print.pdf" in page
    picture = client.get(shown["url"])
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert picture.headers["x-content-type-options"] == "nosniff"
    assert f"![{ALT}](" in client.get(f"{GUIDE}/renditions/{SIMPLE}.md").text
    prints = [
        PdfReader(io.BytesIO(client.get(f"{GUIDE}/renditions/{SIMPLE}{form}").content))
        for form in ("/large-print.pdf", ".pdf")
    ]
    assert [sum(len(side.images) for side in each.pages) for each in prints] == [1, 0]


def test_simple_words_without_pictures_begin_with_what_they_are(client: TestClient) -> None:
    page = client.get(PUBLIC).text

    assert client.get(f"{GUIDE}/renditions/{SIMPLE}").json()["rendition"]["pictures"] == []
    assert '<div class="pictured">' not in page
    assert re.search(r"</h1>\s*<p>This is the guide in simple words\.", page)
    assert "Easy Read" not in page


@pytest.mark.parametrize(
    ("data", "fields", "sentence"),
    [
        (b"<svg></svg>", {}, NOT_A_PICTURE),
        (b"", {}, NO_PICTURE),
        (file_of(drawing()), {"alt": " "}, NO_ALT),
        (bytes(uploads.MAX_UPLOAD_BYTES + 1), {}, TOO_LARGE),
    ],
)
def test_a_refused_picture_is_explained_beside_its_item(
    service: FastAPI, ann: Editor, data: bytes, fields: dict[str, str], sentence: str
) -> None:
    page = upload(ann, data, **fields)

    assert page.status_code == 422
    assert f'<a href="#{ITEM}">{sentence}</a>' in page.text
    assert stored_pictures(service) == set()


def test_a_file_of_any_size_is_refused_as_a_file(ann: Editor) -> None:
    large = {"Content-Type": "multipart/form-data; boundary=a", "Accept": "text/html"}

    refused = ann.http.post("/edit/picture", content=bytes(2_000_001), headers=ann._cookies | OWN_PAGE | large)

    assert refused.status_code == 413
    assert FILE_TOO_LARGE in refused.text


@pytest.mark.parametrize("path", [DOCUMENT_PATH, PICTURE_PATH])
def test_a_program_is_told_the_limit_of_files(ann: Editor, path: str) -> None:
    refused = ann.http.post(path, content=bytes(2_000_001), headers=ann._cookies | OWN_PAGE)

    assert refused.status_code == 413
    assert refused.json()["detail"] == "The limit is 2,000,000 bytes. Send a smaller file."


def test_an_unused_picture_is_deleted(service: FastAPI, ann: Editor) -> None:
    upload(ann, file_of(drawing(colour="red")))
    (first,) = stored_pictures(service)
    upload(ann, file_of(drawing(colour="blue")))
    (second,) = stored_pictures(service)
    assert first != second
    upload(ann, alt="Other words")
    assert stored_pictures(service) == {second}
    assert "Other words" in ann.get(PICTURES).text
    upload(ann, act="remove")
    assert stored_pictures(service) == set()

    upload(ann, file_of(drawing()))
    version = version_of(ann, DRAFT)
    ann.post(f"/{SEED_GUIDE}/removal?language={SIMPLE}", {"version": version, "agreed": "yes"})
    assert stored_pictures(service) == set()


def test_a_picture_that_somebody_changed_is_not_overwritten(service: FastAPI, client: TestClient, ann: Editor) -> None:
    ben = editor(service, client, "Ben Example", Role.PUBLISHER)
    upload(ann, file_of(drawing()))
    kept = stored_pictures(service)

    refused = upload(ben, file_of(drawing(colour="red")), shown="")

    assert refused.status_code == 412
    assert CHANGED in refused.text
    assert stored_pictures(service) == kept


def test_saved_texts_and_a_later_edition_keep_the_pictures(service: FastAPI, ann: Editor) -> None:
    upload(ann, file_of(drawing()))
    gone = an_edition().indicators[0].id
    upload(ann, file_of(drawing(colour="red")), item=f"indicators/{gone}")
    kept = shown_for(ann)
    ann.post(f"{DRAFT}/texts", {"shown": version_of(ann, DRAFT), "made_by": "human", "text:title": "A title"})
    assert shown_for(ann) == kept
    assert len(stored_pictures(service)) == 2

    others = [each.model_dump() | {"position": place} for place, each in enumerate(an_edition().indicators[1:], 1)]
    publish_next(service, indicators=others, change_note="One sign fewer.")
    ann.post(f"{DRAFT}/move")

    assert shown_for(ann) == kept
    assert len(stored_pictures(service)) == 1


def test_a_picture_is_public_only_while_its_rendition_is(service: FastAPI, client: TestClient, ann: Editor) -> None:
    upload(ann, file_of(drawing()))
    (digest,) = stored_pictures(service)
    name = f"{digest.removeprefix('sha256:')}.jpg"
    assert client.get(f"{PUBLIC}/1/pictures/{name}").status_code == 404
    mine = ann.get(f"{PICTURES}/{name}")
    assert (mine.status_code, mine.headers["cache-control"]) == (200, "no-store")
    assert client.get(f"/edit{PICTURES}/{name}", follow_redirects=False).status_code == 303

    jpeg = stored_jpeg()
    published = publish_pictured(service, jpeg)
    path = f"{PUBLIC}/{published.key.number}/pictures/{picture_of(jpeg)['digest'].removeprefix('sha256:')}.jpg"
    assert client.get(path).status_code == 200
    withdraw_a_rendition(service, SIMPLE, published.key.number)
    assert client.get(path).status_code == 410


def test_a_contact_with_new_words_has_no_former_picture(service: FastAPI, client: TestClient) -> None:
    jpeg = stored_jpeg()
    publish_pictured(service, jpeg, pictures=[picture_of(jpeg), picture_of(jpeg, item=CONTACT)])
    assert len(client.get(f"{GUIDE}/renditions/{SIMPLE}").json()["rendition"]["pictures"]) == 2

    contacts = [each.model_dump() for each in an_edition().contacts]
    next(each for each in contacts if each["id"] == CONTACT.partition("/")[2])["name"] = "Another team"
    publish_next(service, contacts=contacts, change_note="Another team.")

    (left,) = client.get(f"{GUIDE}/renditions/{SIMPLE}").json()["rendition"]["pictures"]
    assert left["at"].startswith("/indicators/")
