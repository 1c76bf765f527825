// The transfer dialog: choose, read what will happen, then confirm.

import { texts } from "./page.js";

/** The dialog was drawn, or a target was chosen in it. */
export function tellTransfer(form = document.querySelector("[data-transfer]")) {
  const chosen = form?.querySelector("input[type=radio]:checked");
  if (!chosen) return;
  const { name, outcome } = chosen.dataset;
  const label = chosen.name === "group" ? texts.transferToTeam : texts.transferTo;
  form.querySelector("[data-outcome-of]").textContent = outcome;
  form.querySelector("[data-confirm] span").textContent = label.replace("{name}", name);
}

document.addEventListener("change", ({ target }) => {
  const form = target.closest("[data-transfer]");
  if (!form || target.type !== "radio") return;
  for (const other of form.querySelectorAll("input[type=radio]")) {
    if (other.name !== target.name) other.checked = false;
  }
  tellTransfer(form);
});
