// The pages for writing guides work without this script. The script saves the input a moment after typing:
// - The input is sent with the tag of the section as it was last saved, so that nobody's text is overwritten.
// - If the server cannot be reached, the input stays on the page and is sent again. A button first saves the input, and
//   runs its action only after that: otherwise the browser would leave this page for its own error page.
// - If another person has saved different text, the script stops, and offers to compare both versions.
(() => {
  // A file that is too large is refused before it is sent. A picture is drawn smaller here: the service keeps 640 pixels.
  const SIDE = 1280, QUALITY = 0.9;
  for (const input of document.querySelectorAll("input[type=file][data-largest]")) {
    input.addEventListener("change", async () => {
      const [file] = input.files, { largest, tooLarge, wait } = input.dataset;
      let fault = file?.size > Number(largest) ? tooLarge : "";
      if (fault && wait) {
        input.setCustomValidity(wait);
        const smaller = await drawSmaller(file).catch(() => undefined);
        if (input.files[0] !== file) return;
        if (smaller?.size <= Number(largest)) {
          const chosen = new DataTransfer();
          chosen.items.add(smaller);
          input.files = chosen.files;
          fault = "";
        }
      }
      input.setCustomValidity(fault);
      input.reportValidity();
    });
  }

  // Return the picture upright, on white, as a JPEG of at most SIDE pixels in width and height.
  async function drawSmaller(file) {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas"), pen = canvas.getContext("2d", { alpha: false });
    [canvas.width, canvas.height] = [picture.width, picture.height].map((side) => Math.max(1, Math.round(side * scale)));
    pen.fillStyle = "white";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.imageSmoothingQuality = "high";
    pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    const drawn = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    return drawn && new File([drawn], "picture.jpg", { type: "image/jpeg" });
  }

  const form = document.querySelector("form[data-autosave]");
  if (!form || form.dataset.autosave === "off") return;
  const status = form.querySelector("[data-status]");
  const decide = form.querySelector("[data-decide]");
  const faults = document.querySelector("[data-faults]");
  const sound = document.querySelector("[data-sound]");
  const compared = document.querySelector("[data-changes]");
  const PAUSE = 1500, AGAIN = 5000, LONGEST = 30000;
  const CONFLICT = 412, SIGNED_OUT = 401;
  let timer, typed = 0, saved = 0, sending = false, stopped = false, unanswered, waiting;

  const say = (words) => { if (status.textContent !== words) status.textContent = words; };
  const wait = (pause) => { clearTimeout(timer); if (!stopped) timer = setTimeout(save, pause); };

  async function save() {
    if (sending || stopped || (typed === saved && !unanswered)) return;
    sending = true;
    // A request that may have arrived is repeated unchanged, before later input is sent: its response has the new tag.
    unanswered ??= { now: typed, body: new URLSearchParams(new FormData(form)) };
    unanswered.body.set("act", "autosave");
    const headers = { "If-Match": `"${form.elements.shown.value}"` };
    const signal = AbortSignal.timeout(LONGEST);
    let answer;
    try {
      answer = await fetch(form.action, { method: "POST", body: unanswered.body, headers, redirect: "error", signal });
      if (answer.ok) show(await answer.json(), unanswered.now);
    } catch { answer = undefined; }
    sending = false;
    if (answer) unanswered = undefined;
    if (answer?.ok) {
      if (typed !== saved) return waiting ? save() : wait(PAUSE);
      if (waiting) form.requestSubmit(waiting);
      return;
    }
    waiting = undefined;
    if (answer?.status === CONFLICT) return stop("Not saved: somebody else saved other words of this section.");
    if (answer?.status === SIGNED_OUT) say("Not saved: you are signed out. Sign in in another tab. Your words stay here.");
    else say("Not saved: the server does not answer. Your words stay here, and are sent again.");
    wait(AGAIN);
  }

  function show(answer, now) {
    form.elements.shown.value = answer.shown;
    saved = now;
    say(`Saved ${answer.saved}.`);
    faults.replaceChildren(...answer.faults.map((words) => {
      const item = document.createElement("li");
      item.textContent = words;
      return item;
    }));
    sound.hidden = answer.faults.length > 0;
    for (const fault of form.querySelectorAll("[data-fault]")) showFault(fault, answer.beside[fault.dataset.fault] ?? "");
    for (const line of form.querySelectorAll("[data-said]")) showSaid(line, answer.said[line.dataset.said] ?? "");
    if (compared) compare(answer);
  }

  function showFault(fault, words) {
    const field = form.elements[fault.dataset.fault];
    fault.hidden = !words;
    fault.lastElementChild.textContent = words;
    fault.parentElement.classList.toggle("wrong", Boolean(words) && fault.parentElement.matches("div.question"));
    if (words) field?.setAttribute?.("aria-invalid", "true");
    else field?.removeAttribute?.("aria-invalid");
  }

  // What the service read is not said again if it is what the field shows, as after loading the page.
  function showSaid(line, words) {
    const field = form.elements[line.dataset.said];
    line.hidden = !words || words === `Read as ${field.value}`;
    line.textContent = words;
  }

  // Show the changes of the saved text beside the form, with the words for screen readers that the page itself has.
  function compare({ note, changes }) {
    compared.replaceChildren(...changes.flatMap(({ heading, runs }) => {
      const title = document.createElement("h3"), text = document.createElement("p");
      title.textContent = heading;
      for (const run of runs) {
        if (run.change === "kept") text.append(`${run.text} `);
        else {
          const mark = document.createElement(run.change === "added" ? "ins" : "del");
          mark.append(hidden(`[${run.change}: `), run.text, hidden("]"));
          text.append(mark, " ");
        }
      }
      return [title, text];
    }));
    if (note) {
      const said = document.createElement("p");
      said.textContent = note;
      compared.replaceChildren(said);
    }
  }

  function hidden(words) {
    const span = document.createElement("span");
    span.className = "vh";
    span.textContent = words;
    return span;
  }

  function stop(words) {
    stopped = true;
    clearTimeout(timer);
    say(words);
    decide.hidden = false;
  }

  form.addEventListener("input", ({ target }) => {
    typed += 1;
    askAboutLines(target);
    if (stopped) return;
    say("Not saved yet.");
    wait(PAUSE);
  });
  form.addEventListener("submit", (event) => {
    clearTimeout(timer);
    if (!stopped && (sending || unanswered || typed !== saved)) {
      event.preventDefault();
      waiting = event.submitter;
      save();
      return;
    }
    stopped = true;
    saved = typed;
  });
  window.addEventListener("online", () => wait(0));
  window.addEventListener("beforeunload", (event) => { if (typed !== saved) event.preventDefault(); });
  // A page that the browser restores from memory may have an old tag, which would be refused: load the page again.
  window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.reload(); });

  // Text of several lines may be several entries: a question below the text offers to make them.
  function askAboutLines(text) {
    const question = text.matches?.("textarea") && form.querySelector(`[data-split="${CSS.escape(text.name)}"]`);
    if (!question) return;
    const lines = text.value.split("\n").filter((line) => line.trim());
    question.hidden = lines.length < 2;
    question.querySelector("span").textContent = lines.length;
  }

  // Entries are dragged by their handles. The buttons for moving do the same by the keyboard.
  const move = form.querySelector("[data-move]");
  let dragged;
  const entryOf = (target) => target.closest?.("[data-entry]");
  const isBelow = (entry, y) => y > entry.getBoundingClientRect().top + entry.offsetHeight / 2;
  const mark = (entry, name) => {
    for (const each of form.querySelectorAll(".drop-before, .drop-after")) each.classList.remove("drop-before", "drop-after");
    entry?.classList.add(name);
  };
  for (const handle of form.querySelectorAll("[data-entry] > legend > [data-drag]")) {
    handle.hidden = false;
    handle.addEventListener("dragstart", (event) => {
      dragged = entryOf(handle);
      dragged.classList.add("dragged");
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setDragImage(dragged, 0, 0);
    });
    handle.addEventListener("dragend", () => { mark(); dragged?.classList.remove("dragged"); dragged = undefined; });
  }
  form.addEventListener("dragover", (event) => {
    const entry = dragged && entryOf(event.target);
    if (!entry) return;
    event.preventDefault();
    mark(entry, isBelow(entry, event.clientY) ? "drop-after" : "drop-before");
  });
  form.addEventListener("drop", (event) => {
    const entry = dragged && entryOf(event.target);
    if (!entry) return;
    event.preventDefault();
    const placeOf = (each) => Number(each.id.split(".").at(-1));
    const from = placeOf(dragged), beyond = placeOf(entry) + (isBelow(entry, event.clientY) ? 1 : 0);
    const to = beyond > from ? beyond - 1 : beyond;
    if (to === from) return;
    move.value = `move:${dragged.id}:${to}`;
    form.requestSubmit(move);
  });

  // Return true if the field differs from the page as it was loaded: a person may type before this script runs.
  function isTyped(field) {
    if (field.options) return field.selectedIndex !== Math.max(0, [...field.options].findIndex((each) => each.defaultSelected));
    return field.value !== field.defaultValue || field.checked !== field.defaultChecked;
  }
  if ([...form.querySelectorAll("input, select, textarea")].some(isTyped)) form.dispatchEvent(new Event("input"));
})();
