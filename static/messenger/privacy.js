// The visitor's own decisions in the settings: history hidden (R28, C13), consent withdrawn (R27).

import { byId } from "./elements.js";

export class Privacy {
  /** session, strings; onChange(what): "history" or "consent" was decided anew */
  constructor({ session, strings, onChange }) {
    Object.assign(this, { session, strings, onChange });
    this.value = null; // {consent, hidden, identified}
    byId("history-hidden").addEventListener("change", ({ target }) => this.#hide(target));
    byId("withdraw").addEventListener("click", () => this.#withdraw());
  }

  get isIdentified() {
    return this.value?.identified === true;
  }

  receive(value) {
    this.value = value ?? null;
    byId("history-hidden").checked = this.value?.hidden ?? false;
    byId("consent-given").hidden = this.value?.consent !== "given";
    byId("consent-withdrawn").hidden = this.value?.consent !== "withdrawn";
  }

  async #hide(box) {
    const hidden = box.checked;
    if (await this.#send("history/", { hidden })) this.onChange("history");
    else box.checked = !hidden;
  }

  async #withdraw() {
    if (!(await this.#send("consent/", { given: false }))) return;
    byId("consent-withdrawn").focus();
    this.onChange("consent");
  }

  async #send(path, data) {
    const problem = byId("privacy-problem");
    problem.hidden = true;
    try {
      const { ok, data: answer } = await this.session.ask(path, data);
      if (ok) this.receive(answer.privacy);
      else problem.textContent = answer.error?.message ?? this.strings.failed;
      problem.hidden = ok;
      return ok;
    } catch {
      problem.textContent = this.strings.failed;
      problem.hidden = false;
      return false;
    }
  }
}
