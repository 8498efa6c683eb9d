"""Tokens: the record names their client and person, and their groups and roles give scopes."""

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.config import Settings, SettingsRefused, parse_settings
from app.errors import SetupError
from app.main import create_app
from app.models.guides.editions import EDITION_EXAMPLE
from tests.support.loops import for_each
from tests.support.openid import Guarded, a_token, guarded_by_a_provider, publish_with

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

DESK = {"scope": "concerns:read audit:read", "azp": "desk-app", "sub": "worker-42"}


@pytest.fixture
def guarded(tmp_path: Path) -> Any:
    with guarded_by_a_provider(tmp_path, openid_person_claim="oid") as guarded:
        yield guarded


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def recorded(service: TestClient, **query: str) -> list[str]:
    """Return who is on the record."""
    answer = service.get("/v1/desk/disclosures", params=query, headers=bearer(a_token(**DESK)))
    assert answer.status_code == 200
    return [row["client"] for row in answer.json()["disclosures"]]


NAMED: list[tuple[dict[str, Any], str]] = [
    ({}, "openid:desk-app/worker-42"),
    ({"sub": None}, "openid:desk-app"),
    ({"sub": "desk-app"}, "openid:desk-app"),
    ({"azp": None}, "openid:-/worker-42"),
    ({"azp": None, "appid": "desk-app"}, "openid:desk-app/worker-42"),
    ({"oid": "0f8a-42"}, "openid:desk-app/0f8a-42"),
    ({"azp": None, "oid": "0f8a-42"}, "openid:-/0f8a-42"),
    ({"azp": "https://desk.example/a%2F"}, "openid:https:%2F%2Fdesk.example%2Fa%252F/worker-42"),
    ({"azp": "desk-app/worker-42", "sub": None}, "openid:desk-app%2Fworker-42"),
    ({"sub": "Sian Ô Example"}, "openid:desk-app/Sian Ô Example"),
    ({"azp": "a" * 96, "sub": "b" * 96}, f"openid:{'a' * 96}/{'b' * 96}"),
]


def test_the_record_names_the_client_and_the_person(guarded: Guarded) -> None:
    client, _ = guarded

    answers = [client.get("/v1/desk/summary", headers=bearer(a_token(**DESK | claims))) for claims, _ in NAMED]

    assert [answer.status_code for answer in answers] == [200] * len(NAMED)
    assert recorded(client) == [name for _, name in NAMED]


UNFIT: dict[str, Any] = {
    "a NUL": "worker\0",
    "a line break": "worker\n42",
    "a terminal's escape": "worker\x1b[2K",
    "a turn of the writing direction": "worker\u202e42",
    "nothing that is seen": "worker\u200b",
    "half a character": "worker\ud800",
    "a space at its end": "worker ",
    "too many characters": "w" * 97,
    "no text": ["worker-42"],
}


def test_a_name_unfit_for_the_record_is_refused(guarded: Guarded) -> None:
    client, _ = guarded

    answers = {
        (claim, what): client.get("/v1/desk/summary", headers=bearer(a_token(**DESK | {claim: name})))
        for claim in ("azp", "sub")
        for what, name in UNFIT.items()
    }

    said = {name: (answer.status_code, answer.json()["type"]) for name, answer in answers.items()}
    assert said == dict.fromkeys(answers, (401, "/v1/problems/token-unknown"))
    assert recorded(client) == []


def test_the_acts_of_a_client_are_found_with_those_of_its_people(guarded: Guarded) -> None:
    client, _ = guarded
    names = [
        ("desk-app", "worker-42"),
        ("desk-app", "worker-7"),
        ("desk-app-2", "worker-42"),
        ("Desk-App", "worker-42"),
    ]
    for app, worker in names:
        client.get("/v1/desk/summary", headers=bearer(a_token(**DESK | {"azp": app, "sub": worker})))

    assert recorded(guarded[0], client="openid:desk-app") == ["openid:desk-app/worker-42", "openid:desk-app/worker-7"]
    assert recorded(guarded[0], client="openid:desk-app/worker-7") == ["openid:desk-app/worker-7"]
    assert recorded(guarded[0], client="openid:desk-app-2") == ["openid:desk-app-2/worker-42"]
    assert recorded(guarded[0], client="openid:desk_app") == []


MAPPED = {
    "openid_claims": "groups realm_access.roles https://council.example/roles",
    "openid_scopes": '{"Duty Team": ["guidance:publish"], "api.publish": "guidance:publish"}',
}


@for_each(
    ("claims", "status"),
    [
        ({"groups": ["Duty Team"]}, 422),
        ({"groups": "api.publish"}, 422),
        ({"realm_access": {"roles": ["api.publish"]}}, 422),
        ({"https://council.example/roles": ["Duty Team"]}, 422),
        ({"scp": "openid api.publish"}, 422),
        ({"roles": ["Duty Team"]}, 422),
        ({"scope": "guidance:publish"}, 422),
        ({"groups": ["guidance:publish"]}, 403),
        ({"groups": ["duty team", "Duty", 7, None]}, 403),
        ({"team": ["Duty Team"]}, 403),
        ({"groups": {"Duty Team": True}, "realm_access": "roles"}, 403),
        ({}, 403),
    ],
)
def test_groups_and_roles_give_only_what_the_settings_say(tmp_path: Path, claims: dict[str, Any], status: int) -> None:
    settings = parse_settings(
        {f"GUIDANCE_{name.upper()}": value for name, value in MAPPED.items()}
        | {"GUIDANCE_OPENID_ISSUER": "https://a.example", "GUIDANCE_OPENID_AUDIENCE": "api"}
    )
    mapping = {name: getattr(settings, name) for name in MAPPED}
    with guarded_by_a_provider(tmp_path, **mapping) as (client, _):
        assert publish_with(client, a_token(**{"scope": None} | claims)).status_code == status


@pytest.mark.parametrize("scopes", ['{"Duty Team": ["concerns:reed"]}', '{"Duty Team": [""]}'])
def test_a_scope_that_is_none_is_refused_at_the_start(tmp_path: Path, scopes: str) -> None:
    given = {"data_dir": tmp_path, "openid_issuer": "https://a.example", "openid_audience": "api"}

    with pytest.raises(SetupError, match=r"^GUIDANCE_OPENID_SCOPES: 1 of its scopes are none of guidance:publish, "):
        create_app(Settings.model_validate(given | {"openid_scopes": scopes}))


@pytest.mark.parametrize("scopes", ['{"Duty Team": 5}', '{"Duty Team": {"a": 1}}', '{"Duty Team": [5]}'])
def test_a_mapping_of_another_shape_is_refused(scopes: str) -> None:
    with pytest.raises(SettingsRefused, match="GUIDANCE_OPENID_SCOPES: "):
        parse_settings({"GUIDANCE_OPENID_SCOPES": scopes})


@pytest.mark.parametrize("wrote", [{"azp": None}, {"azp": "another-app"}, {}])
@pytest.mark.parametrize("publishes", [{"azp": None}, {"azp": "another-app"}, {}])
def test_a_person_has_one_name_and_cannot_publish_their_own_draft(
    guarded: Guarded, wrote: dict[str, Any], publishes: dict[str, Any]
) -> None:
    client, _ = guarded
    path = "/v1/guides/an-invented-guide/draft"
    pat = {"azp": "edit-app", "sub": "Pat", "scope": "guidance:draft guidance:publish"}
    saved = client.put(path, json=EDITION_EXAMPLE, headers=bearer(a_token(**pat | wrote)))
    tag = {"If-Match": saved.headers["ETag"]}

    def publish(**claims: Any) -> Any:
        headers = bearer(a_token(**pat | publishes | claims)) | tag
        return client.post(f"{path}/publication", json={"follows": None}, headers=headers)

    alone, by_another = publish(), publish(sub="Ben")

    assert (alone.status_code, alone.json()["type"]) == (403, "/v1/problems/second-person-needed")
    assert by_another.status_code == 201
