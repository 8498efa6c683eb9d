"""The page of a contact's numbers: a writer changes them, and a second person publishes, on one screen each."""

from typing import Annotated, Any

from fastapi import Path, Response

from app.errors import NotFound, ValidationFailed
from app.extensions.editing import PAGES
from app.extensions.editing.pages.draft_requests import NO_FAULTS, Editing, EditingDep
from app.extensions.editing.pages.drafts import beside_current, remarks_of
from app.extensions.editing.pages.edit_review import NO_PLAN, review_values
from app.extensions.editing.services.draft_review import CHANGE_NOTE, begin_and_offer
from app.extensions.editing.services.drafts import DraftContent, find_guide_draft
from app.models.guides.contacts import Contact
from app.pages.frame import DeskRouter, lead_to
from app.pages.posted_forms import SubmittedForm, SubmittedFormDep
from app.services.guides.written_phones import phones_in

router = DeskRouter(PAGES)
ItemInPath = Annotated[str, Path(max_length=100)]
NO_NUMBER = "Enter one telephone number, such as 01632 960001"
NOT_CHANGED = "This number is published already. Enter the new one"


@router.get("/{guide}/numbers/{item}")
def read_number_page(editing: EditingDep, item: ItemInPath) -> Response:
    """Show a submitted draft too: what it changes, and how to publish it."""
    return _page(editing, _contact(editing, item))


@router.post("/{guide}/numbers/{item}")
def change_number_on_page(editing: EditingDep, item: ItemInPath, posted: SubmittedFormDep) -> Response:
    """Begin a draft of the current edition with these numbers, and submit it. An existing draft stays unchanged."""
    contact = _contact(editing, item)
    before = [each.display for each in contact.phones]
    typed = [posted.one(f"phone-{place}") for place in range(len(before))]
    if posted.many("was") != before or find_guide_draft(editing.session, editing.guide) is not None:
        return lead_to(f"{editing.path}/numbers/{item}")  # someone else was first: show what is there now
    changed = {place: phones_in(each) for place, each in enumerate(typed) if each.strip() != before[place]}
    faults = {f"phone-{place}": NO_NUMBER for place, found in changed.items() if len(found) != 1}
    if not changed:
        faults = {"phone-0": NOT_CHANGED}
    if not faults:
        try:
            content = _with_numbers(editing, contact, {place: phone for place, (phone,) in changed.items()}, posted)
            editing.context.writer.run(begin_and_offer, editing.context.reference_data, editing.anyhow(), content)
            return lead_to(f"{editing.path}/numbers/{item}")
        except ValidationFailed as refusal:
            faults = {"phone-0": " ".join(each.detail for each in refusal.faults)}
    return _page(editing, contact, typed, faults)


def _contact(editing: Editing, item: str) -> Contact:
    contacts = editing.current.contacts if editing.current else ()
    found = next((each for each in contacts if each.id == item and each.phones), None)
    if found is None:
        raise NotFound
    return found


def _with_numbers(
    editing: Editing, contact: Contact, changed: dict[int, dict[str, Any]], posted: SubmittedForm
) -> DraftContent:
    content = editing.initial_content()
    (item,) = (each for each in content["contacts"] if each["id"] == contact.id)
    words = [f"{item['phones'][place]['display']} is now {new['display']}" for place, new in changed.items()]
    for place, new in changed.items():
        option = item["phones"][place].get("option")
        item["phones"][place] = ({"option": option} if option else {}) | new
    item.pop("verified_on", None)
    if posted.one("called") == "yes":
        item["verified_on"] = editing.now.date().isoformat()
    return content | {CHANGE_NOTE: f"{contact.name}: {', '.join(words)}."}


def _page(
    editing: Editing, contact: Contact, typed: list[str] | None = None, faults: dict[str, str] | None = None
) -> Response:
    draft = find_guide_draft(editing.session, editing.guide)
    values: dict[str, Any] = {"draft": draft}
    if draft is not None:
        checked = editing.check(draft)
        remarks = remarks_of(checked)
        values = beside_current(draft, checked) | review_values(editing, draft, checked.follows, remarks, NO_PLAN)
    return editing.page(
        "desk_edit_number.html",
        status=ValidationFailed.status if faults else 200,
        guide=editing.guide,
        contact=contact,
        typed=typed or [each.display for each in contact.phones],
        faults=faults or NO_FAULTS,
        **values,
    )
