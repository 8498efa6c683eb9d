// Leaves at once for a neutral page, by the button or by pressing Shift three times, and takes this page's place in the
// browser's history. A page that the browser kept is asked for anew, so that nothing typed comes back with it.
(() => {
  const exit = document.querySelector("[data-exit]");
  const said = document.querySelector("[data-exit-said]");
  const within = 5000;
  let presses = [];

  function leave() {
    document.documentElement.hidden = true;
    for (const form of document.forms) form.reset();
    window.top.location.replace(exit.href);
  }

  exit.addEventListener("click", (event) => {
    event.preventDefault();
    leave();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Shift") presses = [];
    else if (!event.repeat) {
      presses = [...presses.filter((at) => event.timeStamp - at < within), event.timeStamp];
      const left = 3 - presses.length;
      said.textContent = left > 0 ? `Shift: press ${left} more ${left > 1 ? "times" : "time"} to exit.` : "Leaving.";
      if (left <= 0) leave();
    }
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) window.location.reload();
  });
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
})();
