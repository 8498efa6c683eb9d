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
from app.models.languages import EASY_READ_SUFFIX, GUIDE_LANGUAGE, english_name_of, locale_of
from app.pages.languages import current_language, gettext, marked_english, to_translate
from app.services.audit.lost_entries import Gap
from app.services.clock.teams import Teams
from app.services.clock.working_days import LONDON, deadline_of
from app.services.clock.working_hours import WEEK, spoken_time
from app.services.concerns.receipts import BY_THE_CONCERN, CONCERN_STORED, HOW_TO_FOLLOW, TEST, WHAT_WAS_ADDED

SPELLING_ALPHABET = (
    "Alfa Bravo Charlie Delta Echo Foxtrot Golf Hotel Juliett Kilo Mike November Papa Quebec Romeo Sierra Tango "
    "Victor Whiskey X-ray Yankee Zulu"
)
SPELLING_WORDS = {word[0]: word for word in SPELLING_ALPHABET.split()}
OF_A_TEST = to_translate("This was a test. Nobody will read it.")
PAGE_WORDS = ((TEST, OF_A_TEST), ("status token", "code"), ("acknowledged", "read"), ("acknowledge", "read"))
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

FORMATS_IN_ENGLISH = {f"{GUIDE_LANGUAGE}{EASY_READ_SUFFIX}": "In simple words", GUIDE_LANGUAGE: "Large print or audio"}

DO_NOT_WAIT = to_translate("Do not wait for us: call.")
EVENING = 18
"""Hour in London from which people should look for messages from tomorrow, not tonight."""
BOLD_OR_CODE = re.compile(r"\*\*(.+?)\*\*|`(.+?)`", re.DOTALL)


def _locale() -> str:
    return locale_of(current_language().tag)


def inline_markdown(text: str) -> Markup:
    """Escape the text, and format bold text and code."""
    pieces = BOLD_OR_CODE.split(text)
    html = Markup()
    for plain, bold, code in zip(pieces[0::3], [*pieces[1::3], None], [*pieces[2::3], None], strict=True):
        html += escape(plain)
        html += Markup("<strong>{}</strong>").format(bold) if bold else ""
        html += Markup("<code>{}</code>").format(code) if code else ""
    return html


def day(moment: dt.datetime | dt.date) -> str:
    """Return `24 November 2026`, in London and the page's language."""
    local = moment.astimezone(LONDON) if isinstance(moment, dt.datetime) else moment
    return format_date(local, "long", locale=_locale())


def partial_date(value: str) -> str:
    """Return `November 2026` if there is no day. A year or other text is unchanged."""
    for pattern, words in (("%Y-%m-%d", "long"), ("%Y-%m", "MMMM y")):
        try:
            return format_date(dt.datetime.strptime(value, pattern).replace(tzinfo=LONDON), words, locale=_locale())
        except ValueError:
            continue
    return value


def date_and_time(moment: dt.datetime) -> str:
    """Return `Tuesday 24 November 2026 at 09:30`, in London and the page's language."""
    local = moment.astimezone(LONDON)
    weekday = format_date(local, "EEEE", locale=_locale())
    return " ".join((weekday, day(moment), gettext("at"), f"{local:%H:%M}"))


def language_name(tag: str) -> str:
    """Return the name in English. For an English rendition it is that of its format."""
    return FORMATS_IN_ENGLISH.get(tag) or english_name_of(tag)


def london_time(moment: dt.datetime) -> str:
    name = "British Summer Time" if moment.astimezone(LONDON).dst() else "Greenwich Mean Time"
    return f"{date_and_time(moment)} ({name})"


def clock_time(moment: dt.datetime, *, now: dt.datetime | None = None) -> str:
    """Return `09:30` in London, with the date if it is not that of `now`."""
    local = moment.astimezone(LONDON)
    is_today = now is None or local.date() == now.astimezone(LONDON).date()
    return f"{local:%H:%M}" if is_today else f"{local:%H:%M} on {local:%A} {local.day} {local:%B %Y}"


def deadline(moment: dt.datetime) -> str:
    """Return the text of `date_and_time`. Midnight is `the end of Monday 30 November 2026`.

    In other languages it is worded for the inside of a sentence.
    """
    last_day, time = deadline_of(moment)
    weekday = format_date(last_day, "EEEE", locale=_locale())
    words = f"{weekday if current_language().is_english else weekday[:1].lower() + weekday[1:]} {day(last_day)}"
    return gettext("the end of {}").format(words) if time is None else f"{words} {gettext('at')} {time:%H:%M}"


def send_again(gap: Gap | None) -> str:
    """Return the sentence about a gap in the language of the page. It is empty without a gap."""
    words = gettext("If you wrote to us between {since} and {until}, please send it again.")
    return "" if gap is None else words.format(since=deadline(gap.since), until=deadline(gap.until))


def opening(teams: Teams) -> str:
    """Return when a team opens. Use it only if every team of `teams` is closed now."""
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
    """Return `09:30`, `Mon 30 Nov` or `30 Nov 2025`."""
    local, today = moment.astimezone(LONDON), now.astimezone(LONDON)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local:%a} {local.day} {local:%b}" if local.year == today.year else f"{local.day} {local:%b %Y}"


def page_words(sentence: str) -> str:
    for word, plain in PAGE_WORDS:
        sentence = sentence.replace(word, plain)
    return sentence


SAID_ELSEWHERE = frozenset(map(page_words, (CALL_999_FIRST, CONCERN_STORED, HOW_TO_FOLLOW)))
"""Sentences that pages show elsewhere, and their list leaves out."""


def steps_in_words(concern: Receipt | ConcernStatus, *, at: dt.datetime, in_danger: bool = False) -> list[str]:
    """Return what happens next, in the page's language and without `SAID_ELSEWHERE`.

    No sentence of the catalogues has a time: these sentences are composed. Other untranslated ones are marked as
    English.
    """
    is_new = isinstance(concern, Receipt) and not concern.test and bool(concern.come_back_by)
    said = [page_words(each) for each in concern.next_steps[: -1 if is_new else None]]
    adds = any(_steps_of_additions(concern))
    said = [each for each in said if each not in SAID_ELSEWHERE and (adds or WHAT_WAS_ADDED not in each)]
    again = [look_again(at)] if is_new else []
    if current_language().is_english:
        return said + again
    timed = _timed_steps(concern, at, in_danger=in_danger)
    found = ((each, gettext(each)) for each in said)
    return [words if words != each else next(timed, None) or marked_english(each) for each, words in found] + again


def look_again(at: dt.datetime) -> str:
    if at.astimezone(LONDON).hour >= EVENING:
        return gettext("Come back tomorrow. We may have a question.")
    return gettext("Come back tonight. We may have a question.")


def _timed_steps(concern: Receipt | ConcernStatus, at: dt.datetime, *, in_danger: bool) -> Iterator[str]:
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
    """While the concern waits, an addition to be read no sooner has no deadline of its own."""
    waiting = (
        [each for each in concern.additions if not each.acknowledged_at] if isinstance(concern, ConcernStatus) else []
    )
    for first in sorted(waiting, key=attrgetter("acknowledge_by"))[:1]:
        if not first.acknowledge_by_promised:
            yield gettext(DO_NOT_WAIT)
        elif concern.state != ConcernState.RECEIVED or first.acknowledge_by < concern.acknowledge_by:
            by = deadline(first.call_from or first.acknowledge_by)
            yield gettext("A social worker should read what you added by {}.").format(by)


def own_steps(concern: Receipt | ConcernStatus, *, in_danger: bool = False) -> list[str]:
    """Return the steps for a reporter under 18."""
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


def host_as_text(address: str) -> str:
    """Return the host of a URL without `www.`. `gov.uk` becomes `GOV.UK`."""
    name = (urlsplit(address).hostname or address).removeprefix("www.")
    return name.upper() if name == "gov.uk" else name


def code_label(value: StrEnum | str) -> str:
    return CODE_LABELS.get(value, str(value).replace("_", " ").capitalize())


def option(phone: Phone) -> str:
    """Return, for example, ` (option 2)`, whose inner space does not break."""
    return " ({}\u00a0{})".format(gettext("option"), phone.option) if phone.option else ""


def spoken(reference: str) -> list[str]:
    """Return, for example, `4, Foxtrot, 7, Kilo`."""
    return [
        ", ".join(SPELLING_WORDS.get(character, character) for character in group) for group in reference.split("-")
    ]
