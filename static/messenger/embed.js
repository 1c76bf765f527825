/* Causerie: puts the Messenger on a brand's page. Nothing here throws into that page, nothing is
   stored before the visitor acts, and no style leaks either way (shadow root and iframe). */
(() => {
  "use strict";

  const script = document.currentScript || document.querySelector("script[data-website]");
  if (!script || (window.Causerie && window.Causerie.isLoaded)) return;
  const origin = new URL(script.src, location.href).origin;
  const key = script.dataset.website || "";
  const flag = `causerie:${key}`;
  const STICKY = ["ready", "displayed"]; // Told also to whoever asks too late.
  const LENT = ["token", "unsent", "dismissed"]; // Names under which the iframe may keep something.
  const LATER = ["identify", "logout", "transaction"];
  const VISIT_MS = 30 * 60_000; // Who comes back after that returns.
  const STYLE = `
    .launcher, .panel, .note { position: fixed; inset-inline-end: 20px; }
    .launcher { inset-block-end: max(20px, env(safe-area-inset-bottom)); width: 60px; height: 60px;
      margin: 0; padding: 0; border: 0; border-radius: 50%; cursor: pointer;
      background: var(--accent); color: var(--on-accent);
      box-shadow: 0 0 0 1px rgb(255 255 255 / .16), 0 6px 20px rgb(0 0 0 / .22);
      display: grid; place-items: center; transition: transform .16s, box-shadow .16s; }
    .launcher:hover { transform: translateY(-2px); box-shadow: 0 0 0 1px rgb(255 255 255 / .16), 0 10px 26px rgb(0 0 0 / .26); }
    .launcher:active { transform: scale(.96); }
    .launcher:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px;
      box-shadow: 0 0 0 3px #fff, 0 6px 20px rgb(0 0 0 / .22); }
    svg { grid-area: 1 / 1; width: 28px; height: 28px; fill: none; stroke: currentColor;
      stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; transition: transform .2s, opacity .2s; }
    .down, .open .talk { opacity: 0; transform: scale(.6); }
    .open .down { opacity: 1; transform: none; }
    .badge { position: absolute; inset-block-start: -4px; inset-inline-end: -4px; min-width: 22px;
      height: 22px; padding: 0 6px; box-sizing: border-box; border-radius: 11px; background: #c8102e;
      color: #fff; font: 700 12px/22px system-ui, sans-serif; text-align: center; box-shadow: 0 0 0 2px #fff; }
    .badge:empty { display: none; }
    .note { inset-block-end: calc(92px + env(safe-area-inset-bottom)); display: flex; align-items: start;
      max-width: min(300px, 100vw - 40px); border-radius: 14px; background: Canvas; color: CanvasText;
      color-scheme: light dark; font: 15px/1.4 system-ui, sans-serif;
      box-shadow: 0 0 0 1px rgb(128 128 128 / .35), 0 8px 28px rgb(0 0 0 / .2); }
    .note:empty, .open .note { display: none; }
    .note button { border: 0; border-radius: 14px; background: none; color: inherit; font: inherit; cursor: pointer; }
    .note button:focus-visible { outline: 2px solid; outline-offset: -2px; }
    .say { padding: 14px 0 14px 18px; text-align: start; overflow-wrap: anywhere; }
    .hush { flex: none; width: 44px; height: 44px; font-size: 20px; }
    .panel { inset-block-end: calc(96px + env(safe-area-inset-bottom)); width: min(400px, 100vw - 40px);
      height: min(680px, 100vh - 120px); border-radius: 18px; overflow: hidden; visibility: hidden;
      opacity: 0; transform: translateY(14px); box-shadow: 0 0 0 1px rgb(0 0 0 / .06), 0 16px 56px rgb(0 0 0 / .24);
      transition: opacity .18s, transform .18s, visibility 0s .18s; }
    .open .panel { visibility: visible; opacity: 1; transform: none; transition-delay: 0s; }
    iframe { display: block; width: 100%; height: 100%; border: 0; }
    @media (max-width: 480px), (max-height: 480px) {
      .panel { inset: 0; width: 100%; height: 100%; border-radius: 0; }
      .open .launcher { display: none; }
    }
    @media (prefers-reduced-motion: reduce) { * { transition: none !important; } }`;

  const listeners = new Map();
  const happened = new Map();
  const data = Object.create(null); // What the page says of its visitor, by name.
  const device = !matchMedia("(pointer: coarse)").matches
    ? "desktop"
    : Math.min(screen.width, screen.height) < 600
      ? "phone"
      : "tablet";
  let language = document.documentElement.lang || navigator.language || "";
  let page = ""; // The address for which we asked.
  let since = 0; // When it was opened.
  let asks = 0;
  let timer;
  let view = null; // What we said of this page,
  let offer = null; // and what the server said to that.
  let parts = null; // The elements, once shown.
  let shown = ""; // What of them was told as "displayed".
  let hushed = ""; // The proactive text that was dismissed.
  let isOpen = false;
  /* A mail's link names its conversation behind the #, where it must not stay. */
  let link = (/[#&]causerie=([\w.:-]+)/.exec(location.hash) || [])[1] || "";
  if (link) safely(() => history.replaceState(history.state, "", location.pathname + location.search));
  let wantsOpen = link !== "";
  let unread = 0;

  /* Run something of ours, or of the page's, that must not break the page. */
  function safely(action, ...values) {
    try {
      return action(...values);
    } catch (error) {
      console.error("Causerie:", error);
    }
  }

  function tell(name, detail) {
    happened.set(name, detail);
    (listeners.get(name) || []).forEach((listener) => safely(listener, detail));
  }

  const commands = {
    open: () => setOpen(true),
    minimize: () => setOpen(false),
    on(name, listener) {
      if (typeof listener !== "function") return;
      listeners.set(name, [...(listeners.get(name) || []), listener]);
      if (STICKY.includes(name) && happened.has(name)) queueMicrotask(() => safely(listener, happened.get(name)));
      return () => {
        listeners.set(name, (listeners.get(name) || []).filter((one) => one !== listener));
      };
    },
    locale(wanted) {
      if (typeof wanted !== "string" || wanted === language) return;
      language = wanted;
      askSoon();
    },
    visitor(values) {
      learn(values, "", 1);
      askSoon();
    },
  };

  function causerie(command, ...values) {
    const run = Object.prototype.hasOwnProperty.call(commands, command) && commands[command];
    if (run) return safely(run, ...values);
    if (!LATER.includes(command)) console.warn(`Causerie: there is no command "${command}".`);
  }

  /* In the page's own storage: the flag says "there is a conversation here", and beside it stands
     what the iframe may not keep itself. Without storage, each page begins anew. */
  function read(name) {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  }

  function write(name, value) {
    try {
      if (value === null) localStorage.removeItem(name);
      else localStorage.setItem(name, value);
    } catch {
      return; // The visitor's browser does not want it.
    }
  }

  /* {cart: {total: 80}} is known as "cart.total"; null forgets. Bounded: a page may hand us
     anything, itself included. */
  function learn(values, prefix, depth) {
    for (const [key, value] of Object.entries(values || {}).slice(0, 50)) {
      const name = prefix + key;
      const isGroup = Object.prototype.toString.call(value) === "[object Object]";
      if (value === null) delete data[name];
      else if (isGroup && depth < 3) learn(value, `${name}.`, depth + 1);
      else if (/^(string|number|boolean)$/.test(typeof value) && String(value).length < 201) {
        if (Object.keys(data).length < 50) data[name] = value;
      }
    }
  }

  /* Only once its visitor has acted does a browser keep that it was here (B13): since then we know
     how many pages this visit has seen, and whether it is the first one. */
  let [wasBack, pages, seenAt] = (read(`${flag}:seen`) || "0 0 0").split(" ").map(Number);
  if (Date.now() - seenAt > VISIT_MS) {
    wasBack = seenAt ? 1 : 0;
    pages = document.referrer.startsWith(`${location.origin}/`) ? 1 : 0;
  }

  function keepSeen(isKnown) {
    if (!isKnown && !seenAt) return;
    seenAt = isKnown ? Date.now() : 0;
    write(`${flag}:seen`, isKnown ? `${wasBack} ${pages} ${seenAt}` : null);
  }

  /* A page, or another one of a single-page application. What follows a # is a page where it looks
     like a path; elsewhere it may be a secret. */
  function arrive() {
    const [address, fragment = ""] = location.href.split("#");
    const now = (/^!?\//.test(fragment) ? location.href : address).slice(0, 2000);
    if (now === page) return;
    page = now;
    since = performance.now();
    pages += 1;
    hushed = read(`${flag}:hushed`);
    keepSeen(seenAt > 0);
    askSoon();
  }

  function askSoon() {
    clearTimeout(timer);
    if (page) timer = setTimeout(ask, 50, false);
  }

  async function ask(isAgain) {
    clearTimeout(timer);
    asks += 1;
    const mine = asks;
    view = {
      url: page,
      language,
      device,
      pages: Math.max(pages, Number(data.pages) || 0),
      seconds: Math.floor((performance.now() - since) / 1000),
      returning: wasBack === 1 || data.returning === true,
      data,
    };
    try {
      const address = `${origin}/messenger/${encodeURIComponent(key)}/engagement/`;
      const body = JSON.stringify({ ...view, again: isAgain });
      const response = await fetch(address, { method: "POST", body, credentials: "omit" });
      if (!response.ok) throw new Error(String(response.status));
      const answer = await response.json();
      if (mine !== asks) return; // Asked once more meanwhile.
      offer = answer;
    } catch {
      if (!offer) {
        console.error(
          `Causerie: no Messenger here. Either "${key}" is not the key of a website, or ` +
            `"${location.host}" is not one of its domains, or ${origin} cannot be reached.`,
        );
      }
      return;
    }
    // A little later, so that not all pages ask at once when a team begins its day.
    const { again_in: wait } = offer;
    if (wait) timer = setTimeout(ask, wait * (1000 + 50 * Math.random()), true);
    safely(show);
  }

  function show() {
    if (!happened.has("ready")) tell("ready");
    const stays = read(flag) !== null;
    const isThere = offer.engage || stays || isOpen || link;
    if (parts) parts.host.style.display = isThere ? "" : "none";
    const { kind, text } = offer.notification;
    const isQuiet = stays || isOpen || !text || text === hushed;
    if (parts) notify(isThere && !isQuiet ? text : "");
    if (!isThere) {
      shown = "";
      return;
    }
    if (!parts) {
      build();
      // A live region is heard when it is filled after it was there.
      if (!isQuiet) setTimeout(() => isOpen || notify(text), 200);
    }
    paint();
    if (stays || parts.frame) loadFrame();
    post("offer");
    const now = isQuiet ? "button" : kind + text;
    if (shown !== now) tell("displayed", { kind: isQuiet ? "button" : kind, targeting: offer.targeting });
    shown = now;
    if (wantsOpen) setOpen(true);
  }

  /* A small text beside the button, which takes no focus; without a text it goes. */
  function notify(text) {
    if (!parts || parts.note.textContent.startsWith(text || "\n")) return;
    parts.note.replaceChildren();
    if (!text) return;
    const say = make("button", { type: "button", className: "say", textContent: text });
    const hush = make("button", { type: "button", className: "hush", textContent: "×" });
    hush.setAttribute("aria-label", offer.labels.dismiss);
    say.addEventListener("click", () => safely(setOpen, true));
    hush.addEventListener("click", () => safely(dismiss, text));
    parts.note.append(say, hush);
  }

  function dismiss(text) {
    hushed = text;
    if (seenAt) write(`${flag}:hushed`, text);
    notify("");
    parts.button.focus();
  }

  function make(tag, properties, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  function icon(name, drawing) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("class", name);
    svg.setAttribute("aria-hidden", "true");
    path.setAttribute("d", drawing);
    svg.append(path);
    return svg;
  }

  function build() {
    const host = document.createElement("causerie-messenger");
    const root = host.attachShadow({ mode: "open" });
    const badge = make("span", { className: "badge" });
    badge.setAttribute("aria-hidden", "true");
    const button = make(
      "button",
      { type: "button", className: "launcher" },
      icon("talk", "M20.5 11.5a8 8 0 0 1-11.7 7.1L4 20l1.4-4.5a8 8 0 1 1 15.1-4Z"),
      icon("down", "m6 9.5 6 6 6-6"),
      badge,
    );
    const panel = make("div", { className: "panel" });
    const note = make("div", { className: "note" });
    note.setAttribute("role", "status");
    const box = make("div", {}, note, button, panel);
    note.addEventListener("keydown", ({ key: pressed }) => {
      if (pressed === "Escape") safely(dismiss, note.firstChild.textContent);
    });
    button.addEventListener("click", () => safely(setOpen, !isOpen));
    button.addEventListener("keydown", (event) => {
      if (event.key === "Escape") safely(setOpen, false);
    });
    // Unlike a style element, a constructed sheet is no inline style for the page's policy.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    root.append(box);
    host.style.cssText = "all: initial; position: fixed; z-index: 2147483000;";
    document.body.append(host);
    parts = { host, box, note, badge, button, panel, frame: null, isLoaded: false };
  }

  function paint() {
    parts.host.style.setProperty("--accent", offer.accent);
    parts.host.style.setProperty("--on-accent", offer.on_accent);
    const { open, minimize, one, many } = offer.labels;
    const news = unread === 1 ? one : many.replace("{n}", unread);
    const label = isOpen ? minimize : unread ? `${open} (${news})` : open;
    parts.button.setAttribute("aria-label", label);
    parts.button.setAttribute("aria-expanded", String(isOpen));
    parts.badge.textContent = unread ? (unread > 99 ? "99+" : unread) : "";
    parts.box.className = isOpen ? "open" : "";
  }

  function loadFrame() {
    const src = `${origin}/messenger/${encodeURIComponent(key)}/?lang=${encodeURIComponent(language)}`;
    if (parts.frame && parts.frame.src === src) return;
    if (parts.frame) parts.frame.remove();
    const frame = make("iframe", { title: offer.labels.frame, src });
    parts.isLoaded = false;
    frame.addEventListener("load", () => {
      parts.isLoaded = true;
      const kept = Object.fromEntries(LENT.map((name) => [name, read(`${flag}:${name}`)]));
      post("hello", link ? { kept, link } : { kept });
      link = "";
      if (isOpen) post("open");
    });
    parts.frame = frame;
    parts.panel.append(frame);
  }

  /* Until it has loaded, the iframe is a blank page of another origin. */
  function post(type, detail) {
    if (!parts || !parts.isLoaded || !parts.frame.contentWindow) return;
    const message = { causerie: 1, type, page: location.href, view, offer, ...detail };
    parts.frame.contentWindow.postMessage(message, origin);
  }

  function setOpen(open) {
    wantsOpen = open;
    if (!parts || open === isOpen) return;
    isOpen = open;
    if (open) loadFrame();
    paint();
    post(open ? "open" : "minimize");
    if (open) parts.frame.focus();
    else parts.button.focus();
    notify("");
    tell(open ? "opened" : "minimized");
  }

  let hasReported = false;
  const reports = {
    minimize: () => setOpen(false),
    unread(data) {
      unread = Number(data.unread) || 0;
      paint();
      tell("unread", unread);
    },
    stay(data) {
      write(flag, data.stay ? "1" : null);
      keepSeen(data.known === true);
      // The conversation ended before this page, and this page does not engage (C12).
      if (!data.stay && !hasReported) show();
      hasReported = true;
    },
    nudge: (data) => notify(isOpen ? "" : String(data.text)),
    keep({ name, value }) {
      if (!LENT.includes(name)) return;
      write(`${flag}:${name}`, typeof value === "string" ? value : null);
    },
    event(data) {
      if (typeof data.name === "string") tell(data.name, data.detail);
    },
  };

  function receive({ source, origin: sender, data }) {
    if (!parts || !parts.frame || source !== parts.frame.contentWindow || sender !== origin) return;
    if (typeof data !== "object" || data === null || data.causerie !== 1) return;
    if (Object.prototype.hasOwnProperty.call(reports, data.type)) reports[data.type](data);
  }

  const early = (window.Causerie && window.Causerie.q) || [];
  window.Causerie = causerie;
  causerie.isLoaded = true;
  addEventListener("message", (event) => safely(receive, event));
  Array.from(early).forEach((call) => causerie(...call));

  const move = () => safely(arrive);
  if (window.navigation) {
    navigation.addEventListener("currententrychange", move);
  } else {
    for (const name of ["pushState", "replaceState"]) {
      const own = history[name];
      history[name] = function (...values) {
        own.apply(this, values);
        move();
      };
    }
    addEventListener("popstate", move);
    addEventListener("hashchange", move);
  }
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return; // Back on a page that slept in the browser's cache.
    page = "";
    move();
  });
  if (document.body) move();
  else addEventListener("DOMContentLoaded", move, { once: true });
})();
