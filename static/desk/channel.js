// The limits of a channel outside the Messenger, told before an agent sends: how long a message may
// be, which files it takes, and until when it delivers free text.

import { texts } from "./page.js";

const WARNS_FROM = 0.8; // of the longest text
const LOOK_MS = 15_000;
const number = new Intl.NumberFormat(document.documentElement.lang);

export class ChannelLimits {
  /** `find()` returns the section of the dialogue: it is drawn again and again. */
  constructor(find) {
    this.find = find;
    this.wroteAt = 0; // When the person last wrote, as this page has seen it.
    this.watch = setInterval(() => this.draw(), LOOK_MS);
  }

  stop() {
    clearInterval(this.watch);
  }

  get place() {
    return this.find()?.querySelector("[data-channel]");
  }

  get isClosed() {
    const { closesAt, windowSeconds } = this.place?.dataset ?? {};
    if (!closesAt) return false;
    const again = this.wroteAt + Number(windowSeconds) * 1000;
    return Math.max(new Date(closesAt).getTime(), again) <= Date.now();
  }

  /** Show whether the channel is open. A message of the person that came meanwhile opens it. */
  draw(thread) {
    const last = thread?.messages.findLast(({ author }) => author === "visitor");
    if (last && this.seq && last.seq > this.seq) this.wroteAt = new Date(last.at).getTime();
    if (last) this.seq = last.seq; // The server has counted those that the page came with.
    const { place } = this;
    if (!place?.dataset.closesAt) return;
    const { isClosed } = this;
    place.querySelector("[data-when-closed]").hidden = !isClosed;
    place.querySelector("[data-when-open]").hidden = isClosed;
  }

  /** Why a text cannot be sent as it is, or "". */
  complaintAbout(body) {
    if (this.isClosed) return this.#say(texts.channelClosed);
    const limit = Number(this.place?.dataset.textLimit);
    return limit && body.length > limit ? this.#say(texts.channelTooLong, body.length, limit) : "";
  }

  /** How much of the longest text is written, once that matters. */
  countOf(body) {
    const limit = Number(this.place?.dataset.textLimit);
    const isNear = limit && body.length > limit * WARNS_FROM;
    return isNear ? this.#say(texts.channelCount, body.length, limit) : "";
  }

  /** Why a file cannot be sent, or "". */
  refusalOf({ type, size }) {
    const { files, fileBytes } = this.place?.dataset ?? {};
    if (files === undefined) return "";
    const kinds = JSON.parse(files);
    const limit = Object.keys(kinds).length ? kinds[type] : Number(fileBytes);
    if (!limit) return this.#say(texts.channelFileKind);
    return size > limit ? this.#say(texts.channelFileSize, 0, Math.floor(limit / 2 ** 20)) : "";
  }

  #say(sentence, count, limit) {
    const { label } = this.place.dataset;
    const filled = sentence.replace("{channel}", label);
    if (limit === undefined) return filled;
    return filled.replace("{count}", number.format(count)).replace("{limit}", number.format(limit));
  }
}

/** A template was sent from the dialog. The message itself comes by the socket. */
document.addEventListener("desk:sent", () => document.getElementById("dialog").close());
