"""An edition or rendition as Markdown (CommonMark), with the emergency numbers just below the title.

Every character with a meaning in Markdown is escaped, so that the page shows the text as published. Line breaks within
a text become spaces. The data at the end of an edition let `guidance import` read the page back. The layout is the
template `edition.md.jinja`.
"""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import jinja2

from app.models.base import format_utc
from app.models.guides.items import Identified
from app.models.guides.markdown_data import markdown_data
from app.models.guides.sections import Section
from app.models.guides.signposts import Signpost
from app.models.links import edition_path, picture_path
from app.services.clock.teams import Teams
from app.services.guides.presenters import (
    MARK,
    MARK_EXPLAINED,
    UNCHECKED_CAUTIONS,
    ShownEdition,
    citation_text,
    more_ways,
)

MARKDOWN_TEMPLATE = Path(__file__).with_name("edition.md.jinja")
BLANKS = re.compile(r"[ \t\r\n\f\v]+")
SPECIAL = re.compile(r"([\\`*_\[\]<>#~|]|^[+=-]|&(?=#?\w+;))")  # anywhere; at the start of a line; the `&` of an entity
NUMBER = re.compile(r"^([0-9]+)([.)])")
AUTOLINK = re.compile(r"https?://[^\x00-\x20<>]+")


def edition_markdown(shown: ShownEdition, signposts: Sequence[Signpost], teams: Teams, public_url: str) -> bytes:
    """Return an edition as Markdown, with emergency numbers first. `MARK` follows untranslated text of a rendition.

    No data can be read back.
    """
    head, content, rendition = shown.head, shown.content, shown.rendition

    def mark(name: str, at: tuple[str | int, ...] = ()) -> str:
        return f" {MARK}" if rendition is not None and rendition.is_marked(*at, name) else ""

    def picture(item: Identified, at: tuple[str | int, ...]) -> str:
        found = rendition.words.picture_of(str(at[0]), item.id) if rendition is not None else None
        if rendition is None or found is None:
            return ""
        return f"![{escaped(found.alt)}]({public_url}{picture_path(*rendition.stored.key, found.digest)}) "

    page = _template().render(
        head=head,
        content=content,
        sections=Section,
        emergencies=[each for each in signposts if each.emergency],
        teams=teams,
        published_at=format_utc(head.published_at),
        address_here=public_url + edition_path(*head.key),
        data=markdown_data(content),
        rendition=rendition,
        mark=mark,
        picture=picture,
        mark_explained=MARK_EXPLAINED,
        unchecked_cautions=UNCHECKED_CAUTIONS,
    )
    return page.encode()


def escaped(words: str) -> str:
    """Return one line that Markdown shows unchanged."""
    line = SPECIAL.sub(r"\\\1", BLANKS.sub(" ", words).strip())
    return NUMBER.sub(r"\1\\\2", line)


def address(url: str) -> str:
    """Return a link to the address itself, or escaped text if it is not a plain http or https address."""
    return f"<{url}>" if AUTOLINK.fullmatch(url) else escaped(url)


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(  # nosec B701
        autoescape=False,  # noqa: S701  # this is not HTML: `escaped` escapes Markdown
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "escaped": escaped,
        "address": address,
        "citation": citation_text,
        "more_ways": more_ways,
    }
    return environment.from_string(MARKDOWN_TEMPLATE.read_text(encoding="utf-8"))
