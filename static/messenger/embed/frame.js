/* The Messenger in its iframe, and the messages between it and the page. */

function loadFrame() {
  const src = `${base}?lang=${encodeURIComponent(language)}`;
  if (parts.frame?.src === src) return;
  unload();
  const frame = make("iframe", { title: offer.labels.frame, allow: offer.allow || "", src });
  parts.frame = frame;
  parts.panel.append(frame);
}

function unload() {
  parts.frame?.remove();
  parts.frame = null;
  parts.isHeard = false;
}

/* Until the iframe has reported, it is a blank page of another origin, or the browser's own page
about a lost connection or a policy that forbids us. */
function post(type, detail) {
  if (!parts?.isHeard) return;
  const { title, referrer } = document;
  parts.frame.contentWindow?.postMessage(
    { causerie: 1, type, page: location.href, title, referrer, view, offer, identity, ...detail },
    origin,
  );
}

/* `back`: it was open on the page before, and opens again without taking the focus. */
function setOpen(open, back = false) {
  wantsOpen = open;
  if (!parts || open === isOpen) return;
  isOpen = open;
  isBack = back;
  keepOpen();
  if (open) loadFrame();
  else if (!parts.isHeard) unload(); // Perhaps no connection: load it again at the next opening.
  paint();
  post(open ? "open" : "minimize", { isBack });
  if (!back) parts[open ? "frame" : "button"].focus();
  notify("");
  tell(open ? "opened" : "minimized");
}

/* In mid-conversation the Messenger stays open on the next page (C74). */
function keepOpen() {
  stored(OPEN, isOpen && stored("") ? "1" : null);
}

/* A phone's keyboard covers what does not give way, and an iframe cannot see it: the panel keeps to
the visible part of the page, unless the visitor has only zoomed in. */
function fit() {
  const { scale, height, offsetTop } = visualViewport;
  const isCovered = isOpen && scale < 1.1 && height < innerHeight - 99;
  parts.panel.style.cssText = isCovered ? `inset-block:${offsetTop}px auto;height:${height}px` : "";
}

let hasReported = false;
let recorder; // The script that is there only while an agent looks at the page.
const reports = {
  __proto__: null,
  here() {
    const kept = Object.fromEntries(LENT.map((name) => [name, stored(`:${name}`)]));
    post("hello", { kept, link });
    link = "";
    if (isOpen) post("open", { isBack });
  },
  minimize: () => setOpen(false),
  unread(data) {
    unread = Number(data.unread) || 0;
    paint();
    tell("unread", unread);
  },
  stay(data) {
    stored("", data.stay ? "1" : null);
    keepOpen();
    keepSeen(data.known === true);
    // The conversation ended before this page, and this page does not engage (C12).
    if (!data.stay && !hasReported) show();
    hasReported = true;
  },
  nudge: (data) => notify(isOpen ? "" : String(data.text)),
  keep: ({ name, value }) => stored(`:${name}`, value),
  mirror: () => (recorder ||= document.head.appendChild(make("script", { src: `${origin}/mirror.js` }))),
  warn: (data) => console.warn(`Causerie: ${data.text}`),
  event: ({ name, detail }) => tell(name, detail),
};

function receive({ source, origin: sender, data }) {
  if (source !== parts?.frame?.contentWindow || sender !== origin) return;
  if (data?.causerie !== 1) return;
  parts.isHeard = true;
  reports[data.type]?.(data);
}
