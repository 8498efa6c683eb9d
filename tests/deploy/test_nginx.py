"""The sample for nginx, run for real before two nodes: TLS, limits, the cache, and the export where no node answers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from app.models.access.clients import Scope
from tests.support.load import A_CONCERN
from tests.support.proxies import DEPLOY, Site, nginx, site_behind
from tests.support.publishing import GUIDE

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.any_database]

ADDRESS = "127.0.0.1"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_behind(nginx, tmp_path_factory.mktemp("nginx")) as site:
        yield site


def test_a_concern_arrives_over_tls_and_the_proxy_keeps_none_of_it(site: Site) -> None:
    receipt = site.client.post("/v1/concerns", json=A_CONCERN)

    assert receipt.status_code == 201
    assert receipt.headers.get_list("strict-transport-security") == ["max-age=31536000"]
    written = b"".join(path.read_bytes() for path in site.work.rglob("*") if path.is_file() and path.suffix != ".conf")
    assert receipt.json()["reference"].encode() not in written
    assert b"Alex Example" not in written


def test_the_cache_answers_a_second_public_read_with_the_same_bytes(site: Site) -> None:
    first, second = (site.client.get(f"{GUIDE}/indicators") for _ in range(2))

    assert [each.headers["x-cache"] for each in (first, second)] == ["MISS", "HIT"]
    assert (first.content, first.headers["etag"]) == (second.content, second.headers["etag"])


def test_what_the_desk_reads_is_never_in_the_cache(site: Site) -> None:
    headers = {"Authorization": f"Bearer {site.nodes[0].new_key(Scope.READ)}"}

    answers = [site.client.get("/v1/desk/summary", headers=headers) for _ in range(2)]

    assert [(each.status_code, each.headers["x-cache"]) for each in answers] == [(200, "BYPASS")] * 2


def test_the_metrics_are_closed(site: Site) -> None:
    assert site.client.get("/metrics").status_code == 404
    assert httpx.get(f"{site.nodes[0].url}/metrics", trust_env=False, timeout=30).status_code == 200


def test_a_caller_cannot_pass_for_another_address(site: Site) -> None:
    site.client.get(f"{GUIDE}/factors?q=unknown", headers={"X-Forwarded-For": "192.0.2.7"})

    assert "192.0.2.7" not in site.nodes[0].log.read_text() + site.nodes[1].log.read_text()


def test_a_flood_of_checks_is_refused_with_999_and_no_logged_address(site: Site) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: site.client.post("/v1/concerns/check", json=A_CONCERN), range(120)))
    refused = [each for each in answers if each.status_code == 429]

    assert {each.status_code for each in answers} == {200, 429}
    assert refused[0].json()["detail"].startswith("In immediate danger call 999.")
    assert refused[0].headers["content-type"] == "application/problem+json"
    assert refused[0].headers["retry-after"] == "10"
    assert ADDRESS not in (site.work / "error.log").read_text()


def test_no_concern_is_refused_by_the_proxy_for_what_others_sent(site: Site) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: site.client.post("/v1/concerns", json=A_CONCERN), range(120)))

    assert {each.status_code for each in answers} == {201}


def test_the_sample_marks_everything_that_is_an_example() -> None:
    lines = (DEPLOY / "nginx.conf").read_text().splitlines()
    examples = [line for line in lines if any(each in line for each in ("10.0.0.", "guidance.example;", "/etc/ssl/"))]

    assert len(examples) == 6
    assert [line for line in examples if "EXAMPLE" not in line] == []


def test_without_nodes_guidance_goes_on_and_concerns_are_refused_with_999(site: Site) -> None:
    read_before = site.client.get(f"{GUIDE}/factors")
    for node in site.nodes:  # so this test is the last one of the module
        node.stop()

    cached = site.client.get(f"{GUIDE}/factors")
    from_export = site.client.get(f"{GUIDE}/editions/1/linked-risks")
    other_method = site.client.post(f"{GUIDE}/editions", json={})
    concern = site.client.post("/v1/concerns", json=A_CONCERN)

    assert (cached.status_code, cached.content) == (200, read_before.content)
    assert from_export.status_code == 200
    assert from_export.json()["linked_risks"]
    assert from_export.headers["content-type"] == "application/json"
    for refused in (concern, other_method):
        assert refused.status_code == 503
        assert refused.json()["detail"].startswith("In immediate danger call 999.")
        assert (refused.headers["cache-control"], refused.headers["retry-after"]) == ("no-store", "10")
