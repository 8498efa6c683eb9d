(sought) => {
  const normal = (text) => text.replace(/\s+/g, " ").trim();
  const bare = (text) => normal(text).replace(/^[\s.:,?!()]+|[\s.:,?!()]+$/g, "");
  for (const each of document.querySelectorAll("details")) each.open = true;
  for (const each of document.querySelectorAll("main [hidden]:not(button)")) each.hidden = false;
  const notSent = document.querySelector("#not-sent");
  if (notSent) document.querySelector("main").append(notSent.content.cloneNode(true));
  const bar = document.querySelector(".exit-bar");
  if (bar) bar.style.position = "static"; // it would cover what stands under it
  const shown = [...document.body.querySelectorAll("*")].filter((each) => {
    const { width, height } = each.getBoundingClientRect();
    return width > 4 && height > 4 && !each.matches("script, template, style");
  });
  const texts = shown.map((each) => ({ element: each, text: normal(each.innerText ?? "") }));
  texts.sort((one, other) => one.text.length - other.text.length);
  const frame = document.createElement("div");
  frame.style.cssText = "position:absolute;border:3px solid #d00;box-sizing:border-box;pointer-events:none;z-index:9";
  window.frameIn = ({ x, y, width, height }) => {
    Object.assign(frame.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
    document.body.append(frame);
  };
  return sought.map((parts) => {
    const length = parts.join("").length;
    const isShort = length < 8;
    const holds = ({ text }) => (isShort ? bare(text) === bare(parts.join(" ")) : parts.every((part) => text.includes(part)));
    const found = parts.length ? texts.find(holds) : undefined;
    if (!found || found.text.length > 4 * length + 200) return null;
    const { left, top, width, height } = found.element.getBoundingClientRect();
    const x = Math.max(0, left + scrollX - 4);
    return { x, y: Math.max(0, top + scrollY - 4), width: Math.min(width + 8, 360 - x), height: height + 8 };
  });
}
