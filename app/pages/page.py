"""Rendering of pages: the Jinja environment, the template variables of all pages, and the Content-Security-Policy."""

import base64
import datetime as dt
import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Self

import jinja2
from fastapi import Depends, Request, Response

from app.config import Settings
from app.extensions import Extension
from app.http.cache import accepts_gzip
from app.http.context import AppContext, context_of
from app.http.responses import CACHE_CURRENT, caching_until, conditional_response
from app.models.base import MAX_TEXT_LENGTH
from app.models.concerns.entries import MAX_LABEL_LENGTH, MAX_NOTE_LENGTH
from app.models.guides.signposts import WhoToCall
from app.models.languages import direction_of, locale_of
from app.models.links import picture_path
from app.models.references import EXAMPLE_REFERENCE, TYPED_REFERENCE
from app.pages.contact_links import contact_label, linked
from app.pages.languages import (
    LANGUAGES,
    SHORT_LANGUAGES,
    current_language,
    current_path,
    english,
    gettext,
    localised_links,
    marked_english,
    ngettext,
    or_english,
    script_words,
)
from app.pages.other_reasons import contacts_for_other_reasons
from app.pages.text_format import (
    clock_time,
    date_and_time,
    day,
    deadline,
    host_as_text,
    inline_markdown,
    language_name,
    london_time,
    opening,
    option,
    short_moment,
    spoken,
)
from app.services.audit.audit_log import person_of
from app.services.clock.teams import Teams
from app.services.clock.working_hours import hours_in
from app.services.guides.guides import split_at_searched_words
from app.services.guides.pdf import text_colour_on
from app.services.guides.presenters import address_text, citation_text

PAGES_DIR = Path(__file__).parent
HTML = "text/html; charset=utf-8"
SAFE = ("GET", "HEAD")
STATIC_DIR = PAGES_DIR / "static"
STYLESHEETS = ("tokens.css", "pages.css", "components.css", "exit_bar.css", "phone.css")
COMMENT_OR_BREAK = re.compile(r"/\*[^*]*\*/|\n")
UNSEAL_SCRIPT = STATIC_DIR / "unseal.js"
UNSEAL_PAGE = UNSEAL_SCRIPT.with_suffix(".html")


@cache
def page_templates(extensions: tuple[Extension, ...]) -> jinja2.Environment:
    folders = [PAGES_DIR, *(Path(*import_module(each.package).__path__) for each in extensions)]
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader([each / "templates" for each in folders]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
    )
    vars(templates)["install_gettext_callables"](gettext, ngettext, newstyle=True)
    templates.globals |= {
        "english": english,
        "current_language": current_language,
        "opens_in_browser": UNSEAL_SCRIPT.is_file,
        "reference_pattern": TYPED_REFERENCE,
        "example_reference": EXAMPLE_REFERENCE,
        "short_languages": SHORT_LANGUAGES,
        "picture_path": picture_path,
        "max_text": MAX_TEXT_LENGTH,
        "max_note": MAX_NOTE_LENGTH,
        "max_label": MAX_LABEL_LENGTH,
    }
    templates.filters |= {
        "t": gettext,
        "or_english": or_english,
        "marked_english": marked_english,
        "clock_time": clock_time,
        "day": day,
        "date_and_time": date_and_time,
        "deadline": deadline,
        "opening": opening,
        "london_time": london_time,
        "language_name": language_name,
        "short_moment": short_moment,
        "linked": linked,
        "inline_markdown": inline_markdown,
        "spoken": spoken,
        "contact_label": contact_label,
        "host": host_as_text,
        "option": option,
        "person": person_of,
        "hours": lambda hours: hours_in(hours, locale_of(current_language().tag)),
        "direction": direction_of,
        "postal": address_text,
        "citation": citation_text,
        "split_at": split_at_searched_words,
    }
    return templates


def stylesheet(settings: Settings) -> str:
    """Return the council's colours, each with a readable text colour, and then the files without comments."""
    return _stylesheet(settings.council_colour, settings.council_button_colour)


@cache
def _stylesheet(band: str, button: str) -> str:
    on_band, on_button = text_colour_on(band), text_colour_on(button)
    colours = f":root{{--band:{band};--on-band:{on_band};--button:{button};--on-button:{on_button}}}\n"
    files = "".join((STATIC_DIR / name).read_text(encoding="utf-8") for name in STYLESHEETS)
    return colours + COMMENT_OR_BREAK.sub("", files)


@cache
def _source_of_style(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def content_security_policy(settings: Settings) -> str:
    ancestors, style = " ".join(settings.embedding_origins) or "'none'", _source_of_style(stylesheet(settings))
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self' {style}; img-src 'self' data:; connect-src 'self'; "
        f"base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}"
    )


@dataclass(frozen=True)
class Site:
    request: Request
    context: AppContext
    now: dt.datetime

    @classmethod
    def of(cls, request: Request) -> Self:
        context = context_of(request)
        return cls(request, context, context.clock())

    def html(self, template: str, *, who: WhoToCall | None = None, **values: Any) -> str:
        """Return a page. `values` override what all pages share.

        `who` is whom to call; None means the default guide's contacts. A GET contains the stylesheet, so that it
        appears half a second earlier on a slow network. Other responses are not compressed and link to it.
        """
        context = self.context
        who = who or context.emergency_contacts.current()
        defaults = {
            "settings": context.settings,
            "links": context.added.links,
            "language": current_language(),
            "languages": LANGUAGES,
            "here": current_path(),
            "script_words": script_words(),
            "says": self.says,
            "emergencies": [each for each in who.signposts if each.emergency],
            "signposts": [each for each in who.signposts if not each.emergency],
            "teams": self.teams,
            "who": who,
            "not_this": contacts_for_other_reasons(context.settings, who.signposts),
            "faults": {},
            "style": stylesheet(context.settings) if self.request.method in SAFE else "",
        }
        return localised_links(page_templates(context.extensions).get_template(template).render(defaults | values))

    def says(self, statement: str) -> str:
        return or_english(self.context.reference_data.law[statement].sentence or "")

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """Return a page that neither browser nor cache may store."""
        response = Response(self.html(template, **values), status_code=status, media_type=HTML)
        return self._with_headers(response)

    def compressed(self, page: Response) -> Response:
        """Return a page without input, compressed. A compressed length could reveal answers."""
        page.headers["Vary"] = "Accept-Encoding"
        if not accepts_gzip(self.request.headers.get("accept-encoding", "").encode()):
            return page
        headers = {**page.headers, "Content-Encoding": "gzip"}
        del headers["content-length"]
        return Response(gzip.compress(bytes(page.body)), status_code=page.status_code, headers=headers)

    def cached_page(self, template: str, *, caching: str = CACHE_CURRENT, **values: Any) -> Response:
        """Return a page that caches may store. If it names the team on duty, it expires when that team may change."""
        changes: list[dt.datetime | None] = []

        def teams(who: WhoToCall) -> Teams:
            changes.append(self.context.duty_hours.next_change(who, self.now))
            return self.teams(who)

        page = self.html(template, teams=teams, **values).encode()
        headers = caching_until(min(filter(None, changes), default=None), self.now, caching)
        return self._with_headers(
            conditional_response(self.request, page, media_type=HTML, links={}, more_headers=headers)
        )

    def teams(self, who: WhoToCall) -> Teams:
        """Order the teams, with those on duty first."""
        return self.context.duty_hours.teams(who, self.now)

    def _with_headers(self, response: Response) -> Response:
        response.headers["Content-Security-Policy"] = content_security_policy(self.context.settings)
        response.headers["Content-Language"] = current_language().tag.partition("-")[0]
        return response


async def read_site(request: Request) -> Site:
    return Site.of(request)


SiteDep = Annotated[Site, Depends(read_site)]
