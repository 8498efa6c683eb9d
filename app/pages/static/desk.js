// The pages of the desk work without this script. It does three things more:
// - Escape blanks the screen at once, and takes the page out of the history.
// - A page that the browser restores from memory is loaded again, so that nothing shows after signing out.
// - It shows the button that prints, also on a page that took the place of this one (`desk:page`).
(() => {
  function blank() {
    document.documentElement.hidden = true;
    document.title = "Blank page";
    for (const form of document.forms) form.reset();
    window.location.replace("/desk/blank");
  }

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
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
