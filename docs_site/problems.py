"""The page about the problems: every type of error, and every code of a fault, as the service publishes them."""

from typing import Any

from docs_site.markdown import page, table

NOTE = "This page is made from `/v1/problems` of a service. [Problems](problems.md) says what to do about each."


def problems_page(published: dict[str, Any]) -> str:
    """Return a page with each problem of the list, and each code."""
    problems = [
        (f"`{each['type'].rpartition('/')[2]}`", each["status"], each["title"], each["meaning"])
        for each in published["problems"]
    ]
    codes = [(f"`{each['code']}`", each["meaning"]) for each in published["codes"]]
    return page(
        "# Every problem",
        NOTE,
        table(["slug", "status", "title", "meaning"], problems),
        "## Every code of a fault",
        table(["code", "meaning"], codes),
    )
