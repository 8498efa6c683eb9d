"""The sample that keeps a copy of the guides fetches only the changes, and takes no words without their digest."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from examples.keep_up_to_date import fetch
from tests.support.command import ROOT, guidance
from tests.support.live import LiveServer
from tests.support.publishing import SLUG
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.nightly, pytest.mark.any_database]

SAMPLE = ROOT / "examples" / "keep_up_to_date.py"
NEGLECT = ROOT / "examples" / "guides" / "neglect" / "1.yaml"
PATIENCE_SECONDS = 60
Update = Callable[[], str]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "copy.json"


@pytest.fixture
def update(live: LiveServer, file: Path) -> Update:
    """Return a function that runs the sample as its readers do, and returns what it says."""

    def run() -> str:
        ended = subprocess.run(
            [sys.executable, "-W", "error", str(SAMPLE), live.url, str(file)],
            env=os.environ | {"no_proxy": "127.0.0.1"},
            capture_output=True,
            check=False,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        assert bool(ended.returncode) == bool(ended.stderr), ended.stderr
        return ended.stdout + ended.stderr

    return run


def editions(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_bytes())["editions"]
    return found


def run(live: LiveServer, *words: str | Path) -> str:
    done = guidance(*words, "--data-dir", live.data_dir)
    assert done.returncode == 0, done.stderr
    return done.stdout


def publish_neglect(live: LiveServer) -> None:
    """Publish an invented guide from another process, as an editor does."""
    digest = next(word for word in guidance("approve", NEGLECT).stdout.split() if word.startswith("sha256:"))
    run(live, "publish", NEGLECT, "--digest", digest, "--new")


def test_the_copy_follows_publications_and_withdrawals_and_is_fetched_once(
    live: LiveServer, file: Path, update: Update
) -> None:
    first, second = update(), update()
    publish_neglect(live)
    said: list[str] = []

    def has_said(word: str) -> bool:
        said.append(update())
        return word in said[-1]

    wait_until(lambda: has_said("neglect"))
    held = editions(file)
    run(live, "withdraw", "neglect", "1", "--reason", "A test.")
    wait_until(lambda: has_said("withdrawn"))

    assert first == f"{SLUG}: edition 1 is stored\n"
    assert second == "nothing changed\n"
    assert {each for each in said if each != second} == {
        "neglect: edition 1 is stored\n",
        "neglect: withdrawn, and removed from the copy\n",
    }
    assert sorted(held) == [SLUG, "neglect"]
    assert all(each["cautions"] and each["indicators"] for each in held.values())
    assert sorted(editions(file)) == [SLUG]


def test_a_copy_whose_words_were_changed_or_cut_is_fetched_again(file: Path, update: Update) -> None:
    update()
    whole = file.read_text(encoding="utf-8")
    for damaged in (whole.replace("Secrecy", "Honesty", 1), whole[:1000]):
        assert damaged != whole
        file.write_text(damaged, encoding="utf-8")
        update()

        assert editions(file) == json.loads(whole)["editions"]


def test_while_the_service_is_off_the_copy_stays(live: LiveServer, file: Path, update: Update) -> None:
    update()
    before = file.read_bytes()
    live.stop()

    said = update()

    assert said.startswith("The copy was not updated (last confirmed: 2")
    assert file.read_bytes() == before


def test_words_without_their_digest_are_not_taken(live: LiveServer) -> None:
    path = f"/v1/guides/{SLUG}/editions/1"
    with live.client() as client:
        edition = client.get(path).json()
    edition["indicators"][0]["text"] = "Something that nobody published"

    with (
        httpx.Client(base_url="http://service.example", transport=answering(edition)) as service,
        pytest.raises(ValueError, match="do not have the digest"),
    ):
        fetch(service, path, edition["digest"])


def answering(content: Any) -> httpx.MockTransport:
    return httpx.MockTransport(lambda _: httpx.Response(200, json=content))
