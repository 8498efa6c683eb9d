"""What the record of disclosures says about hand-overs to other bodies."""

import hashlib

from app.models.desk.hand_over_tables import HandOverRow


def handed_over_detail(row: HandOverRow) -> str:
    """Return the detail of the disclosure of a hand-over: what, to which key, to which body, and why."""
    additions = f" with additions 1 to {row.additions}" if row.additions else ""
    what = f"hand-over {row.number}{additions} sha256:{row.package_sha256} to {row.recipient}"
    return f"{what}; {row.body}: {row.reason}"


def confirmed_detail(number: int, receipt: str) -> str:
    """Return the detail of the disclosure that the other body's receipt came."""
    return f"hand-over {number} receipt sha256:{hashlib.sha256(receipt.encode()).hexdigest()}"
