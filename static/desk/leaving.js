// Logging out: what lies on the desk is dealt with first, in a dialog that stays until it is empty
// (C22). Forms of one conversation take its place meanwhile, and lead back to it.

import { get } from "./page.js";

const AGAIN = "/logout/?again=1";
const dialog = document.getElementById("dialog");
let isGoing = false; // The logout of this page is under way: its answer leads away.
let isOpen = false; // The dialog of the logout is open, or one that was opened from it.
let isAsked = false; // Its list is under way, and may have been made before what came meanwhile.

const isListed = () => dialog.open && Boolean(dialog.querySelector("[data-leaving]"));
/** The number of the conversation that the shown form asks about. */
const asked = () => dialog.querySelector("form[hx-post]")?.getAttribute("hx-post").match(/\/c\/(\d+)\//)?.[1];

export const leaving = {
  get isGoing() {
    return isGoing;
  },

  ask() {
    isAsked = true;
    get("/logout/", "#dialog-body", "innerHTML");
  },

  /** Something moved by itself while the list is shown, or while it is asked for. */
  renew() {
    if (isListed() || isAsked) get(AGAIN, "#dialog-body", "innerHTML");
  },

  /** A conversation moved, or did not: the list is shown anew; from its own form back to the list, else
   *  away. An answer that comes late leaves the form of another one alone, and what is written in it. */
  settle(number) {
    if (isListed()) leaving.renew();
    else if (String(number) !== asked()) return;
    else if (isOpen) leaving.ask();
    else if (dialog.open) dialog.close();
  },

  /** From a dialog of one conversation back to the list; from anything else, away. */
  dismiss() {
    if (isOpen && !isListed()) leaving.ask();
    else dialog.close();
  },

  /** The dialog was drawn anew. */
  drawn() {
    isOpen ||= isListed();
    isAsked &&= !isListed();
  },
};

/** `onStayed()`: something came meanwhile, and the session goes on. */
export function listenToLeaving({ onStayed }) {
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { path, verb } = event.detail.requestConfig;
    // What is asked for while the session ends would only lead to the login a second time.
    if (isGoing) event.preventDefault();
    isGoing ||= path === "/logout/" && verb === "post";
  });

  document.addEventListener("htmx:afterRequest", ({ detail: { requestConfig, xhr } }) => {
    if (!isGoing || requestConfig.path !== "/logout/" || xhr.getResponseHeader("HX-Redirect")) return;
    isGoing = false;
    onStayed();
  });

  // Asked for while the list was shown; meanwhile a form may have taken its place.
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.requestConfig.path === AGAIN && !isListed()) detail.shouldSwap = false;
  });

  dialog.addEventListener("close", () => (isOpen = isAsked = false));

  if (location.hash === "#leaving") {
    history.replaceState({}, "", location.pathname);
    leaving.ask();
  }
}
