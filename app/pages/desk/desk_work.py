"""What the desk did about a concern, beside its words: questions, hand-overs, and acts."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from app.models.desk.hand_over_tables import HandOverRow
from app.models.entries import MessageEntry
from app.pages.desk.act_words import ActLine, act_lines
from app.services.desk.opening import Opening
from app.services.entries import list_messages
from app.store.acts import list_last_acts
from app.store.hand_overs import list_hand_overs
from app.store.meanwhile import list_meanwhile
from app.web.context import AppContext
from app.web.people import Visitor

ACTS_SHOWN = 50


@dataclass(frozen=True)
class DeskWork:
    """What the desk did. `meanwhile` is what came after the acts that the person had seen before their own."""

    questions: Sequence[MessageEntry]
    come_back_by: dt.datetime
    hand_overs: Sequence[HandOverRow]
    acts: Sequence[ActLine]
    meanwhile: Sequence[ActLine]


def read_desk_work(context: AppContext, visitor: Visitor, opening: Opening, *, seen_before: int | None) -> DeskWork:
    """Return it for a concern whose view is on the record. No word of the concern is in it."""
    concern, receipts = opening.concern, context.submissions.receipts
    reference, client = concern.reference, visitor.actor.client
    with Session(context.engine) as session:
        later = [] if seen_before is None else list_meanwhile(session, reference, client=client, seen=seen_before)
        return DeskWork(
            questions=list_messages(session, reference),
            come_back_by=receipts.working_days.after(concern.received_at, days=receipts.come_back_days),
            hand_overs=list_hand_overs(session, reference),
            acts=act_lines(list_last_acts(session, reference, limit=ACTS_SHOWN)),
            meanwhile=act_lines(act for act in later if act.client != client),
        )
