"""The background job of drafts."""

from functools import partial

from sqlmodel import Session

from app.errors import ClockInDoubt
from app.extensions.editing.services.draft_review import find_due_draft, publish_due_draft
from app.http.context import AppContext
from app.logs import Log
from app.services.operations.invariants import Beat
from app.services.workers import Job

PLANNED_SECONDS = 5.0
log = Log(__name__)


def jobs(context: AppContext) -> list[Job]:
    return [Job("planned-publications", PLANNED_SECONDS, partial(publish_planned, context))]


def publish_planned(context: AppContext, _beat: Beat) -> bool:
    """Publish the earliest due draft, or send it back. Return False if none is due or the clock may be wrong."""
    now = context.clock()
    with Session(context.engine) as session:
        due = find_due_draft(session, now=now)
    if due is None:
        return False
    two_people = context.settings.two_people_publish
    try:
        published = context.writer.run(publish_due_draft, context.reference_data, *due, now=now, two_people=two_people)
    except ClockInDoubt:  # the job `retention` logs the error
        return False
    if published is not None:
        log.info("planned_draft_published", guide=due[0], digest=published.digest)
    return True
