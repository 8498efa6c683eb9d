"""Words for a note or a question, as a form had them, at the desk on a worker's own machine."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import unescape

from app.errors import ValidationFailed
from app.models.desk.messages import Message
from app.models.desk.notes import NewNote
from app.pages.desk.carrying_out import faults_by_field, parse
from app.pages.desk.inbox import CONCERN_PAGES
from app.pages.page import page_templates

NOTE_STEP, QUESTION_STEP = "notes", "messages"
"""The last steps of the paths that words are sent to."""
MACROS = {NOTE_STEP: "note", QUESTION_STEP: "question"}
WORDS_FORM = re.compile(r'<form method="post" action="[^"]*/(?:notes|messages)".*?</form>', re.DOTALL)
"""A form for words, as the service draws it."""
FAULT_OF_FIELD = re.compile(r'<span class="fault" id="fault-([a-z]+)">([^<]+)</span>')
HIDDEN_FIELD = re.compile(r'<input type="hidden" name="(seen|key|recipients?)" value="([^"]*)">')


@dataclass(frozen=True)
class TypedWords:
    """The words, and what else their form had: which acts the page showed, its key, and the keys to seal to."""

    act: str
    reference: str
    text: str
    seen: str = ""
    key: str = ""
    recipients: str = ""
    recipient: str = ""

    def check(self) -> None:
        """Raise `ValidationFailed` if there are no words, or too many."""
        parse(NewNote if self.act == NOTE_STEP else Message, {"text": self.text})

    def section(self, refusal: Exception | None = None) -> str:
        """Return HTML with the words in a form of this program, and what is wrong with them."""
        return self._section(faults_by_field(refusal) if isinstance(refusal, ValidationFailed) else {})

    def section_after(self, page: str) -> str:
        """Return the same, with what the form of the service's page says of them and has beside them now."""
        found = WORDS_FORM.search(page)
        form = found[0] if found is not None else ""
        renewed = replace(self, **{name: unescape(value) for name, value in HIDDEN_FIELD.findall(form)})
        return renewed._section({name: unescape(fault) for name, fault in FAULT_OF_FIELD.findall(form)})

    def _section(self, faults: Mapping[str, str]) -> str:
        template = page_templates().get_template("desk_local_typed.html")
        return template.render(macro=MACROS[self.act], forms=WordsForm(self, faults))


@dataclass(frozen=True)
class WordsForm:
    """What the macros of notes and questions are drawn from, as `DeskForms` is for the service's own pages."""

    words: TypedWords
    faults: Mapping[str, str]
    takes_clear: bool = True

    @property
    def path(self) -> str:
        """The path of the concern's page, below which the form is sent."""
        return f"{CONCERN_PAGES}/{self.words.reference}"

    @property
    def typed(self) -> Mapping[str, str]:
        """The words, by the name of their field."""
        return {"text": self.words.text}

    @property
    def seen(self) -> str:
        """The last act that the page showed."""
        return self.words.seen

    @property
    def key(self) -> str:
        """The idempotency key of the form."""
        return self.words.key

    @property
    def recipients(self) -> str:
        """The keys that a note is sealed to."""
        return self.words.recipients

    @property
    def recipient(self) -> str:
        """The key that a question is sealed to."""
        return self.words.recipient
