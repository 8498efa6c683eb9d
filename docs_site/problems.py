"""The generated parts of the page about problems: the meaning of each problem, and the codes of validation errors."""

import re

from app.errors import FaultCode, all_problems
from docs_site.markdown import cell, table

ROW = re.compile(r"^\| (`([a-z-]+)` \| \d{3} \| `[^`]+`) \| (.*) \|$", flags=re.MULTILINE)
HEAD = "| slug | status | title | what to do |\n|---|---|---|---|"
COMPLETED = "| slug | status | title | meaning | what to do |\n|---|---|---|---|---|"


def with_meanings(markdown: str) -> str:
    """Return the page with the meaning of each problem in its table, and the codes of errors at its end."""
    meanings = {each.slug: each.meaning for each in all_problems()}
    rows = ROW.sub(lambda row: f"| {row[1]} | {cell(meanings[row[2]])} | {row[3]} |", markdown.replace(HEAD, COMPLETED))
    codes = table(["code", "meaning"], [(f"`{code}`", code.meaning) for code in FaultCode])
    return f"{rows}\n{codes}\n"
