"""Reads of one item of guidance, in all editions that have it."""

from sqlmodel import Session, col, select

from app.models.base import RequestModel
from app.models.guidance.sections import ITEM_LISTS


def find_orders(session: Session, *, guide: str, part: str) -> dict[int, list[str]]:
    """Return the ids of the list `part` of every edition, in their printed order, by the edition's number."""
    table = ITEM_LISTS[part].row
    found = select(table.edition, table.id).where(table.guide == guide)
    orders: dict[int, list[str]] = {}
    for edition, item_id in session.exec(found.order_by(col(table.edition), col(table.position))):
        orders.setdefault(edition, []).append(item_id)
    return orders


def find_mentions(session: Session, *, guide: str, part: str, item_id: str) -> dict[int, RequestModel]:
    """Return the item from each edition that has it, by the edition's number, the oldest first."""
    table, model = ITEM_LISTS[part].row, ITEM_LISTS[part].item
    rows = session.exec(select(table).where(table.guide == guide, table.id == item_id).order_by(col(table.edition)))
    return {
        row.edition: model.model_validate({name: getattr(row, name) for name in model.model_fields}) for row in rows
    }
