"""What the forms of the desk are made of: the concern as it was shown, the choices, and what was typed before."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from sqlmodel import Session

from app.age.keys import recipient_of
from app.models.code_lists import Code
from app.presenters.pdf import pdf_available
from app.services.access.people import list_workers
from app.store.concerns import find_concern
from app.web.context import AppContext
from app.web.people import Visitor

FORM_KEY_BYTES = 16
UNTYPED: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class DeskForms:
    """The forms about one concern. `seen` is the number of the last act that the page shows."""

    reference: str
    seen: int
    me: str
    people: Sequence[str]
    bodies: Mapping[str, str]
    outcomes: Sequence[Code]
    can_unseal: bool
    can_export: bool
    takes_clear: bool
    """Whether notes and questions may be sent in clear. Else whatever shows the page seals them."""
    recipients: str
    """The keys that notes are sealed to, with spaces between."""
    recipient: str
    """The key that questions to the reporter are sealed to; empty without one."""
    key: str
    """An idempotency key of the forms that send something, so that a double press sends it once."""
    typed: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The path of the concern's page, below which each form is sent."""
        return f"/desk/concerns/{self.reference}"


def desk_forms(
    context: AppContext,
    visitor: Visitor,
    reference: str,
    seen: int,
    *,
    typed: Mapping[str, str] = UNTYPED,
    faults: Mapping[str, str] = UNTYPED,
) -> DeskForms:
    """Return the forms, with what was typed where one is shown again."""
    with Session(context.engine) as session:
        people, concern = list_workers(session), find_concern(session, reference)
    message_key = concern.message_key if concern is not None else None
    return DeskForms(
        reference,
        seen,
        visitor.name,
        people,
        dict(sorted((context.settings.hand_over_bodies or {}).items())),
        context.reference_data.get_code_list("outcome").codes,
        context.unsealer.can_unseal,
        context.unsealer.can_unseal and pdf_available(),
        takes_clear_words(context),
        " ".join(map(str, context.submissions.sealer.recipients)),
        recipient_of(message_key) if message_key is not None else "",
        typed.get("key") or secrets.token_urlsafe(FORM_KEY_BYTES),
        typed,
        faults,
    )


def takes_clear_words(context: AppContext) -> bool:
    """Return whether this service opens what is sealed to its keys, so that words in clear give nothing away."""
    return context.unsealer.has_one_of(context.submissions.sealer.fingerprints)
