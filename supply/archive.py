"""What is in an archive of an image: the files of all its layers, as a container sees them."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

REMOVED, EMPTIED = ".wh.", ".wh..wh..opq"
"""The beginning of a file that removes another of a layer below, and the file that empties a folder."""


def read_files(archive: Path, *, wanted: tuple[str, ...]) -> dict[str, bytes]:
    """Return the content of each file whose path matches one of the patterns (of a `PurePath`), by its path.

    The archive is what `docker save` and Buildah write: of Docker's own form, or that of OCI.
    """
    found: dict[str, bytes] = {}
    with tarfile.open(archive) as image:
        for layer in _layers(image):
            added: dict[str, bytes] = {}
            with tarfile.open(fileobj=layer, mode="r|*") as files:  # once through: to go back is to unpack it again
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
    """Yield the layers, the lowest first."""
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
