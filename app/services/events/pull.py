"""Events by pull: a client confirms the events that it has received."""

from functools import partial

from app.store.events import confirm
from app.store.writer import Writer


def confirm_events(writer: Writer, *, client: str, event_id: int) -> None:
    """Record that the client has every event up to that one. The number never decreases."""
    writer.run(partial(confirm, client=client, event_id=event_id))
