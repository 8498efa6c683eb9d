// What helps in danger opens by the answer itself: an old browser does not know the style that could open it.
// - It is in view where the answer says danger, and hidden where it is another one, or none.
// - It takes the focus, before any further question: at once after a press, or at `Continue` after an arrow key, which may be
//   on its way to another answer.
(() => {
  let byArrow = false;
  let isSeen = false; // it had the focus since the answer was chosen
  const help = () => document.querySelector("main [data-danger]");
  const saysDanger = () => document.querySelector("main [name='immediate_danger'][value='yes']:checked") !== null;

  function arrange() {
    if (help()) help().hidden = !saysDanger();
  }

  // Return whether it took the focus.
  function show() {
    const box = help();
    if (!box || isSeen || box.closest("[hidden]")) return false;
    isSeen = true;
    box.querySelector("h2").focus();
    box.scrollIntoView();
    return true;
  }

  function begin() {
    isSeen = saysDanger(); // the page begins with it
    arrange();
  }

  document.addEventListener("page", begin);
  document.addEventListener("onward", (event) => {
    if (show()) event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    byArrow = event.key.startsWith("Arrow");
  });
  document.addEventListener("pointerdown", () => {
    byArrow = false;
  });
  document.addEventListener("input", arrange); // an answer that is taken back is no change of the person's own
  document.addEventListener("change", (event) => {
    if (event.target.name !== "immediate_danger") return;
    isSeen = false;
    arrange();
    if (!byArrow) show();
  });
  begin();
})();
