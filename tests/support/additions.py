"""Adding to a concern, for tests."""

from typing import Any


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
