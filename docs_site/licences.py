"""The page about licences: what is installed to serve, and under which terms, as each package says it."""

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from docs_site.markdown import page, table
from docs_site.outside import ROOT

NOTE = (
    "What an installation of the service has beside the service, read from each package itself. "
    "`tests/contract/test_licences.py` holds every package to a list of terms that are allowed."
)


def locked_names(lock: str) -> list[str]:
    """Return the names of the packages in that file of `requirements/`."""
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    return sorted(set(re.findall(r"^([a-z0-9-]+)==", text, flags=re.MULTILINE)))


def licence_of(package: Distribution) -> str:
    """Return the terms of the package: its expression, else its classifiers, else the first line that it gives."""
    about = package.metadata
    classified = [
        each.rpartition(" :: ")[2] for each in about.get_all("Classifier") or [] if each.startswith("License ::")
    ]
    named = [re.sub(r" \(\w+\)$", "", each) for each in classified if each != "OSI Approved"]
    return about["License-Expression"] or " OR ".join(named) or (about["License"] or "").split("\n")[0] or "not said"


def installed(lock: str) -> dict[str, str]:
    """Return the terms of each package of the file that is installed here; some are for other systems alone."""
    found = {}
    for name in locked_names(lock):
        try:
            found[name] = licence_of(distribution(name))
        except PackageNotFoundError:
            continue
    return found


def licences_page() -> str:
    """Return a page with each package that serves, and its terms."""
    return page(
        "# Licences",
        NOTE,
        table(["package", "terms"], [(f"`{name}`", terms) for name, terms in installed("serve.txt").items()]),
    )
