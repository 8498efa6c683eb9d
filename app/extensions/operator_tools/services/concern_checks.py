"""Checks of `guidance doctor` for how concerns are handled: overdue, restricted and test concerns."""

from sqlmodel import Session

from app.models.base import counted
from app.services.access.clients import list_clients
from app.services.access.restrictions import count_restricted, has_lead, list_readers
from app.services.concerns.rows import RECENT_TESTS, count_recent_tests
from app.services.concerns.waiting_additions import count_additions
from app.services.desk.inbox import count_states
from app.services.operations.check_model import CheckContext, Verdict, fault, fine, in_short, warn

MAKE_A_LEAD = "guidance desk invite NAME --role lead"


def check_overdue(context: CheckContext) -> Verdict:
    with Session(context.engine) as session:
        late = count_states(session, now=context.at)["overdue"]
        late += count_additions(session, now=context.at)["additions_overdue"]
    if late:
        return warn(
            f"{counted(late, 'concern or addition is', 'concerns or additions are')} overdue", "call the duty team now"
        )
    return fine("nothing is overdue")


def check_restricted(context: CheckContext) -> Verdict:
    """The desk has a lead, and a named person can still open each concern restricted to named people.

    Without a lead, those that no named person can open are a fault: everyone can. Otherwise a missing lead, or named
    people who left, are a warning.
    """
    with Session(context.engine) as session:
        has_leads, readers = has_lead(session), list_readers(session)
        restricted, to_leads, nameless = count_restricted(session)
    if not has_leads and (open_to_all := to_leads + nameless):
        told = f"the desk has no lead: everyone can open restricted concerns, {open_to_all} of {restricted}"
        return fault(told, MAKE_A_LEAD)
    if not has_leads and readers:
        return warn("the desk has no lead: everyone could open a concern about someone who works here", MAKE_A_LEAD)
    if nameless:
        return warn(
            f"{counted(nameless, 'concern is', 'concerns are')} restricted to people who left or may not read "
            "concerns, so leads can open them",
            "let a lead change who may open each of them",
        )
    return fine(
        f"{counted(restricted, 'concern is', 'concerns are')} restricted" if restricted else "no concern is restricted"
    )


def check_test_concerns(context: CheckContext) -> Verdict:
    """Check that no test concern came in the last day while a test key was valid: a live system may use it by mistake.

    Nobody would read its concerns. Tests without a key are fine, because `guidance setup` stores one.
    """
    with Session(context.engine) as session:
        tests = count_recent_tests(session, now=context.at)
        keys = [
            client.name
            for client, keys in list_clients(session)
            if client.test and not client.is_over and any(key.is_valid(context.at - RECENT_TESTS) for key in keys)
        ]
    if tests and keys:
        return warn(
            f"test concerns sent in the last day, which the inbox shows only under Tests: {tests}; test keys: "
            f"{in_short(keys)}",
            "check that no live system uses a test key (guidance clients list --json shows their last use)",
        )
    if tests:
        return fine(f"test concerns sent in the last day: {tests}; no test key is valid")
    return fine("no test concern was sent in the last day")
