"""People who cannot speak on the phone find 999 BSL, Relay UK and 999 by text on every page, as data."""

import pytest
from starlette.testclient import TestClient

from tests.support.loops import for_each
from tests.support.publishing import SLUG

pytestmark = pytest.mark.any_database

PAGES = ("/", f"/guides/{SLUG}", f"/raise-a-concern/{SLUG}", "/worried-about-yourself", "/concerns", "/no-such-page")
WAYS = ("https://999bsl.co.uk/", "tel:18000", "https://www.emergencysms.net/")


@for_each("path", PAGES)
def test_each_way_is_on_every_page(client: TestClient, path: str) -> None:
    page = client.get(path, headers={"Accept": "text/html"}).text

    for way in WAYS:
        assert f'href="{way}"' in page, way


def test_they_are_signposts_like_the_others_and_999_stays_first(client: TestClient) -> None:
    signposts = client.get("/v1/signposts").json()["signposts"]

    assert [each["id"] for each in signposts if each["without_speech"]] == [
        "bsl-999",
        "relay-uk-emergency",
        "emergency-sms",
    ]
    assert [each["id"] for each in signposts if each["emergency"]] == [signposts[0]["id"]] == ["police-emergency"]
    assert all(each["verified_on"] is None for each in signposts if each["without_speech"])
