"""A release is made by one command, can be checked by a stranger, and serves from its own files alone."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.build import RELEASE
from deploy.release import following
from tests.support.command import ROOT
from tests.support.databases import postgresql
from tests.support.images import BUILDERS, served_image, unpacked
from tests.support.live import LiveServer
from tests.support.load import A_CONCERN
from tests.support.node import need_npm
from tests.support.proxies import need
from tests.support.samples import samples_in
from tests.support.trees import BUILT, copied

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.any_database]

NEXT = f"{RELEASE.removesuffix('.dev0').partition('rc')[0]}rc9"
"""A candidate for the next version."""
NPM = NEXT.replace("rc", "-rc.")
RELEASES, INSTALLING = "docs/reference/releases.md", "docs/how-to/one-machine.md"
AUTHOR = {
    f"GIT_{who}_{what}": "example@council.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
}
STRANGERS = (
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "PYTHONHOME",
    "GUIDANCE_COMMIT",
    "ARGS",
    "MAKEFLAGS",
    "MAKELEVEL",
    "MFLAGS",
    "MAKEOVERRIDES",
    "VENV",
)
"""Variables by which the tree of the tests would take part in what a release does."""
INSIDE = "one_minute_guide"
MEMBERS = {
    f"one_minute_guide-{NEXT}-py3-none-any.whl",
    f"one_minute_guide-{NEXT}.tar.gz",
    f"guidance_client-{NEXT}-py3-none-any.whl",
    f"one-minute-guide-{NPM}.tgz",
    f"documentation-{NEXT}.zip",
    "serve.txt",
    "notes.md",
    "wheel.cdx.json",
    "unseal.html",
    "provenance.json",
}
OF_THE_IMAGE = {"image.tar", "image.cdx.json"}
HAS_IMAGE = os.getuid() == 0 and all(map(shutil.which, BUILDERS))
ONCE = {"Idempotency-Key": "00000000-0000-4000-8000-000000000002"}
COPY = "copy_of_a_release"


def run(folder: Path, *command: str | Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run the command there, without the tree of the tests."""
    environment = {name: value for name, value in os.environ.items() if name not in STRANGERS}
    return subprocess.run(
        command, cwd=folder, env=environment | AUTHOR | settings, check=False, capture_output=True, text=True
    )


def done(folder: Path, *command: str | Path, **settings: str) -> str:
    """Run the command there, and return its output. A command that fails is a failed test."""
    ended = run(folder, *command, **settings)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout.strip()


def release(tree: Path, version: str, *options: str | Path) -> "subprocess.CompletedProcess[str]":
    command = (sys.executable, "-m", "deploy.release", version, "--date", "2026-12-24")
    return run(tree, *command, *options, ARGS="--meant-for-the-release")


def wheel_of(tree: Path, target: Path, **settings: str) -> Path:
    done(tree, sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", target, **settings)
    (wheel,) = target.glob("*.whl")
    return wheel


def environment_in(folder: Path) -> Path:
    """Return an empty environment."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = copied(tmp_path_factory.mktemp("tree"))
    done(tree, "git", "init", "--quiet")
    done(tree, "git", "remote", "add", "origin", "https://who:secret@code.example/council/guide.git")
    done(tree, "git", "add", "--all")
    done(tree, "git", "commit", "--quiet", "--message", "A tree")
    return tree


@pytest.fixture(scope="module")
def key(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key of the first maintainer, made and named as the document says, but without a passphrase."""
    need("ssh-keygen")
    folder = tmp_path_factory.mktemp("keys")
    (block,) = [each.text for each in samples_in(RELEASES) if "ssh-keygen -t" in each.text]
    done(tree, "sh", "-ec", block.replace("~/.ssh", str(folder)).replace("ssh-keygen -t", "ssh-keygen -q -N '' -t"))
    return folder / "release-key"


@pytest.fixture(scope="module")
def made(tree: Path, key: Path) -> Path:
    """The folder of a release that was made in the tree, as the page for maintainers says."""
    need_npm()
    (block,) = [each.text for each in samples_in(RELEASES) if "make release" in each.text]
    words = re.sub(r"VERSION=\S+", f"VERSION={NEXT}", block).replace("~/.ssh/release-key", shlex.quote(str(key)))
    ended = run(tree, "sh", "-ec", words)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ("Without an image" in ended.stdout) is not HAS_IMAGE
    return tree / "build" / f"release-{NEXT}"


@pytest.fixture(scope="module")
def installed(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the release, installed as the document says, and with the `app` of another program."""
    environment = environment_in(tmp_path_factory.mktemp("installed") / "environment")
    lines = re.findall(r"^/opt/guidance/bin/pip install .*$", (ROOT / INSTALLING).read_text("utf-8"), re.MULTILINE)
    assert len(lines) == 2
    for line in lines:
        done(made, "sh", "-ec", line.replace("/opt/guidance", str(environment)).replace("wheel/", ""))
    (site,) = environment.glob("lib/*/site-packages")
    (site / "app.py").write_text("raise SystemExit('this is the app of another program')\n")
    return environment


def test_two_builds_in_two_folders_at_two_times_give_the_same_wheel(tmp_path: Path) -> None:
    first = wheel_of(copied(tmp_path / "one"), tmp_path / "first")
    other = copied(tmp_path / "another folder")
    for path in other.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    second = wheel_of(other, tmp_path / "second")

    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()
    names = zipfile.ZipFile(first).namelist()
    assert {f"{INSIDE}/{name}" for name in BUILT if (ROOT / name).is_file()} <= set(names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {INSIDE}


def test_what_is_built_between_releases_names_its_commit_everywhere(tmp_path: Path) -> None:
    clone = copied(tmp_path / "clone")
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "A tree"]):
        done(clone, "git", *words)
    commit = done(clone, "git", "rev-parse", "HEAD")
    version = f"{RELEASE}+g{commit[:12]}"

    wheel = wheel_of(clone, tmp_path / "wheel")

    assert wheel.name == f"one_minute_guide-{version}-py3-none-any.whl"
    assert zipfile.ZipFile(wheel).read(f"{INSIDE}/app/commit.txt").decode().strip() == commit
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    program = "from one_minute_guide import main; main()"
    said = done(tmp_path, sys.executable, "-c", program, "--version", PYTHONPATH=str(site))
    assert said == f"guidance {version} ({commit})"


@pytest.mark.parametrize(("version", "then"), [("1.0.0", "1.0.1.dev0"), ("1.2.0rc1", "1.2.0rc2.dev0")])
def test_what_follows_a_release_is_no_release(version: str, then: str) -> None:
    assert following(version) == then


def test_a_release_refuses_changes_strange_versions_and_unknown_signers(tree: Path, tmp_path: Path) -> None:
    before = done(tree, "git", "rev-parse", "HEAD")
    done(tree, need("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "stranger")
    (tree / "NOTICE.md").write_text("changed")
    dirty = release(tree, NEXT)
    done(tree, "git", "checkout", "--quiet", "--", "NOTICE.md")
    strange = release(tree, "next")
    done(tree, "git", "tag", "v1.2.3")
    twice = release(tree, "1.2.3")
    done(tree, "git", "tag", "--delete", "v1.2.3")
    stranger = release(tree, NEXT, "--key", tmp_path / "stranger")

    refusals = (dirty, strange, twice, stranger)
    assert [each.returncode for each in refusals] == [1, 1, 1, 1]
    assert [each.stderr.splitlines()[0].partition(" /")[0] for each in refusals] == [
        "There are changes that are not committed.",
        "A version is three numbers, such as 1.0.0, or a candidate for it, such as 1.0.0rc1.",
        "v1.2.3 is a tag already.",
        "supply/release_signers does not have the key",
    ]
    assert done(tree, "git", "rev-parse", "HEAD") == before


def test_a_release_has_its_version_tag_and_files(tree: Path, made: Path) -> None:
    commit = done(tree, "git", "rev-parse", "HEAD~1")

    assert done(tree, "git", "describe", "--exact-match", "HEAD~1") == f"v{NEXT}"
    assert f'RELEASE = "{following(NEXT)}"' in (tree / "app" / "build.py").read_text()
    assert done(tree, "git", "status", "--porcelain") == ""
    assert re.search(
        rf"^## Unreleased\n\n## {NEXT} - \d{{4}}-\d\d-\d\d$", (tree / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert NPM in (tree / "web_client" / "package.json").read_text()
    projects = ("client/pyproject.toml",)
    deployed = ("deploy/kubernetes.yaml", "deploy/compose.yaml", "docs/how-to/deploy.md", "docs/how-to/first-day.md")
    for name in (*projects, *deployed):
        assert NEXT in (tree / name).read_text()
    assert json.loads((tree / "tests" / "released" / "openapi.json").read_text())["info"]["version"] == NEXT
    assert "CREATE TABLE concerns" in (tree / "tests" / "released" / "schema.sqlite.sql").read_text()
    assert (made / "notes.md").read_text().startswith(f"# {NEXT}\n\nCheck these files")
    assert json.loads((made / "wheel.cdx.json").read_text())["metadata"]["component"]["version"] == NEXT
    wheel = zipfile.ZipFile(made / f"one_minute_guide-{NEXT}-py3-none-any.whl")
    assert {f"{INSIDE}/{name}" for name in (*BUILT, "app/pages/accessibility.json")} <= set(wheel.namelist())
    assert wheel.read(f"{INSIDE}/app/commit.txt").decode().strip() == commit
    packed = done(tree, "tar", "-tf", made / f"one-minute-guide-{NPM}.tgz").split()
    assert {"package/README.md", "package/LICENSE"} <= set(packed)
    assert json.loads((tree / "web_client" / "package.json").read_text())["repository"]["url"].endswith("/guide.git")
    client = zipfile.ZipFile(made / f"guidance_client-{NEXT}-py3-none-any.whl")
    assert any(name.endswith("/LICENSE") for name in client.namelist())
    described = wheel.read(f"one_minute_guide-{NEXT}.dist-info/METADATA").decode()
    assert f"Version: {NEXT}\nSummary: " in described
    assert "Project-URL: Source, https://code.example/council/guide\n" in described
    home = zipfile.ZipFile(made / f"documentation-{NEXT}.zip").read(f"documentation-{NEXT}/index.html").decode()
    assert f"Version {NEXT}, commit {commit[:12]}" in home


def test_a_stranger_checks_signature_checksums_tag_and_provenance(tree: Path, made: Path, tmp_path: Path) -> None:
    files = shutil.copytree(made, tmp_path / "files")
    shutil.copy(tree / "supply" / "release_signers", files)
    (check,) = [each.text for each in samples_in(RELEASES) if "ssh-keygen -Y" in each.text]

    said = done(files, "sh", "-ec", check)

    assert 'Good "file" signature for release' in said
    members = MEMBERS | (OF_THE_IMAGE if HAS_IMAGE else set())
    assert {line.partition(":")[0] for line in said.splitlines() if line.endswith(": OK")} == members
    signers = f"gpg.ssh.allowedSignersFile={tree / 'supply' / 'release_signers'}"
    done(tree, "git", "-c", signers, "verify-tag", f"v{NEXT}")
    statement: dict[str, Any] = json.loads((files / "provenance.json").read_text())
    assert {each["name"] for each in statement["subject"]} == members - {"provenance.json"}
    assert statement["predicate"]["buildDefinition"]["externalParameters"]["image"] is HAS_IMAGE
    source, *_ = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert source["uri"] == "git+https://code.example/council/guide"
    assert source["digest"] == {"gitCommit": done(tree, "git", "rev-parse", "HEAD~1")}
    with (files / "serve.txt").open("a") as changed:
        changed.write("# another line\n")
    assert run(files, "sh", "-ec", check).returncode != 0


def test_the_source_of_a_release_gives_the_same_wheel(made: Path, tmp_path: Path) -> None:
    (rebuild,) = [each.text for each in samples_in(RELEASES) if "hatchling" in each.text]
    shutil.copy(made / f"one_minute_guide-{NEXT}.tar.gz", tmp_path)

    done(tmp_path, "sh", "-ec", rebuild.replace("python -m", f"{shlex.quote(sys.executable)} -m"))

    (built,) = tmp_path.glob("one_minute_guide-*/dist/*.whl")
    assert built.read_bytes() == (made / built.name).read_bytes()


class InstalledServer(LiveServer):
    """`guidance serve` of another environment, whose `app` of another program nobody may import."""

    def __init__(self, data_dir: Path, environment: Path) -> None:
        super().__init__(data_dir, is_forked=False)
        self._program = environment / "bin" / "guidance"

    def _run(self, words: list[str]) -> "subprocess.Popen[bytes]":
        own = {name: value for name, value in self._environment.items() if name not in STRANGERS}
        with self.log.open("ab") as log:
            return subprocess.Popen([self._program, *words], stderr=log, stdout=log, env=own, cwd=self.data_dir.parent)


def test_a_release_serves_the_folder_of_the_version_before_and_copies_it(
    tree: Path, installed: Path, tmp_path: Path
) -> None:
    with LiveServer(tmp_path / "data", is_forked=False) as before:
        first = httpx.post(f"{before.url}/v1/concerns", json=A_CONCERN, headers=ONCE, trust_env=False)

    with InstalledServer(tmp_path / "data", installed) as server:
        service = httpx.get(f"{server.url}/v1", trust_env=False).json()
        guide = httpx.get(f"{server.url}/v1/guides/child-sexual-exploitation", trust_env=False)
        again = httpx.post(f"{server.url}/v1/concerns", json=A_CONCERN, headers=ONCE, trust_env=False)
        receipt = httpx.post(f"{server.url}/v1/concerns", json=A_CONCERN, trust_env=False)

    assert service["version"] == NEXT
    assert service["commit"] == done(tree, "git", "rev-parse", "HEAD~1")
    assert (first.status_code, guide.status_code, receipt.status_code) == (201, 200, 201)
    assert (again.headers["Idempotency-Replayed"], again.content) == ("true", first.content)
    assert done(tmp_path, installed / "bin" / "guidance", "verify", "--data-dir", tmp_path / "data")
    database = postgresql()
    database.drop({COPY})
    with database.connect("postgres") as connection:
        connection.execute(f"CREATE DATABASE {COPY}")
    to = ("copy", "--to", database.address(COPY), "--data-dir", tmp_path / "data")
    assert "2 concerns" in done(tmp_path, installed / "bin" / "guidance", *to)
    database.drop({COPY})


@pytest.mark.skipif(not HAS_IMAGE, reason="only root can build and serve an image, with buildah and mmdebstrap")
def test_the_image_of_a_release_serves_the_folder_of_its_wheel(made: Path, installed: Path, tmp_path: Path) -> None:
    with InstalledServer(tmp_path / "data", installed) as server:
        first = httpx.post(f"{server.url}/v1/concerns", json=A_CONCERN, headers=ONCE, trust_env=False)

    with served_image(unpacked(made / "image.tar", tmp_path), tmp_path) as (url, _):
        version = httpx.get(f"{url}/v1", trust_env=False).json()["version"]
        again = httpx.post(f"{url}/v1/concerns", json=A_CONCERN, headers=ONCE, trust_env=False)

    assert (version, again.content) == (NEXT, first.content)


def test_the_client_of_a_release_runs_in_an_empty_environment(tree: Path, made: Path, tmp_path: Path) -> None:
    environment = environment_in(tmp_path / "environment")
    path = f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
    document = (tree / "docs" / "reference" / "events.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^pip install .*guidance_client-.*$", document, re.MULTILINE)
    program = "import guidance_client.receipts as it; print(it.__file__)"

    done(made, "sh", "-ec", line, PATH=path)

    assert Path(done(tmp_path, "python", "-c", program, PATH=path)).is_relative_to(environment)
