"""A rehearsal of publishing: by name to a trial and a concern, from indexes on this machine, in empty environments.

The packages that the service needs come from wherever this machine gets them. A public runner adds attestations.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.test_release import INSIDE, InstalledServer, done, run
from tests.support.command import ROOT
from tests.support.indexes import UPLOAD, Indexes, local_indexes
from tests.support.node import need_npm
from tests.support.proxies import need
from tests.support.trees import copied

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.any_database]

VERSION, NPM_VERSION = "1.0.0rc1", "1.0.0-rc.1"
UV = Path(sys.executable).with_name("uv")
RAISE = """
import { Guidance } from "one-minute-guide";
const service = new Guidance(process.argv[2]);
const concern = { immediate_danger: "no", reporter: { kind: "professional" }, children: [{}],
  concern: { narrative: "An invented account." } };
const receipt = await service.raise(concern, crypto.randomUUID());
console.log((await service.follow(receipt.reference, receipt.status_token)).state);
"""
WHEELS = {f"guidance_client-{VERSION}-py3-none-any.whl", f"one_minute_guide-{VERSION}-py3-none-any.whl"}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree as a release candidate, whose signers name one key."""
    need("ssh-keygen")
    need_npm()
    tree = copied(tmp_path_factory.mktemp("tree"))
    for name, found, wanted in (
        ("app/build.py", 'RELEASE = "', f'RELEASE = "{VERSION}"  # "'),
        ("client/pyproject.toml", 'version = "', f'version = "{VERSION}" # "'),
    ):
        text = (tree / name).read_text()
        (tree / name).write_text(text.replace(found, wanted, 1))
    package = json.loads((tree / "web_client/package.json").read_text())
    (tree / "web_client/package.json").write_text(json.dumps(package | {"version": NPM_VERSION}))
    done(tree, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tree.parent / "key")
    public = (tree.parent / "key.pub").read_text()
    with (tree / "supply/release_signers").open("a") as signers:
        signers.write(f'release namespaces="file,git" {public}')
    return tree


@pytest.fixture(scope="module")
def made(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a release publishes, with its signed list."""
    target = tmp_path_factory.mktemp("release")
    for project in (tree, tree / "client"):
        done(project, sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", target)
    shutil.copytree(ROOT / "desk_script/node_modules", tree / "desk_script/node_modules", symlinks=True)
    done(tree, "node", "web_client/build.js")
    done(tree / "web_client", "npm", "pack", "--silent", "--pack-destination", target)
    signed(target, tree.parent / "key")
    return target


def signed(folder: Path, key: Path) -> None:
    files = sorted(path for path in folder.iterdir() if not path.name.startswith("SHA256SUMS"))
    sums = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)
    (folder / "SHA256SUMS").write_text(sums)
    (folder / "SHA256SUMS.sig").unlink(missing_ok=True)
    done(folder, "ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", "file", "SHA256SUMS")


def published(tree: Path, files: Path, indexes: Indexes) -> "subprocess.CompletedProcess[str]":
    settings = {
        "UV_PUBLISH_URL": f"{indexes.url}{UPLOAD}",
        "UV_PUBLISH_USERNAME": "rehearsal",
        "UV_PUBLISH_PASSWORD": "rehearsal",
        "npm_config_registry": indexes.url,
        f"npm_config_//127.0.0.1:{indexes.server_port}/:_authToken": "rehearsal",
    }
    return run(tree, tree / "deploy/publish", files, Path(sys.executable).parents[1], **settings)


@pytest.fixture(scope="module")
def indexes(tree: Path, made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indexes]:
    """Both indexes, to which the release was published."""
    with local_indexes(tmp_path_factory.mktemp("indexes") / "files") as indexes:
        (made / "one_minute_guide-9.0.0-py3-none-any.whl").write_bytes(b"Somebody put this beside the release.")
        ended = published(tree, made, indexes)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        yield indexes


def test_only_what_the_signed_list_names_is_published(indexes: Indexes) -> None:
    assert indexes.names == WHEELS | {f"one-minute-guide-{NPM_VERSION}.tgz"}
    assert indexes.packages["one-minute-guide"]["dist-tags"]["next"] == NPM_VERSION  # nobody gets a candidate unasked


def test_by_name_from_nothing_to_a_trial_and_a_concern(indexes: Indexes, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    done(tmp_path, UV, "venv", "--quiet", "--python", sys.executable, environment)
    index = ("--index", f"{indexes.url}/simple/", f"one-minute-guide=={VERSION}")
    done(tmp_path, UV, "pip", "install", "--quiet", "--no-config", "--python", environment / "bin/python", *index)
    done(tmp_path, "npm", "install", "--silent", "--registry", indexes.url, "one-minute-guide@next")
    (tmp_path / "raise.mjs").write_text(RAISE)
    (seed,) = environment.glob(f"lib/*/site-packages/{INSIDE}/seed")

    with InstalledServer(tmp_path / "data", environment) as server:
        state = done(tmp_path, "node", "raise.mjs", server.url)

    assert state == "received"
    assert not {"guides", "renditions", "sources"} & {each.name for each in seed.iterdir()}
    (described,) = environment.glob("lib/*/site-packages/one_minute_guide-*.dist-info")
    assert "call 999" in (described / "METADATA").read_text()
    assert {"LICENSE", "NOTICE.md"} <= {each.name for each in (described / "licenses").iterdir()}
    assert {"README.md", "LICENSE"} <= set(os.listdir(tmp_path / "node_modules/one-minute-guide"))


@pytest.mark.parametrize("change", ["a file", "the list", "the signature"])
def test_what_a_maintainer_did_not_sign_is_not_published(tree: Path, made: Path, tmp_path: Path, change: str) -> None:
    files = shutil.copytree(made, tmp_path / "release")
    (wheel,) = files.glob("guidance_client-*.whl")
    if change != "the signature":
        with zipfile.ZipFile(wheel, "a") as archive:
            archive.writestr("guidance_client/another.py", "changed = True")
    if change == "the list":
        sums = (files / "SHA256SUMS").read_text().splitlines(keepends=True)
        own = f"{hashlib.sha256(wheel.read_bytes()).hexdigest()}  {wheel.name}\n"
        (files / "SHA256SUMS").write_text("".join(own if wheel.name in line else line for line in sums))
    if change == "the signature":
        done(files, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key")
        signed(files, tmp_path / "key")

    with local_indexes(tmp_path / "files") as indexes:
        ended = published(tree, files, indexes)

    assert ended.returncode != 0
    assert indexes.names == set()
