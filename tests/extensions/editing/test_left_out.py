"""Without editing: its paths, templates and menu are unknown; its drafts stay, are verified, and are there again."""

from dataclasses import replace

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from starlette.testclient import TestClient

from app.config import Settings
from app.db.database import for_writing
from app.extensions.editing import DOCUMENT_PATH
from app.http.request_bodies import MAX_BODY_BYTES
from app.main import create_app
from app.models.access.roles import Role
from app.pages.page import page_templates
from app.services.operations.invariants import Invariant, find_broken
from app.services.operations.verification import find_all_faults
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.drafts import NEW_GUIDE, whole_draft, writer_of
from tests.support.people import OWN_PAGE, context_of_service, sign_in_as

pytestmark = pytest.mark.slow
ABOUT, FAULT = f"draft of {NEW_GUIDE}", "it differs from its recorded actions"


@pytest.fixture
def trunk(settings: Settings, clock: SettableClock) -> FastAPI:
    return create_app(settings.model_copy(update={"extensions": ("open_data", "operator_tools", "terminal")}), clock)


def test_a_draft_stays_while_editing_is_left_out_is_verified_and_is_there_again(
    settings: Settings, trunk: FastAPI, clock: SettableClock
) -> None:
    service, engine = create_app(settings, clock), context_of_service(trunk).engine
    with TestClient(service) as client:
        ann = writer_of(service, client, "ann")
        ann.saved(whole_draft())
        before = ann.call("GET")
    with TestClient(trunk) as client:
        left_out = replace(ann, http=client).call("GET")
        found = list(find_all_faults(engine))
        with for_writing(engine).begin() as connection:
            connection.execute(text("UPDATE guide_drafts SET content = content || ' '"))
        told = list(find_all_faults(engine))
        noticed = find_broken(engine, Invariant.CHAINS, recipients=(), at=A_TUESDAY)
        with for_writing(engine).begin() as connection:
            connection.execute(text("UPDATE guide_drafts SET content = substr(content, 1, length(content) - 1)"))
    with TestClient(create_app(settings, clock)) as client:
        again = replace(ann, http=client).call("GET")

    assert left_out.status_code == 404
    assert (found, told, noticed) == ([], [(ABOUT, FAULT)], [f"{ABOUT}: {FAULT}"])
    assert (again.json(), again.headers["etag"]) == (before.json(), before.headers["etag"])


@pytest.mark.any_database
def test_an_editor_finds_no_way_to_drafts_at_the_desk(trunk: FastAPI) -> None:
    with TestClient(trunk) as client:
        sign_in_as(trunk, client, role=Role.EDITOR)
        desk, pages = client.get("/desk"), client.get("/edit")

    assert (desk.status_code, desk.url.path) == (200, "/desk/record")
    assert "/edit" not in desk.text
    assert pages.status_code == 404


@pytest.mark.any_database
def test_a_sign_in_leads_back_to_the_pages_of_editing_only_while_it_is_on(service: FastAPI, trunk: FastAPI) -> None:
    led = []
    for each in (service, trunk):
        with TestClient(each) as client:
            led.append(client.get("/desk/sign-in", params={"page": "/edit/county-lines"}).text)

    assert ["page=%2Fedit%2Fcounty-lines" in page for page in led] == [True, False]
    assert "/edit" not in led[1]


@pytest.mark.any_database
def test_neither_a_template_of_editing_is_found_nor_a_file_as_large_as_a_document_taken(
    service: FastAPI, trunk: FastAPI
) -> None:
    on, off = (page_templates(context_of_service(each).extensions).list_templates() for each in (service, trunk))
    body = b"x" * (MAX_BODY_BYTES + 1)
    with TestClient(trunk) as client:
        large = client.post(DOCUMENT_PATH, content=body, headers=OWN_PAGE)

    assert {each for each in on if each not in off} == {each for each in on if each.startswith("desk_edit")}
    assert large.status_code == 413
