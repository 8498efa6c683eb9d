"""An upgrade, lived through: the program of the last release fills a service, and the program of today takes it over.

The old program is that of the last tag, or else of the commit that last recorded a schema in `tests/released`. It runs
in an environment that its own Makefile makes, with the packages of its time.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.errors import SchemaUnknown
from app.models.guides.editions import EDITION_EXAMPLE
from app.services.concerns.keys import create_identity
from app.services.concerns.sealing import read_identities
from tests.support.clock import A_TUESDAY
from tests.support.command import ROOT, guidance
from tests.support.databases import postgresql
from tests.support.form_answers import FORM, REQUIRED_ANSWERS
from tests.support.live import LiveServer
from tests.support.publishing import SLUG

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.any_database]

CONCERNS = 200
DATABASE = "lived_upgrade"
RECORDED = "tests/released/schema.sqlite.sql"
OF_ITS_TIME = {
    "cache_megabytes": "32",
    "council_name": "Example Council",
    "limit_anonymous": "1000/hour",
    "limit_concerns": "1000/minute",
}


def git(*words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True).stdout


@pytest.fixture(scope="module")
def old_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    tags = git("-c", "versionsort.suffix=rc", "tag", "--list", "v*", "--sort=-version:refname").decode().split()
    commit = tags[0] if tags else git("log", "-1", "--format=%H", "--", RECORDED).decode().strip()
    folder = tmp_path_factory.mktemp("old")
    subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
    subprocess.run(["git", "checkout", "--quiet", "--detach", commit], cwd=folder, check=True)
    made = subprocess.run(
        ["make", "--silent", ".venv/installed-serve", f"PYTHON={sys.executable}"],
        cwd=folder,
        env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        check=False,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    return folder


class Old(LiveServer):
    """`guidance serve` of the old program."""

    def __init__(self, tree: Path, data_dir: Path, **settings: Any) -> None:
        super().__init__(data_dir, is_forked=False, **settings)
        self._program = tree / ".venv/bin/guidance"

    def _run(self, words: list[str]) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            return subprocess.Popen([self._program, *words], stderr=log, stdout=log, env=self._environment)

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        command: list[str | Path] = [self._program, *words, "--data-dir", self.data_dir]
        return subprocess.run(command, env=self._environment, check=False, capture_output=True, text=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, Any]]:
    recipient = create_identity(tmp_path / "identity.txt", at=A_TUESDAY)
    given = OF_ITS_TIME | {"seal_to": recipient}
    if request.param == "sqlite":
        yield given
        return
    server = postgresql()
    server.drop({DATABASE})
    with server.connect("postgres") as connection:
        connection.execute(f"CREATE DATABASE {DATABASE}")
    yield given | {"access_key_file": str(tmp_path / "access-key"), "database_url": server.address(DATABASE)}
    server.drop({DATABASE})


def a_text(number: int) -> str:
    return f"An invented concern, the {number}th of an upgrade."


def fill(server: Old) -> dict[str, Any]:
    """Use the old service as a council would. Return the receipts, the code of a saved form, and keys."""
    added = [
        server.command("clients", "add", f"client-{scope.replace(':', '-')}", "--scope", scope)
        for scope in ("concerns:read", "guidance:draft")
    ]
    invited = server.command("desk", "invite", "Jo Example", "--role", "lead")
    assert [each.returncode for each in (*added, invited)] == [0, 0, 0], added[1].stderr + invited.stderr
    reader, editor = (each.stdout.split()[-1] for each in added)
    with server.client() as client:
        receipts = []
        for number in range(CONCERNS):
            body = {
                "immediate_danger": "no",
                "reporter": {"kind": "professional"},
                "children": [{}],
                "concern": {"narrative": a_text(number)},
            }
            sent = client.post("/v1/concerns", json=body, headers={"Idempotency-Key": str(uuid4())})
            assert sent.status_code == 201, sent.text
            receipts.append(sent.json())
        saved = client.post(FORM, data=REQUIRED_ANSWERS | {"do": "save"}, headers={"Origin": server.url})
        assert saved.status_code == 201, saved.text
        drafted = client.put(
            f"/v1/guides/{SLUG}/draft", json=EDITION_EXAMPLE, headers={"Authorization": f"Bearer {editor}"}
        )
        assert drafted.status_code == 201, drafted.text
    (code,) = re.findall(r'class="code-words">([^<]*)<', saved.text)
    return {"receipts": receipts, "code": code, "reader": reader, "editor": editor}


def test_a_service_of_the_last_release_is_taken_over_with_every_word(
    old_tree: Path, settings: dict[str, Any], tmp_path: Path
) -> None:
    data_dir = tmp_path / "data"
    in_environment = {name.upper(): value for name, value in settings.items()}
    old = Old(old_tree, data_dir, **settings)
    assert old.command("keys", "rotate-access").returncode == 0
    with old:
        there = fill(old)

    migrated = guidance("migrate", "--data-dir", data_dir, **in_environment)
    verified = guidance("verify", "--json", "--data-dir", data_dir, **in_environment)
    with LiveServer(data_dir, is_forked=False, **settings) as new, new.client() as client:
        opened = list(read_each(client, there, tmp_path / "identity.txt"))
        statuses = [
            client.get(each["links"]["self"], headers={"Authorization": f"Bearer {each['status_token']}"}).json()
            for each in there["receipts"][:20]
        ]
        form = client.post("/concerns/saved", data={"code": there["code"], "page": "one"}, headers={"Origin": new.url})
        draft = client.get(f"/v1/guides/{SLUG}/draft", headers={"Authorization": f"Bearer {there['editor']}"})
        sent = client.post("/v1/concerns", json={**EMPTY, "concern": {"narrative": "The first after the upgrade."}})
    people = guidance("desk", "people", "--json", "--data-dir", data_dir, **in_environment)
    back = old.command("migrate")

    assert (migrated.returncode, verified.returncode) == (0, 0), migrated.stderr + verified.stdout
    assert json.loads(verified.stdout)[-1]["counts"]["concerns"] == CONCERNS
    assert opened == [a_text(number) for number in range(CONCERNS)]
    assert {each["state"] for each in statuses} == {"received"}
    assert (form.status_code, draft.status_code, sent.status_code) == (200, 200, 201)
    assert [each["name"] for each in json.loads(people.stdout)] == ["Jo Example"]
    if json.loads(guidance("migrate", "--json", "--data-dir", data_dir, **in_environment).stdout)["now"] in back.stdout:
        assert back.returncode == 0  # no migration lies between the two, so the old program may return
    else:
        assert back.stderr.strip() == str(SchemaUnknown.__doc__)


EMPTY = {"immediate_danger": "no", "reporter": {"kind": "professional"}, "children": [{}]}


def read_each(client: httpx.Client, there: dict[str, Any], identity: Path) -> Iterator[str]:
    """Yield the words of each concern, opened with the team's key."""
    unsealer = read_identities(identity)
    headers = {"Authorization": f"Bearer {there['reader']}", "Accept": "application/age"}
    for receipt in there["receipts"]:
        sealed = client.get(f"/v1/desk/concerns/{receipt['reference']}", headers=headers)
        assert sealed.status_code == 200, sealed.text
        opened = unsealer.open(sealed.content, reference=receipt["reference"])
        yield str(opened["submission"]["concern"]["narrative"])
