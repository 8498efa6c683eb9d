"""How an edition is laid out as Markdown (CommonMark): the guide to read in a minute, with whom to call first.

Every character of the guide that Markdown would take for its own is escaped, so that the page shows the words as
published. Line breaks within a text become spaces.
"""

import re
from collections.abc import Iterator, Sequence

from app.models.base import format_utc
from app.models.guidance.editions import Caution, Contact, Definition, EditionContent, Indicator, IndicatorKind, Phone
from app.models.guidance.signposts import Signpost
from app.presenters.guides import edition_path
from app.store.editions import EditionHead

BLANKS = re.compile(r"[ \t\r\n\f\v]+")
SPECIAL = re.compile(r"([\\`*_\[\]<>#~|]|^[+=-]|&(?=#?\w+;))")  # anywhere, at the beginning, before an entity's name
NUMBER = re.compile(r"^([0-9]+)([.)])")
AUTOLINK = re.compile(r"https?://[^\x00-\x20<>]+")

Lines = Iterator[str]


def edition_markdown(
    head: EditionHead, content: EditionContent, signposts: Sequence[Signpost], public_url: str
) -> bytes:
    """The edition as Markdown in UTF-8."""
    said = content.introductions
    risks = [escaped(risk.text) for risk in content.linked_risks]
    duties = [f"**{escaped(duty.name)}**: {escaped(duty.text)}" for duty in content.responsibilities]
    blocks = [
        f"# {escaped(content.title)}",
        *(f"> {_signpost(each)}" for each in signposts if each.emergency),
        escaped(content.publisher.name),
        "## Definitions",
        *_definitions(content.definitions),
        *_list(
            "Vulnerability factors", said.factors, [escaped(each.text) for each in content.factors], content.cautions
        ),
        *_list("Indicators", said.indicators, [_indicator(each) for each in content.indicators], content.cautions),
        *_list("Linked risks", said.linked_risks, risks),
        *_list("Responsibilities", said.responsibilities, duties),
        *_list("Contacts", said.contacts, [_contact(each) for each in content.contacts]),
        "## This edition",
        "\n".join(f"- {line}" for line in _imprint(head, content, public_url)),
    ]
    return ("\n\n".join(blocks) + "\n").encode()


def escaped(words: str) -> str:
    """The words on one line, as Markdown that shows exactly them."""
    line = SPECIAL.sub(r"\\\1", BLANKS.sub(" ", words).strip())
    return NUMBER.sub(r"\1\\\2", line)


def address(url: str) -> str:
    """The address as a link that shows it."""
    return f"<{url}>" if AUTOLINK.fullmatch(url) else escaped(url)


def _definitions(definitions: Sequence[Definition]) -> Lines:
    for definition in definitions:
        if definition.introduction is not None:
            yield escaped(definition.introduction)
        yield f"> {escaped(definition.text)}"
        if definition.source is not None:
            source = definition.source
            cited = source.citation or f"{source.publisher}, {source.published}. {source.title}"
            yield f"Source: {escaped(cited)} ({address(source.url)})"


def _list(title: str, introduction: str | None, items: Sequence[str], cautions: Sequence[Caution] = ()) -> Lines:
    """A section that is a list; its cautions stand before the items. Nothing where there are none."""
    if items:
        yield f"## {title}"
        yield from (f"> **Caution:** {escaped(caution.text)}" for caution in cautions)
        if introduction is not None:
            yield escaped(introduction)
        yield "\n".join(f"- {item}" for item in items)


def _indicator(indicator: Indicator) -> str:
    remarks = ["Read by this service as a sign of harm."] if indicator.kind is IndicatorKind.SIGN_OF_HARM else []
    remarks += [f"Note: {escaped(indicator.note)}"] if indicator.note is not None else []
    return "\n".join([escaped(indicator.text), *(f"  - {remark}" for remark in remarks)])


def _contact(contact: Contact) -> str:
    when = f", {escaped(contact.when)}" if contact.when is not None else ""
    checked = "not checked yet" if contact.verified_on is None else f"checked on {contact.verified_on}"
    return f"**{escaped(contact.name)}**: {_ways(contact)}{when} ({checked})"


def _signpost(signpost: Signpost) -> str:
    return f"**{escaped(signpost.name)}: {_ways(signpost)}.** {escaped(signpost.description)}"


def _ways(contact: Contact | Signpost) -> str:
    """How to reach it: `call` and the numbers, or its address."""
    called = " or ".join(_phone(phone) for phone in contact.phones)
    ways = [f"call {called}"] if called else []
    ways += [address(contact.url)] if contact.url is not None else []
    return ", ".join(ways)


def _phone(phone: Phone) -> str:
    number = f"[{escaped(phone.display)}](tel:{phone.number})"
    return number if phone.option is None else f"{number}, option {escaped(phone.option)}"


def _imprint(head: EditionHead, content: EditionContent, public_url: str) -> Lines:
    yield f"Edition: {head.number}, published {format_utc(head.published_at)}"
    yield f"Changes: {escaped(content.change_note)}"
    if content.review_by is not None:
        yield f"Review by: {content.review_by}"
    source = content.source
    yield f"Source: {escaped(source.title)}, {escaped(source.publisher)} ({escaped(source.document)})"
    yield f"Source digest: sha256:{source.sha256}"
    yield f"Edition digest: {head.digest}"
    yield f"Address: {address(public_url + edition_path(head.key))}"
