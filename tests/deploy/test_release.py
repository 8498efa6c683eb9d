"""A release is made by one command, and two builds of one tree give the same wheel."""

import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.command import ROOT
from tests.support.node import need_npm
from tests.support.trees import BUILT, copied

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.any_database]

NEXT = "9.8.7"
AUTHOR = {
    f"GIT_{who}_{what}": "example@council.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
}


def wheel_of(tree: Path, target: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=tree, check=True, capture_output=True)
    (wheel,) = target.glob("*.whl")
    return wheel


def git(tree: Path, *arguments: str) -> str:
    """Run git there, and return its output."""
    environment = {**os.environ, **AUTHOR}
    return subprocess.run(
        ["git", *arguments], cwd=tree, env=environment, check=True, capture_output=True, text=True
    ).stdout.strip()


def release(tree: Path, version: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "deploy/release.py", version, "--date", "2026-12-24", "--without-image"]
    environment = {**os.environ, **AUTHOR}
    return subprocess.run(command, cwd=tree, env=environment, check=False, capture_output=True, text=True)


def client_runs(release: Path, document: Path, target: Path) -> None:
    """Install the client of the release into an empty environment by the line of the document, and use it."""
    (line,) = re.findall(r"^pip install .*guidance_client-.*$", document.read_text(encoding="utf-8"), re.MULTILINE)
    subprocess.run([sys.executable, "-m", "venv", str(target)], check=True, capture_output=True)
    strangers = ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")
    environment = {name: value for name, value in os.environ.items() if name not in strangers}
    environment["PATH"] = f"{target / 'bin'}{os.pathsep}{environment['PATH']}"
    program = (
        "import guidance_client.receipts; print(guidance_client.__file__, guidance_client.GuidanceClient.__name__)"
    )
    subprocess.run(["sh", "-ec", line], cwd=release, env=environment, check=True, capture_output=True)
    ran = subprocess.run(
        ["python", "-c", program], cwd=target, env=environment, check=True, capture_output=True, text=True
    )
    file, name = ran.stdout.split()
    assert Path(file).is_relative_to(target)
    assert name == "GuidanceClient"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = copied(tmp_path_factory.mktemp("tree"))
    git(tree, "init", "--quiet")
    git(tree, "add", "--all")
    git(tree, "commit", "--quiet", "--message", "A tree")
    return tree


def test_two_builds_in_two_folders_at_two_times_give_the_same_wheel(tmp_path: Path) -> None:
    first = wheel_of(copied(tmp_path / "one"), tmp_path / "first")
    other = copied(tmp_path / "another folder")
    for path in other.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    second = wheel_of(other, tmp_path / "second")

    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()
    assert set(BUILT) & set(zipfile.ZipFile(first).namelist()) == {name for name in BUILT if (ROOT / name).is_file()}
    names = zipfile.ZipFile(first).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"app", "seed", "one_minute_guide"}


def test_a_release_refuses_uncommitted_changes_and_strange_or_repeated_versions(tree: Path) -> None:
    before = git(tree, "rev-parse", "HEAD")
    (tree / "NOTICE.md").write_text("changed")
    dirty = release(tree, NEXT)
    git(tree, "checkout", "--quiet", "--", "NOTICE.md")
    strange = release(tree, "next")
    git(tree, "tag", "v1.2.3")
    twice = release(tree, "1.2.3")

    assert [each.returncode for each in (dirty, strange, twice)] == [1, 1, 1]
    assert [each.stderr.strip() for each in (dirty, strange, twice)] == [
        "There are changes that are not committed.",
        "A version is three numbers, such as 0.2.0.",
        "v1.2.3 is a tag already.",
    ]
    assert git(tree, "rev-parse", "HEAD") == before


def test_a_release_has_its_version_tag_files_and_notes(tree: Path, tmp_path: Path) -> None:
    need_npm()
    unreleased = (tree / "CHANGELOG.md").read_text().partition("## Unreleased\n")[2].partition("\n## ")[0].strip()

    made = release(tree, NEXT)

    assert made.returncode == 0, made.stderr
    assert git(tree, "describe", "--exact-match") == f"v{NEXT}"
    assert git(tree, "status", "--porcelain") == ""
    assert f"## Unreleased\n\n## {NEXT} - 2026-12-24\n" in (tree / "CHANGELOG.md").read_text()
    for name in (
        "pyproject.toml",
        "client/pyproject.toml",
        "deploy/kubernetes.yaml",
        "deploy/compose.yaml",
        "docs/how-to/deploy.md",
        "docs/how-to/first-day.md",
    ):
        assert NEXT in (tree / name).read_text()
    assert json.loads((tree / "tests" / "released" / "openapi.json").read_text())["info"]["version"] == NEXT
    assert "CREATE TABLE concerns" in (tree / "tests" / "released" / "schema.sqlite.sql").read_text()
    folder = tree / "build" / f"release-{NEXT}"
    assert (folder / "notes.md").read_text() == f"# {NEXT}\n\n{unreleased}\n"
    assert json.loads((folder / "wheel.cdx.json").read_text())["metadata"]["component"]["version"] == NEXT
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    wheel = f"one_minute_guide-{NEXT}-py3-none-any.whl"
    client, documentation = f"guidance_client-{NEXT}-py3-none-any.whl", f"documentation-{NEXT}.zip"
    assert set(sums) == {wheel, client, documentation, "serve.txt", "notes.md", "wheel.cdx.json", "unseal.html"}
    archive = zipfile.ZipFile(folder / wheel)
    assert set(BUILT) <= set(archive.namelist())
    assert archive.read("app/commit.txt").decode().strip() == git(tree, "rev-parse", "HEAD")
    home = zipfile.ZipFile(folder / documentation).read(f"documentation-{NEXT}/index.html").decode()
    assert f"Version {NEXT}, commit {git(tree, 'rev-parse', 'HEAD')[:12]}" in home
    client_runs(folder, tree / "docs" / "how-to" / "integrate.md", tmp_path / "empty")
    for name, digest in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
