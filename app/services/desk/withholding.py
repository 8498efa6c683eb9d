"""Acts that were not done, since their actor had not seen what came before."""

import datetime as dt
from dataclasses import replace

from sqlmodel import Session

from app.models.desk.disclosure_tables import DeskAct
from app.store.concerns import get_concern
from app.store.disclosures import Actor, record_disclosure
from app.store.writer import write_operation


@write_operation
def record_withheld(session: Session, reference: str, wanted: str, *, actor: Actor, at: dt.datetime) -> int:
    """Record that what the actor wanted was not done, and return the number of that act. Raises `NoSuchConcern`."""
    concern = get_concern(session, reference)
    acting, chain = replace(actor, seen=None), concern.reference
    return record_disclosure(session, chain=chain, act=DeskAct.WITHHELD, actor=acting, at=at, detail=wanted).number
