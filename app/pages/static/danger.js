// Shows the help for danger as soon as the answer says danger, and the other help for whoever is not sure. In old
// browsers CSS cannot do this.
// - The help is visible while the answer says danger, and hidden otherwise.
// - The help gets the focus before any further question: immediately after a click or a tap. After an arrow key it gets
//   the focus at `Continue`, because the key may be on its way to another answer.
(() => {
  let byArrow = false;
  let isSeen = false; // the help has had the focus since the answer was chosen
  const help = () => document.querySelector("main [data-danger]");
  const answer = () => document.querySelector("main [name='immediate_danger']:checked")?.value;
  const saysDanger = () => answer() === "yes";

  function arrange() {
    const unsure = document.querySelector("main [data-unsure]");
    for (const each of document.querySelectorAll("main [data-danger]")) each.hidden = !saysDanger();
    if (unsure) unsure.hidden = answer() !== "not_sure";
  }

  // Focus the help, once for each chosen answer. Return true if it got the focus.
  function show() {
    const box = help();
    if (!box || isSeen || box.closest("[hidden]")) return false;
    isSeen = true;
    box.querySelector("h2").focus();
    const dial = box.querySelector(".dial");
    // From the heading of the step, else from the question, so that the answer stays in view where there is room.
    for (const top of [box.closest("[data-step]"), box.previousElementSibling, box]) {
      top?.scrollIntoView();
      if (top && dial.getBoundingClientRect().bottom <= window.innerHeight) break;
    }
    return true;
  }

  function begin() {
    // If the page came with this answer, the help needs no focus. An answer given before this script ran does.
    isSeen = Boolean(document.querySelector("main [name='immediate_danger'][value='yes']")?.defaultChecked);
    byArrow = CSS.supports("selector(:focus-visible)") && Boolean(document.querySelector("main :focus-visible"));
    arrange();
    if (!byArrow) show();
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
  document.addEventListener("input", arrange); // clearing an answer causes `input` but no `change`
  document.addEventListener("change", (event) => {
    if (event.target.name !== "immediate_danger") return;
    isSeen = false;
    arrange();
    if (!byArrow) show();
  });
  begin();
})();
