// Unsent text when its conversation is about to leave the desk (C72): the agent is asked, and it is
// sent first if they say so. Every action that leaves is a form of htmx, whether in the toolbar, in
// a dialog, by a key or while logging out; all of them pass here.

import { deliverBehind } from "./dialogue.js";
import { drafts } from "./drafts.js";
import { forgetNote, noteOf } from "./notes.js";
import { get, notify, texts, write } from "./page.js";

const PLAIN = /^\/desk\/c\/(\d+)\/(close|pending|on-hold)\/$/;
// Actions that report up to where the visitor's messages have been seen (C81).
const ASIDE = /^\/desk\/c\/(\d+)\/(close|pending|on-hold|snooze)\/$/;
const dialog = document.getElementById("dialog");
let dialogueOf = () => null;

/** `body` is null if only the server may know of a draft. */
function unsentOf(number) {
  const dialogue = dialogueOf(number);
  const body = dialogue?.box ? dialogue.box.value.trim() : (drafts.get(number)?.trim() ?? null);
  return { body, files: dialogue?.files ?? [], note: noteOf(number) };
}

/** `find(number)` returns the open dialogue of a conversation, if there is one. */
export function listenToUnsent({ find }) {
  dialogueOf = find;
  document.addEventListener("htmx:confirm", (event) => {
    const { verb, path } = event.detail;
    const [, number] = path.match(PLAIN) ?? [];
    const form = event.detail.elt;
    if (verb !== "post") return;
    if (form.dataset.leaves) leave(event, form);
    else if (number) ask(event, number, path);
  });
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    const [, number] = detail.path.match(PLAIN) ?? [];
    const body = number ? unsentOf(number).body : null;
    if (detail.verb === "post" && body !== null) detail.parameters.draft = body;
    const [, aside] = detail.path.match(ASIDE) ?? [];
    const thread = aside && !dialog.contains(detail.elt) && dialogueOf(aside)?.thread;
    if (detail.verb === "post" && thread?.lastSeq) detail.parameters.seen = thread.lastSeq;
  });
  document.addEventListener("desk:moved", ({ detail }) => forgetHandedOver(detail.number));
}

/** A button that acts at once: first show what would be lost. */
function ask(event, number, path) {
  const { body, files, note } = unsentOf(number);
  if (!body && !files.length && !note) return;
  event.preventDefault();
  get(path, "#dialog-body", "innerHTML");
}

/** Messages that come behind an open dialog count as unseen until the dialog is drawn again. A thread
 *  that has not been fetched yet says nothing: the form has what the server knew. */
function holdSeen() {
  const fields = dialog.querySelectorAll("form[data-leaves] [name=seen]");
  for (const field of fields) {
    const thread = dialogueOf(field.form.dataset.leaves)?.thread;
    if (thread?.lastSeq) field.value = Math.min(field.value, thread.lastSeq);
  }
}

/** The dialog was drawn: add what only this browser knows. */
export function drawUnsent() {
  holdSeen();
  const section = dialog.querySelector("[data-unsent]");
  if (!section) return;
  const { body, files, note } = unsentOf(section.dataset.unsent);
  const quote = section.querySelector("[data-unsent-body]");
  if (body !== null) quote.textContent = body;
  quote.hidden = !quote.textContent;
  const list = section.querySelector("[data-unsent-files]");
  list.lastElementChild.textContent = files.join(", ");
  list.hidden = !files.length;
  const place = dialog.querySelector("[data-unsent-into]");
  if (place) place.value ||= note;
  const isNoted = Boolean(note) && !place;
  section.querySelector("[data-unsent-note]").hidden = !isNoted;
  const isUnsent = !quote.hidden || files.length > 0;
  section.hidden = !isUnsent && !isNoted;
  for (const part of dialog.querySelectorAll("[data-when-unsent], [data-unsent-send]")) part.hidden = !isUnsent;
  const send = dialog.querySelector("[data-unsent-send] input");
  if (send) send.disabled = !isUnsent;
  for (const part of dialog.querySelectorAll("[data-when-nothing]")) part.hidden = isUnsent;
  const first = dialog.querySelector(isUnsent ? "button[name=send]" : "[data-without]");
  if (!first) return;
  // htmx looks for the attribute once more when the dialog has settled.
  for (const other of dialog.querySelectorAll("[autofocus]")) other.autofocus = false;
  first.autofocus = true;
  first.focus();
}

/** Whether the form says that the text is to be sent before anything else. */
export function sendsFirst(form, submitter) {
  if (submitter?.name === "send") return true;
  const box = form.querySelector("[name=send]:not(button)");
  return Boolean(box) && (box.type === "hidden" || (box.checked && !box.disabled));
}

async function leave(event, form) {
  const { triggeringEvent, issueRequest } = event.detail;
  const { submitter } = triggeringEvent ?? {};
  // A warning comes first, with a form of its own; or the agent goes back.
  if (submitter?.name === "back" || ("warns" in form.dataset && form.elements.auto_close?.checked)) return;
  const number = form.dataset.leaves;
  const sends = sendsFirst(form, submitter);
  const note = form.querySelector("[data-unsent-into]") ? "" : noteOf(number);
  if (!sends && !note) return;
  event.preventDefault();
  const isDone = (!note || (await writeNote(number, note))) && (!sends || (await deliver(number)));
  if (isDone) {
    issueRequest(true);
  } else {
    if (dialog.open) dialog.close();
    notify(texts.notDelivered);
  }
}

function deliver(number) {
  const dialogue = dialogueOf(number);
  if (dialogue?.box) return dialogue.deliver();
  const shown = dialog.querySelector("[data-unsent-body]")?.textContent;
  return deliverBehind(Number(number), (drafts.get(number) ?? shown ?? "").trim());
}

async function writeNote(number, body) {
  try {
    const response = await fetch(`/desk/c/${number}/notes/`, {
      method: "POST",
      headers: JSON.parse(document.body.getAttribute("hx-headers")),
      body: new URLSearchParams({ body }),
    });
    if (!response.ok) return false;
  } catch {
    return false;
  }
  forgetNote(number);
  return true;
}

document.addEventListener("click", ({ target }) => {
  const number = target.closest("[data-insert-begun]")?.dataset.insertBegun;
  const box = number && dialogueOf(number)?.box;
  if (!box) return;
  const text = document.querySelector(`#begun-by-${number} [data-begun-text]`).textContent;
  write(box, box.value ? `\n${text}` : text, box.value.length, box.value.length);
});

/** A transfer took the note along. */
function forgetHandedOver(number) {
  const form = dialog.querySelector("[data-transfer]");
  if (form?.dataset.leaves === String(number)) forgetNote(number);
}
