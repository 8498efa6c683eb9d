"""What the headings and the first words of lists say: the section that follows."""

import re

SECTIONS = (
    ("linked_risks", r"linked|goes with|other harms|related (?:harms|risks)"),
    ("indicators", r"indicator|\bsigns?\b|look (?:out )?for|symptom|spot"),
    ("factors", r"vulnerab|susceptible|risk factor|more at risk|who is at risk"),
    ("contacts", r"who to (?:call|contact)|contact|worried|get help|refer|telephone|report"),
    (
        "responsibilities",
        r"need to do|what to do|responsib|(?:should|must|can) (?:(?:i|we|you|they|staff) )?do\b|your role|respond|"
        r"action|how (?:to|you can|can (?:i|we|you)) help|next steps",
    ),
    ("cautions", r"caution|remember|bear in mind|please note"),
    ("definitions", r"what is|what it is|what are|definition|about|overview|background"),
)
"""The sections, each with what a heading for it says. The first that fits counts."""
LIST_STARTS = SECTIONS[:3]
LIST_SECTIONS = frozenset(key for key, _ in LIST_STARTS)
CAUTION_WORDS = re.compile(
    r"(?i)\babsence of\b|do(?:es)? not (?:always |necessarily |by (?:itself|themselves) )?(?:mean|prove)|"
    r"not exhaustive|relies on a full|not a checklist"
)


def section_of(heading: str) -> str | None:
    """Return the key of the section that the heading names, or None."""
    return _first(SECTIONS, heading)


def list_section_of(words: str) -> str | None:
    """Return the key of the section whose list the words begin, or None."""
    return _first(LIST_STARTS, words)


def _first(sections: tuple[tuple[str, str], ...], words: str) -> str | None:
    return next((key for key, pattern in sections if re.search(rf"(?i){pattern}", words)), None)
