// The visitor's e-mail address: requested after the first message (C9); changed, deleted or
// switched off at any time in the settings (R23-R25).

import { byId } from "./elements.js";

export class Email {
  /** session, strings; isOffered: whether this website sends e-mails; onChange(). */
  constructor({ session, strings, isOffered, onChange }) {
    Object.assign(this, { session, strings, isOffered, onChange });
    this.value = null; // {address, on, refused}
    this.dialog = byId("settings");
    byId("settings-open").addEventListener("click", () => this.open());
    byId("settings-close").addEventListener("click", () => this.dialog.close());
    byId("email-change").addEventListener("click", () => this.open());
    byId("email-decline").addEventListener("click", () => this.#decline());
    byId("email-forget").addEventListener("click", () => this.#forget());
    byId("email-on").addEventListener("change", ({ target }) => this.#switch(target));
    byId("email-unfold").addEventListener("click", () => this.#unfold());
    byId("email-form").addEventListener("focusin", () => byId("email-form").scrollIntoView({ block: "nearest" }));
    this.#onSubmit("email-form", "invite");
    this.#onSubmit("email-settings", "settings");
    // A click beside the sheet closes it.
    this.dialog.addEventListener("click", ({ target }) => target === this.dialog && this.dialog.close());
  }

  open() {
    byId("settings-email").value = this.value?.address ?? "";
    this.#say("settings", "");
    this.#fill();
    this.dialog.showModal();
    if (!this.value) byId("settings-email").focus();
  }

  /** This browser's identity has changed, or the server has sent the address again. */
  receive(value) {
    this.value = value ?? null;
    this.#fill();
    this.onChange();
  }

  /** Below the dialogue: show the invitation, or the address that will be used. */
  show(conversation, mayWrite) {
    const { id, asynchronous, status, agent } = conversation ?? {};
    const mayAsk = this.isOffered && mayWrite && Boolean(this.session.token) && !this.session.guest;
    if (this.conversationId !== id) this.isUnfolded = false;
    this.conversationId = id;
    byId("email-settings").hidden = !mayAsk;
    const isFitting = mayAsk && asynchronous === true && status !== "closed";
    const isAsked = isFitting && !this.value && !this.session.dismissed.includes(`email ${id}`);
    byId("email-invite").hidden = !isAsked;
    this.#fold(status === "active" && !this.isUnfolded);
    // While an agent answers, show only an address that was just left, or does not work.
    const isWorthIt = agent?.part !== "talking" || this.leftIn === id || this.value?.refused;
    const isTold = isFitting && this.value !== null && isWorthIt;
    byId("email-known").hidden = !isTold;
    if (!isTold) return;
    const { address, on, refused } = this.value;
    const line = refused ? "email_refused" : on ? "email_known" : "email_off";
    const text = this.strings[line].replace("{email}", address);
    if (byId("email-line").textContent !== text) byId("email-line").textContent = text;
  }

  /** While an agent answers, fold the invitation to its title, unless its field is in use. */
  #fold(isWanted) {
    const form = byId("email-form");
    const isUsed = form.contains(document.activeElement) || byId("invite-email").value !== "";
    const isFolded = isWanted && !isUsed;
    byId("email-unfold").hidden = !isFolded;
    form.hidden = isFolded;
  }

  #unfold() {
    this.isUnfolded = true;
    this.onChange();
    byId("invite-email").focus();
  }

  #onSubmit(form, place) {
    byId(form).addEventListener("submit", async (event) => {
      event.preventDefault();
      const address = byId(`${place}-email`).value;
      if (!(await this.#send(place, { address }))) return;
      if (place === "settings") this.#say(place, this.strings.email_saved, true);
      else this.#confirm();
    });
    byId(`${place}-email`).addEventListener("input", () => this.#say(place, ""));
  }

  /** Replace the invitation by the address that will be used. */
  #confirm() {
    this.leftIn = this.conversationId;
    this.onChange();
    byId("email-known").focus({ preventScroll: true });
  }

  #decline() {
    this.session.dismiss(`email ${this.conversationId}`);
    this.onChange();
    byId("text").focus({ preventScroll: true });
  }

  async #forget() {
    if (!(await this.#send("settings", { address: null }))) return;
    byId("settings-email").value = "";
    byId("settings-email").focus();
    this.#say("settings", this.strings.email_deleted, true);
  }

  async #switch(box) {
    const isOn = box.checked;
    if (!(await this.#send("settings", { on: isOn }))) box.checked = !isOn;
  }

  /** Return whether the server accepted it; if not, show the reason beside the field. */
  async #send(place, data) {
    this.#say(place, "");
    try {
      const { ok, data: answer } = await this.session.ask("email/", data);
      if (ok) this.receive(answer.email);
      else this.#say(place, answer.error?.message ?? this.strings.failed);
      if (!ok) byId(`${place}-email`).focus();
      return ok;
    } catch {
      this.#say(place, this.strings.failed);
      return false;
    }
  }

  #say(place, sentence, isGood = false) {
    const problem = byId(`${place}-problem`);
    problem.className = isGood ? "success" : "problem";
    problem.textContent = sentence;
    problem.hidden = !sentence;
    byId(`${place}-email`).setAttribute("aria-invalid", String(Boolean(sentence) && !isGood));
  }

  #fill() {
    byId("email-on").checked = this.value?.on ?? false;
    byId("email-more").hidden = !this.value;
  }
}
