"""The sample for Caddy, run for real before two nodes: TLS, health checks, and the export where no node answers."""

from collections.abc import Iterator

import pytest

from tests.support.load import A_CONCERN
from tests.support.proxies import Site, caddy, site_behind
from tests.support.publishing import GUIDE
from tests.support.waiting import eventually

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.any_database]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_behind(caddy, tmp_path_factory.mktemp("caddy")) as site:
        yield site


def test_the_proxy_takes_concerns_over_tls_logs_none_and_closes_metrics(site: Site) -> None:
    receipt = site.client.post("/v1/concerns", json=A_CONCERN)

    assert receipt.status_code == 201
    assert receipt.headers.get_list("strict-transport-security") == ["max-age=63072000"]
    assert site.client.get("/metrics").status_code == 404
    assert receipt.json()["reference"] not in (site.work / "output.log").read_text()


def test_a_caller_cannot_pass_for_another_address(site: Site) -> None:
    site.client.post("/v1/concerns/check", json=A_CONCERN, headers={"X-Forwarded-For": "192.0.2.7"})

    assert "192.0.2.7" not in site.nodes[0].log.read_text()


def test_one_node_suffices_and_without_any_only_guidance_answers(
    site: Site,
) -> None:
    site.nodes[0].stop()
    with_one = [site.client.post("/v1/concerns", json=A_CONCERN).status_code for _ in range(10)]
    site.nodes[1].stop()

    assert with_one == [201] * 10
    assert eventually(lambda: site.client.get(f"{GUIDE}/editions/1/linked-risks").status_code == 200)
    exported_answer = site.client.get(f"{GUIDE}/editions/1/linked-risks")
    assert exported_answer.json()["linked_risks"]
    assert exported_answer.headers["content-type"] == "application/json"
    refused = site.client.post("/v1/concerns", json=A_CONCERN)
    assert refused.status_code == 503
    assert refused.json()["detail"].startswith("In immediate danger call 999.")
    assert (refused.headers["cache-control"], refused.headers["retry-after"]) == ("no-store", "10")
