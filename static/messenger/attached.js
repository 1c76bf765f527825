// Files and pictures in the dialogue. Our requests need a token, so a plain URL would not work: the
// bytes are fetched, and shown or saved from memory.

import { shownSize, sizeOf } from "../shared/uploads.js";
import { byId, element, icon } from "./elements.js";

const SIDE = 240;

export class Attached {
  constructor({ session, strings }) {
    Object.assign(this, { session, strings });
    this.shown = new Map();
    const box = byId("lightbox");
    byId("close-picture").addEventListener("click", () => box.close());
    byId("save-picture").addEventListener("click", () => this.#save(this.open));
    box.addEventListener("click", ({ target }) => target === box && box.close());
  }

  /** Return the node in a bubble for `attachment` of `conversation`. */
  node(attachment, conversation) {
    const place = conversation ? `conversations/${conversation}/` : ""; // It may start one.
    const item = { ...attachment, path: `${place}attachments/${attachment.id}/` };
    return attachment.width ? this.#picture(item) : this.#file(item);
  }

  #picture(item) {
    const { width, height } = shownSize(item, SIDE);
    const image = element("img", { alt: item.name, width, height, draggable: false });
    const button = element("button", { type: "button", className: "picture" }, image);
    button.addEventListener("click", () => this.#show(item));
    // The alt text says that the picture could not be loaded; a click tries again.
    this.#address(`${item.path}thumbnail/`).then((address) => (image.src = address), () => button.classList.add("lost"));
    return button;
  }

  #file(item) {
    const about = element(
      "span",
      { className: "file-text" },
      element("span", { className: "file-name" }, item.name),
      element("span", { className: "file-size" }, sizeOf(item.size)),
    );
    const button = element("button", { type: "button", className: "file" }, icon("file"), about, icon("download"));
    button.addEventListener("click", () => this.#save(item, button));
    return button;
  }

  async #show(item) {
    this.open = item;
    const image = byId("picture");
    image.removeAttribute("src");
    image.alt = item.name;
    byId("lightbox").showModal();
    try {
      const address = await this.#address(item.path);
      if (this.open === item) image.src = address;
    } catch {
      image.alt = this.strings.file_failed;
    }
  }

  async #save(item, button) {
    const about = button?.querySelector(".file-size");
    try {
      const link = element("a", { href: await this.#address(item.path), download: item.name });
      document.body.append(link);
      link.click();
      link.remove();
      if (about) about.textContent = sizeOf(item.size);
    } catch {
      if (about) about.textContent = this.strings.file_failed;
    }
  }

  /** Return an object URL for what is at `path`; fetch it once. */
  #address(path) {
    if (!this.shown.has(path)) {
      const fetched = this.#fetch(path);
      this.shown.set(path, fetched);
      fetched.catch(() => this.shown.delete(path));
    }
    return this.shown.get(path);
  }

  async #fetch(path) {
    const response = await fetch(this.session.url(path), { headers: this.session.headers() });
    if (!response.ok) throw new Error(response.status);
    return URL.createObjectURL(await response.blob());
  }
}
