"""What the record of disclosures says about messages to a reporter."""

import datetime as dt
import hashlib
import re
from dataclasses import dataclass, field

from app.models.desk.disclosure_tables import DeskAct, DisclosureRow

SENT = re.compile(r"message ([1-9][0-9]*) sha256:([0-9a-f]{64})")
READ = re.compile(r"messages? ([1-9][0-9 ]*)")


def sent_detail(number: int, sealed: bytes) -> str:
    """Return the detail of the disclosure that a message was sent: its number, and the digest of the sealed file."""
    return f"message {number} sha256:{hashlib.sha256(sealed).hexdigest()}"


def read_detail(numbers: list[int]) -> str:
    """Return the detail of the disclosure that the reporter read those messages for the first time."""
    return f"message{'s' if len(numbers) > 1 else ''} {' '.join(map(str, numbers))}"


@dataclass
class RecordedMessages:
    """What the chain of a concern says about its messages, by number."""

    sealed_sha256: dict[int, str] = field(default_factory=dict)
    sent_at: dict[int, dt.datetime] = field(default_factory=dict)
    read_at: dict[int, dt.datetime] = field(default_factory=dict)
    answered_by: dict[int, int] = field(default_factory=dict)

    def apply(self, row: DisclosureRow) -> None:
        """Take a row about messages into account."""
        if row.act == DeskAct.MESSAGE_SENT and (sent := SENT.fullmatch(row.detail)):
            self.sealed_sha256[int(sent[1])] = sent[2]
            self.sent_at[int(sent[1])] = row.at
        elif row.act == DeskAct.MESSAGE_READ and (read := READ.fullmatch(row.detail)):
            self.read_at |= {int(number): row.at for number in read[1].split()}

    def answer(self, addition: int) -> None:
        """Take an addition into account: it answers what was read and has no answer yet."""
        self.answered_by |= {number: addition for number in self.read_at if number not in self.answered_by}
