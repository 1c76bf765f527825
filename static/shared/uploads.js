// Uploads of files: each under an id made here, so that a retry stores it once. It handles the
// button, the drop and the paste that bring files, and draws a strip of chips; both faces style it.

import { newId } from "./thread.js";

const MOST = 10;

export class Uploads {
  /**
   * form          the composer; holds [data-files] (the input), [data-attach] (its button), [data-chips]
   * zone          where files may be dropped
   * url(id)       where a file is PUT; "" while it must be held, null while none may be sent
   * headers()     headers of each request
   * strings       uploading, upload_held, upload_failed, upload_too_large, upload_too_many, remove_file, retry_file
   * limit         bytes of the largest file
   * refuses(file) why this file cannot be sent here, or ""
   * onChange()    files were added, removed, or are ready
   */
  constructor({ form, zone, url, headers, strings, limit, refuses = () => "", onChange = () => {} }) {
    Object.assign(this, { form, url, headers, strings, limit, refuses, onChange });
    this.items = [];
    this.input = form.querySelector("[data-files]");
    this.chips = form.querySelector("[data-chips]");
    const { signal } = (this.stopper = new AbortController());
    form.querySelector("[data-attach]").addEventListener("click", () => this.input.click(), { signal });
    this.input.addEventListener(
      "change",
      () => {
        this.add(this.input.files);
        this.input.value = "";
      },
      { signal },
    );
    form.addEventListener("paste", (event) => this.#pasted(event), { signal });
    let depth = 0;
    const carries = (event) => event.dataTransfer?.types.includes("Files") && this.url("") !== null;
    const mark = (isOver) => zone.classList.toggle("dropping", isOver);
    zone.addEventListener("dragenter", (event) => carries(event) && mark((depth += 1) > 0), { signal });
    zone.addEventListener("dragleave", (event) => carries(event) && mark((depth -= 1) > 0), { signal });
    zone.addEventListener("dragover", (event) => carries(event) && event.preventDefault(), { signal });
    zone.addEventListener(
      "drop",
      (event) => {
        mark((depth = 0));
        if (!carries(event)) return;
        event.preventDefault();
        this.add(event.dataTransfer.files);
      },
      { signal },
    );
  }

  get isEmpty() {
    return this.items.length === 0;
  }

  /** Whether a file is still uploading. */
  get isBusy() {
    return this.items.some(({ state }) => state === "going");
  }

  add(files) {
    for (const file of files) {
      if (this.items.length >= MOST) {
        this.items.at(-1).sentence ||= this.strings.upload_too_many;
        break;
      }
      const item = { id: newId(), file, name: file.name, done: 0, state: "going", sentence: "" };
      this.items.push(item);
      const refusal = this.refuses(file);
      if (refusal) this.#fail(item, refusal, { isFinal: true });
      else if (file.size > this.limit) this.#fail(item, this.strings.upload_too_large, { isFinal: true });
      else if (this.url(item.id) === "") item.state = "held";
      else this.#start(item);
    }
    this.#draw();
  }

  /** Start the uploads that were held. */
  begin() {
    this.items.filter(({ state }) => state === "held").forEach((item) => this.#start(item));
    this.#draw();
  }

  /** Add files that the server has already, as if they had just been uploaded. */
  adopt(attachments) {
    for (const stored of attachments) {
      this.items.push({ id: stored.id, file: stored, name: stored.name, done: 1, state: "ready", sentence: "", stored });
    }
    this.#draw();
  }

  /** Remove and return what is ready, for messages to carry; the rest stays. */
  take() {
    const ready = this.items.filter(({ state }) => state === "ready");
    this.items = this.items.filter(({ state }) => state !== "ready");
    this.#draw();
    return ready.map(({ stored }) => stored);
  }

  stop() {
    this.stopper.abort();
    for (const { request } of this.items) request?.abort();
    this.items = [];
  }

  #pasted(event) {
    const { files } = event.clipboardData ?? {};
    if (!files?.length || this.url("") === null) return;
    event.preventDefault();
    this.add(files);
  }

  #start(item) {
    const request = new XMLHttpRequest(); // fetch does not report the progress of an upload
    Object.assign(item, { request, state: "going", done: 0, sentence: "" });
    request.open("PUT", `${this.url(item.id)}?name=${encodeURIComponent(item.name)}`);
    Object.entries(this.headers()).forEach(([name, value]) => request.setRequestHeader(name, value));
    request.upload.onprogress = ({ loaded, total }) => {
      item.done = total ? loaded / total : 0;
      this.#draw();
    };
    request.onload = () => {
      const { status } = request;
      const answer = parsed(request.responseText);
      if (status < 300 && answer?.attachment) {
        Object.assign(item, { state: "ready", stored: answer.attachment, name: answer.attachment.name });
        this.#draw();
      } else {
        const isFinal = status >= 400 && status < 500 && status !== 429;
        this.#fail(item, answer?.error?.message, { isFinal });
      }
    };
    request.onerror = request.ontimeout = () => this.#fail(item);
    request.send(item.file);
  }

  #fail(item, sentence, { isFinal = false } = {}) {
    Object.assign(item, { state: "failed", isFinal, sentence: sentence || this.strings.upload_failed });
    this.#draw();
  }

  #remove(item) {
    item.request?.abort();
    this.items = this.items.filter((other) => other !== item);
    this.#draw();
  }

  #draw() {
    const chips = this.items.map((item) => (item.chip ??= this.#chip(item)));
    for (const item of this.items) {
      const { chip, state, done, sentence, isFinal } = item;
      chip.className = `chip ${state}`;
      chip.querySelector(".chip-name").textContent = item.name;
      const words = { going: this.strings.uploading, held: this.strings.upload_held, ready: sizeOf(item.file.size), failed: sentence };
      if (chip.dataset.state !== state + sentence) {
        chip.dataset.state = state + sentence;
        chip.querySelector(".chip-state").textContent = words[state];
      }
      const bar = chip.querySelector("progress");
      bar.hidden = state !== "going";
      bar.value = done;
      chip.querySelector(".chip-retry").hidden = state !== "failed" || isFinal;
    }
    if (chips.length !== this.chips.childElementCount || chips.some((chip) => !chip.isConnected)) {
      this.chips.replaceChildren(...chips);
    }
    this.chips.hidden = !chips.length;
    this.onChange();
  }

  #chip(item) {
    const chip = made("li", {});
    const progress = made("progress", { max: 1, ariaLabel: item.name });
    const retry = made("button", { type: "button", className: "chip-retry" }, this.strings.retry_file);
    const remove = made("button", { type: "button", className: "chip-remove" }, "×");
    remove.setAttribute("aria-label", this.strings.remove_file.replace("{name}", item.name));
    retry.addEventListener("click", () => {
      this.#start(item);
      this.#draw();
    });
    remove.addEventListener("click", () => this.#remove(item));
    const state = made("span", { className: "chip-state" });
    state.setAttribute("role", "status");
    chip.append(made("span", { className: "chip-name" }), state, progress, retry, remove);
    return chip;
  }
}

/** Return a number of bytes as people read it, in the page's language. */
export function sizeOf(bytes) {
  const [unit, divisor] = bytes < 1e6 ? ["kilobyte", 1e3] : ["megabyte", 1e6];
  const options = { style: "unit", unit, maximumFractionDigits: bytes < 1e6 ? 0 : 1 };
  const value = Math.max(bytes / divisor, 0.1);
  return new Intl.NumberFormat(document.documentElement.lang, options).format(
    unit === "kilobyte" ? Math.ceil(value) : value,
  );
}

/** Return the size at which a picture is shown, within `side` pixels, so that nothing jumps. */
export function shownSize({ width, height }, side) {
  const scale = Math.min(1, side / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

function made(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
