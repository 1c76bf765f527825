// The text box of the visitor.

import { Uploads } from "../shared/uploads.js";
import { byId } from "./elements.js";

const TYPING_MS = 3000;
const TALLEST = 144;

export class Composer {
  /** onSend(text): returns whether it may go; onFile(attachment), onTyping(isOn); `session` stores
  the *  draft, `fileUrl(id)` is where a file of up to `limit` bytes goes. */
  constructor({ session, onSend, onFile, onTyping, fileUrl, strings, limit }) {
    this.session = session;
    this.form = byId("composer");
    this.box = byId("text");
    this.button = byId("send");
    this.problem = byId("problem");
    this.onTyping = onTyping;
    this.typedAt = 0;
    this.uploads = new Uploads({
      form: this.form,
      zone: document.body,
      url: fileUrl,
      headers: session.headers,
      strings,
      limit,
      onChange: () => this.#filesChanged(),
    });
    this.onFile = onFile;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.box.value.trim();
      this.box.focus();
      // If it may go, files that are still uploading follow by themselves.
      if (text || !this.uploads.isEmpty) this.isPledged = onSend(text);
      this.#filesChanged();
    });
    this.box.addEventListener("input", () => {
      this.complain("");
      this.#fit();
      this.#tellTyping();
    });
    this.box.addEventListener("keydown", (event) => {
      // While an input method composes, Enter belongs to it.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.form.requestSubmit();
    });
    byId("emoji").addEventListener("click", ({ currentTarget }) => this.#offerEmoji(currentTarget, strings), {
      once: true,
    });
    this.restore(session.draft);
  }

  /** Load the picker at the first click; from then on the button is the picker's. */
  async #offerEmoji(button, strings) {
    const { EmojiPicker } = await import(button.dataset.script);
    const store = this.session.emoji;
    new EmojiPicker({ button, box: this.box, place: this.form, strings, store }).open();
  }

  set mayAttach(may) {
    byId("attach").hidden = !may;
  }

  set isHidden(isHidden) {
    this.form.hidden = isHidden;
  }

  get text() {
    return this.box.value.trim();
  }

  clear() {
    this.box.value = "";
    this.typedAt = 0;
    this.complain("");
    this.#fit();
  }

  /** Put a refused text back, before what was typed meanwhile. */
  restore(text) {
    if (text && this.box.value !== text) this.box.value = [text, this.box.value].filter(Boolean).join("\n");
    this.#fit();
  }

  complain(sentence) {
    this.#say(sentence, "problem");
  }

  hint(sentence) {
    this.#say(sentence, "hint");
  }

  #say(sentence, kind) {
    this.problem.className = kind;
    this.problem.textContent = sentence;
    this.problem.hidden = !sentence;
  }

  focus() {
    // On a touch screen the keyboard would appear before anything was read.
    if (matchMedia("(pointer: coarse)").matches) byId("scroller").focus({ preventScroll: true });
    else this.box.focus({ preventScroll: true });
  }

  #fit() {
    this.session.draft = this.box.value;
    this.box.style.height = "auto";
    this.box.style.height = `${Math.min(this.box.scrollHeight, TALLEST)}px`;
    this.box.style.overflowY = this.box.scrollHeight > TALLEST ? "auto" : "hidden";
    this.#enable();
  }

  #enable() {
    this.button.disabled = !this.box.value.trim() && (this.isPledged || this.uploads.isEmpty);
  }

  #filesChanged() {
    if (!this.uploads) return;
    if (this.isPledged) {
      const ready = this.uploads.items.some(({ state }) => state === "ready");
      if (ready) this.uploads.take().forEach(this.onFile);
      if (!this.uploads.isBusy) this.isPledged = false;
    }
    this.#enable();
  }

  #tellTyping() {
    const isOn = Boolean(this.box.value.trim());
    const now = Date.now();
    if (isOn && now - this.typedAt < TYPING_MS) return;
    if (!isOn && !this.typedAt) return;
    this.typedAt = isOn ? now : 0;
    this.onTyping(isOn);
  }
}
