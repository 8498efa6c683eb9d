"""Dates, times, codes and references as text for people."""

import datetime as dt
import re
from collections.abc import Iterator
from enum import StrEnum
from operator import attrgetter
from urllib.parse import urlsplit

from babel.dates import format_date
from markupsafe import Markup, escape

from app.models.concerns.receipts import ConcernState, ConcernStatus, Receipt
from app.models.guides.contacts import Phone
from app.models.guides.signposts import CALL_999_FIRST
from app.models.languages import EASY_READ_SUFFIX, GUIDE_LANGUAGE, english_name_of
from app.pages.languages import current_language, gettext, marked_english, to_translate
from app.services.audit.lost_entries import Gap
from app.services.concerns.receipts import BY_THE_CONCERN, CONCERN_STORED, HOW_TO_FOLLOW, TEST
from app.services.guides.teams import Teams
from app.services.guides.working_days import LONDON, deadline_of
from app.services.guides.working_hours import WEEK, spoken_time

SPELLING_ALPHABET = (
    "Alfa Bravo Charlie Delta Echo Foxtrot Golf Hotel Juliett Kilo Mike November Papa Quebec Romeo Sierra Tango "
    "Victor Whiskey X-ray Yankee Zulu"
)
SPELLING_WORDS = {word[0]: word for word in SPELLING_ALPHABET.split()}
"""The word that spells each letter of a reference or a code on the phone (ICAO alphabet)."""
OF_A_TEST = to_translate("This was a test. Nobody will read it.")
PAGE_WORDS = ((TEST, OF_A_TEST), ("status token", "code"), ("acknowledged", "read"), ("acknowledge", "read"))
"""Terms of the API in sentences, each with the plain words that pages use instead."""
DAY_IN_WORDS = "d MMMM y"
JOINED_DAY_IN_WORDS = "d 'de' MMMM 'de' y"
"""The pattern of a date in Spanish and Portuguese, with `de` between day, month and year."""
CONTACT_LABELS = {"mailto": to_translate("Email {}"), "tel": to_translate("Call {}")}

CODE_LABELS = {
    "anonymous": "I would rather not say",
    "child": "I am the child or young person",
    "friend": "I am under 18, and worried about a friend",
    "family": "A family member",
    "member_of_public": "A member of the public",
    "not_safe": "No, it would not be safe",
    "professional": "Someone who works or volunteers with children",
    "told_by_child": "From the child",
    "not_known": "I do not know",
    "told_by_someone_else": "From someone else",
    "first_hand": "I saw or heard it myself",
}
"""Labels of enum values, if the value itself would not be clear as a label."""

FORMATS_IN_ENGLISH = {f"{GUIDE_LANGUAGE}{EASY_READ_SUFFIX}": "In simple words", GUIDE_LANGUAGE: "Large print or audio"}

DO_NOT_WAIT = to_translate("Do not wait for us: call.")
EVENING = 18
"""From this hour in London, pages tell a reporter to look for messages from tomorrow, not from tonight."""
BOLD_OR_CODE = re.compile(r"\*\*(.+?)\*\*|`(.+?)`", re.DOTALL)


def _locale() -> str:
    return current_language().tag.replace("-", "_")


def inline_markdown(text: str) -> Markup:
    """Return `text` as escaped HTML. Bold words and code in Markdown become `strong` and `code` elements."""
    pieces = BOLD_OR_CODE.split(text)
    html = Markup()
    for plain, bold, code in zip(pieces[0::3], [*pieces[1::3], None], [*pieces[2::3], None], strict=True):
        html += escape(plain)
        html += Markup("<strong>{}</strong>").format(bold) if bold else ""
        html += Markup("<code>{}</code>").format(code) if code else ""
    return html


def day(moment: dt.datetime | dt.date) -> str:
    """Return `moment` as a date in London, in the language of the page: `24 November 2026`."""
    local = moment.astimezone(LONDON) if isinstance(moment, dt.datetime) else moment
    pattern = JOINED_DAY_IN_WORDS if current_language().code in ("es", "pt") else DAY_IN_WORDS
    return format_date(local, pattern, locale=_locale())


def partial_date(value: str) -> str:
    """Return `value`, a date from the API, in words and in the language of the page.

    A date without a day becomes `November 2026`. Return a year, or text that is not a date, unchanged.
    """
    for pattern, words in (("%Y-%m-%d", DAY_IN_WORDS), ("%Y-%m", "MMMM y")):
        try:
            return format_date(dt.datetime.strptime(value, pattern).replace(tzinfo=LONDON), words, locale=_locale())
        except ValueError:
            continue
    return value


def date_and_time(moment: dt.datetime) -> str:
    """Return `moment` in London time, in the language of the page: `Tuesday 24 November 2026 at 09:30`."""
    local = moment.astimezone(LONDON)
    weekday = format_date(local, "EEEE", locale=_locale())
    return " ".join((weekday, day(moment), gettext("at"), f"{local:%H:%M}"))


def language_name(tag: str) -> str:
    """Return the English name of the language `tag` of a rendition.

    English renditions have two tags, one for simple words and one for large print or audio. For these tags, return the
    format instead: `In simple words`, or `Large print or audio`.
    """
    return FORMATS_IN_ENGLISH.get(tag) or english_name_of(tag)


def london_time(moment: dt.datetime) -> str:
    """Return `moment` as date and time in London, followed by the name of the time zone: `(British Summer Time)`."""
    name = "British Summer Time" if moment.astimezone(LONDON).dst() else "Greenwich Mean Time"
    return f"{date_and_time(moment)} ({name})"


def clock_time(moment: dt.datetime, *, now: dt.datetime | None = None) -> str:
    """Return the time of `moment` in London, in English: `09:30`.

    If `now` is given and is on another day, add the date of `moment`.
    """
    local = moment.astimezone(LONDON)
    is_today = now is None or local.date() == now.astimezone(LONDON).date()
    return f"{local:%H:%M}" if is_today else f"{local:%H:%M} on {local:%A} {local.day} {local:%B %Y}"


def deadline(moment: dt.datetime) -> str:
    """Return the deadline `moment` in London time, in the language of the page: `Tuesday 24 November 2026 at 09:30`.

    A deadline at midnight becomes `the end of Monday 30 November 2026`. In a language other than English, the day of
    the week begins in lower case, because the deadline is part of a sentence.
    """
    last_day, time = deadline_of(moment)
    weekday = format_date(last_day, "EEEE", locale=_locale())
    words = f"{weekday if current_language().is_english else weekday[:1].lower() + weekday[1:]} {day(last_day)}"
    return gettext("the end of {}").format(words) if time is None else f"{words} {gettext('at')} {time:%H:%M}"


def send_again(gap: Gap | None) -> str:
    """Return what to tell reporters who may have written in `gap`, in the language of the page. Empty for None."""
    words = gettext("If you wrote to us between {since} and {until}, please send it again.")
    return "" if gap is None else words.format(since=deadline(gap.since), until=deadline(gap.until))


def opening(teams: Teams) -> str:
    """Return that every team of `teams` is closed now, and when one opens, in the language of the page."""
    if teams.at is None or teams.opens is None:
        return gettext("Closed now.")
    local, today = teams.opens.astimezone(LONDON), teams.at.astimezone(LONDON).date()
    time = spoken_time(f"{local:%H:%M}") if current_language().is_english else f"{local:%H:%M}"
    ahead = (local.date() - today).days
    if ahead == 0:
        return gettext("Closed now. Opens today at {}.").format(time)
    if ahead == 1:
        return gettext("Closed now. Opens tomorrow at {}.").format(time)
    weekday = format_date(local, "EEEE", locale=_locale())
    words = weekday if current_language().is_english else weekday[:1].lower() + weekday[1:]
    return gettext("Closed now. Opens on {} at {}.").format(
        words if ahead < len(WEEK) else f"{words} {day(local)}", time
    )


def short_moment(moment: dt.datetime, now: dt.datetime) -> str:
    """Return `moment` for a table, in London time: `09:30` on the day of `now`, otherwise the date, `Mon 30 Nov`.

    If `moment` is in another year than `now`, return the date with the year: `30 Nov 2025`.
    """
    local, today = moment.astimezone(LONDON), now.astimezone(LONDON)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local:%a} {local.day} {local:%b}" if local.year == today.year else f"{local.day} {local:%b %Y}"


def short_deadline(moment: dt.datetime) -> str:
    """Return the deadline `moment` for a table, in London time: `Tue 24 Nov 09:30`, or `end of Mon 30 Nov`."""
    last_day, time = deadline_of(moment)
    words = f"{last_day:%a} {last_day.day} {last_day:%b}"
    return f"end of {words}" if time is None else f"{words} {time:%H:%M}"


def page_words(sentence: str) -> str:
    """Return `sentence`, a sentence of the API, with each term in `PAGE_WORDS` replaced by plain words."""
    for word, plain in PAGE_WORDS:
        sentence = sentence.replace(word, plain)
    return sentence


SAID_ON_RECEIPTS = frozenset(map(page_words, (CALL_999_FIRST, CONCERN_STORED, HOW_TO_FOLLOW)))
"""The sentences that the page of a receipt shows elsewhere. The list of next steps on that page leaves them out."""


def steps_in_words(concern: Receipt | ConcernStatus, *, at: dt.datetime, in_danger: bool = False) -> list[str]:
    """Return the sentences on what happens next with `concern`, in the language of the page.

    `concern.next_steps` has these sentences in English, with the terms of the API. Pages use plain terms instead. For a
    receipt that is not a test, leave out the sentences in `SAID_ON_RECEIPTS`. If this receipt says when to look for
    messages, `look_again(at)` replaces that sentence. `at` is the current time.

    The catalogues have no sentence that contains a time. In a language other than English, this function composes these
    sentences, and puts them in the same places. If `in_danger` is True, the composed sentence about the concern says to
    call 999. Any other sentence without a translation stays in English, and is marked as English.
    """
    said = [page_words(each) for each in concern.next_steps]
    if isinstance(concern, Receipt) and not concern.test:
        said = [each for each in said[: -1 if concern.come_back_by else None] if each not in SAID_ON_RECEIPTS]
    again = [look_again(at)] if isinstance(concern, Receipt) and not concern.test and concern.come_back_by else []
    if current_language().is_english:
        return said + again
    timed = _timed_steps(concern, at, in_danger=in_danger)
    found = ((each, gettext(each)) for each in said)
    return [words if words != each else next(timed, None) or marked_english(each) for each, words in found] + again


def look_again(at: dt.datetime) -> str:
    """Return the sentence that tells a reporter when to look for messages: from tonight, or from tomorrow.

    `at` is the time at which the concern was sent.
    """
    if at.astimezone(LONDON).hour >= EVENING:
        return gettext("Look here again from tomorrow. We may have a question for you.")
    return gettext("Look here again from tonight. We may have a question for you.")


def _timed_steps(concern: Receipt | ConcernStatus, at: dt.datetime, *, in_danger: bool) -> Iterator[str]:
    """Yield the sentences that contain or depend on a time, in the language of the page and in the order of the API.

    `at` is the current time. If `in_danger` is True, the sentence about the concern says to call 999. If the promised
    deadline of the concern has passed, the sentence says instead that the concern is late.
    """
    due = concern.call_from or concern.acknowledge_by
    by = deadline(due)
    expected = gettext("A social worker should read it by {}.").format(by)
    if concern.state == ConcernState.RECEIVED:
        if not concern.acknowledge_by_promised:
            yield gettext("Do not wait for us. Call 999 now.") if in_danger else gettext(DO_NOT_WAIT)
        elif at > due:
            yield gettext("A social worker should have read it by {}. Please call us.").format(by)
        elif in_danger:
            yield " ".join((gettext("Do not wait for us. Call 999 now."), expected))
        else:
            yield " ".join((expected, gettext("If nobody has by then, call us.")))
    yield from _steps_of_additions(concern)


def _steps_of_additions(concern: Receipt | ConcernStatus) -> Iterator[str]:
    waiting = (
        [each for each in concern.additions if not each.acknowledged_at] if isinstance(concern, ConcernStatus) else []
    )
    for first in sorted(waiting, key=attrgetter("acknowledge_by"))[:1]:
        promised = gettext("A social worker should read what you added by {}.")
        by = deadline(first.call_from or first.acknowledge_by)
        yield promised.format(by) if first.acknowledge_by_promised else gettext(DO_NOT_WAIT)


def own_steps(concern: Receipt | ConcernStatus, *, in_danger: bool = False) -> list[str]:
    """Return the sentences on what happens next with `concern`, in the language of the page, for a reporter under 18.

    For a test, the only sentence says that nobody will read the concern. For a closed concern, the only sentence says
    where to tell anything new. Otherwise, if `in_danger` is True, the first sentence says to call 999.
    """
    if concern.test:
        return [gettext(OF_A_TEST)]
    if concern.state == ConcernState.CLOSED:
        return [gettext("If anything new happens, tell us here.")]
    steps = [gettext("Do not wait for us. Call 999 now.")] if in_danger else []
    if concern.state == ConcernState.RECEIVED and concern.acknowledge_by_promised:
        by = deadline(concern.call_from or concern.acknowledge_by)
        steps.append(gettext("A social worker should read it by {}.").format(by))
    elif concern.state == ConcernState.RECEIVED and not in_danger:
        steps.append(gettext(DO_NOT_WAIT))
    steps += [gettext(each) for each in BY_THE_CONCERN if each in concern.next_steps]
    steps += [each for each in _steps_of_additions(concern) if each not in steps]
    steps.append(gettext("We will only contact you in a way you say is safe."))
    if isinstance(concern, Receipt) and concern.come_back_by is not None:
        steps.append(look_again(concern.received_at))
    elif concern.come_back_by is not None:
        steps.append(gettext("Look here again soon. We may write to you here."))
    return steps


def contact_label(address: str) -> str:
    """Return the text of a link to `address`, the URL of a contact of the council.

    The text is `Email name@council.example` for a `mailto:` URL, `Call` with the number for a `tel:` URL, and `address`
    itself for any other URL. Hyphens in a `tel:` URL become spaces: `tel:01632-960001` is `Call 01632 960001`.
    """
    scheme, _, rest = address.partition(":")
    return gettext(CONTACT_LABELS.get(scheme, address)).format(rest.replace("-", " ") if scheme == "tel" else rest)


def host(address: str) -> str:
    """Return the host of the web address `address` without `www.`, or `address` itself if there is no host.

    The host `gov.uk` becomes `GOV.UK`, the name by which people know that website.
    """
    name = (urlsplit(address).hostname or address).removeprefix("www.")
    return name.upper() if name == "gov.uk" else name


def code_label(value: StrEnum | str) -> str:
    """Return the label of the enum value `value`: the label in `CODE_LABELS`, or `value` itself in words."""
    return CODE_LABELS.get(value, str(value).replace("_", " ").capitalize())


def option(phone: Phone) -> str:
    """Return the key to press when `phone` is answered, as text to print after the number: ` (option 2)`.

    The space within the brackets does not break. Return an empty string if there is no key to press.
    """
    return " ({}\u00a0{})".format(gettext("option"), phone.option) if phone.option else ""


def spoken(reference: str) -> list[str]:
    """Return each group of characters in `reference`, a reference or a code, spelled out: `4, Foxtrot, 7, Kilo`."""
    return [
        ", ".join(SPELLING_WORDS.get(character, character) for character in group) for group in reference.split("-")
    ]
