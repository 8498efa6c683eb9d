"""Problem types of drafts of guides."""

from collections.abc import Mapping

from app import draft_errors, errors
from app.web.problem_type import ProblemType

NO_SUCH_DRAFT = ProblemType(
    "no-such-draft", 404, "No such draft", "The guide has no draft. It was published or removed, or never begun."
)
DRAFT_NOT_NAMED = ProblemType(
    "draft-not-named",
    428,
    "Say which draft this follows",
    "Send If-Match with the ETag of the draft as it was read, so that two editors cannot overwrite each other.",
)
DRAFT_CHANGED = ProblemType(
    "draft-changed",
    412,
    "The draft was changed",
    "The ETag in If-Match is not that of the draft as it is now. Nothing was changed. Read the draft again.",
)
SECOND_PERSON_NEEDED = ProblemType(
    "second-person-needed",
    403,
    "Another person must publish it",
    "The caller wrote words of this draft. A client or person that wrote none of it must publish it.",
)
FOLLOWS_ANOTHER_EDITION = ProblemType(
    "follows-another-edition",
    409,
    "The last edition is another one",
    "`follows` is not the number of the guide's last edition, or is null although the guide has editions. Read the "
    "draft's changes, and say which edition it follows.",
)
DRAFT_PROBLEM_FOR: Mapping[type[errors.GuidanceError], ProblemType] = {
    draft_errors.NoSuchGuideDraft: NO_SUCH_DRAFT,
    draft_errors.DraftNotNamed: DRAFT_NOT_NAMED,
    draft_errors.DraftChanged: DRAFT_CHANGED,
    draft_errors.SecondPersonNeeded: SECOND_PERSON_NEEDED,
    draft_errors.FollowsAnotherEdition: FOLLOWS_ANOTHER_EDITION,
}
