// Whether an agent may do something to an element of the visitor's page. It runs in the visitor's
// browser, which is the only one that knows the page: the desk and the server cannot be trusted
// with it. It also holds what a click sets off at once.

import { isSecret } from "./secrets.js";

const TEXTUAL = new Set(["text", "search", "email", "tel", "url", "number", "date", "time", "month", "week", "datetime-local", "color", "range"]);
const TICKED = new Set(["checkbox", "radio"]);
const SENDS = new Set(["submit", "image"]);

/**
 * Return why `kind` is refused on `element`, or "".
 *
 * allowed   the permissions of the session; hidden: the selector of private parts
 * domains   the website's own
 */
export function refusal(kind, element, { allowed, hidden, domains }) {
  if (!allowed.includes(kind)) return "not_allowed";
  if (kind === "draw") return "";
  if (!element?.isConnected) return "changed";
  if (element.closest(hidden)) return "private";
  if (kind === "highlight" || kind === "scroll") return "";
  const meant = element.localName === "label" && element.control ? element.control : element;
  if (meant.closest(hidden)) return "private";
  if (isForbidden(meant)) return "secret";
  if (meant.disabled || meant.closest("[inert], fieldset:disabled")) return "unfit";
  if (kind === "fill") return fillable(meant);
  if (meant.closest("svg a")) return "elsewhere"; // Its address may be an animation.
  const link = meant.closest("a[href], area[href]");
  if (link) return linkRefusal(link, { allowed, domains });
  if (kind === "link") return "unfit";
  return clickRefusal(meant, allowed);
}

/** Passwords, payment fields and file choosers: never, whatever the website allows. */
function isForbidden(element) {
  if (element.localName === "label") return Boolean(element.querySelector("input[type=file]"));
  return isSecret(element) || element.type === "file" || (element.localName === "input" && element.type === "hidden");
}

function fillable(element) {
  if (element.readOnly) return "unfit";
  if (element.localName === "textarea" || element.localName === "select") return "";
  return element.localName === "input" && TEXTUAL.has(element.type) ? "" : "unfit";
}

/** A click on a link opens it: that is the permission for links, and only for the site's own. */
function linkRefusal(link, { allowed, domains }) {
  if (!allowed.includes("link")) return "not_allowed";
  if (link.hasAttribute("download") || !["", "_self"].includes(link.target)) return "elsewhere";
  const url = new URL(link.href, document.baseURI);
  if (!["http:", "https:"].includes(url.protocol)) return "elsewhere";
  return url.host === location.host || isOurs(url.host, domains) ? "" : "elsewhere";
}

function clickRefusal(element, allowed) {
  const isSubmit = Boolean(element.form) && SENDS.has(element.type);
  if (isSubmit && !allowed.includes("submit")) return "not_allowed";
  if (element.form && element.type === "reset" && !allowed.includes("fill")) return "not_allowed";
  if (TICKED.has(element.type) && !allowed.includes("fill")) return "not_allowed";
  return element.localName === "option" || element.localName === "select" ? "unfit" : "";
}

/** As the server compares a host with the website's domains. */
export function isOurs(host, domains) {
  const name = host.replace(/:\d+$/, "");
  return domains.some((domain) => {
    const candidate = /:\d{1,5}$/.test(domain) ? host : name;
    return domain === candidate || (domain.startsWith("*.") && candidate.endsWith(domain.slice(1)));
  });
}

/**
 * Run `act` so that what the page's own scripts do at once in answer to it submits no form, opens no
 * file chooser and clicks nothing else that is forbidden. Return whether something was stopped.
 */
export function guarded(act, { allowed, hidden, domains, element }) {
  let stopped = false;
  const halt = (event) => {
    stopped = true;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  const onSubmit = (event) => allowed.includes("submit") || halt(event);
  const onClick = (event) => {
    if (event.target === element || element.contains(event.target)) return;
    const kind = event.target.closest?.("a[href]") ? "link" : "click";
    if (event.target.localName && refusal(kind, event.target, { allowed, hidden, domains })) halt(event);
  };
  const form = HTMLFormElement.prototype;
  const input = HTMLInputElement.prototype;
  const { submit } = form;
  const { showPicker } = input;
  const stop = () => (stopped = true);
  addEventListener("submit", onSubmit, true);
  addEventListener("click", onClick, true);
  if (!allowed.includes("submit")) form.submit = stop;
  input.showPicker = stop;
  try {
    act();
  } finally {
    removeEventListener("submit", onSubmit, true);
    removeEventListener("click", onClick, true);
    form.submit = submit;
    if (showPicker) input.showPicker = showPicker;
    else delete input.showPicker;
  }
  return stopped;
}
