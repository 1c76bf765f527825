// The open dialogue: its thread, its log, its composer. The server's fragments may be morphed under
// it at any time; the log and the composer are preserved (`data-keep`).

import { Thread } from "../shared/thread.js";
import { Uploads } from "../shared/uploads.js";
import { ChannelLimits } from "./channel.js";
import { drafts } from "./drafts.js";
import { Log } from "./log.js";
import { Store, notify, texts } from "./page.js";
import { Picker } from "./picker.js";
import { Suggestions } from "./suggestions.js";
import { WritingHelp } from "./writing_help.js";
import { isNoting, switchTo } from "./writing.js";

const TYPING_MS = 3000;
const TYPING_GONE_MS = 6000;
const DELIVERY_MS = 15_000; // How long an action waits for what must be sent before it.
const LOOK_MS = 50;
// Looks like a variable of a canned reply that was not filled in; a second Enter sends it as it is.
const VARIABLE = new RegExp(`\\{\\s*(${texts.variables.replaceAll(" ", "|")})\\s*(\\|[^{}\\n]*)?\\}`);
const SIZES_ITSELF = CSS.supports("field-sizing", "content");
const unsent = new Store("unsent");
const emojiStore = new Store("emoji");
const behind = new Map(); // Threads that are not shown and still have something to send.

function threadOf(number, callbacks = {}) {
  behind.get(number)?.stop();
  behind.delete(number);
  return new Thread({
    messagesUrl: `/desk/c/${number}/messages/`,
    readUrl: `/desk/c/${number}/read/`,
    headers: () => ({ "Accept-Language": document.documentElement.lang }),
    me: "agent",
    onRejected: (body, sentence) => {
      drafts.set(number, [drafts.get(number), body].filter(Boolean).join("\n"));
      notify(`#${number}: ${sentence}`);
    },
    store: {
      load: () => unsent.get(number) ?? [],
      save: (pending) => unsent.set(number, pending),
    },
    ...callbacks,
  });
}

/** Go on sending what a closed dialogue, or the page before, had not sent yet. */
export function sendBehind(number) {
  const thread = threadOf(number, {
    onChange: ({ pending }) => {
      if (pending.length || behind.get(number) !== thread) return;
      behind.delete(number);
      thread.stop();
    },
  });
  behind.set(number, thread);
}

/** Send a text to a conversation that is not shown; false if the server has not accepted it. */
export function deliverBehind(number, body) {
  if (!body) return Promise.resolve(true);
  return new Promise((resolve) => {
    const finish = (isSent) => {
      clearTimeout(timer);
      if (isSent) drafts.set(number, "");
      resolve(isSent);
    };
    const thread = threadOf(number, {
      onChange: ({ pending }) => {
        if (pending.length || behind.get(number) !== thread) return;
        behind.delete(number);
        thread.stop();
        finish(true);
      },
      onRejected: (_body, sentence) => {
        notify(`#${number}: ${sentence}`);
        finish(false);
      },
    });
    const timer = setTimeout(() => finish(false), DELIVERY_MS);
    behind.set(number, thread);
    thread.send(body);
  });
}

export function unsentNumbers() {
  return unsent.numbers();
}

export class Dialogue {
  constructor(section, { sendFrame, onGone, onLine, isQuiet = false }) {
    this.number = Number(section.dataset.number);
    this.sendFrame = sendFrame;
    this.onGone = onGone;
    this.onLine = onLine;
    this.isQuiet = isQuiet; // Drawn beside a text being written: it takes no focus.
    const { number, visitor } = this;
    this.log = new Log(document.getElementById(`log-${number}`), {
      visitor,
      tint: section.dataset.tint,
      number,
      isInbox: "inbox" in section.dataset,
    });
    this.channel = new ChannelLimits(() => this.section);
    this.thread = threadOf(this.number, {
      onChange: (thread) => this.#changed(thread),
      onState: ({ deliveries }) => {
        this.thread.isLoaded = true;
        for (const [seq, delivery] of Object.entries(deliveries ?? {})) this.log.deliveries.set(Number(seq), delivery);
      },
      onRejected: (body, sentence, code) => this.#rejected(body, sentence, code),
    });
    this.refresh();
    this.thread.sync();
  }

  get section() {
    return document.querySelector(`.dialogue[data-number="${this.number}"]`);
  }

  get visitor() {
    return document.getElementById(`title-${this.number}`).textContent.trim();
  }

  get box() {
    return document.getElementById(`reply-${this.number}`);
  }

  get noteBox() {
    return document.getElementById(`note-${this.number}`);
  }

  get asides() {
    return this.section?.querySelectorAll("[data-asides] > li") ?? [];
  }

  get isMine() {
    return this.section?.hasAttribute("data-mine");
  }

  /** Whether its log is still the one on the page. */
  get isDrawn() {
    return this.log.root.isConnected;
  }

  /** The fragment was morphed: a composer may have come or gone. */
  refresh() {
    this.log.draw(this.thread, this.asides);
    this.channel.draw(this.thread);
    const box = this.box;
    if (!box) this.#showBegun();
    if (!box || box === this.readyBox) return;
    this.readyBox = box;
    switchTo(this.number, this.section.dataset.mode ?? "reply");
    const begun = drafts.get(this.number);
    // The agent may write before this script has loaded; otherwise this browser's text is newer.
    if (box.value === box.defaultValue && begun !== null && begun !== undefined) box.value = begun;
    if (box.value !== box.defaultValue) drafts.set(this.number, box.value);
    this.#grow();
    this.#growWithItsPlace(box);
    box.addEventListener("input", () => this.#typed());
    box.addEventListener("keydown", (event) => {
      // Ctrl+Enter sends as Enter does.
      if (event.key !== "Enter" || event.shiftKey || event.altKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    });
    box.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.uploads?.stop();
    this.uploads = new Uploads({
      form: box.form,
      zone: this.section,
      url: (id) => (this.isMine ? `/desk/c/${this.number}/attachments/${id}/` : null),
      headers: () => ({ "Accept-Language": document.documentElement.lang }),
      strings: texts,
      limit: Number(box.form.dataset.limit),
      refuses: (file) => this.channel.refusalOf(file),
      onChange: () => {
        if (this.uploads?.items.length) switchTo(this.number, "reply"); // Files go with the reply only.
        this.#filesChanged();
      },
    });
    this.picker = new Picker({
      form: box.form,
      number: this.number,
      onChosen: (reply) => this.#inserted(reply),
      onError: (sentence) => this.#complain(sentence),
    });
    const emoji = box.form.querySelector("[data-emoji]");
    emoji.addEventListener("click", () => this.#offerEmoji(emoji), { once: true });
    this.suggestions = new Suggestions({ form: box.form, number: this.number });
    this.suggestions.follow(this.thread);
    this.writingHelp = new WritingHelp({ form: box.form, number: this.number });
    // An agent who is writing a note when the conversation comes to the desk goes on with the note.
    if (document.activeElement === this.noteBox) switchTo(this.number, "note");
    else if (!this.isQuiet && matchMedia("(hover: hover)").matches) box.focus({ preventScroll: true });
  }

  /** Names of the files that are not sent. */
  get files() {
    return (this.uploads?.items ?? []).map(({ name }) => name);
  }

  /** Send everything in the composer; false if the server has not accepted it in time. */
  async deliver() {
    this.#send();
    const isLost = () => this.box?.value || this.uploads?.items.some(({ state }) => state === "failed");
    const isSent = () => !this.thread.pending.length && (this.uploads?.isEmpty ?? true);
    for (const until = Date.now() + DELIVERY_MS; Date.now() < until && !isLost(); ) {
      if (isSent()) return true;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    return false;
  }

  /** It left this desk while a text was being written: show it, so that it is not lost. */
  #showBegun() {
    const place = this.section?.querySelector("[data-begun]");
    const begun = drafts.get(this.number);
    if (!place || begun === null || begun === undefined) return;
    place.hidden = !begun;
    place.lastElementChild.textContent = begun;
  }

  stop() {
    this.thread.stop();
    this.channel.stop();
    this.uploads?.stop();
    clearTimeout(this.typingTimer);
    if (this.thread.pending.length) sendBehind(this.number);
  }

  /** The visitor is writing, until a frame says otherwise or for six seconds. */
  showTyping(isOn) {
    const line = document.getElementById(`typing-${this.number}`);
    if (!line) return;
    clearTimeout(this.typingTimer);
    line.textContent = isOn ? `${this.visitor} ${texts.typing}` : "";
    if (isOn) this.typingTimer = setTimeout(() => this.showTyping(false), TYPING_GONE_MS);
  }

  /** The channel's provider accepted, delivered or refused a message. */
  showDelivery({ seq, status }) {
    this.log.deliveries.set(seq, { status, reason: "" });
    this.log.draw(this.thread, this.asides);
    if (status === "failed") this.thread.sync(); // The fetch says why, in this language.
  }

  markRead() {
    if (this.isMine && document.visibilityState === "visible") this.thread?.markRead();
  }

  #changed(thread) {
    this.log.draw(thread, this.asides);
    this.channel?.draw(thread);
    if (this.isMine) this.suggestions?.follow(thread);
    this.markRead();
    this.onLine();
  }

  async #offerEmoji(button) {
    const { EmojiPicker } = await import("../shared/emoji.js");
    const store = { load: () => emojiStore.get("recent") ?? [], save: (list) => emojiStore.set("recent", list) };
    new EmojiPicker({ button, box: this.box, place: button.form, strings: texts, store }).open();
  }

  #inserted({ missing, attachments }) {
    this.uploads.adopt(attachments);
    if (missing.length) this.#hint(texts.cannedMissing.replace("{names}", missing.join(", ")));
  }

  #hint(sentence) {
    const hint = this.box?.form.querySelector("[data-hint]");
    if (!hint) return;
    hint.hidden = !sentence;
    hint.lastElementChild.textContent = sentence;
  }

  #send() {
    if (isNoting(this.number)) return; // The note is shown; the reply is out of sight.
    const body = this.box.value.trim();
    const [place] = body.match(VARIABLE) ?? [];
    if (place && this.warnedOf !== body) {
      this.warnedOf = body;
      this.#complain(texts.cannedRaw.replace("{place}", place));
      return;
    }
    const refusal = (body || this.uploads?.items.length) && this.channel.complaintAbout(body);
    if (refusal) {
      this.#complain(refusal);
      return;
    }
    this.isPledged = true; // Files that are still uploading follow by themselves.
    this.#filesChanged();
    if (!body) return;
    this.#complain("");
    this.#hint("");
    this.suggestions.answered(body);
    this.writingHelp.answered(body);
    this.thread.send(body);
    this.box.value = "";
    drafts.set(this.number, "");
    this.#grow();
    this.#tellTyping(false);
    this.box.focus();
  }

  #filesChanged() {
    if (!this.isPledged || !this.uploads) return;
    if (this.uploads.items.some(({ state }) => state === "ready")) {
      for (const file of this.uploads.take()) this.thread.send("", file);
    }
    if (!this.uploads.isBusy) this.isPledged = false;
  }

  #rejected(body, sentence, code) {
    const text = [body, this.box?.value].filter(Boolean).join("\n");
    drafts.set(this.number, text);
    if (this.box) {
      this.box.value = text;
      this.#grow();
      this.#complain(sentence);
    } else {
      notify(sentence);
    }
    if (code === "not_on_desk" || code === "not_found") this.onGone(sentence, this.number);
  }

  #complain(sentence) {
    const error = this.box?.form.querySelector(".error");
    if (!error) return;
    error.hidden = !sentence;
    error.lastElementChild.textContent = sentence;
    this.box.toggleAttribute("aria-invalid", Boolean(sentence));
  }

  #typed() {
    if (isNoting(this.number)) switchTo(this.number, "reply"); // Something was inserted: show it.
    drafts.set(this.number, this.box.value);
    this.#grow();
    this.#complain("");
    this.#hint(this.channel.countOf(this.box.value));
    this.#tellTyping(this.box.value !== "");
  }

  #tellTyping(isOn) {
    if (isOn && Date.now() - (this.toldTypingAt ?? 0) < TYPING_MS) return;
    if (!isOn && !this.toldTypingAt) return;
    this.toldTypingAt = isOn ? Date.now() : 0;
    this.sendFrame({ type: "typing", conversation: this.number, on: isOn });
  }

  /** A narrower place breaks the text into more lines, a wider one into fewer. */
  #growWithItsPlace(box) {
    if (SIZES_ITSELF) return;
    let width = box.offsetWidth;
    new ResizeObserver(() => {
      if (box.offsetWidth === width || box !== this.box) return;
      width = box.offsetWidth;
      this.#grow();
    }).observe(box);
  }

  /** Browsers that size it themselves (composer.css) need no layout of the page at each letter. */
  #grow() {
    if (SIZES_ITSELF) return;
    this.box.style.height = "auto";
    this.box.style.height = `${this.box.scrollHeight + 2}px`;
  }
}
