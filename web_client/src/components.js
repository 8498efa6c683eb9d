// Defines <council-guide> and <raise-a-concern> in the page.

import { CouncilGuide } from "./council_guide.js";
import { RaiseAConcern } from "./raise_a_concern.js";

for (const [name, made] of [["council-guide", CouncilGuide], ["raise-a-concern", RaiseAConcern]]) {
  if (!customElements.get(name)) customElements.define(name, made);
}
