"""Renditions in the database and in files: they never change, `verify` finds one that did, and files say all faults."""

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli.commands import app as command
from app.config import SEED_DIR, Settings
from app.db.database import DATABASE_FILE, for_writing
from app.main import create_app
from app.models.events.responses import RenditionEventData
from app.models.events.rows import EventRow
from app.services.events.outbox import id_and_payload
from app.services.operations.verification import verify_editions
from tests.support.clock import SettableClock
from tests.support.publishing import GUIDE, SLUG, publish_next, withdraw
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
def test_the_commands_list_every_fault_and_publish_only_an_agreed_digest(
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
    assert "/indicators/1/id`: The edition has no item with this id." in faulty[1]
    assert "/definitions/1/limbs/1/label`: The edition has no limb of this label." in faulty[1]
    assert (approved[0], f"{SLUG}, rendition cy: {digest}" in approved[1]) == (0, True)
    assert not_agreed[0] == other_words[0] == 1
    assert "`guidance rendition approve FILE` prints its digest" in not_agreed[1]
    assert "the content differs from what was approved" in other_words[1]
    assert before == [1, 1]
    assert (of_the_seed[0], "rendition cy 3: published" in of_the_seed[1]) == (0, True)
    assert (published[0], f"{SLUG}, rendition cy 2: published" in published[1]) == (0, True)
    assert run("withdraw", SLUG, "cy", "2", "--reason", "A word was wrong.")[0] == 0


def events_of(service: FastAPI) -> list[tuple[str, dict[str, Any]]]:
    """Return the events of renditions: the kind without its first word, and the data."""
    with Session(service.state.context.engine) as session:
        rows = session.exec(select(EventRow).order_by(EventRow.id)).all()  # type: ignore[arg-type]  # a column
        return [
            (row.kind.partition(".")[2], id_and_payload(row.id or 0, row.kind, row.at, row.data)[1])
            for row in rows
            if row.kind.startswith("rendition.")
        ]


def test_an_event_says_that_a_rendition_is_published_behind_and_withdrawn(client: TestClient, service: FastAPI) -> None:
    publish_a_rendition(service)
    publish_a_rendition(service)  # the same words: nothing happens
    publish_next(service, change_note="A second edition.")
    publish_next(service, change_note="A third edition.")  # they are behind already
    withdraw_a_rendition(service, "pl", 1)
    withdraw_a_rendition(service, "pl", 1)

    events = events_of(service)
    polish = client.get(RENDITIONS).json()["renditions"][-1]

    assert [(kind, data["language"], data["behind"]) for kind, data in events] == [
        ("published", "cy", False),
        ("published", "en-GB-simple", False),
        ("published", "pl", False),
        *(("behind", language, True) for language in ("cy", "en-GB-simple", "pl")),
        ("withdrawn", "pl", True),
    ]
    for _, data in events:
        RenditionEventData.model_validate(data)
    assert events[-1][1] == {
        "guide": SLUG,
        "language": "pl",
        "number": 1,
        "form": "translation",
        "digest": polish["digest"],
        "edition": 1,
        "behind": True,
        "reason": "A word was wrong.",
        "links": {"rendition": f"{RENDITIONS}/pl/1", "edition": f"{GUIDE}/editions/1"},
    }


def test_the_feed_lists_renditions_published_and_withdrawn(
    client: TestClient, service: FastAPI, clock: SettableClock
) -> None:
    clock.time += dt.timedelta(days=1)
    digest = publish_a_rendition(service).digest
    clock.time += dt.timedelta(days=1)
    withdraw_a_rendition(service, "pl", 1)

    withdrawn, published, *_ = client.get("/v1/feed.json").json()["items"]
    atom = client.get("/v1/feed.atom").text

    assert withdrawn["content_text"] == "A word was wrong."
    assert withdrawn["title"].startswith("Withdrawn: ")
    assert published["content_text"] == "Checked by Example Translation Team on 2026-11-24."
    assert published["title"].endswith(", edition 1, Polish (translation), rendition 1")
    assert published["tags"] == ["rendition_published", SLUG, "pl"]
    facts = {"language": "pl", "number": 1, "form": "translation", "digest": digest}
    assert published["_guidance"]["rendition"] == withdrawn["_guidance"]["rendition"] == facts
    assert published["id"] in atom
    assert withdrawn["id"] in atom


def test_an_edition_lists_its_own_renditions_with_language_links(client: TestClient, service: FastAPI) -> None:
    second = publish_next(service, change_note="A second edition.")
    of_second = {"edition": second.key.number, "digest": second.digest}
    publish_a_rendition(service, of=of_second)

    first, later = (client.get(f"{GUIDE}/editions/{number}/renditions") for number in (1, 2))

    for answer, languages in ((first, ["cy", "en-GB-simple"]), (later, ["pl"])):
        path = answer.request.url.path
        listed = answer.json()["renditions"]
        assert [each["language"] for each in listed] == languages
        assert {each["behind"] for each in listed} == {answer is first}
        assert {each["links"]["edition_renditions"] for each in listed} == {path}
        link = answer.headers["link"]
        assert f'<{path.removesuffix("/renditions")}>; rel="alternate"; hreflang="en-GB"' in link
        assert all(f'<{RENDITIONS}/{each}/1>; rel="alternate"; hreflang="{each}"' in link for each in languages)
        assert answer.headers["cache-control"] == "public, no-cache"
        again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
    withdraw(service, 2)
    assert client.get(f"{GUIDE}/editions/2/renditions").status_code == 410
    assert client.get(f"{GUIDE}/editions/3/renditions").json()["type"].endswith("no-such-edition")
