// Copies the reference and the code when their buttons are pressed. Without JavaScript the buttons stay hidden.
(() => {
  const answerMs = 4000;
  const words = JSON.parse(document.body.dataset.words);
  const say = (sentence) => words[sentence] ?? sentence;

  function copyBySelection(text) {
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    if (!copied) throw new Error("not copied");
  }

  async function copy(text) {
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else copyBySelection(text); // without https there is no `navigator.clipboard`
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const answer = button.parentElement.querySelector("[data-copied]");
    try {
      await copy(button.dataset.copy);
      answer.textContent = say("Copied.");
      button.dispatchEvent(new CustomEvent("saved", { bubbles: true }));
    } catch {
      answer.textContent = say("It could not be copied. Please write it down.");
    }
    button.focus();
    setTimeout(() => { answer.textContent = ""; }, answerMs);
  });

  function showButtons() {
    for (const each of document.querySelectorAll("[data-copy][hidden], [data-needs-script]")) each.hidden = false;
  }

  new MutationObserver(showButtons).observe(document.body, { childList: true }); // pages.js replaces `main`
  document.addEventListener("desk:page", showButtons); // the script of the desk replaces the body
  showButtons();
})();
