"""The search page. Forms post the search terms, so that the terms are in no address and no log.

Search terms may reveal harm to a child.
"""

from collections.abc import Iterator
from typing import Any

from fastapi import Response

from app.errors import ValidationFailed
from app.http.auth import PUBLIC
from app.http.context import SessionDep
from app.models.guides.sections import ON_PAGES
from app.models.guides.signposts import WhoToCall
from app.models.guides.words import DUTY_TEAM, REASON, SIGNPOST
from app.pages.error_pages import PageRouter
from app.pages.guides.guides import names_publishers
from app.pages.languages import LANGUAGES, SHORT_LANGUAGES, gettext, to_translate
from app.pages.other_reasons import contacts_for_other_reasons
from app.pages.page import Site, SiteDep
from app.pages.posted_forms import SubmittedFormDep
from app.services.guides.guides import SECTIONS, Found, first_signposts, search_guides
from app.services.guides.words import Asked

router = PageRouter(dependencies=[PUBLIC])
SEARCH = "/search"
MAX_QUERY = 200
FIRST_ITEMS = 20
MOST_ITEMS = 300
NO_WORDS = to_translate("Enter a word to look for")
QUERY_TOO_LONG = to_translate("Enter fewer words")
PAGES = {
    "/": to_translate("You can write in any language."),
    "/bsl": to_translate("British Sign Language, or text"),
    "/concerns": to_translate("See what is happening, or tell us more"),
    "/concerns/saved": to_translate("Finish a saved form"),
    "/covering-your-tracks": to_translate("Covering your tracks"),
    "/docs": to_translate("For developers"),
    "/guides": to_translate("See all guides, A to Z"),
    "/privacy": to_translate("Privacy notice"),
    "/raise-a-concern": to_translate("Tell us about a child"),
    "/worried-about-a-friend": to_translate("I am under 18, and worried about a friend"),
    "/worried-about-yourself": to_translate("I am under 18, and it is about me"),
}
"""The links to which words lead."""


@router.get(SEARCH)
def read_search_form(site: SiteDep) -> Response:
    """Return the form, which posts the terms: a query string would be in the browser's history and proxies' logs."""
    return site.compressed(_page(site, ""))


@router.post(SEARCH)
def search_by_form(session: SessionDep, site: SiteDep, posted: SubmittedFormDep) -> Response:
    """Show the items found by guide: `FIRST_ITEMS`, or `MOST_ITEMS` on request."""
    words = " ".join(posted.one("q").split())
    if not any(map(str.isalnum, words)) or len(words) > MAX_QUERY:
        return _page(site, words, fault=QUERY_TOO_LONG if len(words) > MAX_QUERY else NO_WORDS)
    found = search_guides(
        session, site.context.reference_data, words, limit=MOST_ITEMS if posted.one("do") == "more" else FIRST_ITEMS
    )
    return _page(site, words, found)


def _page(site: Site, words: str, found: Found | None = None, *, fault: str | None = None) -> Response:
    who, reference_data = site.context.emergency_contacts.current(), site.context.reference_data
    asked = found.asked if found else reference_data.words.ask(words)
    answers = list(_answers(site, who, asked, found))
    return site.page(
        "search.html",
        status=ValidationFailed.status if fault else 200,
        faults={"q": gettext(fault)} if fault else {},
        words=words,
        found=found,
        answers=answers,
        has_people=any(kind in ("contact", "reason", "team") for kind, _ in answers),
        sections=ON_PAGES,
        names_publishers=found is not None and names_publishers(found.guides),
    )


def _answers(site: Site, who: WhoToCall, asked: Asked, found: Found | None) -> Iterator[tuple[str, Any]]:
    """Yield what the words lead to, in order, with its kind, by which the template shows it."""
    signposts, teams = first_signposts(site.context.reference_data, who.signposts, asked), site.teams(who)
    reasons = contacts_for_other_reasons(site.context.settings, who.signposts)
    shown: dict[str, tuple[str, Any]] = {
        **{SIGNPOST + each.id: ("contact", each) for each in signposts},
        **{REASON + each["reason"].id: ("reason", each) for each in reasons},
        **{f"/{each.code}": ("language", each) for each in (*LANGUAGES[1:], *SHORT_LANGUAGES)},
        **{path: ("page", (path, title)) for path, title in PAGES.items()},
        **({DUTY_TEAM: ("team", teams)} if teams.first else {}),
    }
    guides = (found.by_title or found.guides[:1]) if found else ()
    for lead in asked.leads:
        if lead in shown:
            yield shown[lead]
        elif lead in SECTIONS:
            yield from (("section", (each, SECTIONS[lead], None)) for each in guides)
        elif found:
            groups = found.led_to.get(lead, ())
            yield from (("section", (each.guide, SECTIONS[lead.partition("/")[0]], each)) for each in groups)
