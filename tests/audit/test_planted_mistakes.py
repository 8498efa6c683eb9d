"""An editor's mistakes on the command line: each is said so that the fix is plain, and nothing is published."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli.commands import app
from app.errors import SeedFileError
from app.models.base import digest_of
from app.models.guides.edition_files import edition_yaml
from tests.support.planted_mistakes import MISTAKES, NEXT_FILE, Planted
from tests.support.publishing import FIRST_EDITION, SLUG, an_edition

pytestmark = [pytest.mark.any_database, pytest.mark.slow]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the first edition is published."""
    folder = tmp_path_factory.mktemp("data")
    assert run("publish", FIRST_EDITION, "--data-dir", folder).exit_code == 0
    return folder


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, words)], env={"GUIDANCE_DATABASE_URL": None})


def write(folder: Path, *planted: Planted, name: str = NEXT_FILE) -> Path:
    text = edition_yaml(an_edition())
    for each in planted:
        assert each.replaced[0] in text
        text = text.replace(*each.replaced, 1)
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def number_published(data_dir: Path) -> list[str]:
    return run("verify", "--data-dir", data_dir).stdout.splitlines()


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("new", [False, True], ids=["next edition", "said to be new"])
def test_a_planted_mistake_publishes_nothing_and_says_what_to_do(
    tmp_path: Path, data_dir: Path, mistake: str, new: bool
) -> None:
    planted = MISTAKES[mistake]
    path = write(tmp_path, planted, name=planted.name)
    before = number_published(data_dir)

    options = ["--digest", digest_of(an_edition()), *(["--new"] if new else [])]
    result = run("publish", path, *options, "--data-dir", data_dir)

    assert isinstance(result.exception, SeedFileError)
    assert result.exit_code == 1
    assert planted.sentence in str(result.exception)
    assert number_published(data_dir) == before


def test_an_edition_in_a_misspelt_folder_is_refused_with_the_right_folder(tmp_path: Path, data_dir: Path) -> None:
    path, before = write(tmp_path, name="child-sexual-explotation/1.yaml"), number_published(data_dir)

    result = run("publish", path, "--digest", digest_of(an_edition()), "--data-dir", data_dir)

    assert "For a new guide, add `--new`." in str(result.exception)
    assert f"move the file to the folder `{SLUG}`" in str(result.exception)
    assert number_published(data_dir) == before


def test_several_files_are_checked_at_once_and_each_has_its_fault(tmp_path: Path, data_dir: Path) -> None:
    files = [write(tmp_path, planted, name=f"guide-{place}/1.yaml") for place, planted in enumerate(MISTAKES.values())]

    result = run("check", *files, tmp_path / "none" / "1.yaml", "--data-dir", data_dir)

    faults = [line for line in result.stdout.splitlines() if "warning" not in line]
    said = [planted.sentence if planted.line else "no errors" for planted in MISTAKES.values()]
    assert result.exit_code == 1
    assert len(faults) == len(files) + 1
    for line, path, sentence in zip(faults, files, said, strict=False):
        assert line.startswith(str(path))
        assert line.endswith(sentence)
    assert faults[-1].endswith("there is no such file")


def test_sound_files_are_no_failure_of_a_check_however_many_there_are(tmp_path: Path, data_dir: Path) -> None:
    changed = write(tmp_path, MISTAKES["a wrong folder"])

    result = run("check", FIRST_EDITION, changed, "--data-dir", data_dir)

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [f"{FIRST_EDITION}: no errors", f"{changed}: no errors"]
    assert f"{changed}, line" in result.stderr


def test_approve_without_a_database_says_how_a_new_guide_is_published(tmp_path: Path) -> None:
    first, second = write(tmp_path, name=f"{SLUG}/1.yaml"), write(tmp_path)

    assert (
        "Add `--new` if the guide is not published there yet"
        in run("approve", first, "--data-dir", tmp_path / "none").stderr
    )
    assert "--new" not in run("approve", second, "--data-dir", tmp_path / "none").stderr
