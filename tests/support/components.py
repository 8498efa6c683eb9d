"""The page of samples: every component in every kind, by the macros of the pages. Nothing serves it."""

from pathlib import Path
from typing import Literal

from playwright.sync_api import Page

from app.pages.page import page_templates

SAMPLES = Path(__file__).with_suffix(".html").read_text(encoding="utf-8")
Direction = Literal["ltr", "rtl"]


def samples(direction: Direction, *, is_desk: bool) -> str:
    return page_templates(()).from_string(SAMPLES).render(direction=direction, is_desk=is_desk)


def show_components(page: Page, direction: Direction, *, is_desk: bool) -> None:
    """Show the page of samples with the stylesheets of the site."""
    body = samples(direction, is_desk=is_desk)
    page.route("**/components", lambda route: route.fulfill(body=body, content_type="text/html; charset=utf-8"))
    page.goto("/components")
    page.unroute("**/components")
