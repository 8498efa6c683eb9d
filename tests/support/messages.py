"""Messages to reporters, for tests."""

from typing import Any


def token_of(receipt: dict[str, Any]) -> dict[str, str]:
    """Return the header with the status token of the receipt."""
    return {"Authorization": f"Bearer {receipt['status_token']}"}


def status_of(http: Any, receipt: dict[str, Any]) -> dict[str, Any]:
    """Return the status of the concern."""
    found: dict[str, Any] = http.get(receipt["links"]["self"], headers=token_of(receipt)).json()
    return found


def read_messages(http: Any, receipt: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the messages that the reporter reads."""
    answer = http.get(receipt["links"]["messages"], headers=token_of(receipt))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["messages"]
    return found
