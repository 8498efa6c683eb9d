"""Links with which people without an account look at a draft. A link ends after some days, with the draft, or by hand.

The database has only the digest of a link's token. The token is after the `#` of the link's address, so that the token
appears in no server log.
"""

import datetime as dt
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from app.errors import DraftFull, NoSuchItem
from app.extensions.editing.services.drafts import DraftAct, find_guide_draft, list_draft_acts, record_draft_act
from app.extensions.editing.tables import GuideDraftRow
from app.models.base import format_utc
from app.models.guides.edition_rows import GuideDraftAct, GuideDraftActRow
from app.services.access.clients import draw_token, token_digest

LINK_DAYS = (1, 7, 30)
"""Days for which a link may be valid. The second is the default."""
MAX_LINKS = 20
"""Valid ones to one draft."""
TOKEN_DIGEST, EXPIRES_AT, LINK = "token_sha256", "expires_at", "link"


@dataclass(frozen=True)
class DraftLink:
    """`number` is that of the action that made it."""

    number: int
    by: str
    at: dt.datetime
    expires_at: dt.datetime
    token_sha256: str


def links_of(acts: Sequence[GuideDraftActRow], *, at: dt.datetime) -> Sequence[DraftLink]:
    """Return the links of a draft's `acts` that are valid `at` a time, the earliest first."""
    links: dict[int, DraftLink] = {}
    for each in acts:
        if each.act == GuideDraftAct.LINKED:
            expires_at = dt.datetime.fromisoformat(each.details[EXPIRES_AT])
            links[each.number] = DraftLink(each.number, each.by, each.at, expires_at, each.details[TOKEN_DIGEST])
        elif each.act == GuideDraftAct.UNLINKED:
            links.pop(each.details[LINK], None)
    return [each for each in links.values() if each.expires_at > at]


def takes_no_more(links: Sequence[DraftLink]) -> bool:
    return len(links) >= MAX_LINKS


def make_draft_link(session: Session, act: DraftAct, *, days: int) -> str:
    """Record a link for `days`, and return its token. Raise as `DraftAct.known_draft`, or `DraftFull`."""
    draft = act.known_draft(session)
    if takes_no_more(links_of(list_draft_acts(session, act.guide, act.language), at=act.at)):
        raise DraftFull
    token = draw_token()
    expires_at = format_utc(act.at + dt.timedelta(days=days))
    details = {TOKEN_DIGEST: token_digest(token).hex(), EXPIRES_AT: expires_at}
    record_draft_act(session, draft, GuideDraftAct.LINKED, act, details)
    return token


def end_draft_link(session: Session, act: DraftAct, *, number: int) -> None:
    """Raise as `DraftAct.known_draft`, and `NoSuchItem` if there is no such valid link."""
    draft = act.known_draft(session)
    links = links_of(list_draft_acts(session, act.guide, act.language), at=act.at)
    if number not in {each.number for each in links}:
        raise NoSuchItem
    record_draft_act(session, draft, GuideDraftAct.UNLINKED, act, {LINK: number})


def find_linked_draft(session: Session, token: str, *, at: dt.datetime) -> GuideDraftRow | None:
    """Return the draft as last saved.

    None for an unknown, ended or expired link, and for a draft that no longer exists.
    """
    digest = token_digest(token).hex()
    longest = at - dt.timedelta(days=max(LINK_DAYS))
    made = select(GuideDraftActRow.guide, GuideDraftActRow.language).where(
        GuideDraftActRow.act == GuideDraftAct.LINKED.value, col(GuideDraftActRow.at) > longest
    )
    for guide, language in sorted(set(session.exec(made))):
        links = links_of(list_draft_acts(session, guide, language), at=at)
        if any(hmac.compare_digest(each.token_sha256, digest) for each in links):
            return find_guide_draft(session, guide, language)
    return None
