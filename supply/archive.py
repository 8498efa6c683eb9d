"""A reader of container images: the files of all layers of an image archive, as a container sees them."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

REMOVED, EMPTIED = ".wh.", ".wh..wh..opq"
"""Prefix of a file that removes a file of a lower layer, and name of a file that empties a folder."""


def read_files(archive: Path, *, wanted: tuple[str, ...]) -> dict[str, bytes]:
    """Return the content of each file in the image whose path matches a pattern of `wanted`, by path.

    Patterns are those of `PurePath.match`. `archive` is a file from `docker save` or Buildah, in Docker's format or in
    the OCI format.
    """
    found: dict[str, bytes] = {}
    with tarfile.open(archive) as image:
        for layer in _layers(image):
            added: dict[str, bytes] = {}
            # The layer is read as a stream, because going back would decompress it again.
            with tarfile.open(fileobj=layer, mode="r|*") as files:
                for member in files:
                    path = PurePosixPath("/", member.name)
                    if path.name.startswith(REMOVED):
                        _remove(found, path)
                    elif member.isfile() and any(path.match(pattern) for pattern in wanted):
                        content = files.extractfile(member)
                        added[str(path)] = content.read() if content else b""
            found |= added
    return found


def _layers(image: tarfile.TarFile) -> Iterator[IO[bytes]]:
    """Yield the layers of the image, the lowest first."""
    names = set(image.getnames())
    if "manifest.json" in names:
        (manifest,) = _json(image, "manifest.json")
        paths = manifest["Layers"]
    else:
        (listed,) = _json(image, "index.json")["manifests"]
        paths = [_blob(each["digest"]) for each in _json(image, _blob(listed["digest"]))["layers"]]
    for path in paths:
        layer = image.extractfile(path)
        if layer is not None:
            yield layer


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _json(image: tarfile.TarFile, name: str) -> Any:
    file = image.extractfile(name)
    return json.load(file) if file is not None else None


def _remove(found: dict[str, bytes], marker: PurePosixPath) -> None:
    gone = marker.parent if marker.name == EMPTIED else marker.with_name(marker.name.removeprefix(REMOVED))
    for path in [each for each in found if PurePosixPath(each).is_relative_to(gone)]:
        del found[path]
