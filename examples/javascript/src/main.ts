// The page: lists the indicators with their cautions, and raises a concern.

import { raiseConcern, readIndicators, Refused } from "./guidance.js";
import type { Concern } from "./guidance.js";

const service = new URLSearchParams(location.search).get("service") ?? "http://127.0.0.1:8000";
const key = crypto.randomUUID();

function element<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

function list(target: HTMLElement, texts: string[]): void {
  target.replaceChildren(
    ...texts.map((text) => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    }),
  );
}

async function showIndicators(): Promise<void> {
  const section = await readIndicators(service, "child-sexual-exploitation");
  list(element("cautions"), section.cautions.map((caution) => caution.text));
  list(element("indicators"), section.indicators.map((indicator) => indicator.text));
  element("edition").textContent = `Edition ${section.edition} of ${section.guide}`;
}

async function send(event: SubmitEvent): Promise<void> {
  event.preventDefault();
  const form = new FormData(element<HTMLFormElement>("form"));
  const concern: Concern = {
    immediate_danger: form.get("danger") as Concern["immediate_danger"],
    reporter: { kind: "professional" },
    children: [{}],
    concern: { narrative: String(form.get("narrative")) },
  };
  const result = element("result");
  try {
    const receipt = await raiseConcern(service, concern, key);
    result.textContent = `${receipt.reference}: ${receipt.next_steps.join(" ")}`;
  } catch (error) {
    const faults = error instanceof Refused ? (error.problem.errors ?? []) : [];
    result.textContent = [String(error), ...faults.map((fault) => `${fault.pointer}: ${fault.detail}`)].join(" ");
  }
}

element<HTMLFormElement>("form").addEventListener("submit", (event) => void send(event));
await showIndicators();
