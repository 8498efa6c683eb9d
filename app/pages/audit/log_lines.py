"""The lines of the audit log's page: entries in words, with one line for consecutive readings by one person."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from app.models.audit.details import CardsGivenDetails, ExportedDetails, ShownDetails, details_of, sentence_of
from app.models.audit.rows import WITHOUT_A_CONCERN, AuditEntryRow, DeskAct
from app.pages.audit.entry_words import DIGESTS_ONLY, VISIT_GAP, act_lines

SHOWN_ON_DEMAND = DIGESTS_ONLY | {
    DeskAct.CHECKPOINT_SIGNED,
    DeskAct.EXPORTED,
    DeskAct.FILE_CHECKED,
    DeskAct.FILE_GIVEN,
    DeskAct.FILE_MADE,
    DeskAct.HANDED_OVER,
    DeskAct.KEY_ADDED,
    DeskAct.KEY_COPY_DELETED,
    DeskAct.KEY_COPY_READ,
    DeskAct.KEY_COPY_STORED,
    DeskAct.PASSKEY_ADDED,
    DeskAct.PASSKEY_REMOVED,
    DeskAct.SIGNED_IN,
    DeskAct.SIGNED_OUT,
    DeskAct.WEBHOOK_CHANGED,
}
LIST_WORDS = {
    "inbox": "the inbox",
    "cards": "names in lists",
    "audit": "the audit log",
    "events": "events",
    "people": "people",
    "person-files": "files of one person",
    "webhooks": "webhooks",
}
"""Words for chains that do not belong to a concern."""


@dataclass(frozen=True)
class LogLine:
    """One or more entries in a line; `act` is the last. `cards` are numbered by the concern's first entry."""

    act: AuditEntryRow
    who: str
    what: str
    detail: str = ""
    folded: str = ""
    since: dt.datetime | None = None
    opened: frozenset[str] = frozenset()
    cards: frozenset[int] = frozenset()
    file: str = ""
    """SHA-256 of a file about one person, which was made from openings."""
    is_reading: bool = False

    @property
    def reference(self) -> str | None:
        """Return the reference, or None if the line is about several concerns."""
        chain = self.act.chain
        return None if chain in WITHOUT_A_CONCERN or len(self.opened) > 1 or self.cards else chain

    @property
    def of_list(self) -> str:
        return LIST_WORDS.get(self.act.chain, "") if not self.opened else ""


def lines_of_log(entries: Iterable[AuditEntryRow], outcomes: Mapping[str, str]) -> list[LogLine]:
    """Return the lines, most recent first.

    Readings by one person within `VISIT_GAP`, and the entries of one file, share a line. An altered entry has its own.
    """
    lines: list[LogLine] = []
    for line in (_line_of(entry, outcomes) for entry in entries):
        last = lines[-1] if lines else None
        if last is not None and _belong_together(last, line):
            lines[-1] = replace(
                last, since=line.act.at, opened=last.opened | line.opened, cards=last.cards | line.cards, detail=""
            )
        else:
            lines.append(line)
    return [_worded(line) if line.is_reading or line.file else line for line in lines]


def _belong_together(last: LogLine, line: LogLine) -> bool:
    are_alike = (last.is_reading and line.is_reading) or last.file == line.file != ""
    return are_alike and last.act.client == line.act.client and (last.since or last.act.at) - line.act.at <= VISIT_GAP


def _line_of(entry: AuditEntryRow, outcomes: Mapping[str, str]) -> LogLine:
    (act,) = act_lines([entry], outcomes)
    line = LogLine(entry, act.who, act.what, act.detail)
    if entry.act in SHOWN_ON_DEMAND:
        sentence = sentence_of(entry)
        line = replace(line, detail="" if act.detail == sentence else act.detail, folded=sentence)
    try:
        details = details_of(entry)
    except (ValueError, LookupError):  # the entry was altered: show the entry as stored
        return line
    if entry.act == DeskAct.OPENED:
        return replace(line, opened=frozenset({entry.chain}), is_reading=True)
    if isinstance(details, ExportedDetails) and details.together is not None:
        return replace(line, opened=frozenset({entry.chain}), file=details.file_sha256)
    if isinstance(details, CardsGivenDetails):
        return replace(line, cards=frozenset(details.positions), detail="", folded=str(details), is_reading=True)
    if isinstance(details, ShownDetails) and details.references:
        shown = f"{_counted(len(details.references))} shown"
        return replace(line, detail=shown, folded=" ".join(details.references))
    return line


def _worded(line: LogLine) -> LogLine:
    if line.file:
        references = " ".join(sorted(line.opened))
        return replace(
            line, what=f"File of one person made, {_counted(len(line.opened))}", folded=f"{line.folded} {references}"
        )
    opened = f"{_counted(len(line.opened))} opened" if len(line.opened) > 1 else "Opened" if line.opened else ""
    cards = f"{_counted(len(line.cards))} seen in lists, with names" if line.cards or not opened else ""
    several = " ".join(sorted(line.opened)) if len(line.opened) > 1 else ""
    return replace(line, what=", ".join(filter(None, (opened, cards))), folded=several or line.folded)


def _counted(number: int) -> str:
    return f"{number:,} concern{'' if number == 1 else 's'}"
