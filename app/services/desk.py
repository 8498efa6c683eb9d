"""What everything that the desk does needs: the database to read and the writer to change it, and keys."""

from dataclasses import dataclass

from sqlalchemy import Engine

from app.age.keys import Sealer
from app.db.writer import Writer
from app.services.receipts import ReceiptSigner
from app.services.sealing import Unsealer


@dataclass(frozen=True)
class Desk:
    """Seals what the desk writes, opens what this process holds an identity for, and signs what leaves."""

    engine: Engine
    writer: Writer
    sealer: Sealer
    unsealer: Unsealer
    signer: ReceiptSigner
