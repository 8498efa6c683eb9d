"""How a page is made and sent: one environment of templates, one policy, and the council's own looks."""

from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from fastapi import Request, Response

from app.config import Settings
from app.pages import text_format as wording
from app.web.context import AppContext
from app.web.responses import CACHE_CURRENT, NO_STORE, conditional_response

HERE = Path(__file__).parent
HTML = "text/html; charset=utf-8"


@cache
def _templates() -> jinja2.Environment:
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    templates.filters |= {
        "day": wording.day,
        "time_of_day": wording.time_of_day,
        "called": wording.called,
        "marked": wording.marked,
    }
    return templates


def policy(settings: Settings) -> str:
    """The Content-Security-Policy of every page: nothing from anywhere else, frames for the configured sites alone."""
    ancestors = " ".join(settings.embedding_origins) or "'none'"
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        f"base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}"
    )


def render_page(parts: AppContext, template: str, told: dict[str, Any]) -> str:
    """The page, with what stands on all of them: the council's name, the way out, whom to call."""
    signposts = parts.reference_data.signposts
    page: str = (
        _templates()
        .get_template(template)
        .render(
            {
                "settings": parts.settings,
                "emergencies": [each for each in signposts if each.emergency],
                "signposts": [each for each in signposts if not each.emergency],
                "faults": {},
            }
            | told
        )
    )
    return page


def private_page(parts: AppContext, template: str, *, status: int = 200, **told: Any) -> Response:
    """A page that nothing keeps: neither the browser, nor any cache on the way."""
    headers = {"Cache-Control": NO_STORE, "Content-Security-Policy": policy(parts.settings)}
    return Response(render_page(parts, template, told), status_code=status, media_type=HTML, headers=headers)


def public_page(request: Request, parts: AppContext, template: str, **told: Any) -> Response:
    """A page of guidance, which may be kept for a minute like the answer that it shows."""
    page = render_page(parts, template, told).encode()
    response = conditional_response(request, page, media_type=HTML, caching=CACHE_CURRENT, links={})
    response.headers["Content-Security-Policy"] = policy(parts.settings)
    return response
