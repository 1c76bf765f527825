// What has just happened, one notice at a time. It takes no focus, a screen reader hears it, it can be
// sent away, and while somebody points at it, has it in focus or looks elsewhere its time stands still
// (WCAG 2.2.1).

const DONE_MS = 8000;
const LONG_MS = 20_000; // With something to press, or something that went wrong.
const home = document.getElementById("toasts");
const texts = JSON.parse(document.getElementById("bar-texts").textContent);
const SVG = "http://www.w3.org/2000/svg";

let shown = null; // {root, options, timer}
const waiting = [];

/**
 * sentence  what happened
 * isError   something was not done: spoken at once, and shown again after what covers it
 * action    {label, key, href, run}: a link, or a button and its key
 */
export function toast(options) {
  const { sentence } = options;
  if (shown?.options.sentence === sentence) take();
  else if (shown?.options.isError && options.isError) {
    if (!waiting.some((one) => one.sentence === sentence)) waiting.push(options);
    return;
  } else if (shown) {
    // Of what was done only the last counts; what failed is not forgotten.
    if (shown.options.isError) waiting.unshift(shown.options);
    take();
  }
  show(options);
}

/** Send away what `matches(options)`: it is no longer true. */
export function retract(matches) {
  const stays = waiting.filter((one) => !matches(one));
  waiting.splice(0, waiting.length, ...stays);
  if (shown && matches(shown.options)) next();
}

function show(options) {
  const { sentence, isError, action } = options;
  settle();
  const root = made("div", { class: `toast${isError ? " failed" : ""}` });
  root.append(icon(isError ? "triangle-alert" : "circle-check"), made("span", { class: "sentence" }, sentence));
  if (action) root.append(pressable(action));
  const shut = made("button", { type: "button", class: "button quiet square", "aria-label": texts.close }, icon("x"));
  shut.addEventListener("click", next);
  root.append(shut);
  shown = { root, options, timer: null };
  watch(root);
  home.querySelector(isError ? "[role=alert]" : "[role=status]").append(root);
  run();
}

function pressable({ label, key, href, run: act }) {
  const node = href ? made("a", { class: "button quiet act", href }, label) : made("button", { type: "button", class: "button quiet act" }, label);
  if (key) {
    node.setAttribute("aria-keyshortcuts", key);
    node.append(made("kbd", { class: "key", "aria-hidden": "true" }, key.toUpperCase()));
  }
  if (act) {
    node.addEventListener("click", () => {
      next();
      act();
    });
  }
  return node;
}

function watch(root) {
  let before = null; // Where the focus came from: there it goes back to.
  root.addEventListener("focusin", ({ relatedTarget }) => {
    if (!root.contains(relatedTarget)) before = relatedTarget;
    rest();
  });
  root.addEventListener("pointerenter", rest);
  root.addEventListener("focusout", run);
  root.addEventListener("pointerleave", run);
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    next();
  });
  root.addEventListener("leave", () => root.contains(document.activeElement) && before?.focus?.());
}

/** Begin its time anew. */
function run() {
  rest();
  if (!shown || document.visibilityState !== "visible" || shown.root.matches(":hover, :focus-within")) return;
  const { isError, action } = shown.options;
  shown.timer = setTimeout(next, isError || action ? LONG_MS : DONE_MS);
}

function rest() {
  clearTimeout(shown?.timer);
}

function take() {
  rest();
  shown.root.dispatchEvent(new Event("leave"));
  shown.root.remove();
  shown = null;
}

function next() {
  if (shown) take();
  if (waiting.length) show(waiting.shift());
}

/** A modal dialog covers all that is not in it. */
function settle() {
  const place = document.querySelector("dialog:modal") ?? document.body;
  if (home.parentElement !== place) place.append(home);
}

document.addEventListener("close", settle, true);
document.addEventListener("visibilitychange", run);

function made(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${home.dataset.sprite}#${name}`);
  drawing.append(use);
  return drawing;
}
