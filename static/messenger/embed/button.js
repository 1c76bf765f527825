/* The reduced Messenger: a round button, and a text beside it. */

function show() {
  if (!("ready" in happened)) tell("ready");
  const stays = stored("") !== null;
  const isThere = offer.engage || offer.shows || stays || isOpen || link;
  if (parts) parts.box.hidden = !isThere;
  const { kind, text } = offer.notification;
  const isQuiet = stays || isOpen || !text || text === hushed;
  if (parts) notify(isThere && !isQuiet ? text : "");
  if (!isThere) {
    shown = "";
    return;
  }
  if (!parts) {
    build();
    // Screen readers announce a live region only if it is filled after it was inserted.
    if (!isQuiet) setTimeout(() => isOpen || notify(text), 200);
  }
  paint();
  if (stays || parts.frame) loadFrame();
  post("offer");
  const now = isQuiet ? "button" : kind + text;
  if (shown !== now) tell("displayed", { kind: isQuiet ? "button" : kind, targeting: offer.targeting });
  shown = now;
  if (wantsOpen) setOpen(true);
  // If it covers the page, the visitor wants to see the page that they opened.
  if (stays && offer.stays_open && stored(OPEN) && Math.min(innerWidth, innerHeight) > 480) setOpen(true, true);
}

/* Show a small text beside the button, without taking the focus; an empty text removes it. */
function notify(text) {
  if (!parts || parts.note.textContent.startsWith(text || "\n")) return;
  parts.note.replaceChildren();
  if (!text) return;
  const say = press("say", text);
  const hush = press("hush", "×");
  hush.setAttribute("aria-label", offer.labels.dismiss);
  say.addEventListener("click", () => safely(setOpen, true));
  hush.addEventListener("click", () => safely(dismiss, text));
  parts.note.append(say, hush);
}

function dismiss(text) {
  hushed = text;
  if (seenAt) stored(":hushed", text);
  notify("");
  parts.button.focus();
}

function make(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function press(className, ...children) {
  return make("button", { type: "button", className }, ...children);
}

function icon(name, drawing) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", name);
  path.setAttribute("d", drawing);
  svg.append(path);
  return svg;
}

function build() {
  const host = document.createElement("causerie-messenger");
  const root = host.attachShadow({ mode: "open" });
  const badge = make("span", { className: "badge" });
  const button = press(
    "launcher",
    icon("talk", "M20.5 11.5a8 8 0 0 1-11.7 7.1L4 20l1.4-4.5a8 8 0 1 1 15.1-4Z"),
    icon("down", "m6 9.5 6 6 6-6"),
    badge,
  );
  const panel = make("div", { className: "panel" });
  const note = make("div", { className: "note" });
  note.setAttribute("role", "status");
  const box = make("div", {}, note, button, panel);
  box.addEventListener("keydown", ({ key: pressed }) => {
    if (pressed !== "Escape") return;
    if (isOpen) safely(setOpen, false);
    else if (note.firstChild) safely(dismiss, note.firstChild.textContent);
  });
  button.addEventListener("click", () => safely(setOpen, !isOpen));
  // Unlike a style element, a constructed sheet is no inline style for the page's policy.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  for (const name of ["resize", "scroll"]) visualViewport.addEventListener(name, fit);
  root.append(box);
  document.body.append(host);
  parts = { host, box, note, badge, button, panel };
}

function paint() {
  parts.host.style.cssText = `all: initial; position: fixed; z-index: 2147483000; ${offer.style}`;
  const { open, minimize, one, many } = offer.labels;
  const news = unread === 1 ? one : many.replace("{n}", unread);
  const label = isOpen ? minimize : unread ? `${open} (${news})` : open;
  parts.button.setAttribute("aria-label", label);
  parts.button.setAttribute("aria-expanded", isOpen);
  parts.badge.textContent = unread ? (unread > 99 ? "99+" : unread) : "";
  // On a phone the Messenger has its own way out; until it has loaded, the button is that.
  parts.box.className = isOpen ? (parts.isHeard ? "open full" : "open") : "";
}
