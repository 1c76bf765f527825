// Files and pictures in a dialogue; the session's cookie opens them.

import { shownSize, sizeOf } from "../shared/uploads.js";
import { element, icon, texts } from "./page.js";

const SIDE = 320;

/** Return the nodes in a bubble for `attachment` of conversation `number`. */
export function attached(attachment, number) {
  const address = `/desk/c/${number}/attachments/${attachment.id}/`;
  if (attachment.width) return picture(attachment, address);
  const about = element("span", { class: "file-text" });
  about.append(element("span", { class: "file-name" }, attachment.name));
  about.append(element("span", { class: "muted small" }, sizeOf(attachment.size)));
  const link = element("a", { class: "file", href: address, download: attachment.name });
  link.append(icon("file-text"), about, icon("download"));
  return link;
}

function picture(attachment, address) {
  const { width, height } = shownSize(attachment, SIDE);
  const image = element("img", { src: `${address}thumbnail/`, alt: attachment.name, width, height, loading: "lazy" });
  const button = element("button", { type: "button", class: "picture" }, image);
  button.addEventListener("click", () => show(attachment, address));
  return button;
}

function show({ name }, address) {
  const box = element("dialog", { class: "lightbox", "aria-label": name });
  const save = element("a", { class: "button", href: address, download: name }, icon("download"), texts.save);
  const shut = element("button", { type: "button", class: "button" }, icon("x"), texts.shut);
  shut.addEventListener("click", () => box.close());
  box.addEventListener("click", ({ target }) => target === box && box.close());
  box.addEventListener("close", () => box.remove());
  box.append(element("img", { src: address, alt: name }), element("div", { class: "lightbox-actions" }, save, shut));
  document.body.append(box);
  box.showModal();
}
