"""The invented guide that the wheel and the image have in place of a council's."""

import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyrage
import pytest
from starlette.testclient import TestClient

from app.config import SEED_DIR, TRIAL_DIR, Settings
from app.main import create_app
from app.models.guides.edition_files import read_edition_file
from tests.support.command import ROOT

pytestmark = pytest.mark.any_database

PLACE = "guides/child-sexual-exploitation/1.yaml"
GUIDE = "/v1/guides/child-sexual-exploitation"
FOR_DRAMA = re.compile(r"01632 960\d{3}")
"""Ofcom keeps these numbers for television and radio: they ring nowhere."""
RUN = 6
"""So many words in the same order are somebody's sentence."""


@pytest.fixture
def installed_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The seed as the wheel has it: without a council's guide."""
    target = tmp_path / "seed"
    shutil.copytree(SEED_DIR, target, ignore=shutil.ignore_patterns("guides", "renditions", "sources"))
    monkeypatch.setattr("app.config.SEED_DIR", target)
    return target


def runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[\w’]+", text.lower())
    return {tuple(words[place : place + RUN]) for place in range(len(words) - RUN + 1)}


@pytest.mark.embedded
def test_only_a_trial_publishes_the_invented_guide(installed_seed: Path, tmp_path: Path) -> None:
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    trial = Settings(data_dir=tmp_path / "trial", seed_dir=installed_seed)
    real = Settings(data_dir=tmp_path / "real", seed_dir=installed_seed, seal_to=(recipient,))

    with TestClient(create_app(trial)) as tried, TestClient(create_app(real)) as served:
        guide = tried.get(GUIDE).json()
        none = served.get("/v1/guides").json()["guides"]
        numbers = served.get("/v1/signposts").text

    assert "invented" in guide["title"]
    assert none == []
    assert "01632" not in numbers


@pytest.mark.embedded
def test_a_clone_and_a_seed_folder_of_ones_own_show_their_own_guide(installed_seed: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    shutil.copytree(installed_seed, own)

    assert Settings(seed_dir=ROOT / "seed").first_guides == ROOT / "seed"
    assert Settings(seed_dir=own).first_guides == own


def reads_of_guides(document: dict[str, Any]) -> Iterator[str]:
    """Yield the path of each read of a guide, with the examples of the document."""
    shared = document["components"]["parameters"]
    for path, operations in document["paths"].items():
        asked = path
        for each in operations.get("get", {}).get("parameters", ()):
            known = shared[each["$ref"].rpartition("/")[2]] if "$ref" in each else each
            example = known.get("example") or known["schema"].get("examples", [""])[0]
            asked = asked.replace(f"{{{known['name']}}}", str(example))
        if asked.startswith(f"{GUIDE}/") and "{" not in asked:
            yield asked


@pytest.mark.embedded
def test_a_trial_of_the_invented_guide_answers_what_the_documents_ask(installed_seed: Path, tmp_path: Path) -> None:
    with TestClient(create_app(Settings(data_dir=tmp_path, seed_dir=installed_seed))) as client:
        asked = [each for each in reads_of_guides(client.get("/openapi.json").json()) if "/draft" not in each]
        missed = {each for each in asked if client.get(each).status_code == 404}

    assert len(asked) >= 40
    assert f"{GUIDE}/renditions/cy/indicators.csv" in asked
    # The words of the statute are the government's, so the invented guide does not have that definition.
    assert {each.rpartition("/")[2] for each in missed} == {"statutory-definition"}


def test_the_invented_guide_says_so_first_and_its_numbers_ring_nowhere() -> None:
    content = read_edition_file(TRIAL_DIR / PLACE).content

    assert "invented" in content.title
    assert "invented" in content.publisher.name
    assert content.publisher.gss_code is None
    assert "invented" in content.cautions[0].text
    assert "999" in content.cautions[0].text
    phones = [phone for contact in content.contacts for phone in contact.phones]
    assert phones
    assert [phone.display for phone in phones if not FOR_DRAMA.fullmatch(phone.display)] == []
    assert {urlsplit(each.url).hostname for each in content.contacts if each.url} == {"council.example"}
    assert {each.kind.value for each in content.definitions} == {"local"}


def test_the_invented_guide_has_the_ids_of_the_documentation_and_no_sentence_of_a_council() -> None:
    invented, real = (read_edition_file(folder / PLACE).content for folder in (TRIAL_DIR, SEED_DIR))
    (document,) = (SEED_DIR / "sources").glob("*.txt")
    text = re.sub("- id: .*", "", (TRIAL_DIR / PLACE).read_text(encoding="utf-8"))

    for section in ("cautions", "factors", "indicators", "linked_risks", "responsibilities", "contacts"):
        assert [each.id for each in getattr(invented, section)] == [each.id for each in getattr(real, section)]
    assert runs(text) & runs(document.read_text(encoding="utf-8")) == set()


def test_the_wheel_is_built_without_a_councils_guide() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    excluded = project["tool"]["hatch"]["build"]["targets"]["wheel"]["exclude"]

    held = {each.name for each in SEED_DIR.iterdir() if each.is_dir()} - {"code-lists"}
    assert {f"/seed/{name}" for name in held} == set(excluded) - {"/app/commit.txt"}
