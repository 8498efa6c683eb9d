// Counts the deadlines on the desk's pages on while a page is open, in the words of the service
// (app/pages/desk/inbox_rows.py). The time of the service counts, not that of this computer.
(() => {
  const MINUTE = 60_000;
  const [HOUR, DAY] = [60 * MINUTE, 24 * 60 * MINUTE];
  const DAYS_ALONE = 3; // from this many days on, durations are shown without hours
  const EVERY = MINUTE / 4;
  let shownAt = performance.now();

  const SHORT_UNITS = { hour: "h", minute: "min" };

  function spanInWords(span, isShort) {
    const days = Math.floor(span / DAY);
    const hours = days >= DAYS_ALONE ? 0 : Math.floor((span % DAY) / HOUR);
    const minutes = Math.floor((span % HOUR) / MINUTE);
    const units = days ? [[days, "day"], [hours, "hour"]] : [[hours, "hour"], [minutes, "minute"]];
    const words = units.filter(([number]) => number).map(([number, unit]) => counted(number, unit, isShort));
    return words.join(" ") || (isShort ? "under 1 min" : "less than a minute");
  }

  function counted(number, unit, isShort) {
    if (isShort && unit in SHORT_UNITS) return `${number} ${SHORT_UNITS[unit]}`;
    return `${number} ${unit}${number === 1 ? "" : "s"}`;
  }

  // A short clock shows one of the two: how late it is, or how long it has waited.
  function show(clock, elapsed) {
    const { clock: kind, now: shown, due: deadline, since } = clock.dataset;
    const [now, due] = [Date.parse(shown) + elapsed, Date.parse(deadline)];
    const isLate = now > due && !("test" in clock.dataset);
    const span = (length) => spanInWords(length, kind === "short");
    const left = now <= due ? `${span(due - now)} left` : `late by ${span(now - due)}`;
    const waiting = since === undefined ? null : `waiting ${span(now - Date.parse(since))}`;
    const words = waiting !== null && isLate && kind !== "short" ? `${waiting}, ${left}` : isLate ? left : (waiting ?? left);
    if (clock.textContent !== words) clock.textContent = words;
    clock.classList.toggle("late", isLate);
  }

  function showAll() {
    for (const clock of document.querySelectorAll("[data-clock]")) show(clock, performance.now() - Number(clock.dataset.fetchedAt ?? shownAt));
  }

  document.addEventListener("desk:page", () => {
    shownAt = performance.now();
  });
  document.addEventListener("desk:clocks", showAll);
  document.addEventListener("visibilitychange", showAll);
  setInterval(showAll, EVERY);
})();
