"""The lock files: every package that an installation, a build, a test or the benchmark uses, with its version."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PYTHON_LOCKS = ("serve.txt", "dev.txt", "docs.txt", "bench.txt", "generators.txt", "publish.txt")
"""The lock files in `requirements/`. The first is that of an installation."""
BUNDLED = "desk_script"
"""The folder of the only npm lock file whose packages are distributed: in `unseal.js`, `unseal.html` and `swagger/`."""
NOT_INSIDE = ("node_modules/@scarf/scarf", "node_modules/@noble/post-quantum")
"""The first counts installations of swagger-ui-dist for its publisher, by a script that npm is told not to run.
`build.js` leaves the second out, with its own packages."""
NPM_LOCKS = (
    BUNDLED,
    "examples/javascript",
    "examples/react",
    "tests/contract/clients",
    "tests/contract/clients_in_csharp",
    "tests/contract/conformance",
    "tests/contract/lint",
)
REQUIREMENT = re.compile(r"^([a-z0-9-]+)(?:\[[a-z0-9,-]+\])?==([^ \\]+)( ;)?", flags=re.MULTILINE)


class Locked(NamedTuple):
    """A Python package, as a lock file names it."""

    name: str
    version: str
    is_for_some: bool
    """True if only some systems or some versions of Python need the package."""


class NpmPackage(NamedTuple):
    """An npm package, as its lock file describes it."""

    name: str
    version: str
    terms: str
    integrity: str
    is_dev: bool
    """True if the package is only used to build or test, and is in nothing that is built."""
    path: str


def python_packages(lock: str) -> list[Locked]:
    """Return the packages in the file `lock` of `requirements/`."""
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    return [Locked(name, version, bool(marker)) for name, version, marker in REQUIREMENT.findall(text)]


def npm_packages(folder: str) -> list[NpmPackage]:
    """Return the packages in the npm lock file in `folder`."""
    lock = json.loads((ROOT / folder / "package-lock.json").read_text(encoding="utf-8"))
    return sorted(
        NpmPackage(
            path.rpartition("node_modules/")[2],
            each["version"],
            _terms(each.get("license")),
            each.get("integrity", ""),
            bool(each.get("dev")),
            path,
        )
        for path, each in lock["packages"].items()
        if path and not each.get("link")
    )


def bundled_packages() -> list[NpmPackage]:
    """Return the npm packages that are inside the desk's script and the script of the API documentation."""
    return [each for each in npm_packages(BUNDLED) if not each.is_dev and not each.path.startswith(NOT_INSIDE)]


def unlocked() -> Iterator[str]:
    """Yield each locked package without an exact version and a hash: another file could be installed in its place."""
    for lock in PYTHON_LOCKS:
        lines = (ROOT / "requirements" / lock).read_text(encoding="utf-8").splitlines()
        for line, following in zip(lines, [*lines[1:], ""], strict=True):
            if line[:1].strip() and not (REQUIREMENT.match(line) and following.strip().startswith("--hash=sha256:")):
                yield f"requirements/{lock}: {line.split(' ')[0]}"
    for folder in NPM_LOCKS:
        yield from (f"{folder}: {each.name}" for each in npm_packages(folder) if not each.integrity)


def _terms(declared: object) -> str:
    """Return the licence as one expression. Old packages declare a list of licences."""
    if isinstance(declared, list):
        return " OR ".join(each["type"] if isinstance(each, dict) else str(each) for each in declared)
    return str(declared or "not said")
