// Logging out: the conversations on the desk are dealt with first, in a dialog that stays until the
// desk is empty (C22). Forms of one conversation replace it meanwhile, and lead back to it.

import { get } from "./page.js";

const AGAIN = "/logout/?again=1";
const dialog = document.getElementById("dialog");
let isGoing = false; // The logout of this page is under way: its response leads away.
let isOpen = false; // The dialog of the logout is open, or one opened from it.
let isAsked = false; // Its list is under way, and may be older than what came meanwhile.

const isListed = () => dialog.open && Boolean(dialog.querySelector("[data-leaving]"));
/** The number of the conversation that the shown form is about. */
const asked = () => dialog.querySelector("form[hx-post]")?.getAttribute("hx-post").match(/\/c\/(\d+)\//)?.[1];

export const leaving = {
  get isGoing() {
    return isGoing;
  },

  ask() {
    isAsked = true;
    get("/logout/", "#dialog-body", "innerHTML");
  },

  /** Something moved by itself while the list is shown or under way. */
  renew() {
    if (isListed() || isAsked) get(AGAIN, "#dialog-body", "innerHTML");
  },

  /** A conversation moved, or did not: show the list again; return from its own form to the list,
  or *  close it. A late response leaves the form of another one alone, and the text in it. */
  settle(number) {
    if (isListed()) leaving.renew();
    else if (String(number) !== asked()) return;
    else if (isOpen) leaving.ask();
    else if (dialog.open) dialog.close();
  },

  /** From a dialog of one conversation back to the list; close any other. */
  dismiss() {
    if (isOpen && !isListed()) leaving.ask();
    else dialog.close();
  },

  /** The dialog was drawn again. */
  drawn() {
    isOpen ||= isListed();
    isAsked &&= !isListed();
  },
};

/** `onStayed()`: something came meanwhile, and the session goes on. */
export function listenToLeaving({ onStayed }) {
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { path, verb } = event.detail.requestConfig;
    // Requests while the session ends would only lead to the login a second time.
    if (isGoing) event.preventDefault();
    isGoing ||= path === "/logout/" && verb === "post";
  });

  document.addEventListener("htmx:afterRequest", ({ detail: { requestConfig, xhr } }) => {
    if (!isGoing || requestConfig.path !== "/logout/" || xhr.getResponseHeader("HX-Redirect")) return;
    isGoing = false;
    onStayed();
  });

  // Requested while the list was shown; meanwhile a form may have replaced it.
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.requestConfig.path === AGAIN && !isListed()) detail.shouldSwap = false;
  });

  dialog.addEventListener("close", () => (isOpen = isAsked = false));

  if (location.hash === "#leaving") {
    history.replaceState({}, "", location.pathname);
    leaving.ask();
  }
}
