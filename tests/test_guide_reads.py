"""The guide as data: shapes, caching, links."""

from starlette.testclient import TestClient

from tests.conftest import GUIDE
from tests.live import LiveServer


def test_the_ten_indicators_are_served_with_the_cautions(client: TestClient) -> None:
    answer = client.get(f"{GUIDE}/indicators").json()

    assert len(answer["indicators"]) == 10
    assert {"guide", "edition", "status", "digest", "cautions", "links"} < set(answer)
    assert len(answer["cautions"]) == 2


def test_a_started_server_answers_as_the_readme_says(live: LiveServer) -> None:
    with live.client() as client:
        assert len(client.get(f"{GUIDE}/indicators").json()["indicators"]) == 10
