"""Make a release of a clean tree: release.py VERSION [--date DATE] [--without-image].

`make release VERSION=0.2.0` runs this program. It changes the heading 'Unreleased' of CHANGELOG.md to the version and
the date, and writes the version into every file that names it. It records the OpenAPI document and the database schema
for the tests of later versions, commits, and tags the commit.

`build/release-VERSION` then contains the wheel, which names its commit, the wheel of the typed client, the locked
requirements, the documentation, the bill of materials, the image, the page that opens concerns from disk, the notes for
callers, and the SHA-256 of each file. The program pushes nothing.
"""

import argparse
import datetime
import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECTS = ("pyproject.toml", "client/pyproject.toml")
COMMIT_FILE = ROOT / "app" / "commit.txt"
UNSEAL_PAGE = "app/pages/static/unseal.html"
HEADING = "## Unreleased\n"
WITH_THE_VERSION = [
    "deploy/kubernetes.yaml",
    "deploy/compose.yaml",
    "docs/how-to/deploy.md",
    "docs/how-to/first-day.md",
    "docs/how-to/integrate.md",
]
OF_A_FILE = re.compile(r"(one-minute-guide:|one_minute_guide-|guidance_client-)\d+\.\d+\.\d+")
VERSION = re.compile(r"\d+\.\d+\.\d+")


class CannotRelease(Exception):
    """The tree or the host is not ready for a release. The message gives the reason."""


def released_changelog(text: str, version: str, date: str) -> str:
    """Return the changelog `text` with its unreleased changes under the version and date.

    Raise `CannotRelease` if there are no unreleased changes.
    """
    if HEADING not in text or not notes(text.replace(HEADING, f"## {version} - {date}\n", 1), version):
        raise CannotRelease("CHANGELOG.md has nothing under 'Unreleased'.")
    return text.replace(HEADING, f"{HEADING}\n## {version} - {date}\n", 1)


def notes(changelog: str, version: str) -> str:
    """Return the section of the changelog about `version`, or an empty string if there is none."""
    section = re.search(
        rf"^## {re.escape(version)} - [^\n]*\n(.*?)(?=^## |\Z)", changelog, flags=re.MULTILINE | re.DOTALL
    )
    return section[1].strip() if section else ""


def _run(*command: str | Path, folder: Path = ROOT) -> str:
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def _check(version: str) -> None:
    if not VERSION.fullmatch(version):
        raise CannotRelease("A version is three numbers, such as 0.2.0.")
    if _run("git", "status", "--porcelain"):
        raise CannotRelease("There are changes that are not committed.")
    if _run("git", "tag", "--list", f"v{version}"):
        raise CannotRelease(f"v{version} is a tag already.")
    if shutil.which("chromium") is None:
        raise CannotRelease("chromium is not installed: the pages could not be tested for the accessibility statement.")
    if shutil.which("npm") is None:
        raise CannotRelease("npm is not installed: the desk's pages could not open concerns in the browser.")


def _write_version(version: str, date: str) -> None:
    changelog = ROOT / "CHANGELOG.md"
    changelog.write_text(released_changelog(changelog.read_text(encoding="utf-8"), version, date), encoding="utf-8")
    for project in (ROOT / name for name in PROJECTS):
        described = re.sub(
            r'^version = ".*"', f'version = "{version}"', project.read_text("utf-8"), count=1, flags=re.MULTILINE
        )
        project.write_text(described, encoding="utf-8")
    for name in WITH_THE_VERSION:
        text = (ROOT / name).read_text(encoding="utf-8")
        (ROOT / name).write_text(OF_A_FILE.sub(rf"\g<1>{version}", text), encoding="utf-8")


def _build(version: str, target: Path, *, with_image: bool) -> None:
    target.mkdir(parents=True)
    _run("make", "--silent", "desk-script")
    _run("make", "--silent", "accessibility")  # it fails unless every page passes
    shutil.copy(ROOT / UNSEAL_PAGE, target)
    os.environ["SOURCE_DATE_EPOCH"] = _run("git", "log", "-1", "--format=%ct")
    COMMIT_FILE.write_text(_run("git", "rev-parse", "HEAD") + "\n", encoding="ascii")
    try:
        _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", target)
    finally:
        COMMIT_FILE.unlink()
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", target, folder=ROOT / "client")
    _build_documentation(target / f"documentation-{version}.zip", version)
    shutil.copy(ROOT / "requirements" / "serve.txt", target)
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    (target / "notes.md").write_text(f"# {version}\n\n{notes(changelog, version)}\n", encoding="utf-8")
    _run(sys.executable, "-m", "supply.bill", target / "wheel.cdx.json")
    if with_image:
        os.environ["OUT"] = str(target)
        print(_run(ROOT / "deploy" / "image" / "build", Path(sys.executable).parents[1]))
        (target / "rootfs.tar").unlink(missing_ok=True)
    files = sorted(path for path in target.iterdir() if path.is_file())
    sums = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)
    (target / "SHA256SUMS").write_text(sums, encoding="utf-8")


def _build_documentation(target: Path, version: str) -> None:
    """Write the documentation site as a ZIP file. Its pages open from disk, and can be searched."""
    os.environ |= {"NO_MKDOCS_2_WARNING": "1", "RELEASED_VERSION": version}
    site = ROOT / "build" / f"site-{version}"
    _run(sys.executable, "-m", "mkdocs", "--quiet", "build", "--strict", "--site-dir", site)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(each for each in site.rglob("*") if each.is_file()):
            archive.write(path, f"documentation-{version}/{path.relative_to(site).as_posix()}")
    shutil.rmtree(site)


def main() -> None:
    """Make the release that the command line names: change the files, commit, build and tag."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("version")
    parser.add_argument("--date", default=datetime.datetime.now(datetime.UTC).date().isoformat())
    parser.add_argument("--without-image", action="store_true")
    wanted = parser.parse_args()
    try:
        _check(wanted.version)
        _write_version(wanted.version, wanted.date)
    except CannotRelease as refusal:
        sys.exit(str(refusal))
    _run(sys.executable, "-m", "tests.support.released", wanted.version)
    _run("git", "add", "tests/released")
    _run("git", "commit", "--quiet", "--all", "--message", f"Release {wanted.version}")
    target = ROOT / "build" / f"release-{wanted.version}"
    _build(wanted.version, target, with_image=not wanted.without_image)
    _run("git", "tag", "--annotate", f"v{wanted.version}", "--message", f"Release {wanted.version}")
    print(f"{target}: push the commit and the tag v{wanted.version} when you have read notes.md")


if __name__ == "__main__":
    main()
