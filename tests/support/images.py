"""An image as Buildah has built it: unpacked, and served as a container engine does with `--read-only`."""

import json
import os
import re
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psutil

from tests.support.waiting import eventually

BUILDERS = ("mmdebstrap", "buildah", "unshare")
USER = 10001
IN_PLACE = """
mount --make-rprivate / && mount --bind "$1" "$1" && mount --bind "$2" "$1/data" && mount -t tmpfs tmpfs "$1/tmp"
mount -o remount,ro,bind "$1"
exec chroot --userspec=10001:10001 "$1" /usr/bin/guidance serve --host 0.0.0.0 --port 0 --trial
"""
"""What a container engine does with --read-only: the image as the root of a process, with /data and /tmp to write."""


class Image(NamedTuple):
    config: dict[str, Any]
    root: Path


def unpacked(archive: Path, folder: Path) -> Image:
    """Unpack the image of that archive, and its one layer, into the folder."""
    with tarfile.open(archive) as files:
        files.extractall(folder / "oci", filter="data")

    def blob(digest: str) -> Path:
        return folder / "oci" / "blobs" / digest.replace(":", "/")

    (listed,) = json.loads((folder / "oci" / "index.json").read_text())["manifests"]
    manifest = json.loads(blob(listed["digest"]).read_text())
    (layer,) = manifest["layers"]
    root = folder / "root"
    root.mkdir()
    subprocess.run(["tar", "--extract", "--file", blob(layer["digest"]), "--directory", root], check=True)
    return Image(json.loads(blob(manifest["config"]["digest"]).read_text()), root)


@contextmanager
def served_image(image: Image, folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Serve the image with the data in that folder. Yield its address once it is ready, and its process."""
    data, log = folder / "data", folder / "image.log"
    data.mkdir(exist_ok=True)
    for path in (data, *data.rglob("*")):
        os.chown(path, USER, USER)
    environment = dict(each.split("=", 1) for each in image.config["config"]["Env"])
    command = ["unshare", "--mount", "bash", "-euc", IN_PLACE, "bash", str(image.root), str(data)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env=environment | {"PATH": os.environ["PATH"]}
        )
    try:
        assert eventually(lambda: "Serving on" in log.read_text() or process.poll() is not None)
        found = re.search(r"Serving on http://[^:]+:([0-9]+)", log.read_text())
        assert found is not None, log.read_text()
        url = f"http://127.0.0.1:{found[1]}"
        assert eventually(lambda: _is_ready(url))
        yield url, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _is_ready(url: str) -> bool:
    """Return whether the service answers, and is ready. It names its address before it listens."""
    try:
        return httpx.get(f"{url}/health/ready", trust_env=False).is_success
    except httpx.TransportError:
        return False
