// The pages of the desk work without this script. It does three things more:
// - Escape hides the screen immediately, and takes the page out of the history. The script that seals, where there is one,
//   hears of it by `desk:blank`, and may keep what was typed. It has half a second.
// - A page that the browser restores from memory is loaded again, so that nothing shows after signing out.
// - It shows the button that prints, also on a page that took the place of this one (`desk:page`).
(() => {
  const MILLISECONDS_TO_KEEP = 500;

  async function blank() {
    if (document.documentElement.hidden) return;
    document.documentElement.hidden = true;
    document.title = "Blank page";
    const kept = [];
    document.dispatchEvent(new CustomEvent("desk:blank", { detail: kept }));
    if (kept.length > 0) {
      const isOver = new Promise((resolve) => setTimeout(resolve, MILLISECONDS_TO_KEEP));
      await Promise.race([Promise.allSettled(kept), isOver]);
    }
    for (const form of document.forms) form.reset();
    window.location.replace("/desk/blank");
  }

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    event.preventDefault();
    blank();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
    if (!event.target.closest("[data-blank]")) return;
    event.preventDefault();
    blank();
  });
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    document.documentElement.hidden = true;
    window.location.reload();
  });
  function showPrint() {
    for (const button of document.querySelectorAll("[data-print]")) button.hidden = false;
  }

  document.addEventListener("desk:page", showPrint);
  showPrint();
})();
