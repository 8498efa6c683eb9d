"""Editing: drafts of guides and renditions, their review and previews, and the import of documents and pictures."""

from app.extensions import Extension

PAGES = "/edit"
LINKED_PAGE = "/draft-preview"
"""The token is after the `#`: browsers never send that, so no server can log it."""
DOCUMENT_PATH = f"{PAGES}/document"
PICTURE_PATH = f"{PAGES}/picture"
EXTENSION = Extension(
    __name__,
    parts=("routers", "tables", "jobs", "verification"),
    commands={
        ("guidance", "Write and publish guides"): {
            "import": ("commands:import_document", "guidance import 'Neglect guide.docx' neglect"),
        },
    },
    english_only=(PAGES, LINKED_PAGE),
    same_origin_only=(PAGES,),
    files=(DOCUMENT_PATH, PICTURE_PATH),
    menu={PAGES: ("Guides", "can_draft")},
)
