"""Make a release of a clean tree: python -m deploy.release VERSION [--date DATE] [--key FILE] [--without-image].

`make release VERSION=1.0.0 KEY=FILE` runs this program. It changes the heading 'Unreleased' of CHANGELOG.md to the
version and the date, and writes the version into every file that names it. It records the OpenAPI document and the
database schema for the tests of later versions, and the version of the form, commits, and tags the commit. A second
commit names the version that follows, so that no later build is taken for the release.

`build/release-VERSION` then contains the files that `docs/reference/releases.md` lists, with the SHA-256 of each. The
SSH key FILE signs the list of these and the tag; without it neither is signed. The program pushes nothing.
"""

import argparse
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from supply.notes import State, changes_of, release_notes
from supply.provenance import Build, provenance_of, sha256_of
from supply.signing import UnknownSigner, check_signer, sign, tag_options

ROOT = Path(__file__).resolve().parents[1]
NPM_PACKAGE = "web_client/package.json"
PROJECTS = ("app/build.py", "client/pyproject.toml", NPM_PACKAGE)
OF_A_PROJECT = re.compile(r'^(RELEASE = |version = |  "version": )".*"', re.MULTILINE)
UNSEAL_PAGE = "app/pages/static/unseal.html"
HEADING = "## Unreleased\n"
WITH_THE_VERSION = [
    "deploy/kubernetes.yaml",
    "deploy/compose.yaml",
    "docs/how-to/deploy.md",
    "docs/how-to/first-day.md",
    "docs/reference/events.md",
]
OF_A_FILE = re.compile(r"(one-minute-guide:|one_minute_guide-|guidance_client-)\d+\.\d+\.\d+(?:rc\d+)?")
VERSION = re.compile(r"(\d+\.\d+)\.(\d+)(?:rc(\d+))?")
SCHEMAS = ("tests/released/schema.sqlite.sql", "tests/released/schema.postgresql.sql")
SETTINGS = "docs/reference/settings.md"
IMAGE_TOOLS = ("buildah", "mmdebstrap")
OF_MAKE = ("ARGS", "MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS")
"""Variables by which the arguments of `make release` would reach each `make` that it runs."""


class CannotRelease(Exception):
    """The tree or the host is not ready for a release. The message gives the reason."""


def released_changelog(text: str, version: str, date: str) -> str:
    """Return the changelog `text` with its unreleased changes under the version and date.

    Raise `CannotRelease` if there are no unreleased changes.
    """
    if HEADING not in text or not changes_of(text.replace(HEADING, f"## {version} - {date}\n", 1), version):
        raise CannotRelease("CHANGELOG.md has nothing under 'Unreleased'.")
    return text.replace(HEADING, f"{HEADING}\n## {version} - {date}\n", 1)


def _run(*command: str | Path, folder: Path = ROOT) -> str:
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def _check(version: str, key: Path | None) -> None:
    if not VERSION.fullmatch(version):
        raise CannotRelease("A version is three numbers, such as 1.0.0, or a candidate for it, such as 1.0.0rc1.")
    if _run("git", "status", "--porcelain"):
        raise CannotRelease("There are changes that are not committed.")
    if _run("git", "tag", "--list", f"v{version}"):
        raise CannotRelease(f"v{version} is a tag already.")
    if shutil.which("chromium") is None:
        raise CannotRelease("chromium is not installed: the pages could not be tested for the accessibility statement.")
    if shutil.which("npm") is None:
        raise CannotRelease("npm is not installed: the desk's pages could not open concerns in the browser.")
    if key:
        check_signer(key)


def _can_build_image() -> bool:
    """Return whether the host has Docker with a daemon that answers, or what builds an image without it."""
    docker = shutil.which("docker")
    if docker and subprocess.run([docker, "info"], check=False, capture_output=True).returncode == 0:
        return True
    return os.getuid() == 0 and all(map(shutil.which, IMAGE_TOOLS))


def _state_of(commit: str) -> State:
    """Return the schemas and the reference of the settings at `commit`."""
    schemas = "".join(_run("git", "show", f"{commit}:{name}") for name in SCHEMAS)
    return State(schemas, _run("git", "show", f"{commit}:{SETTINGS}"))


def _last_release() -> State | None:
    """Return the state of the last tagged release, or None if no commit has a tag of a release."""
    by_version = ("-c", "versionsort.suffix=rc", "tag", "--list", "v*", "--merged", "HEAD", "--sort=-version:refname")
    tags = _run("git", *by_version).split()
    return _state_of(tags[0]) if tags else None


def _write_version(version: str, date: str) -> None:
    changelog = ROOT / "CHANGELOG.md"
    changelog.write_text(released_changelog(changelog.read_text(encoding="utf-8"), version, date), encoding="utf-8")
    for name in PROJECTS:
        _describe(name, version.replace("rc", "-rc.") if name.endswith(".json") else version)  # npm's spelling
    for project in (ROOT / "pyproject.toml", ROOT / "client" / "pyproject.toml"):
        project.write_text(_with_home(project.read_text("utf-8")), encoding="utf-8")
    package = json.loads((ROOT / NPM_PACKAGE).read_text("utf-8"))
    if home := _home():
        package["repository"] = {"type": "git", "url": f"git+{home}.git"}
    (ROOT / NPM_PACKAGE).write_text(json.dumps(package, indent=2) + "\n", encoding="utf-8")
    for name in WITH_THE_VERSION:
        text = (ROOT / name).read_text(encoding="utf-8")
        (ROOT / name).write_text(OF_A_FILE.sub(rf"\g<1>{version}", text), encoding="utf-8")


def _describe(name: str, version: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    (ROOT / name).write_text(OF_A_PROJECT.sub(rf'\g<1>"{version}"', text, count=1), encoding="utf-8")


def following(version: str) -> str:
    """Return the version of what follows a release, until the next: 1.0.1.dev0, or 1.0.0rc2.dev0 after a candidate."""
    found = VERSION.fullmatch(version)
    if found is None:
        raise CannotRelease(f"{version} is not a version.")
    numbers, patch, candidate = found.groups()
    return f"{numbers}.{patch}rc{int(candidate) + 1}.dev0" if candidate else f"{numbers}.{int(patch) + 1}.dev0"


def _home() -> str:
    """Return the address of the repository on the web, from the remote `origin`, or an empty string if it has none."""
    remotes = _run("git", "remote").split()
    remote = _run("git", "remote", "get-url", "origin") if "origin" in remotes else ""
    address = re.sub(r"^(?:ssh://)?git@([^:/]+)[:/]", r"https://\1/", remote)
    home = re.sub(r"^https://[^@/]*@", "https://", address)  # without the credentials of whoever makes the release
    return home.removesuffix(".git") if home.startswith("https://") else ""


def _with_home(project: str) -> str:
    """Return the text of a pyproject.toml with the address of the repository, which an index of packages shows."""
    if "[project.urls]" in project or not (home := _home()):
        return project
    table = f'[project.urls]\nSource = "{home}"\n\n'
    return project.replace("[project.optional-dependencies]", f"{table}[project.optional-dependencies]", 1)


def _build(target: Path, *, version: str, notes: str, with_image: bool) -> None:
    """Build what a release contains into the folder `target`, but for what is about its files."""
    target.mkdir(parents=True)
    _run("make", "--silent", "desk-script")
    _run("make", "--silent", "accessibility")  # it fails unless every page passes
    shutil.copy(ROOT / UNSEAL_PAGE, target)
    os.environ["SOURCE_DATE_EPOCH"] = _run("git", "log", "-1", "--format=%ct")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist", "-d", target)
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", target, folder=ROOT / "client")
    _run("make", "--silent", "web-client")
    _run("npm", "pack", "--silent", "--pack-destination", target, folder=ROOT / "web_client")
    _build_documentation(target / f"documentation-{version}.zip", version)
    shutil.copy(ROOT / "requirements" / "serve.txt", target)
    (target / "notes.md").write_text(notes, encoding="utf-8")
    _run(sys.executable, "-m", "supply.bill", target / "wheel.cdx.json")
    if with_image:
        os.environ["OUT"] = str(target)
        print(_run(ROOT / "deploy" / "image" / "build", Path(sys.executable).parents[1]))
        (target / "rootfs.tar").unlink(missing_ok=True)


def _vouch(target: Path, build: Build, key: Path | None) -> None:
    """Write where the files come from, and the SHA-256 of each. Sign these with `key`, if there is one."""
    statement = json.dumps(provenance_of(_files(target), build), indent=1)
    (target / "provenance.json").write_text(statement + "\n", encoding="utf-8")
    sums = "".join(f"{sha256_of(path)}  {path.name}\n" for path in _files(target))
    (target / "SHA256SUMS").write_text(sums, encoding="utf-8")
    if key:
        sign(target / "SHA256SUMS", key)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())


def _build_documentation(target: Path, version: str) -> None:
    """Write the documentation site as a ZIP file. Its pages open from disk, and can be searched."""
    os.environ |= {"NO_MKDOCS_2_WARNING": "1", "RELEASED_VERSION": version}
    site = ROOT / "build" / f"site-{version}"
    _run(sys.executable, "-m", "mkdocs", "--quiet", "build", "--strict", "--site-dir", site)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(each for each in site.rglob("*") if each.is_file()):
            archive.write(path, f"documentation-{version}/{path.relative_to(site).as_posix()}")
    shutil.rmtree(site)


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _commit(version: str, date: str, *, is_signed: bool) -> str:
    """Write the version into the files, record what this version promises, commit, and return the notes."""
    before = _last_release()
    _write_version(version, date)
    _run(sys.executable, "-m", "tests.support.released", version)
    _run("git", "add", "tests/released")
    _run("git", "commit", "--quiet", "--all", "--message", f"Release {version}")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    return release_notes(version, changelog, before, _state_of("HEAD"), is_signed=is_signed)


def _release(version: str, date: str, key: Path | None, *, with_image: bool) -> Path:
    """Make the release, and return the folder of its files."""
    _check(version, key)
    notes, began = _commit(version, date, is_signed=key is not None), _now()
    target = ROOT / "build" / f"release-{version}"
    _build(target, version=version, notes=notes, with_image=with_image)
    commit = _run("git", "rev-parse", "HEAD")
    _vouch(
        target,
        Build(version, date, f"git+{_home() or 'file:.'}", commit, began, ended=_now(), has_image=with_image),
        key,
    )
    options, kind = (tag_options(key), "--sign") if key else ([], "--annotate")
    _run("git", *options, "tag", kind, f"v{version}", "--message", f"Release {version}")
    _describe("app/build.py", following(version))
    _run("git", "commit", "--quiet", "--all", "--message", f"Continue after {version}")
    return target


def main() -> None:
    """Make the release that the command line names: change the files, commit, build, sign and tag."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("version")
    parser.add_argument("--date", default=datetime.datetime.now(datetime.UTC).date().isoformat())
    parser.add_argument("--key", type=lambda name: Path(name).expanduser())
    parser.add_argument("--without-image", action="store_true")
    wanted = parser.parse_args()
    for name in OF_MAKE:
        os.environ.pop(name, None)
    with_image = not wanted.without_image and _can_build_image()
    try:
        target = _release(wanted.version, wanted.date, wanted.key, with_image=with_image)
    except (CannotRelease, UnknownSigner) as refusal:
        sys.exit(str(refusal))
    if not with_image:
        print("Without an image: it needs Docker, or Buildah and mmdebstrap as root, and no --without-image.")
    if not wanted.key:
        print("Without a signature: nobody can tell who made these files. Sign with KEY=FILE, an SSH key.")
    print(f"{target}: push both commits and the tag v{wanted.version} when you have read notes.md")


if __name__ == "__main__":
    main()
