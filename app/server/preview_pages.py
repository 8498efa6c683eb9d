"""What a preview adds to the pages: a bar that says so, the warnings, and a reload when the file is saved."""

from html import escape

from app.errors import SeedError
from app.services.guidance.checking import CheckedFile

VERSION_PATH, SCRIPT_PATH = "/preview/version", "/preview/reload.js"
SCRIPT = """const shown = document.currentScript.dataset.version;
setInterval(async () => {
  try {
    const version = await (await fetch("/preview/version")).text();
    if (version !== shown) location.reload();
  } catch { /* the preview was stopped */ }
}, 700);
"""
LOADS_SCRIPT = f'<script src="{SCRIPT_PATH}" data-version="{{}}"></script>'
"""With the version that the page shows: a file that is saved while the page loads is the next one."""


def preview_links(draft: CheckedFile, former: int | None) -> dict[str, str]:
    """Return the addresses of the draft by their names. `former` is the number of the current edition."""
    guide, number = draft.key
    page, api = f"/guides/{guide}", f"/v1/guides/{guide}"
    changes = {"Changes": f"{page}/editions/{number}/changes?since={former}"} if former else {}
    return {"Page": page} | changes | {"Poster (PDF)": f"{api}.pdf", "Large print (PDF)": f"{api}/large-print.pdf"}


def with_bar(page: str, draft: CheckedFile, links: dict[str, str], version: int) -> str:
    """Return the page with the bar before its main part."""
    listed = " · ".join(f'<a href="{escape(path)}">{escape(name)}</a>' for name, path in links.items())
    warnings = "".join(f"<li>{_line(each)}{escape(each.reason)}</li>" for each in draft.warnings)
    below = f"<ul>{warnings}</ul>" if warnings else ""
    words = f"<p><strong>Preview: not published.</strong> {listed}</p>{below}"
    bar = f'<aside class="box" aria-label="Preview">{words}</aside>'
    start = page.find("<main")
    return f"{page[:start]}{bar}{page[start:]}".replace("</body>", f"{LOADS_SCRIPT.format(version)}</body>")


def _line(warning: SeedError) -> str:
    return f"Line {warning.line}: " if warning.line else ""


def faults_page(faults: str, version: int) -> str:
    """Return the page that shows the faults of a file."""
    items = "".join(f"<li>{escape(line)}</li>" for line in faults.splitlines())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        "<title>Faults</title><style>li{overflow-wrap:anywhere}</style></head><body><main>"
        f"<h1>The file has faults</h1><ul>{items}</ul><p>Correct and save it: this page follows.</p>"
        f"</main>{LOADS_SCRIPT.format(version)}</body></html>"
    )
