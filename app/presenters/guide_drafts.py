"""Drafts of guides in responses."""

from app.faults import FieldError
from app.models.guidance.comparison import changed_fields, changed_sections
from app.models.guidance.editions import EditionContent
from app.models.guidance.guide_drafts import DraftChangesResponse, DraftCheckResponse, DraftRemark, DraftResponse
from app.models.guidance.guide_tables import GuideDraftRow
from app.models.guidance.partial_editions import read_partly
from app.models.links import Links, draft_path, guide_path, history_path
from app.services.guidance.draft_checking import CheckedDraft
from app.store.guide_drafts import DraftRecord
from app.web.validation_messages import json_pointer


def draft_links(guide: str, below: str = "") -> Links:
    """Return the links of a response about the draft."""
    path = draft_path(guide)
    return {
        "self": path + below,
        "draft": path,
        "check": f"{path}/check",
        "changes": f"{path}/changes",
        "preview": f"{path}/preview",
        "guide": guide_path(guide),
        "version_history": history_path(guide),
    }


def present_draft(draft: GuideDraftRow, record: DraftRecord) -> DraftResponse:
    """Return the draft with its words."""
    return DraftResponse(
        guide=draft.guide,
        version=draft.version,
        content=draft.read(),
        begun_at=draft.begun_at,
        written_at=draft.written_at,
        written_by=draft.written_by,
        writers=tuple(record.writers),
        offered_at=draft.offered_at,
        offered_by=draft.offered_by,
        follows=record.follows,
        links=draft_links(draft.guide),
    )


def present_check(checked: CheckedDraft) -> DraftCheckResponse:
    """Return the faults and warnings."""
    return DraftCheckResponse(
        guide=checked.draft.guide,
        version=checked.draft.version,
        faults=tuple(map(_remark, checked.faults)),
        warnings=tuple(map(_remark, checked.warnings)),
        digest=checked.digest,
        follows=checked.follows,
        links=draft_links(checked.draft.guide, "/check"),
    )


def present_changes(draft: GuideDraftRow, number: int, current: EditionContent) -> DraftChangesResponse:
    """Return what the draft changes against that edition, the current one."""
    after, unread = read_partly(draft.read(), current)
    return DraftChangesResponse(
        guide=draft.guide,
        version=draft.version,
        since=number,
        sections=changed_sections(current, after),
        fields=changed_fields(current, after),
        not_compared=unread,
        links=draft_links(draft.guide, "/changes"),
    )


def _remark(fault: FieldError) -> DraftRemark:
    return DraftRemark(detail=fault.detail, pointer=json_pointer(fault.at))
