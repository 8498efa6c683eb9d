"""A concern as its reporter meets it over HTTP: raised, added to, followed. `http` is any client of the service."""

from typing import Any

import httpx


def a_concern(**changes: Any) -> dict[str, Any]:
    """Return the four required fields of a concern, with the changes of the test."""
    fields: dict[str, Any] = {
        "immediate_danger": "no",
        "reporter": {"kind": "professional"},
        "children": [{}],
        "concern": {"narrative": "Alex Example was collected from school by an adult whom staff do not know."},
    }
    return fields | changes


def raise_concern(http: Any, **changes: Any) -> dict[str, Any]:
    """Send a concern with the changes of the test, and return its receipt."""
    answer = http.post("/v1/concerns", json=a_concern(**changes))
    assert answer.status_code == 201, answer.text
    receipt: dict[str, Any] = answer.json()
    return receipt


def raise_at(url: str, **changes: Any) -> dict[str, Any]:
    """Send a concern to the server at that address, and return its receipt."""
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
        return raise_concern(http, **changes)


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
