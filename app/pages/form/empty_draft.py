"""The empty form at each address."""

import uuid

from sqlmodel import Session

from app.errors import NoSuchGuide
from app.pages.form.draft import Draft
from app.pages.form.variants import ABOUT_A_CHILD, ABOUT_YOURSELF, WITHOUT_A_GUIDE
from app.store.editions import current_of, default_guide, get_history, head_of
from app.web.context import AppContext

GENERAL, YOURSELF = "/raise-a-concern", "/worried-about-yourself"
FORMS_WITHOUT_GUIDE = {GENERAL: WITHOUT_A_GUIDE, YOURSELF: ABOUT_YOURSELF}


def empty_draft(session: Session, context: AppContext, path: str, number: str = "") -> Draft:
    """Return an empty draft of the form at that path, for that edition of its guide, or for the current one.

    A form that belongs to no guide shows the default guide. A guide whose editions are all withdrawn has its last one
    here: a withdrawn edition does not stop a concern. Raises `NoSuchGuide`.
    """
    variant = FORMS_WITHOUT_GUIDE.get(path, ABOUT_A_CHILD)
    names_guide = path not in FORMS_WITHOUT_GUIDE
    guide = path.rpartition("/")[2] if names_guide else default_guide(session, context.settings.default_guide)
    if guide is None:
        raise NoSuchGuide
    history = get_history(session, guide=guide)
    is_number = number.isdecimal() and len(number) <= len("1000000")
    head = head_of(history, int(number)) if is_number else current_of(history) or history[0]
    return Draft(context, variant, path, head, str(uuid.uuid4()), names_guide)
