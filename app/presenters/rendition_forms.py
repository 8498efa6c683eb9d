"""What the other forms of a rendition need beside its words: Markdown, CSV and PDF."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.models.guidance.contacts import Contact
from app.models.guidance.editions import EditionContent
from app.models.guidance.languages import Direction, direction_of
from app.models.guidance.renditions import RenderedWords
from app.presenters.renditions import ReadContent, content_language, notices_of, rendered_words
from app.services.guidance.renditions import is_of_former_edition
from app.store.editions import EditionHead, StoredRendition, current_of, head_of

MARK = "(en-GB)"
"""Follows words that are in the guide's own language in words of another one."""
MARK_EXPLAINED = f"Words with {MARK} after them are the guide’s own: this rendition does not have them."
UNCHECKED_CAUTIONS = "The same in a machine’s words, which nobody has checked:"


@dataclass(frozen=True)
class ShownRendition:
    """A rendition on its edition, to be shown in another form than JSON."""

    head: EditionHead
    """The edition that it is of."""
    stored: StoredRendition
    words: RenderedWords
    notices: tuple[str, ...]
    to_call: tuple[Contact, ...]
    """The contacts in the guide's own words: of the current edition, or of its own for a numbered rendition."""

    @property
    def content(self) -> EditionContent:
        """The edition with the words put in."""
        return self.words.content

    @property
    def language(self) -> str:
        """The language of the words."""
        return content_language(self.stored)

    @property
    def direction(self) -> Direction:
        """The direction in which they are written."""
        return direction_of(self.language)

    def is_marked(self, *pointer: str | int) -> bool:
        """Return whether the words at that place are marked. Where none are the rendition's own, no mark helps."""
        at = "".join(f"/{part}" for part in pointer)
        return self.stored.content.form.has_words and at in self.words.in_guide_language

    @property
    def has_marks(self) -> bool:
        """Whether any words are marked."""
        return self.stored.content.form.has_words and bool(self.words.in_guide_language)

    @property
    def facts(self) -> Mapping[str, str]:
        """What the words are, by label."""
        details, number = self.stored.content, self.stored.key.number
        made_by = details.made_by.value if details.tool is None else f"{details.made_by.value}, {details.tool}"
        checked = "nobody yet" if details.checked_by is None else f"{details.checked_by}, {details.checked_on}"
        return {
            "Language": f"{details.language}, rendition {number}",
            "Form": details.form.value.replace("_", " "),
            "Made by": made_by,
            "Checked by": checked,
            "Rendition digest": self.stored.digest,
        }


def show_rendition(
    history: Sequence[EditionHead], stored: StoredRendition, read: ReadContent, *, is_numbered: bool
) -> ShownRendition:
    """Return the rendition on its edition."""
    head, current = head_of(history, stored.edition), current_of(history)
    behind = is_of_former_edition(history, stored.edition)
    to_call = head if is_numbered or current is None else current
    return ShownRendition(
        head,
        stored,
        rendered_words(history, stored, read, is_numbered=is_numbered),
        notices_of(stored, behind=behind),
        read(to_call.key).contacts,
    )
