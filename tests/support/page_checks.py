"""What every page of the desk must be: without fault for axe, as narrow as its screen, and in reach of the Tab key."""

from playwright.sync_api import Page

from tests.support.browsing import accessibility_violations

WIDTHS = (320, 1280, 2560)
REACHABLE = """() => {
  const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")];
  const shown = all.filter((each) => each.checkVisibility() && !each.disabled && each.type !== "hidden");
  const nameOf = (each) => each.outerHTML.slice(0, 90);
  window.unmet = new Map(shown.map((each) => [each, nameOf(each)]));
  window.unseen = [];
  document.addEventListener("focusin", ({ target }) => {
    for (const each of target.type === "radio" ? document.getElementsByName(target.name) : [target]) unmet.delete(each);
    if (getComputedStyle(target).outlineStyle === "none") unseen.push(nameOf(target));
  });
  document.activeElement.blur();
  return shown.length;
}"""


def page_faults(page: Page, *, walks: bool) -> list[str]:
    """Return what is wrong with the page, at every width; `walks`: also what Tab does not reach, or shows no focus."""
    found = accessibility_violations(page)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"wider than {width}")
    return found + (_not_in_reach(page) if walks else [])


def _not_in_reach(page: Page) -> list[str]:
    for _ in range(page.evaluate(REACHABLE) + 2):
        page.keyboard.press("Tab")
    unmet, unseen = page.evaluate("[[...unmet.values()], unseen]")
    return [f"not reached by Tab: {each}" for each in unmet] + [f"focus not seen: {each}" for each in unseen]
