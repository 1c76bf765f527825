// For the staff pages that the desk's script does not draw: the agent is at work there too. It
// needs only the bar of the page.

import "../base/bar.js";
import { connect } from "../shared/socket.js";
import { toast } from "../base/toasts.js";
import { calling } from "./calling.js";
import { hear, renewState, showState } from "./elsewhere.js";
import { texts } from "./page.js";

const socket = connect({
  url: async () => `${location.origin.replace(/^http/, "ws")}/ws/desk/`,
  onFrame: (frame) => calls.hear(frame) || hear(frame),
  onOpen() {
    calls.opened();
    renewState();
  },
  onDown: () => calls.down(),
});
const calls = calling({
  send: (frame) => socket.send(frame),
  open: (number) => location.assign(`/desk/c/${number}/`),
});

/** The status buttons, on pages that htmx does not serve. */
document.addEventListener("submit", async (event) => {
  const form = event.target.closest("#statuses form");
  if (!form || window.htmx) return;
  event.preventDefault();
  try {
    const response = await fetch(form.action, {
      method: "POST",
      headers: { "HX-Request": "true" },
      body: new FormData(form, event.submitter),
    });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!page.getElementById("statuses")) throw new Error(response.status);
    showState(page);
  } catch {
    toast({ sentence: texts.stateFailed, isError: true });
  }
});
