"""The page about dependencies: each package of an installation with its licence, and why the service names it."""

import re

from docs_site.markdown import page, table
from supply.licences import terms_of
from supply.locks import ROOT, bundled_packages, python_packages

NOTE = (
    "What an installation of the service has beside the service, as `requirements/serve.txt` locks it. "
    "`make audit` and `tests/contract/test_licences.py` hold every package to a list of terms that are allowed."
)
DIRECT = (
    "The service imports these itself. A package stays if its reason holds: `pyproject.toml` has it beside the name."
)
SCRIPTS = (
    "These packages of npm are in `unseal.js` and `unseal.html`, and Swagger UI in `swagger/`, with their licences "
    "at the top."
)
REASON = re.compile(r'^    "([a-z0-9.-]+)(?:\[[a-z0-9,-]+\])?>=[^"]*",(?: # (.+))?$', re.MULTILINE)


def reasons() -> dict[str, str]:
    """Return why the service names each package, from the comments in `pyproject.toml`; empty if it does not say."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    named = REASON.findall(project.partition("\n[project.scripts]")[0])
    return {name.replace(".", "-"): reason for name, reason in named}


def dependencies_page() -> str:
    """Return the page, with the packages inside the scripts of the pages in a last table."""
    terms, named = terms_of("serve.txt"), reasons()
    versions = {each.name: each.version for each in python_packages("serve.txt")}
    bundled = [(f"`{each.name}` {each.version}", each.terms) for each in bundled_packages()]
    direct = [(f"`{name}` {versions[name]}", terms[name], reason) for name, reason in named.items()]
    others = [(f"`{name}`", of_it) for name, of_it in terms.items() if name not in named]
    return page(
        "# Dependencies and licences",
        NOTE,
        "## Named by the service",
        DIRECT,
        table(["package", "terms", "reason"], direct),
        "## Needed by these",
        table(["package", "terms"], others),
        "## Inside the scripts of the pages",
        SCRIPTS,
        table(["package", "terms"], bundled),
    )
