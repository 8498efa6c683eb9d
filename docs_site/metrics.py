"""The page about the metrics: what `/metrics` of a service gives."""

import re

from docs_site.markdown import page, table

NOTE = "This page is made from `/metrics` of a service. [Operations](operations.md) says how to use them."
HELP = re.compile(r"^# HELP (\S+) (.*)\n# TYPE \S+ (\w+)$", flags=re.MULTILINE)


def metrics_page(exposed: str) -> str:
    """Return a page with each metric in the text, which is in the format of Prometheus."""
    rows = [(f"`{name}`", kind, _labels(name, exposed), meaning) for name, meaning, kind in HELP.findall(exposed)]
    rows = [row for row in rows if not row[0].endswith("_created`")]
    return page("# Every metric", NOTE, table(["metric", "type", "labels", "meaning"], rows))


def _labels(name: str, exposed: str) -> str:
    found = re.findall(rf"^{name}(?:_bucket|_sum|_count)?\{{(.*?)\}} ", exposed, flags=re.MULTILINE)
    names = [label for each in found for label in re.findall(r"(\w+)=", each) if label != "le"]
    return ", ".join(f"`{label}`" for label in dict.fromkeys(names))
