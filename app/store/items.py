"""Single items of guidance, and the editions that have them."""

from sqlmodel import Session, col, select

from app.models.base import RequestModel
from app.store.editions import PARTS


def find_orders(session: Session, *, guide: str, part: str) -> dict[int, list[str]]:
    """Return the ids of that section in their printed order, by the number of the edition."""
    table, _ = PARTS[part]
    found = select(table.edition, table.id).where(table.guide == guide)
    orders: dict[int, list[str]] = {}
    for edition, item_id in session.exec(found.order_by(col(table.edition), col(table.position))):
        orders.setdefault(edition, []).append(item_id)
    return orders


def find_mentions(session: Session, *, guide: str, part: str, item_id: str) -> dict[int, RequestModel]:
    """Return the item as each edition has it, by the number of the edition, the oldest first."""
    table, model = PARTS[part]
    rows = session.exec(select(table).where(table.guide == guide, table.id == item_id).order_by(col(table.edition)))
    return {
        row.edition: model.model_validate({name: getattr(row, name) for name in model.model_fields}) for row in rows
    }
