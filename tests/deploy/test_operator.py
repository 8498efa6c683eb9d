"""A new operator makes the site that the documents describe. It takes concerns, and wakes somebody."""

import datetime as dt
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from app.config import parse_settings
from app.main import create_app, utc_now
from app.pages.page import UNSEAL_SCRIPT
from tests.support.command import guidance
from tests.support.load import A_CONCERN
from tests.support.openid_people import way_on
from tests.support.operator_site import BACKING_UP, OperatorSite, operator_site, run_sample, sample
from tests.support.proxies import DEPLOY
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

GUIDE = "/v1/guides/child-sexual-exploitation"
MAY_BE_EMPTY = {
    "Errors of the server",
    "Time to acknowledge",
    "Oldest event that waits",
    "Deliveries",
    "Concerns by state",
}
"""Panels that are empty where there is nothing of it, or fewer than five."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorSite]:
    with operator_site(tmp_path_factory.mktemp("operator")) as made:
        yield made


def test_a_concern_is_raised_and_a_person_signs_in_over_tls(site: OperatorSite) -> None:
    with site.client() as client:
        receipt = client.post("/v1/concerns", json=A_CONCERN)
        there = client.get("/desk/sign-in/openid")
        back = client.get(there.headers["Location"])
        page = client.get(back.headers["Location"])
        end = client.get(way_on(page.text))
        inbox = client.get("/desk")

    assert receipt.status_code == 201
    assert (page.status_code, end.status_code, site.provider.refusals) == (200, 303, [])
    assert receipt.json()["reference"] in inbox.text


def test_the_dump_of_each_night_leaves_fourteen_and_the_doctor_blames_neither_node(
    site: OperatorSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(site.root))
    backups = Path(site.settings["BACKUP_FOLDER"])
    for night in range(1, 18):
        (backups / f"guidance-2026-01-{night:02}T023000Z.dump").touch()
    database = site.settings["DATABASE_URL"].replace("+psycopg", "")
    run_sample(sample(BACKING_UP, "head --lines=-14"), backups, DATABASE=database, GUIDANCE_BACKUP_FOLDER=str(backups))

    dumps = sorted(backups.iterdir())
    assert (len(dumps), dumps[0].name) == (14, "guidance-2026-01-05T023000Z.dump")
    assert dumps[-1].stat().st_mode & 0o077 == 0
    assert dumps[-1].read_bytes()[:5] == b"PGDMP"
    for node in site.nodes:
        said = guidance("doctor", "--json", DATA_DIR=str(node.data_dir), **site.settings)
        found = {each["check"]: each for each in json.loads(said.stdout)}
        blamed = {name: each["found"] for name, each in found.items() if each["condition"] in ("warning", "fault")}
        if not UNSEAL_SCRIPT.is_file():
            del blamed["desk-script"]
        assert blamed == {"public-url": "GUIDANCE_PUBLIC_URL is an address of this machine alone"}


def test_one_overdue_concern_wakes_somebody_and_every_panel_of_the_dashboard_reads_something(
    site: OperatorSite, tmp_path: Path
) -> None:
    settings = {f"GUIDANCE_{name}": value for name, value in site.settings.items()}
    late = parse_settings(settings | {"GUIDANCE_DATA_DIR": str(tmp_path), "GUIDANCE_DELIVER": "false"})
    assert isinstance(late.database_url, SecretStr)
    nine_days_ago = utc_now() - dt.timedelta(days=9)
    with TestClient(create_app(late, lambda: nine_days_ago), base_url=late.public_url) as early:
        assert early.post("/v1/concerns", json=A_CONCERN).status_code == 201
    with site.client() as client:
        for _ in range(4):  # so that each node has answered one from its cache
            assert client.get(f"{GUIDE}/editions/1").status_code == 200

    def firing() -> set[str]:
        return {
            each["labels"]["alertname"] for each in site.ask_prometheus("alerts")["alerts"] if each["state"] == "firing"
        }

    assert eventually(lambda: "GuidanceOverdue" in firing())
    for panel in json.loads((DEPLOY / "grafana" / "guidance.json").read_text())["panels"]:
        for target in panel["targets"]:
            query = target["expr"].replace("$__rate_interval", "1m").replace("$job", "guidance")
            shown = partial(site.ask_prometheus, "query", query=query)
            assert panel["title"] in MAY_BE_EMPTY or eventually(lambda: shown()["result"]), query  # noqa: B023  # called at once
            assert "result" in shown()
