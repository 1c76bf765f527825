// The visitor's own decisions in the settings: hide the history (R28, C13), withdraw consent (R27),
// download their data.

import { byId } from "./elements.js";

export class Privacy {
  /** session, strings; onChange(what): "history" or "consent" has changed */
  constructor({ session, strings, onChange }) {
    Object.assign(this, { session, strings, onChange });
    this.value = null; // {consent, hidden, hidden_at, identified}
    this.choosing = null; // The last choice at the switch, which it shows until the answer.
    byId("history-hidden").addEventListener("change", ({ target }) => this.#hide(target));
    byId("withdraw").addEventListener("click", () => this.#withdraw());
    byId("copy").addEventListener("click", () => this.#takeCopy());
  }

  get isIdentified() {
    return this.value?.identified === true;
  }

  receive(value) {
    this.value = value ?? null;
    if (!this.choosing) byId("history-hidden").checked = this.value?.hidden ?? false;
    byId("consent-given").hidden = this.value?.consent !== "given";
    byId("consent-withdrawn").hidden = this.value?.consent !== "withdrawn";
  }

  async #hide(box) {
    const hidden = box.checked;
    const choice = (this.choosing = { hidden });
    const answer = await this.#send("history/", choice);
    if (this.choosing === choice) this.choosing = null;
    this.receive(answer?.privacy ?? this.value);
    if (answer) this.onChange("history");
  }

  async #withdraw() {
    const answer = await this.#send("consent/", { given: false });
    if (!answer) return;
    this.receive(answer.privacy);
    byId("consent-withdrawn").focus();
    this.onChange("consent");
  }

  async #takeCopy() {
    const copy = await this.#send("copy/", {});
    if (!copy) return;
    const file = new Blob([JSON.stringify(copy, null, 2)], { type: "application/json" });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = `${copy.website}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // Some browsers read it later.
  }

  /** Return the answer; show the problem and return null if it was refused or not reached. */
  async #send(path, data) {
    const problem = byId("privacy-problem");
    problem.hidden = true;
    try {
      const { ok, data: answer } = await this.session.ask(path, data);
      if (!ok) problem.textContent = answer.error?.message ?? this.strings.failed;
      problem.hidden = ok;
      return ok ? answer : null;
    } catch {
      problem.textContent = this.strings.failed;
      problem.hidden = false;
      return null;
    }
  }
}
