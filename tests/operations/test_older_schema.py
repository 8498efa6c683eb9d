"""A database of an older schema: a start and `migrate` change it, and every other command says what to do."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.config import SEED_DIR, Settings
from app.db.database import DATABASE_FILE
from app.errors import SchemaBehind
from app.main import create_app
from app.services.concerns.keys import create_identity
from app.services.operations.verification import NOTHING_YET
from tests.support.clock import A_TUESDAY
from tests.support.command import every_command, guidance
from tests.support.databases import empty_database_of, on_postgresql, raw_connection
from tests.support.prepared import copy_prepared
from tests.support.publishing import SLUG
from tests.support.revisions import FOLLOWING, NEWEST, WORKS, add_revision

pytestmark = pytest.mark.slow

TO_DO = "guidance migrate"
EDITION = str(SEED_DIR / "guides" / SLUG / "1.yaml")
RENDITION = str(SEED_DIR / "renditions" / SLUG / "cy.yaml")
GIVEN: dict[str, list[str]] = {
    "check": [EDITION],
    "preview": [EDITION],
    "approve": [EDITION],
    "publish": [EDITION],
    "withdraw": [SLUG, "1", "--reason", "An example."],
    "keys reseal": ["--identity", "{folder}/identity.txt"],
    "copy": ["--to", "{folder}/copy"],
    "clients add": ["example", "--scope", "concerns:read"],
    "clients rotate": ["example"],
    "clients revoke": ["example"],
    "desk invite": ["Sam Invented", "--role", "worker"],
    "desk leave": ["Sam Invented"],
    "webhooks add": ["example", "http://127.0.0.1:9/", "--event", "concern.received"],
    **{f"webhooks {each}": ["example"] for each in ("remove", "rotate", "replay", "retry", "test")},
    "rendition check": [RENDITION],
    "rendition approve": [RENDITION],
    "rendition publish": [RENDITION],
    "rendition withdraw": [SLUG, "cy", "1", "--reason", "An example."],
    "export site": ["{folder}/site"],
}
"""What each command is given."""
MIGRATING = ("serve", "migrate")
WITHOUT_THE_DATABASE = {
    "new": "it writes a file, of words that are published where they can be read",
    "keys list": "it reads settings",
    "backup": "it copies the database as it is, so that there is a copy before the migration",
    "restore": "it takes a backup of any earlier schema, which the next start migrates",
}
"""The commands that go on, and why."""


@pytest.fixture
def behind(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a published guide, which an earlier version of this program made."""
    copy_prepared(settings.data_dir)
    create_identity(tmp_path / "identity.txt", at=A_TUESDAY)
    add_revision(monkeypatch, tmp_path / "history", WORKS)
    return settings.data_dir


def schema_of(data_dir: Path) -> str:
    with raw_connection(data_dir) as database:
        ((version,),) = database.execute("SELECT version_num FROM alembic_version").fetchall()
    return str(version)


def test_commands_except_start_and_migrate_leave_an_older_schema_with_advice(behind: Path, tmp_path: Path) -> None:
    told: dict[str, str] = {}
    recipient = create_identity(tmp_path / "recipient.txt", at=A_TUESDAY)
    names = [
        name
        for name, command in every_command()
        if any(each.name == "env_file" for each in command.params) and name not in (*MIGRATING, *WITHOUT_THE_DATABASE)
    ]
    for name in names:
        arguments = [each.format(folder=tmp_path) for each in GIVEN.get(name, [])]
        ended = guidance(*name.split(), *arguments, "--data-dir", behind, SEAL_TO=recipient)
        if ended.returncode == 0 or TO_DO not in ended.stdout + ended.stderr or schema_of(behind) != NEWEST:
            told[name] = f"{ended.returncode}, {schema_of(behind)}: {ended.stdout}{ended.stderr}"

    assert told == {}
    assert len(names) > 30
    assert list(behind.glob("*.before-*")) == []


def test_verify_speaks_of_the_older_schema_before_it_reads_anything(behind: Path) -> None:
    ended = guidance("verify", "--data-dir", behind)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.strip() == str(SchemaBehind.__doc__)


def test_verify_says_of_an_empty_database_that_there_is_nothing_in_it(tmp_path: Path) -> None:
    empty_database_of(tmp_path / "empty")
    if not on_postgresql():
        (tmp_path / "empty").mkdir()
        (tmp_path / "empty" / DATABASE_FILE).touch()

    ended = guidance("verify", "--data-dir", tmp_path / "empty")

    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == NOTHING_YET


@pytest.mark.embedded
def test_a_start_migrates_the_embedded_database(behind: Path) -> None:
    with TestClient(create_app(Settings(data_dir=behind, deliver=False))) as client:
        assert client.get("/health/ready").status_code == 200

    assert schema_of(behind) == FOLLOWING
    assert guidance("verify", "--data-dir", behind).returncode == 0


def test_seed_renditions_wait_in_an_old_database_until_published(
    tmp_path: Path,
) -> None:
    without = tmp_path / "seed"
    without.mkdir()
    for name in ("code-lists", "guides", "signposts.yaml", "legal-statements.yaml"):
        (without / name).symlink_to(SEED_DIR / name)
    data_dir = tmp_path / "data"
    path = f"/v1/guides/{SLUG}/renditions"
    with TestClient(create_app(Settings(data_dir=data_dir, seed_dir=without, deliver=False))) as client:
        assert client.get(path).json()["renditions"] == []

    with TestClient(create_app(Settings(data_dir=data_dir, deliver=False))) as client:
        after_an_upgrade = client.get(path).json()["renditions"]
    published = guidance("rendition", "publish", RENDITION, "--data-dir", data_dir)
    with TestClient(create_app(Settings(data_dir=data_dir, deliver=False))) as client:
        asked_for = client.get(path).json()["renditions"]

    assert after_an_upgrade == []
    assert published.returncode == 0, published.stderr
    assert [each["language"] for each in asked_for] == ["cy"]


def test_renditions_of_the_seed_come_with_the_first_start(tmp_path: Path) -> None:
    with TestClient(create_app(Settings(data_dir=tmp_path / "data", deliver=False))) as client:
        found = client.get(f"/v1/guides/{SLUG}/renditions").json()["renditions"]

    assert {each["language"] for each in found} == {"cy", "en-GB-simple"}
