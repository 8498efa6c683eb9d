"""The image as `make image` builds it without Docker: it serves as a number, and nothing can write to its root."""

import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
from importlib.metadata import distributions
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from app.build import VERSION, built_commit
from app.pages.page import UNSEAL_SCRIPT
from tests.support.command import ROOT
from tests.support.formats import validate_bill
from tests.support.images import BUILDERS, USER, Image, served_image, unpacked
from tests.support.load import A_CONCERN
from tests.support.proxies import need

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.any_database]

VENV = Path(sys.executable).parents[1]
LARGEST_MEGABYTES = 200


class Built(NamedTuple):
    folder: Path
    image: Image


def build(target: Path, *options: str) -> str:
    """Build into the folder, and return what the program says."""
    for program in BUILDERS:
        need(program)
    if os.getuid() != 0:
        pytest.skip("only root can mount what the build and the test need")
    environment = {**os.environ, "OUT": str(target), "SOURCE_DATE_EPOCH": "1764028800"}
    command = [str(ROOT / "deploy" / "image" / "build"), str(VENV), *options]
    built = subprocess.run(command, env=environment, capture_output=True, check=False, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return built.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The folder of the build, and the image."""
    folder = tmp_path_factory.mktemp("image")
    build(folder / "out")
    return Built(folder / "out", unpacked(folder / "out" / "image.tar", folder))


def test_the_image_takes_concerns_without_root_on_a_read_only_file_system(built: Built, tmp_path: Path) -> None:
    with (
        served_image(built.image, tmp_path) as (url, process),
        httpx.Client(base_url=url, trust_env=False, timeout=30) as client,
    ):
        receipt = client.post("/v1/concerns", json=A_CONCERN)
        guide = client.get("/v1/guides/child-sexual-exploitation.pdf")
        script = client.get("/looks/unseal.js")
        version = client.get("/v1").json()["version"]
        users = process.uids()
        mounts = Path(f"/proc/{process.pid}/mountinfo").read_text().splitlines()

    assert receipt.status_code == 201
    assert (guide.status_code, guide.content[:5]) == (200, b"%PDF-")
    assert script.is_success is UNSEAL_SCRIPT.is_file()
    assert users.real == users.effective == USER
    (options,) = [line.split()[5] for line in mounts if line.split()[4] == "/"]
    assert options.split(",")[0] == "ro"
    assert built.image.config["config"]["User"] == f"{USER}:{USER}"
    labels = built.image.config["config"]["Labels"]
    assert labels["org.opencontainers.image.version"] == VERSION
    assert labels["org.opencontainers.image.revision"] == built_commit()
    assert version == VERSION
    assert built.image.config["config"]["Cmd"][:2] == ["guidance", "serve"]


def test_the_image_has_no_shell_and_no_package_manager_and_is_small(built: Built) -> None:
    names = {path.name for path in (built.image.root / "usr").glob("*bin/*")}

    assert names & {"sh", "bash", "dash", "apt", "apt-get", "dpkg", "pip", "pip3", "perl", "curl"} == set()
    assert (built.folder / "image.tar").stat().st_size < LARGEST_MEGABYTES * 1_000_000


def metadata_of(folder: Path) -> set[tuple[str, str]]:
    """Return name and version of each package in the folder, as the package itself says them."""
    found = distributions(path=[str(folder)])
    return {(re.sub(r"[-_.]+", "-", each.metadata["Name"]).lower(), each.version) for each in found}


def test_the_bill_of_materials_lists_exactly_what_the_image_contains(built: Built) -> None:
    text = (built.folder / "image.cdx.json").read_text()
    bill = json.loads(text)
    purls = {each["purl"] for each in bill["components"]}

    validate_bill(text)
    assert bill["metadata"]["component"]["version"] == VERSION
    there = metadata_of(built.image.root / "opt" / "guidance")
    assert {purl for purl in purls if purl.startswith("pkg:pypi/")} == {
        f"pkg:pypi/{name}@{version}" for name, version in there if name != "one-minute-guide"
    }
    assert any(purl.startswith("pkg:deb/debian/libc6@") for purl in purls)
    assert any(purl.startswith("pkg:npm/age-encryption@") for purl in purls) is UNSEAL_SCRIPT.is_file()


DOCKER = """#!/bin/sh
case $1 in
    info | build | pull) ;;
    image) echo python@sha256:$(printf '0%.0s' $(seq 64)) ;;
    save) cp "$IMAGE" "$3" ;;
    *) exit 1 ;;
esac
"""
"""Answers as Docker does, whose daemon cannot run where the tests run: its image is one that Buildah has built."""


def docker_archive(built: Built, target: Path) -> Path:
    """Return the image as an archive of Docker's own form, which Buildah writes too."""
    store = ["buildah", "--storage-driver", "vfs", "--root", str(target / "storage"), "--runroot", str(target / "run")]
    pulled = subprocess.run(
        [*store, "pull", "--quiet", f"oci-archive:{built.folder / 'image.tar'}"],
        capture_output=True,
        check=True,
        text=True,
    )
    archive = target / "docker.tar"
    subprocess.run([*store, "push", "--quiet", pulled.stdout.strip(), f"docker-archive:{archive}"], check=True)
    return archive


def test_a_docker_image_has_its_size_and_the_same_bill(
    built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = tmp_path / "bin" / "docker"
    stand_in.parent.mkdir()
    stand_in.write_text(DOCKER)
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("IMAGE", str(docker_archive(built, tmp_path)))

    said = build(tmp_path / "out")

    archive, bill = (tmp_path / "out" / name for name in ("image.tar", "image.cdx.json"))
    with tarfile.open(archive) as files:
        assert "manifest.json" in files.getnames()
    assert f"one-minute-guide:{VERSION.replace('+', '-')}, {archive.stat().st_size // 1_000_000} MB, SHA-256" in said
    assert bill.read_bytes() == (built.folder / "image.cdx.json").read_bytes()
    assert f"{len(json.loads(bill.read_text())['components'])} components" in said


def test_two_builds_are_the_same_to_the_byte(built: Built, tmp_path: Path) -> None:
    build(tmp_path, "--rootfs")

    first, second = (hashlib.sha256((each / "rootfs.tar").read_bytes()).digest() for each in (built.folder, tmp_path))
    assert first == second
