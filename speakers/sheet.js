(() => {
  const { body } = document;
  const status = document.querySelector("[role=status]");
  let isSaved = true;

  // What was typed becomes part of the page, which is then the file.
  function write() {
    for (const each of document.querySelectorAll("textarea")) each.textContent = `\n${each.value}`;
    for (const each of document.querySelectorAll("input")) {
      if (each.type === "checkbox") each.toggleAttribute("checked", each.checked);
      else each.setAttribute("value", each.value);
    }
  }

  body.addEventListener("input", (event) => {
    isSaved = false;
    status.textContent = "Not saved yet.";
    event.target.closest("section")?.classList.add("changed");
  });
  document.querySelector("button").addEventListener("click", () => {
    write();
    const link = document.createElement("a");
    const page = `<!doctype html>\n${document.documentElement.outerHTML}`;
    link.href = URL.createObjectURL(new Blob([page], { type: "text/html" }));
    link.download = `speakers-${document.documentElement.dataset.language}.html`;
    link.click();
    isSaved = true;
    status.textContent = "Saved as a file. Send that file back.";
  });
  window.addEventListener("beforeunload", (event) => {
    if (!isSaved) event.preventDefault();
  });
})();
