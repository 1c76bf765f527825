// The desk on the staff's other pages: the bar stays current, and a conversation that comes
// meanwhile is announced there, with a link to it.

import { retract, toast } from "../base/toasts.js";
import { alertOnce } from "./alerts.js";
import { DESK, coalesced, texts } from "./page.js";

const SHOWN = ["statuses", "waiting-count", "snoozed-count"];
const plainTitle = document.title;
let known = null; // Numbers of what is on the desk, to see what is new.

const addressOf = (number) => `/desk/c/${number}/`;
const goTo = (number) => location.assign(addressOf(number));

/** Fetch the agent's state and show it. If that fails, the socket's return triggers it again. */
export const renewState = coalesced(async () => {
  let page;
  try {
    const response = await fetch("/desk/state/", { headers: { "HX-Request": "true" } });
    if (!response.ok || response.redirected) return;
    page = new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    return;
  }
  showState(page);
  const held = JSON.parse(page.getElementById("held")?.textContent ?? "null");
  if (held) compare(held);
});

/** Draw the parts of the bar in a fragment, with the focus where it was. */
export function showState(page) {
  for (const id of SHOWN) {
    const [old, fresh] = [document.getElementById(id), page.getElementById(id)];
    if (!old || !fresh || old.isEqualNode(fresh)) continue;
    const index = [...old.querySelectorAll("button")].indexOf(document.activeElement);
    old.replaceWith(document.adoptNode(fresh));
    if (index >= 0) fresh.querySelectorAll("button")[index]?.focus();
    window.htmx?.process(fresh);
  }
  const count = parseInt(document.getElementById("waiting-count")?.textContent ?? "", 10);
  document.title = count ? `(${count}) ${plainTitle}` : plainTitle;
}

function compare(held) {
  const numbers = held.map(({ number }) => number);
  const fresh = known ? held.filter(({ number }) => !known.includes(number)) : [];
  known = numbers;
  retract(({ number }) => number && !numbers.includes(number));
  for (const { number, name, came_at: cameAt } of fresh) {
    alertOnce({
      id: `${number}.new.${cameAt}`,
      where: DESK,
      title: texts.newConversation,
      body: name,
      isSeen: false,
      open: () => goTo(number),
    });
    toast({ number, sentence: `${texts.newConversation}: ${name}`, action: { label: texts.toDesk, href: addressOf(number) } });
  }
}

/** Handle a frame of the agent's socket. */
export function hear(frame) {
  if (frame.type === "logout") location.assign("/login/");
  if (frame.type === "changed" && !["visitor", "suggestions", "writing"].includes(frame.what)) renewState();
  if (frame.type !== "message" || !["visitor", "agent"].includes(frame.message.author)) return;
  renewState();
  const { conversation, message } = frame;
  if (message.author !== "visitor") return;
  alertOnce({
    id: `${conversation}.${message.seq}`,
    where: String(conversation),
    title: `${texts.newMessage} #${conversation}`,
    body: message.body || message.attachment?.name,
    isSeen: false,
    open: () => goTo(conversation),
  });
}
