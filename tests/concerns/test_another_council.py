"""A child of another area, or an adult who works with children: reporter and desk are told who else to call."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.config import SEED_DIR
from app.http.context import AppContext
from app.models.guides.edition_keys import EditionKey
from app.models.guides.seed_files import read_seed_file
from app.models.guides.signposts import SignpostList
from app.pages.desk.referral import layout_of, sections_of
from app.services.guides.reference_data import read_reference_data
from tests.support.concerns import a_concern
from tests.support.databases import on_postgresql
from tests.support.desk import Desk
from tests.support.loops import for_each
from tests.support.node import run_node
from tests.support.service import a_service

pytestmark = pytest.mark.any_database

ROOT = Path(__file__).parents[2]
PASSES_ON = "A child lives in the area of another council. We pass your concern on to that council."
OFFICER = "An adult who works with children is named. You can also call the designated officer (LADO)."
NO_OFFICER = "An adult who works with children is named. Call the duty team, and ask for the designated officer (LADO)."
FORM = {"immediate_danger": "no", "concern.narrative": "Alex Example is scared.", "edition": "1"}
OWN, BRISTOL, WILTSHIRE = "E06000022", "E06000023", "E06000054"
A_COACH = {"name": "Pat Example", "works_with_children": "yes"}


def about(*areas: str, people: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    detail = {"narrative": "Alex Example is scared.", "people_of_concern": list(people)}
    return a_concern(children=[{"home_council": area} for area in areas] or [{}], concern=detail)


@pytest.mark.slow
@for_each(
    ("areas", "people", "called", "steps"),
    [
        ((), (), [], set()),
        ((OWN, "not_known"), ({"works_with_children": "no"},), [], set()),
        ((WILTSHIRE,), (), ["wiltshire-mash"], {PASSES_ON}),
        ((WILTSHIRE, OWN, BRISTOL, WILTSHIRE), (), ["bristol-first-response", "wiltshire-mash"], {PASSES_ON}),
        (("elsewhere",), (), [], {PASSES_ON}),
        ((), ({}, A_COACH), ["designated-officer"], {OFFICER}),
        ((BRISTOL,), (A_COACH,), ["bristol-first-response", "designated-officer"], {PASSES_ON, OFFICER}),
    ],
)
def test_receipt_check_and_retry_say_who_else_to_call(
    client: TestClient,
    areas: tuple[str, ...],
    people: tuple[dict[str, Any], ...],
    called: list[str],
    steps: set[str],
) -> None:
    concern = about(*areas, people=people)
    key = {"Idempotency-Key": f'"also-call-{len(areas)}-{len(people)}-{"-".join(called)}-{len(steps)}"'}

    answers = [
        client.post("/v1/concerns/check", json=concern),
        *(client.post("/v1/concerns", json=concern, headers=key) for _ in range(2)),
    ]

    for each in (answer.json() for answer in answers):
        assert [one["id"] for one in each["also_call"]] == called
        assert {PASSES_ON, OFFICER} & set(each["next_steps"]) == steps
    assert answers[1].content == answers[2].content


def test_where_no_officer_is_known_the_receipt_says_whom_to_ask(
    tmp_path: Path,
) -> None:
    seed = shutil.copytree(SEED_DIR, tmp_path / "seed")
    text = (seed / "signposts.yaml").read_text(encoding="utf-8")
    (seed / "signposts.yaml").write_text(text.replace("allegations: true", "allegations: false"), encoding="utf-8")
    tick = {"concern.people_of_concern.0.works_with_children": "yes"}
    with TestClient(a_service(data_dir=tmp_path / "data", seed_dir=seed)) as client:
        told = client.post("/v1/concerns", json=about(people=(A_COACH,))).json()
        pages = [
            client.post(f"{language}/raise-a-concern", data=FORM | tick | {"do": "send", "reporter.kind": kind}).text
            for language in ("", "/cy")
            for kind in ("member_of_public", "child")
        ]
        calm = client.post("/v1/concerns", json=about(people=({"works_with_children": "no"},))).json()

    assert told["also_call"] == []
    assert NO_OFFICER in told["next_steps"]
    assert {OFFICER, NO_OFFICER}.isdisjoint(calm["next_steps"])
    assert [(NO_OFFICER in page) + ("gofynnwch am y swyddog dynodedig" in page) for page in pages] == [1, 1, 1, 1]


@for_each("kind", ["member_of_public", "child"])
def test_the_receipt_of_a_tick_about_a_worker_has_the_officer(client: TestClient, kind: str) -> None:
    tick = {"concern.people_of_concern.0.works_with_children": "yes", "reporter.kind": kind, "do": "send"}

    page = client.post("/raise-a-concern", data=FORM | tick).text

    assert "Designated officer (LADO)" in page.partition('id="also-call"')[2].partition("</section>")[0]
    assert OFFICER in page


def test_an_area_that_is_none_is_refused_with_its_place(client: TestClient) -> None:
    refused = client.post("/v1/concerns", json=about("E99999999"))

    assert refused.status_code == 422
    (fault,) = refused.json()["errors"]
    assert fault["pointer"] == "#/children/0/home_council"
    assert "E99999999" not in refused.text


def test_a_child_s_home_council_is_sealed_and_never_in_clear(client: TestClient, service: FastAPI, desk: Desk) -> None:
    receipt = client.post("/v1/concerns", json=about(WILTSHIRE, people=(A_COACH,))).json()

    opened = desk.get(f"/concerns/{receipt['reference']}").json()
    assert opened["submission"]["children"] == [{"home_council": WILTSHIRE}]
    told = [desk.get("/concerns").text, client.get(receipt["links"]["self"]).text]
    context: AppContext = service.state.context
    if not on_postgresql():
        told += [path.read_bytes().decode("latin-1") for path in context.settings.data_dir.glob("guidance.db*")]
    codes = (f'"{WILTSHIRE}"', "wiltshire-mash", "Pat Example")
    assert [code for code in codes for text in told if code in text] == []


@pytest.mark.slow
def test_every_other_area_has_a_neighbour_kept_apart_from_the_signposts(client: TestClient) -> None:
    areas = {code.code for code in read_reference_data(SEED_DIR).get_code_list("council").codes}
    listed = client.get("/v1/signposts").json()

    assert {each["council"] for each in listed["neighbours"]} == areas - {OWN, "elsewhere", "not_known"}
    assert {each["council"] for each in listed["signposts"]} == {None, OWN}
    for path in ("/", "/who-can-help"):
        page = client.get(path).text
        assert "0300 456 0108" not in page
        assert "Designated officer (LADO)" in page


def test_the_designated_officer_is_not_offered_when_the_duty_team_is_closed(client: TestClient) -> None:
    card = client.get("/").text.partition('<section class="card call"')[2].partition("</section>")[0]

    assert "Emergency Duty Team" in card
    assert "Designated officer" not in card


def test_a_neighbour_without_its_area_is_refused_when_the_seed_is_read(tmp_path: Path) -> None:
    path = tmp_path / "signposts.yaml"
    text = (SEED_DIR / "signposts.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace(f"    council: {WILTSHIRE}\n", ""), encoding="utf-8")

    with pytest.raises(Exception, match="every neighbour needs the code of its area"):
        read_seed_file(path, SignpostList)


@pytest.mark.slow
def test_browser_and_server_show_first_what_needs_more_than_the_usual_route(
    service: FastAPI, client: TestClient, tmp_path: Path
) -> None:
    context: AppContext = service.state.context
    people = ({"name": "Sam Example"}, A_COACH)
    answers = about(OWN, WILTSHIRE, "elsewhere", people=people)
    receipt = client.post("/v1/concerns", json=answers).json()
    key = EditionKey(receipt["guide"], receipt["edition"])

    sections = sections_of(answers, context.contents(key), context.reference_data)
    usual = sections_of(about(OWN), context.contents(key), context.reference_data)

    assert sections[0].id == "flags"
    ((_, (council, officer)),) = sections[0].groups
    assert council.lines == (
        "Child 2: Wiltshire Council, Multi-Agency Safeguarding Hub: 0300 456 0108, 0300 456 0100",
        "Child 3: An area that is not named.",
    )
    assert officer.label == "Tell the designated officer (LADO)"
    assert officer.lines[0].startswith("Person 2: Works or volunteers with children. Designated officer (LADO): 01225")
    assert "flags" not in [each.id for each in usual]
    if shutil.which("node"):
        layout = layout_of(context, *key)
        script = (
            f"import {{ referralOf }} from {json.dumps(str(ROOT / 'desk_script/src/referral.js'))};"
            f"console.log(JSON.stringify(referralOf({json.dumps(answers)}, {json.dumps(layout)})[0]));"
        )
        told = json.loads(run_node(tmp_path, "node", "--input-type=module", "--eval", script))
        assert told["title"] == sections[0].title
        assert [(each["label"], tuple(each["lines"])) for each in told["groups"][0]["answers"]] == [
            (each.label, each.lines) for each in (council, officer)
        ]
