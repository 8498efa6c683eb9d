"""`guidance draft`: a guide that two people write and publish from the command line, on a running server."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli.commands import app
from app.errors import DeskRequestFailed, SeedFileError
from app.models.guidance.edition_yaml import file_text
from tests.support.command import guidance
from tests.support.drafts import SEED_GUIDE, whole_draft
from tests.support.live import LiveServer

pytestmark = [pytest.mark.slow, pytest.mark.any_database]  # a server in a process of its own

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Yield one server. Each test has a guide of its own."""
    server = LiveServer(tmp_path_factory.mktemp("drafts") / "data")
    server.start()
    yield server
    server.stop()


def runner(server: LiveServer, name: str, *scopes: str) -> Run:
    """Return what runs `guidance draft` with the key of a client of that name."""
    granted = [word for scope in scopes for word in ("--scope", scope)]
    made = guidance("clients", "add", name, *granted, "--data-dir", server.data_dir)
    environment = {"GUIDANCE_DESK_URL": server.url, "GUIDANCE_DESK_KEY": made.stdout.strip()}

    def run(*words: str | Path) -> Result:
        return CliRunner().invoke(app, ["draft", *map(str, words)], env=environment)

    return run


@pytest.fixture(scope="module")
def ann(server: LiveServer) -> Run:
    return runner(server, "ann-cms", "guidance:draft")


@pytest.fixture(scope="module")
def ben(server: LiveServer) -> Run:
    return runner(server, "ben-cms", "guidance:draft", "guidance:publish")


def done(result: Result) -> str:
    assert result.exit_code == 0, f"{result.output} {result.exception}"
    return result.stdout


def refusal(result: Result) -> str:
    assert isinstance(result.exception, DeskRequestFailed), result.output
    return str(result.exception)


def write(folder: Path, guide: str, **changes: Any) -> Path:
    path = folder / guide / "1.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(file_text(whole_draft(**changes)), encoding="utf-8")
    return path


def test_one_person_writes_a_guide_and_another_publishes_it(ann: Run, ben: Run, tmp_path: Path) -> None:
    path, page = write(tmp_path, "county-lines"), tmp_path / "page.html"

    saved = done(ann("put", path))
    again = done(ann("put", path))
    checked = done(ben("check", "county-lines"))
    done(ben("preview", "county-lines", "--out", page))
    offered = done(ann("offer", "county-lines", "--version", "1"))
    published = done(ben("publish", "county-lines", "--version", "1", "--new"))

    assert saved == again == "county-lines, draft version 1: saved. Then: guidance draft check county-lines\n"
    assert "county-lines, draft version 1: no faults (sha256:" in checked
    assert "warning: no guide `county-lines` is published: this is a new guide." in checked
    assert "DRAFT" in page.read_text(encoding="utf-8")
    assert offered == "county-lines, draft version 1: offered for publication\n"
    assert published.startswith("county-lines, edition 1: published (sha256:")
    assert refusal(ann("show", "county-lines")).startswith("Nothing was changed: there is no draft of county-lines.")


def test_what_somebody_saved_meanwhile_is_never_overwritten_and_the_message_says_what_to_do(
    ann: Run, ben: Run, tmp_path: Path
) -> None:
    done(ann("put", write(tmp_path, "self-harm", title="Title of Ann")))

    unnamed = refusal(ben("put", write(tmp_path, "self-harm", title="Title of Ben")))
    done(ben("put", write(tmp_path, "self-harm", title="Title of Ben"), "--version", "1"))
    path = write(tmp_path, "self-harm", title="Second title of Ann")
    stale = [
        refusal(ann("put", path, "--version", "1")),
        refusal(ann("discard", "self-harm", "--version", "1")),
        refusal(ann("offer", "self-harm", "--version", "1")),
    ]

    assert "Title of Ben" in done(ann("show", "self-harm"))
    assert unnamed == (
        "Nothing was changed: self-harm has a draft already: version 1, written by ann-cms. Read it (guidance draft "
        "show self-harm), and name the version that your words follow: --version 1"
    )
    assert set(stale) == {
        "Nothing was changed: the draft of self-harm is now version 2, written by ben-cms. Read it (guidance draft "
        "show self-harm), bring both together, and name it: --version 2"
    }


def test_nobody_publishes_their_own_words_or_over_an_edition_that_they_did_not_name(
    ann: Run, ben: Run, tmp_path: Path
) -> None:
    done(ann("put", write(tmp_path, SEED_GUIDE)))

    unsaid = ben("publish", SEED_GUIDE, "--version", "1")
    new = refusal(ben("publish", SEED_GUIDE, "--version", "1", "--new"))
    done(ben("put", write(tmp_path, SEED_GUIDE, title="Title of Ben"), "--version", "1"))
    own = refusal(ben("publish", SEED_GUIDE, "--version", "2", "--follows", "1"))
    removed = done(ann("discard", SEED_GUIDE, "--version", "2"))

    assert unsaid.exit_code == 2
    assert new.endswith(f"(guidance draft changes {SEED_GUIDE}), and add --follows 1")
    assert own == (
        "Nothing was changed: you wrote words of this draft. Somebody else publishes it, who is none of: "
        "ann-cms, ben-cms"
    )
    assert "Title of Ben" in removed


def test_faults_and_changes_are_listed_and_the_file_that_is_shown_is_saved_again(
    ann: Run, server: LiveServer, tmp_path: Path
) -> None:
    with server.client() as http:
        current = http.get(f"/v1/guides/{SEED_GUIDE}").json()
    path = write(tmp_path, SEED_GUIDE, title=current["title"] + " again", change_note="")
    saved = done(ann("put", path))  # a version that was used before the last draft was removed does not come again
    version = saved.partition("version ")[2].partition(":")[0]

    checked, changes = ann("check", SEED_GUIDE), done(ann("changes", SEED_GUIDE))
    shown = done(ann("show", SEED_GUIDE))
    path.write_text(shown, encoding="utf-8")
    again = done(ann("put", path, "--version", version))

    assert checked.exit_code == 1
    assert "hange note" in checked.stdout
    assert f"{SEED_GUIDE}, draft version {version}: it has faults" in checked.stdout
    assert "Title: " in changes
    assert "{+again+}" in changes
    assert "Not compared, since it has faults: change_note" in changes
    assert again.startswith(f"{SEED_GUIDE}, draft version {version}: saved")
    done(ann("discard", SEED_GUIDE, "--version", version))


def test_with_json_each_command_prints_what_the_service_answers(ann: Run, ben: Run, tmp_path: Path) -> None:
    path = write(tmp_path, "neglect")

    answers = [
        json.loads(done(ann(*words, "--json")))
        for words in (
            ("put", path),
            ("show", "neglect"),
            ("check", "neglect"),
            ("offer", "neglect", "--version", "1"),
        )
    ]
    published = json.loads(done(ben("publish", "neglect", "--version", "1", "--new", "--json")))
    done(ann("put", write(tmp_path, "neglect", title="Another title")))
    compared = json.loads(done(ann("changes", "neglect", "--json")))
    removed = json.loads(done(ann("discard", "neglect", "--version", str(compared["version"]), "--json")))

    assert [each["version"] for each in answers] == [1, 1, 1, 1]
    assert published["edition"] == compared["since"] == 1
    assert removed["content"]["title"] == "Another title"


def test_a_file_whose_words_would_be_lost_on_the_way_is_refused_with_the_line(ann: Run, tmp_path: Path) -> None:
    path = tmp_path / "parental-conflict" / "1.yaml"
    path.parent.mkdir()
    path.write_text("title: One\ntitle: Two\n", encoding="utf-8")

    refused = ann("put", path)

    assert isinstance(refused.exception, SeedFileError)
    assert "line 2: `/title` is a duplicate key" in str(refused.exception)
    assert refusal(ann("show", "parental-conflict")).startswith("Nothing was changed: there is no draft")
    assert ann("show", "../desk").exit_code == 2
