"""Pages for reporters, by reference and code: the status of a concern, an addition, and the receipt as a file."""

import datetime as dt
import textwrap
import uuid
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Annotated, NamedTuple

from fastapi import Path, Response
from pydantic import ValidationError

from app import errors
from app.http.auth import PUBLIC, caller_networks
from app.http.problem_handlers import NO_STORE
from app.models.concerns.additions import Addition, AdditionReceipt
from app.models.concerns.channels import Channel
from app.models.concerns.concern import MAX_NARRATIVE
from app.models.concerns.entries import ReceivedMessage
from app.models.concerns.receipts import AdditionStatus, ConcernStatus, MessageStatus
from app.models.guides.contacts import Reachable
from app.models.guides.edition_keys import EditionKey
from app.models.guides.signposts import CHILDLINE, WhoToCall
from app.pages.concerns.form_layout import DANGER, QUESTIONS, voice_of
from app.pages.concerns.readers import closing_words, reader_of
from app.pages.concerns.typed_codes import faults_in
from app.pages.error_pages import PageRouter
from app.pages.languages import current_language, gettext, to_translate
from app.pages.page import Site, SiteDep
from app.pages.posted_forms import SubmittedForm, SubmittedFormDep
from app.pages.text_format import (
    date_and_time,
    look_again,
    own_steps,
    page_words,
    send_again,
    spoken,
    steps_in_words,
)
from app.services.concerns.follow_up import ADD, ReporterCode
from app.services.concerns.receipt_signing import check_receipt

router = PageRouter(prefix="/concerns", dependencies=[PUBLIC])
RECEIPT_WIDTH = 76
REFUSED = errors.ValidationFailed.status
CLEAR_DANGER = "clear:immediate_danger"
NO_MATCH = to_translate("No concern matches this reference and code. Check both for mistakes.")
NOT_ADDED = to_translate(
    "It could not be saved just now. Nothing is lost: press the button again in a few seconds, or call."
)
TOO_MUCH_FROM_HERE = to_translate(
    "Very many long texts came from your network, so we cannot take this one yet. Nothing is lost: send a few words "
    "now, or call."
)
CANNOT_BE_ADDED = to_translate("Nothing more can be added to this concern. Raise a new one, or call.")
ALREADY_ADDED = to_translate(
    "You have already sent other words from this page, and we have them. To add these too, press the button."
)
EMPTY = to_translate("Enter what you want to add")
TOO_LONG = to_translate("This is too long to be sent. Shorten it, or send the rest as another addition")


@router.get("")
def read_status_form(site: SiteDep) -> Response:
    return site.compressed(_form(site, SubmittedForm()))


@router.post("")
def read_status(site: SiteDep, posted: SubmittedFormDep) -> Response:
    """Record first readings of messages. Reference and code are in the body, so that no address has them."""
    if posted.one("do") == CLEAR_DANGER:
        posted = SubmittedForm({name: values for name, values in posted.fields.items() if name != "immediate_danger"})
    try:
        return _status_page(site, posted)
    except errors.NoSuchConcern:
        return _form(site, posted, is_refused=True)


@router.post("/additions")
def add_to_concern(site: SiteDep, posted: SubmittedFormDep) -> Response:
    """If the addition is refused or cannot be stored, the page shows it again."""
    try:
        added = _add(site, posted)
        kept = SubmittedForm(
            {name: [posted.one(name)] for name in ("reference", "code", "voice", "shows_code")}
        )  # without the key: the next addition gets a new idempotency key
        return _status_page(site, kept, added=added, added_danger=posted.one("immediate_danger"))
    except errors.NoSuchConcern:
        return _form(site, posted, is_refused=True)
    except ValidationError as refusal:
        return _status_page(site, posted, faults=_faults_of(refusal, posted), status=REFUSED)
    except (errors.ConcernErased, errors.TooManyAdditions):
        return _status_page(site, posted, faults={"": CANNOT_BE_ADDED}, status=REFUSED)
    except errors.IdempotencyKeyReused:
        fields = {**posted.fields, "key": [str(uuid.uuid4())]}
        return _status_page(site, SubmittedForm(fields), faults={"": ALREADY_ADDED}, status=REFUSED)
    except (errors.TooManyConcerns, errors.StoreBusy, *NO_STORE) as refusal:
        if isinstance(refusal, errors.TooManyConcerns):
            fault, status, headers = TOO_MUCH_FROM_HERE, refusal.status, refusal.headers
        else:
            fault, status, headers = NOT_ADDED, errors.ServiceUnavailable.status, {}
        page = _status_page(site, posted, faults={"": fault}, status=status)
        page.headers.update(headers)
        return page


@router.get("/{reference}")
def read_filled_status_form(site: SiteDep, reference: Annotated[str, Path(max_length=40)]) -> Response:
    """Return the same page whether or not a concern has this reference."""
    return site.compressed(_form(site, SubmittedForm({"reference": [reference]})))


def _add(site: Site, posted: SubmittedForm) -> AdditionReceipt:
    key, danger = posted.one("key") or str(uuid.uuid4()), posted.one("immediate_danger")
    words = {"concern": {"narrative": posted.one("narrative")}} | ({"immediate_danger": danger} if danger else {})
    addition = Addition.model_validate(words)
    code = _code_of(site, posted.one("reference"), posted.one("code"))
    concern = site.context.follow_ups.find(code, purpose=ADD)
    result = site.context.follow_ups.add(concern, addition, idempotency_key=key, channel=Channel.FORM, at=site.now)
    return AdditionReceipt.model_validate_json(result.receipt)


def _faults_of(refusal: ValidationError, posted: SubmittedForm) -> dict[str, str]:
    invalid = {each["loc"][0] for each in refusal.errors(include_input=False)}
    faults = {DANGER: QUESTIONS[DANGER].missing} if DANGER in invalid else {}
    if "concern" in invalid:
        faults["narrative"] = TOO_LONG if posted.one("narrative").strip() else EMPTY
    return faults


def _code_of(site: Site, reference: str, code: str) -> ReporterCode:
    return ReporterCode(reference.strip(), code.strip(), caller_networks(site.request))


def _status_page(
    site: Site,
    posted: SubmittedForm,
    *,
    faults: dict[str, str] | None = None,
    added: AdditionReceipt | None = None,
    added_danger: str = "",
    status: int = 200,
) -> Response:
    """Record messages that are read for the first time. `added` is the addition just stored.

    If `shows_code`, because the request came from the receipt's page, the code is shown again.
    """
    typed = _code_of(site, posted.one("reference"), posted.one("code"))
    concern = site.context.follow_ups.read_status(typed, at=site.now)
    reader = reader_of(posted.one("voice"))
    voice = voice_of(reader)
    return site.page(
        "concern_status.html" if current_language().is_whole else "short_status.html",
        status=status,
        concern=concern,
        who=_who(concern),
        code=typed.token,
        shows_code=bool(posted.one("shows_code")),
        key=posted.one("key") or str(uuid.uuid4()),
        narrative=posted.one("narrative"),
        max_letters=MAX_NARRATIVE,
        immediate_danger=posted.one("immediate_danger"),
        added=added,
        added_danger=added_danger,
        reference_aloud=spoken(concern.reference),
        closing=list(closing_words(concern, reader)),
        reader=reader,
        voice=voice,
        steps=own_steps(concern) if voice else steps_in_words(concern, at=site.now),
        talk=_talk_of(concern, _messages_of(site, concern, typed)),
        faults={name: gettext(fault) for name, fault in (faults or {}).items()},
    )


def _who(concern: ConcernStatus) -> WhoToCall:
    return WhoToCall(concern.contacts, concern.signposts)


def _form(site: Site, posted: SubmittedForm, *, is_refused: bool = False) -> Response:
    """What was typed stays, the code too: it is in the page alone, which no cache keeps, as while it was typed."""
    reference, code = posted.one("reference").strip(), posted.one("code").strip()
    return site.page(
        "status_form.html" if current_language().is_whole else "short_status_form.html",
        status=errors.NoSuchConcern.status if is_refused else 200,
        faults=faults_in(reference, code, otherwise=NO_MATCH) if is_refused else {},
        send_again=send_again(site.context.lost_entries.gap) if is_refused else "",
        reference=reference,
        code=code,
        reader=posted.one("voice"),
    )


def _messages_of(site: Site, concern: ConcernStatus, code: ReporterCode) -> Sequence[ReceivedMessage | MessageStatus]:
    """Leave out the text if the reading cannot be recorded: the rest of the page is still useful."""
    if not concern.messages:
        return ()
    try:
        opened = site.context.follow_ups.open_messages(code, at=site.now)
    except (errors.StoreBusy, *NO_STORE):
        return concern.messages
    return opened.messages


class ConversationEntry(NamedTuple):
    message: ReceivedMessage | MessageStatus | None
    addition: AdditionStatus | None
    is_answer: bool = False
    """True for the first addition after the message was read."""


def _talk_of(concern: ConcernStatus, messages: Sequence[ReceivedMessage | MessageStatus]) -> list[ConversationEntry]:
    """Order messages and additions, oldest first."""
    answers = {each.answered_at for each in messages}
    turns = [(each.sent_at, ConversationEntry(each, None)) for each in messages]
    turns += [(each.added_at, ConversationEntry(None, each, each.added_at in answers)) for each in concern.additions]
    return [turn for _, turn in sorted(turns, key=itemgetter(0))]


@router.post("/receipt")
def save_receipt(site: SiteDep, posted: SubmittedFormDep) -> Response:
    """Return a text file, worded and named by `voice`, or 404 unless receipt and code are of one concern."""
    signed, code = posted.one("receipt"), posted.one("code").strip()
    try:
        claims = check_receipt(signed, {"keys": list(site.context.signer.jwks)})
        reference, received_at = claims["jti"], dt.datetime.fromisoformat(claims["received_at"])
        concern = site.context.follow_ups.read_status(_code_of(site, reference, code), at=received_at)
    except (errors.ReceiptNotGenuine, errors.NoSuchConcern, KeyError):
        raise errors.NotFound from None
    is_own = bool(voice_of(posted.one("voice")))
    lines = _own_lines(site, concern, code) if is_own else _receipt_lines(site, concern, code, posted.many("also_call"))
    text = "\n".join([*lines, *_signed_lines(site, signed)]) + "\n"
    name = "note.txt" if is_own else f"receipt-{reference}.txt"  # others may see the names of a child's downloads
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type="text/plain", headers=headers)


def _own_lines(site: Site, concern: ConcernStatus, code: str) -> Iterator[str]:
    """Yield the lines for a reporter under 18, with 999 and Childline first."""
    yield from ("THANK YOU. YOU DID THE RIGHT THING.", "", "What happened is not your fault.", "")
    yield from _numbers(each for each in concern.signposts if each.emergency or each.id == CHILDLINE)
    yield from ("", f"Reference: {concern.reference}", f"Code:      {code}", "", "WHAT HAPPENS NEXT", "")
    for step in own_steps(concern):
        yield from _paragraph(f"- {step}", hanging="  ")
    yield from ("", "YOU CAN ALSO CALL US", "")
    yield from _numbers(each.contact for each in site.teams(_who(concern)).all)


def _receipt_lines(site: Site, concern: ConcernStatus, code: str, also_call: Sequence[str]) -> Iterator[str]:
    """`also_call` are the ids of signposts and neighbouring councils."""
    title = site.context.contents(EditionKey(concern.guide, concern.edition)).title
    heading = "THIS IS A TEST" if concern.test else "WE HAVE YOUR CONCERN"
    yield from (heading, "", f"Reference: {concern.reference}", f"Code:      {code}")
    yield f"Sent:      {date_and_time(concern.received_at)}"
    if not concern.test:
        yield from _paragraph(look_again(concern.received_at))
    yield from _paragraph(f"Guide:     {title}, edition {concern.edition}", hanging=" " * 11)
    yield from ("", "WHAT HAPPENS NEXT", "")
    for step in concern.next_steps:
        yield from _paragraph(f"- {page_words(step)}", hanging="  ")
    yield from ("", "WHO TO CALL", "")
    numbers: list[Reachable] = [each for each in concern.signposts if each.emergency]
    numbers += [each.contact for each in site.teams(_who(concern)).all]
    yield from _numbers(numbers)
    for each in (*site.context.reference_data.neighbours, *concern.signposts):
        if each.id in also_call:
            yield from _paragraph(f"- {each.name}: {_ways(each)}. {each.when or ''}", hanging="  ")
    yield from _paragraph("- When you call, give the reference.", hanging="  ")


def _numbers(contacts: Iterable[Reachable]) -> Iterator[str]:
    for contact in contacts:
        yield from _paragraph(f"- {contact.name}: {_ways(contact)}", hanging="  ")


def _ways(contact: Reachable) -> str:
    return " or ".join(phone.dialled + phone.option_text for phone in contact.phones) or contact.url or ""


def _signed_lines(site: Site, signed: str) -> Iterator[str]:
    yield from ("", "SIGNED RECEIPT", "")
    yield from _paragraph(
        "It proves when the concern was received, and shows nothing of it. It is checked with "
        f"{site.context.settings.public_url}/.well-known/jwks.json."
    )
    yield from ("", signed)


def _paragraph(text: str, *, hanging: str = "") -> list[str]:
    return textwrap.wrap(text, RECEIPT_WIDTH, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False)
