"""The guide of a concern that names none: nobody is stopped by a second guide."""

import datetime as dt
from typing import Any

import jwt
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.config import Settings
from app.errors import SetupError
from app.main import create_app
from tests.support.clock import SettableClock
from tests.support.concerns import a_concern, raise_concern
from tests.support.publishing import SLUG, an_edition, publish_next, withdraw

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

OTHER = "another-guide"
THIRD = "a-third-guide"
MINUTE = dt.timedelta(minutes=1)
BOTH_DOORS = pytest.mark.parametrize("path", ["/v1/concerns", "/v1/concerns/check"])


def indicators(*names: str) -> tuple[dict[str, Any], ...]:
    """Return the seed's indicators with other ids."""
    items = [indicator.model_dump() for indicator in an_edition().indicators[: len(names)]]
    return tuple(item | {"id": name} for item, name in zip(items, names, strict=True))


def about(*names: str, **changes: Any) -> dict[str, Any]:
    """Return a concern that names these indicators, and no guide."""
    named = {"narrative": "Alex Example was seen there.", "indicators": [{"id": name} for name in names]}
    return a_concern(concern=named, **changes)


@pytest.fixture
def guides(service: FastAPI, client: TestClient, clock: SettableClock) -> TestClient:
    """Three guides; two indicators are in one of them only, and one is in two, of which neither is the first."""
    for guide, names in ((OTHER, ("only-here", "in-two")), (THIRD, ("only-there", "in-two"))):
        clock.time += MINUTE
        publish_next(service, guide, indicators=indicators(*names))
    return client


@BOTH_DOORS
def test_a_concern_is_about_the_guide_that_was_published_first(guides: TestClient, path: str) -> None:
    unnamed, named = (guides.post(path, json=a_concern(**given)) for given in ({}, {"guide": OTHER}))

    assert (unnamed.json()["guide"], unnamed.json()["guide_named"]) == (SLUG, False)
    assert (named.json()["guide"], named.json()["guide_named"]) == (OTHER, True)


@BOTH_DOORS
@pytest.mark.parametrize(
    ("names", "guide"),
    [
        (["secrecy"], SLUG),
        (["only-here"], OTHER),
        (["only-there"], THIRD),
        (["in-two"], OTHER),  # of several, the first published
        (["in-two", "only-there"], THIRD),
    ],
)
def test_a_concern_is_about_the_guide_that_has_every_item_named(
    guides: TestClient, path: str, names: list[str], guide: str
) -> None:
    for _ in range(2):  # the second time from the cache
        answer = guides.post(path, json=about(*names))

        assert answer.is_success, answer.text
        assert (answer.json()["guide"], answer.json()["guide_named"]) == (guide, False)


@BOTH_DOORS
def test_an_item_that_no_guide_has_is_pointed_to(guides: TestClient, path: str) -> None:
    for names in (["in-none"], ["only-here", "only-there"]):
        answer = guides.post(path, json=about(*names))

        assert answer.status_code == 422
        assert {error["pointer"] for error in answer.json()["errors"]} == {
            f"#/concern/indicators/{place}/id" for place in range(len(names))
        }


def test_a_superseded_item_does_not_count(guides: TestClient, service: FastAPI) -> None:
    publish_next(service, OTHER, indicators=indicators("reworded"), change_note="Without the former one.")

    former = guides.post("/v1/concerns/check", json=about("only-here"))
    of_the_edition = guides.post("/v1/concerns/check", json=about("only-here", guide=OTHER, edition=1))

    assert former.status_code == 422
    assert of_the_edition.status_code == 200


def test_the_signed_receipt_says_which_guide_and_that_it_was_not_named(guides: TestClient) -> None:
    receipt = guides.post("/v1/concerns", json=about("only-there")).json()

    claims = jwt.decode(receipt["receipt"], options={"verify_signature": False})
    assert (claims["guide"], claims["guide_named"]) == (THIRD, False)


def test_a_guide_with_a_current_edition_comes_before_one_without(guides: TestClient, service: FastAPI) -> None:
    withdraw(service, 1)

    assert raise_concern(guides)["guide"] == OTHER


def test_the_setting_names_the_default_guide(guides: TestClient, settings: Settings, clock: SettableClock) -> None:
    with TestClient(create_app(settings.model_copy(update={"default_guide": THIRD}), clock)) as client:
        answer = client.post("/v1/concerns", json=a_concern())

        assert guides.get(f"/v1/guides/{THIRD}").is_success
        assert answer.json()["guide"] == THIRD
        assert 'name="edition" value="1"' in client.get("/raise-a-concern").text


def test_a_setting_that_names_no_guide_stops_the_start(settings: Settings, clock: SettableClock) -> None:
    app = create_app(settings.model_copy(update={"default_guide": "no-such-guide"}), clock)

    with pytest.raises(SetupError, match="GUIDANCE_DEFAULT_GUIDE"), TestClient(app):
        pass
