"""The page about licences: the packages of an installation, with the licence that each package declares."""

from docs_site.markdown import page, table
from supply.licences import terms_of
from supply.locks import bundled_packages

NOTE = (
    "What an installation of the service has beside the service, as each package says it. "
    "`make audit` and `tests/contract/test_licences.py` hold every package to a list of terms that are allowed."
)
SCRIPT = "These packages of npm are in `unseal.js` and `unseal.html`, with their licences at the top."


def licences_page() -> str:
    """Return a page with the licence of each package that the service needs.

    A second table has the packages inside the desk's script.
    """
    bundled = [(f"`{each.name}` {each.version}", each.terms) for each in bundled_packages()]
    return page(
        "# Licences",
        NOTE,
        table(["package", "terms"], [(f"`{name}`", terms) for name, terms in terms_of("serve.txt").items()]),
        "## Inside the script of the desk",
        SCRIPT,
        table(["package", "terms"], bundled),
    )
