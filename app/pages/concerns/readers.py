"""The kinds of people who read the status of a concern, and the sentences for them when the concern is closed."""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from app.models.concerns.concern import ReporterKind
from app.models.concerns.fields import YesNo
from app.models.concerns.receipts import ConcernState, ConcernStatus
from app.pages.concerns.form_layout import DUTY_TO_REPORT
from app.pages.languages import gettext, or_english, to_translate
from app.pages.posted_forms import Answers, value_at
from app.services.concerns.receipts import CLOSED_TEXT

OF_PROFESSIONALS: Mapping[str, str] = {
    "no_further_action": to_translate(
        "We looked carefully at what you told us. We will not do anything more now. Tell us of anything new."
    ),
    "advice_or_signpost": to_translate(
        "We gave advice, or told the family who else can help. Tell us of anything new."
    ),
    "early_help": to_translate("A worker will offer the family help. We may ask you to take part."),
    "assessment_required": to_translate("A social worker will find out what help is needed. We may ask what you know."),
    "strategy_discussion_or_section_47": to_translate(
        "Social workers and the police will look into it together. We may ask what you know."
    ),
}
STILL_HERE = to_translate("You can still write to us here, at any time. A social worker will read it.")
DISAGREE = to_translate("If you do not agree, call us and ask for a manager.")


class Reader(StrEnum):
    """Kind of reader. Each has its own wording after sending."""

    CHILD = ReporterKind.CHILD.value
    FRIEND = ReporterKind.FRIEND.value
    PROFESSIONAL = ReporterKind.PROFESSIONAL.value
    UNDER_DUTY = "under_duty"  # a professional who reported because the law says so
    ADULT = ""  # anyone else, and anyone who did not say who they are


OUTCOMES: Mapping[Reader, Mapping[str, str]] = {
    Reader.CHILD: {
        "no_further_action": to_translate(
            "We read what you told us with care. We will not do more just now. You were right to tell us."
        ),
        "advice_or_signpost": to_translate("We gave advice, or said who else can help you. You were right to tell us."),
        "early_help": to_translate("Someone will offer help to you and your family. You were right to tell us."),
        "assessment_required": to_translate(
            "A social worker will find out more, and what help you need. You were right to tell us."
        ),
        "strategy_discussion_or_section_47": to_translate(
            "Social workers and the police will look into it together. You were right to tell us."
        ),
        "other": to_translate("We have decided what to do next. You were right to tell us."),
    },
    Reader.FRIEND: {
        "no_further_action": to_translate(
            "We read what you told us with care. We will not do more just now. You were right to tell us."
        ),
        "advice_or_signpost": to_translate(
            "We gave advice, or said who else can help your friend. You were right to tell us."
        ),
        "early_help": to_translate("Someone will offer help to your friend. You were right to tell us."),
        "assessment_required": to_translate(
            "A social worker will find out more, and what help your friend needs. You were right to tell us."
        ),
        "strategy_discussion_or_section_47": to_translate(
            "Social workers and the police will look into it together. You were right to tell us."
        ),
        "other": to_translate("We have decided what to do next. You were right to tell us."),
    },
    Reader.PROFESSIONAL: OF_PROFESSIONALS,
    Reader.UNDER_DUTY: OF_PROFESSIONALS,
}
"""Words for outcomes by reader. Other readers get the words of the code list."""
ENDINGS: Mapping[Reader, tuple[str, ...]] = {
    Reader.CHILD: (STILL_HERE,),
    Reader.FRIEND: (STILL_HERE,),
    Reader.PROFESSIONAL: (CLOSED_TEXT, DISAGREE),
    Reader.UNDER_DUTY: (
        CLOSED_TEXT,
        DISAGREE,
        to_translate("Keep your signed receipt. It proves that you made this report, and when."),
    ),
    Reader.ADULT: (CLOSED_TEXT,),
}
"""Last sentences by reader. A child or friend reads that writing here is still possible."""


def reader_of(posted: str) -> Reader:
    return next((each for each in Reader if each.value == posted), Reader.ADULT)


def reader_of_answers(answers: Answers) -> Reader:
    kind = reader_of(str(value_at(answers, "reporter.kind")))
    has_duty = value_at(answers, DUTY_TO_REPORT) == YesNo.YES
    return Reader.UNDER_DUTY if kind is Reader.PROFESSIONAL and has_duty else kind


def closing_words(concern: ConcernStatus, reader: Reader) -> Iterator[str]:
    """Yield the outcome, if it is shared, and what the reader can do. Without a closing there is nothing.

    English is marked.
    """
    if concern.state != ConcernState.CLOSED:
        return
    own = OUTCOMES.get(reader, {}).get(concern.outcome or "")
    if own is not None:
        yield gettext(own)
    elif concern.outcome_text and concern.outcome_text != CLOSED_TEXT:
        yield or_english(concern.outcome_text)
    yield from map(gettext, ENDINGS[reader])
