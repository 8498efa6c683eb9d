// <council-guide service="https://guidance.example" guide="child-sexual-exploitation">: numbers to call, the cautions and
// the signs of a guide, word for word, with its edition. Signs are never counted or scored.

import { checkDigest } from "./guidance.js";
import { callBox, element, list, ServiceElement } from "./elements.js";

export class CouncilGuide extends ServiceElement {
  start(root) {
    this.show(root).catch(() => {
      root.append(element("p", { role: "status" }, "The guide cannot be shown now. You can still call."));
    });
  }

  async show(root) {
    const guide = await this.guidance.guide(this.getAttribute("guide") ?? "");
    if (globalThis.crypto?.subtle) await checkDigest(guide);
    const whole = new URL(`/guides/${encodeURIComponent(guide.guide)}`, this.getAttribute("service"));
    root.replaceChildren(callBox(guide), ...parts(guide, whole.href));
  }
}

function parts(guide, address) {
  const words = (items) => list(items.map(({ text }) => text));
  const cautions = guide.cautions.length ? [element("h2", {}, "Read this first"), words(guide.cautions)] : [];
  const signs = guide.indicators.length ? [element("h2", {}, "What to look for"), words(guide.indicators)] : [];
  const link = element("a", { href: address, rel: "noreferrer" }, "Read the whole guide");
  const edition = element("p", {}, link, ` (edition ${guide.edition}).`);
  return [element("h2", {}, guide.title), ...cautions, ...signs, edition];
}
