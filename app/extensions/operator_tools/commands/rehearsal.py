"""The rehearsal of the first day: an invented concern is raised like a real one, and opened with each key file."""

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlmodel import Session

from app.config import Settings
from app.errors import SetupError, UnsealingUnavailable
from app.extensions.operator_tools.services.first_day import count_openings, find_invented
from app.http.context import AppContext
from app.main import create_app
from app.models.concerns.concern import Concern
from app.services.audit.audit_log import by_key_holder
from app.services.concerns.entries import read_sealed
from app.services.concerns.sealing import read_identities
from app.services.desk.opened_concerns import open_concern

INVENTED = {
    "test": True,
    "immediate_danger": "no",
    "reporter": {"kind": "professional", "name": "Robin Example"},
    "children": [{"given_names": "Alex", "family_name": "Example"}],
    "concern": {"narrative": "An invented concern of the first day: Alex Example does not exist."},
}


async def rehearse(
    settings: Settings, identities: Sequence[Path], *, at: dt.datetime, tell: Callable[[str], None]
) -> None:
    """Raise an invented concern at a service that does not listen, and open it with each key file.

    The concern of an earlier rehearsal is used again, and opened only as often as there are files. `tell` gets a
    sentence for each act. Raise `SetupError` if a file does not open it, and the errors of a start.
    """
    service = create_app(settings)
    async with service.router.lifespan_context(service):
        context: AppContext = service.state.context
        with Session(context.engine) as session:
            reference = find_invented(session, at=at)
            openings = count_openings(session, reference or "")
        if reference is None:
            concern = Concern.model_validate(INVENTED)
            reference = (await context.submissions.submit(concern, for_tests=True, keys=None, at=at)).reference
            tell(f"{reference}: raised, encrypted and stored")
        for path in identities if openings < len(identities) else ():
            opening = context.writer.run(open_concern, reference, by_key_holder(at), how="sealed file", limit=0)
            received_at = opening.concern.received_at
            _open_with(path, read_sealed(context.engine, reference), reference, received_at)
            tell(f"{reference}: opened with {path}")


def _open_with(path: Path, sealed: bytes, reference: str, received_at: dt.datetime) -> None:
    try:
        read_identities(path).open_member("submission", sealed, reference=reference, received_at=received_at)
    except UnsealingUnavailable:
        raise SetupError(f"{path} does not open the concern: its recipient is not in GUIDANCE_SEAL_TO") from None
