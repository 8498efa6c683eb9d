"""The search page. Forms post the search terms, so that the terms are in no address and no log.

Search terms may reveal harm to a child.
"""

from fastapi import Response

from app.errors import ValidationFailed
from app.http.auth import PUBLIC
from app.http.context import SessionDep
from app.models.guides.sections import ON_PAGES
from app.models.guides.signposts import CHILDLINE
from app.pages.error_pages import PageRouter
from app.pages.guides.guides import names_publishers
from app.pages.languages import gettext, to_translate
from app.pages.other_reasons import other_contacts
from app.pages.page import Site, SiteDep
from app.pages.posted_forms import SubmittedFormDep
from app.services.guides.guides import Found, first_signposts, list_guides, search_guides, search_signposts

router = PageRouter(dependencies=[PUBLIC])
SEARCH = "/search"
MAX_QUERY = 200
FIRST_ITEMS = 20
MOST_ITEMS = 300
NO_WORDS = to_translate("Enter a word to look for")
QUERY_TOO_LONG = to_translate("Enter fewer words")


@router.get(SEARCH)
def read_search_form(site: SiteDep) -> Response:
    """Return the form, which posts the terms: a query string would be in the browser's history and proxies' logs."""
    return site.compressed(_page(site))


@router.post(SEARCH)
def search_by_form(session: SessionDep, site: SiteDep, posted: SubmittedFormDep) -> Response:
    """Show the items found by guide: `FIRST_ITEMS`, or `MOST_ITEMS` on request."""
    words = " ".join(posted.one("q").split())
    if not any(map(str.isalnum, words)) or len(words) > MAX_QUERY:
        return _page(site, words, fault=QUERY_TOO_LONG if len(words) > MAX_QUERY else NO_WORDS)
    found = search_guides(
        session, site.context.reference_data, words, limit=MOST_ITEMS if posted.one("do") == "more" else FIRST_ITEMS
    )
    return _page(site, words, found=found, names=names_publishers(list_guides(session, site.context.reference_data)))


def _page(
    site: Site, words: str = "", *, found: Found | None = None, names: bool = False, fault: str | None = None
) -> Response:
    who = site.context.emergency_contacts.current()
    first = first_signposts(who.signposts, words)
    return site.page(
        "search.html",
        status=ValidationFailed.status if fault else 200,
        faults={"q": gettext(fault)} if fault else {},
        words=words,
        found=found,
        for_crisis=[each for each in first if not each.emergency and each.id != CHILDLINE],
        signposts_found=[each for each in search_signposts(who.signposts, words) if each not in first] if found else [],
        others_found=other_contacts(site.context.settings, who.signposts, words) if found else [],
        subjects_found=found.matched if found else [],
        sections=ON_PAGES,
        names_publishers=names,
    )
