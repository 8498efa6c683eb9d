"""Renditions in the database and in files: they never change, `verify` finds one that did, and files say all faults."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli.commands import app as command
from app.config import SEED_DIR, Settings
from app.db.database import DATABASE_FILE, for_writing
from app.main import create_app
from app.services.verification import verify_editions
from tests.support.clock import SettableClock
from tests.support.publishing import SLUG, publish_next
from tests.support.renditions import RENDITIONS, publish_a_rendition, withdraw_a_rendition

pytestmark = pytest.mark.slow

CHANGES = (
    "UPDATE editions SET digest = 'x' WHERE language <> ''",
    "UPDATE editions SET edition = 1 WHERE language <> ''",
    "DELETE FROM editions WHERE language <> ''",
    "UPDATE withdrawals SET reason = 'x'",
    "DELETE FROM withdrawals",
    "INSERT INTO editions (guide, language, number, edition, published_at, digest, details, words)"
    " SELECT guide, language, number + 7, edition, published_at, digest, details, words FROM editions"
    " WHERE language <> ''",
    "INSERT INTO editions (guide, language, number, edition, published_at, digest, details, words)"
    " SELECT guide, 'de', 1, 7, published_at, digest, details, words FROM editions WHERE language = ''",
)
WELSH = SEED_DIR / "renditions" / SLUG / "cy.yaml"


@pytest.mark.parametrize("statement", CHANGES)
def test_the_database_refuses_to_change_a_rendition(client: TestClient, service: FastAPI, statement: str) -> None:
    withdraw_a_rendition(service, "cy", 1)

    with (
        pytest.raises(DBAPIError, match=r"never changes|without a gap|of a published edition"),
        for_writing(service.state.context.engine).begin() as write,
    ):
        write.execute(text(statement))

    assert client.get(f"{RENDITIONS}/cy/1").status_code == 410
    assert {fault for _, fault in verify_editions(service.state.context.engine)} == {None}


@pytest.mark.embedded
@pytest.mark.usefixtures("client")
def test_verify_finds_a_rendition_that_was_altered(service: FastAPI, settings: Settings) -> None:
    publish_a_rendition(service)
    with closing(sqlite3.connect(settings.data_dir / DATABASE_FILE, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER editions_are_never_altered")
        connection.execute(
            "UPDATE editions SET details = replace(details, 'Example Translation', 'Another') WHERE language = 'pl'"
        )

    faults = {name: fault for name, fault in verify_editions(service.state.context.engine) if fault}

    assert list(faults) == [f"{SLUG}, rendition pl 1"]
    assert faults[f"{SLUG}, rendition pl 1"].startswith("its row now gives sha256:")


@pytest.mark.usefixtures("client")
def test_the_seed_is_published_once_and_never_again(service: FastAPI, settings: Settings) -> None:
    withdraw_a_rendition(service, "cy", 1)
    publish_next(service, change_note="A second edition.")

    with TestClient(create_app(settings, SettableClock())) as again:
        listed = again.get(RENDITIONS).json()["renditions"]

    assert [(each["language"], each["number"]) for each in listed] == [("cy", 1), ("en-GB-simple", 1)]


@pytest.mark.any_database
def test_a_file_is_checked_with_every_fault_and_published_by_command_once_its_digest_is_agreed_on(
    client: TestClient, settings: Settings, tmp_path: Path
) -> None:
    client.get("/v1")
    words, data = WELSH.read_text(encoding="utf-8"), ["--data-dir", str(settings.data_dir)]
    checked = words.replace("checked_by: null", "checked_by: Example Team").replace(
        "checked_on: null", "checked_on: 2026-11-24"
    )

    def run(*arguments: str) -> tuple[int, str]:
        ended = CliRunner().invoke(command, ["rendition", *arguments, *data])
        return ended.exit_code, f"{ended.output}{ended.exception or ''}"

    def written(folder: str, name: str, text: str) -> str:
        path = tmp_path / folder / SLUG / name
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
        return str(path)

    misnamed = run("check", written("misnamed", "gd.yaml", words))
    faulty = run(
        "check", written("bad", "cy.yaml", words.replace("id: secrecy", "id: no").replace("label: b", "label: z"))
    )
    good, other = written("good", "cy.yaml", checked), written("other", "cy.yaml", checked.replace("Gamfan", "Gam", 1))
    approved = run("approve", good)
    digest = approved[1].split("--digest ")[-1].split()[0]
    not_agreed, other_words = run("publish", good), run("publish", other, "--digest", digest)
    before = [each["number"] for each in client.get(f"{RENDITIONS}").json()["renditions"]]
    published = run("publish", good, "--digest", digest)
    of_the_seed = run("publish", str(WELSH))

    assert misnamed[0] == faulty[0] == 1
    assert "must be named after its language" in misnamed[1]
    assert "/indicators/1/id`: The edition has no item of this id." in faulty[1]
    assert "/definitions/1/limbs/1/label`: The edition has no limb of this label." in faulty[1]
    assert (approved[0], f"{SLUG}, rendition cy: {digest}" in approved[1]) == (0, True)
    assert not_agreed[0] == other_words[0] == 1
    assert "`guidance rendition approve FILE` prints their digest" in not_agreed[1]
    assert "the file has other words than those that were agreed on" in other_words[1]
    assert before == [1, 1]
    assert (of_the_seed[0], "rendition cy 3: published" in of_the_seed[1]) == (0, True)
    assert (published[0], f"{SLUG}, rendition cy 2: published" in published[1]) == (0, True)
    assert run("withdraw", SLUG, "cy", "2", "--reason", "A word was wrong.")[0] == 0
