"""Where the files of a release come from: an in-toto statement (version 1) with SLSA provenance (version 1).

It is what the builder says of itself. Only the signature of `SHA256SUMS`, which covers it, says who that was.
"""

import hashlib
import platform
from pathlib import Path
from typing import Any, NamedTuple

from supply.locks import ROOT

BUILDER = "urn:one-minute-guide:builder:self-declared"
BUILD_TYPE = "urn:one-minute-guide:make-release:1"
INPUTS = ("requirements/dev.txt", "requirements/docs.txt", "requirements/serve.txt", "desk_script/package-lock.json")


class Build(NamedTuple):
    """A build of a release: version, date, repository, commit, when it began and ended, and whether it has an image."""

    version: str
    date: str
    repository: str
    commit: str
    began: str
    ended: str
    has_image: bool


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of the file in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def provenance_of(files: list[Path], build: Build) -> dict[str, Any]:
    """Return the statement about the files: what was built, by which command, from which commit and lock files."""
    source = {"uri": build.repository, "digest": {"gitCommit": build.commit}}
    locks = [{"uri": f"file:{name}", "digest": {"sha256": sha256_of(ROOT / name)}} for name in INPUTS]
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": path.name, "digest": {"sha256": sha256_of(path)}} for path in files],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"version": build.version, "date": build.date, "image": build.has_image},
                "internalParameters": {"python": platform.python_version(), "platform": platform.platform()},
                "resolvedDependencies": [source, *locks],
            },
            "runDetails": {
                "builder": {"id": BUILDER},
                "metadata": {"startedOn": build.began, "finishedOn": build.ended},
            },
        },
    }
