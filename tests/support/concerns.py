"""A concern in tests: the type of the fixture, adding to it, and the messages that its reporter reads."""

from collections.abc import Callable
from typing import Any

Concern = Callable[..., dict[str, Any]]


def add(
    http: Any,
    receipt: dict[str, Any],
    words: str = "Alex Example came home.",
    danger: str | None = None,
    **headers: str,
) -> Any:
    """Add the words to the concern of that receipt, with an answer about immediate danger if there is one."""
    said = {} if danger is None else {"immediate_danger": danger}
    return http.post(
        f"{receipt['links']['self']}/additions",
        json=said | {"concern": {"narrative": words}},
        headers={"Authorization": f"Bearer {receipt['status_token']}"} | headers,
    )


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
