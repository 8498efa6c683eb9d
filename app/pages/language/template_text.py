"""Makes every text of a template a message of the catalogue, without marks in the template.

A text runs from one block element or statement to the next, with the links, bold words and expressions in it. Each
becomes a `trans` block of Jinja's own extension, before Jinja reads the template. So no sentence can be forgotten, and
Babel extracts them by the same extension.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from jinja2.ext import InternationalizationExtension

DEVELOPERS = frozenset({"docs.html", "getting_started.html"})
"""Pages for developers, which are English like the API that they describe."""
DESK = "desk_"
"""The names of the templates of the desk's pages, which are in English, like the council's own records, begin so."""
INLINE = frozenset({"a", "strong", "b", "em", "span", "br"})
JINJA = r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}"
TOKEN = re.compile(rf"({JINJA}|</?[a-zA-Z!](?:{JINJA}|[^>{{]|\{{(?![%{{#]))*>)", re.DOTALL)
EXPRESSION = re.compile(r"\{\{-?(.*?)-?\}\}", re.DOTALL)
TAG_NAME = re.compile(r"</?([a-zA-Z0-9]*)")
LETTERS = re.compile(r"[A-Za-z]{2}")
READ_ALOUD = re.compile(r'(aria-label|placeholder)="([^"{]*[A-Za-z][^"{]*)"')
VARIABLE = re.compile(r"[a-z_]+")


class TextExtension(InternationalizationExtension):
    """Jinja's extension for translations, which finds the texts itself."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002  # the base
        """Return the template with each of its texts in a `trans` block."""
        is_english = name in DEVELOPERS or (name or "").startswith(DESK)
        return source if is_english else "".join(_marked(TOKEN.split(source)))


@dataclass
class _Variables:
    """The expressions of one text, each with the name that stands for it."""

    named: dict[str, str] = field(default_factory=dict)

    def replace(self, part: str) -> str:
        """Return the part with a name in place of each expression."""
        return EXPRESSION.sub(lambda found: "{{ " + self._name(found[1].strip()) + " }}", part)

    def _name(self, expression: str) -> str:
        for name, known in self.named.items():
            if known == expression:
                return name
        words = VARIABLE.findall(expression.partition("|")[0].partition("(")[0].partition("[")[0])
        base = name = words[-1] if words and not expression.startswith(('"', "'")) else "value"
        number = 2
        while name in self.named:
            name, number = f"{base}{number}", number + 1
        self.named[name] = expression
        return name


def _marked(tokens: list[str]) -> Iterator[str]:
    run: list[str] = []
    for token in tokens:
        if _is_inline(token):
            run.append(token)
            continue
        yield from _text(run)
        run = []
        yield READ_ALOUD.sub(r'''\1="{{ _("\2") }}"''', token) if token.startswith("<") else token
    yield from _text(run)


def _is_inline(token: str) -> bool:
    if token.startswith(("{%", "{#")):
        return False
    if not token.startswith("<"):
        return True
    found = TAG_NAME.match(token)
    return found is not None and found[1] in INLINE and "{%" not in token


def _text(run: list[str]) -> Iterator[str]:
    """Yield the run, with the text in it as a message. Tags around the whole of it stay outside."""
    start, end = 0, len(run)
    while start < end and not _says_something(run[start]):
        start += 1
    while end > start and not _says_something(run[end - 1]):
        end -= 1
    if not any(LETTERS.search(part) for part in run[start:end] if not part.startswith(("<", "{{"))):
        yield from run
        return
    start, end = _balanced(run, start, end)
    text = "".join(run[start:end])
    lead, trail = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    variables = _Variables()
    body = variables.replace(" ".join(text.split()))
    named = ", ".join(f"{name}={expression}" for name, expression in variables.named.items())
    yield from run[:start]
    yield f"{lead}{{% trans {named} %}}{body}{{% endtrans %}}{trail}"
    yield from run[end:]


def _says_something(part: str) -> bool:
    return part.startswith("{{") or (not part.startswith("<") and bool(part.strip()))


def _balanced(run: list[str], start: int, end: int) -> tuple[int, int]:
    """Return the bounds, moved outward so that each tag that opens inside also closes inside."""
    while start > 0 and min(_depths(run[start:end])) < 0:
        start -= 1
    while end < len(run) and list(_depths(run[start:end]))[-1] > 0:
        end += 1
    return start, end


def _depths(parts: list[str]) -> Iterator[int]:
    """Yield how many tags are open, at the start and after each part."""
    depth = 0
    yield depth
    for part in parts:
        if part.startswith("<") and not part.startswith("<br"):
            depth += -1 if part.startswith("</") else 1
        yield depth
