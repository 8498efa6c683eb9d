"""What happened on a concern since a person was shown it."""

from sqlmodel import Session, and_, col, or_, select

from app.errors import ChangedMeanwhile
from app.models.desk.disclosure_tables import DeskAct, DisclosureRow
from app.models.desk.recorded import SENDING_ACTS, TO_SEE_FIRST, others_acts_to_see

MOST_SHOWN = 50


def expect_seen(session: Session, chain: str, act: DeskAct, *, client: str, seen: int) -> None:
    """Raise `ChangedMeanwhile` if acts of others that this one rests on came after the one of that number.

    The same person's own act counts where the same form may have been sent twice.
    """
    by_others, is_sending = others_acts_to_see(act), act in SENDING_ACTS
    if not by_others and not is_sending:
        return
    of_others = and_(col(DisclosureRow.client) != client, col(DisclosureRow.act).in_(by_others))
    own = and_(col(DisclosureRow.client) == client, col(DisclosureRow.act) == act)
    later = select(DisclosureRow.number).where(DisclosureRow.chain == chain, DisclosureRow.number > seen)
    if session.exec(later.where(or_(of_others, own) if is_sending else of_others).limit(1)).first() is not None:
        raise ChangedMeanwhile


def list_meanwhile(session: Session, chain: str, *, client: str, seen: int) -> list[DisclosureRow]:
    """Return what came after the act of that number, in order: what others changed, and what the person sent."""
    of_others = and_(col(DisclosureRow.client) != client, col(DisclosureRow.act).in_(TO_SEE_FIRST))
    own = and_(col(DisclosureRow.client) == client, col(DisclosureRow.act).in_(SENDING_ACTS))
    later = select(DisclosureRow).where(DisclosureRow.chain == chain, DisclosureRow.number > seen, or_(of_others, own))
    return list(session.exec(later.order_by(col(DisclosureRow.number)).limit(MOST_SHOWN)))
