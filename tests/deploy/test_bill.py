"""A bill of materials says what a container would see, whichever program wrote the archive of the image."""

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from supply.archive import read_files
from supply.bill import SCRIPT, STATUS, NotLocked, bill_of_image, debian_packages
from supply.licences import recorded
from tests.support.command import ROOT
from tests.support.formats import validate_bill

pytestmark = [pytest.mark.nightly, pytest.mark.any_database, pytest.mark.slow]

SITE = "opt/venv/lib/python3.13/site-packages"
PACKAGES = """Package: libc6
Status: install ok installed
Version: 2.41-12+deb13u5
Architecture: amd64
Description: a library
 of many lines

Package: removed
Status: deinstall ok config-files
Version: 1
Architecture: all
"""
BASE = {f"{SITE}/pip-25.0.dist-info/METADATA": "", STATUS[1:]: PACKAGES, "etc/secret.txt": "not wanted"}
TOP = {f"{SITE}/.wh.pip-25.0.dist-info": "", f"{SITE}/anyio-4.16.0.dist-info/METADATA": "", f"{SITE}/{SCRIPT}": "//"}
TOP |= {f"{SITE}/one_minute_guide-9.8.7.dist-info/METADATA": ""}


def tarred(files: dict[str, str], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]  # a mode is a literal to it
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def image_of(path: Path, *layers: dict[str, str], is_oci: bool) -> Path:
    """Write an image of those layers, in the form of OCI or in that of Docker."""
    blobs = {f"blobs/sha256/{place}": tarred(each) for place, each in enumerate(layers)}
    manifest = {"layers": [{"digest": name.removeprefix("blobs/").replace("/", ":")} for name in blobs]}
    if is_oci:
        documents = {"index.json": {"manifests": [{"digest": "sha256:m"}]}, "blobs/sha256/m": manifest}
    else:
        documents = {"manifest.json": [{"Layers": [*blobs]}]}  # type: ignore[dict-item]  # the list that Docker writes
    with tarfile.open(path, "w") as archive:
        for name, content in {**blobs, **{name: json.dumps(each).encode() for name, each in documents.items()}}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("is_oci", [True, False], ids=["oci", "docker"])
def test_the_bill_leaves_out_removed_files_and_names_all_licences(tmp_path: Path, *, is_oci: bool) -> None:
    bill = bill_of_image(image_of(tmp_path / "image.tar", BASE, TOP, is_oci=is_oci))
    components = {each["purl"]: each for each in bill["components"]}

    assert [each for each in components if "pkg:npm" not in each] == [
        "pkg:pypi/anyio@4.16.0",
        "pkg:deb/debian/libc6@2.41-12%2Bdeb13u5?arch=amd64",
    ]
    assert components["pkg:pypi/anyio@4.16.0"]["licenses"] == [{"license": {"name": recorded()["anyio==4.16.0"]}}]
    assert "pkg:npm/age-encryption@0.3.1" in components
    validate_bill(json.dumps(bill))
    assert {each["ref"] for each in bill["dependencies"]} - {each["bom-ref"] for each in bill["components"]} <= {
        bill["metadata"]["component"]["bom-ref"]
    }


def test_an_emptied_folder_holds_only_the_files_of_that_layer(tmp_path: Path) -> None:
    archive = image_of(tmp_path / "image.tar", {"a/b/1.txt": "1"}, {"a/.wh..wh..opq": "", "a/2.txt": "2"}, is_oci=True)

    assert read_files(archive, wanted=("*.txt",)) == {"/a/2.txt": b"2"}


def test_a_package_in_the_image_that_is_not_locked_is_an_error(tmp_path: Path) -> None:
    archive = image_of(tmp_path / "image.tar", BASE, is_oci=True)

    with pytest.raises(NotLocked, match="pip"):
        bill_of_image(archive)


def test_an_image_without_the_script_of_the_desk_has_nothing_of_npm(tmp_path: Path) -> None:
    archive = image_of(tmp_path / "image.tar", {f"{SITE}/anyio-4.16.0.dist-info/METADATA": ""}, is_oci=True)

    assert [each["purl"] for each in bill_of_image(archive)["components"]] == ["pkg:pypi/anyio@4.16.0"]


def test_a_package_of_debian_that_was_removed_is_not_listed() -> None:
    assert [each["name"] for each in debian_packages(PACKAGES)] == ["libc6"]


def test_the_bill_of_the_wheel_is_valid_and_counts_its_components(tmp_path: Path) -> None:
    target = tmp_path / "wheel.cdx.json"

    said = subprocess.run(
        [sys.executable, "-m", "supply.bill", target], cwd=ROOT, capture_output=True, check=True, text=True
    )

    bill = json.loads(target.read_text())
    validate_bill(json.dumps(bill))
    assert said.stdout == f"{target}: {len(bill['components'])} components\n"
    inside = [each["purl"] for each in bill["components"] if each["purl"].startswith("pkg:npm/")]
    assert bool(inside) is (ROOT / SCRIPT).is_file()
