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
  const LATER = ["identify", "logout", "visitor", "transaction"];
  const STYLE = `
    .launcher, .panel { position: fixed; inset-inline-end: 20px; }
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
  const happened = new Set();
  let language = document.documentElement.lang || navigator.language || "";
  let offer = null; // What the server said about this page.
  let parts = null; // The elements, once shown.
  let isOpen = false;
  let wantsOpen = false;
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
    happened.add(name);
    (listeners.get(name) || []).forEach((listener) => safely(listener, detail));
  }

  const commands = {
    open: () => setOpen(true),
    minimize: () => setOpen(false),
    on(name, listener) {
      if (typeof listener !== "function") return;
      listeners.set(name, [...(listeners.get(name) || []), listener]);
      if (STICKY.includes(name) && happened.has(name)) queueMicrotask(() => safely(listener));
      return () => {
        listeners.set(name, (listeners.get(name) || []).filter((one) => one !== listener));
      };
    },
    locale(wanted) {
      if (typeof wanted !== "string" || wanted === language) return;
      language = wanted;
      if (offer) ask();
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

  async function ask() {
    const page = location.href.split("#")[0].slice(0, 2000);
    const query = new URLSearchParams({ url: page, lang: language });
    try {
      const address = `${origin}/messenger/${encodeURIComponent(key)}/engagement/?${query}`;
      const response = await fetch(address, { credentials: "omit" });
      if (!response.ok) throw new Error(String(response.status));
      offer = await response.json();
    } catch {
      console.error(
        `Causerie: no Messenger here. Either "${key}" is not the key of a website, or ` +
          `"${location.host}" is not one of its domains, or ${origin} cannot be reached.`,
      );
      return;
    }
    safely(show);
  }

  function show() {
    tell("ready");
    const stays = read(flag) !== null;
    if (!offer.engage && !stays) return;
    if (!parts) build();
    paint();
    if (stays || parts.frame) loadFrame();
    if (!happened.has("displayed")) tell("displayed");
    if (wantsOpen) setOpen(true);
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
    const box = make("div", {}, button, panel);
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
    parts = { host, box, badge, button, panel, frame: null, isLoaded: false };
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
      post("hello", { kept });
      if (isOpen) post("open");
    });
    parts.frame = frame;
    parts.panel.append(frame);
  }

  /* Until it has loaded, the iframe is a blank page of another origin. */
  function post(type, detail) {
    if (!parts || !parts.isLoaded || !parts.frame.contentWindow) return;
    const message = { causerie: 1, type, page: location.href, ...detail };
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
    tell(open ? "opened" : "minimized");
  }

  function leave() {
    parts.host.remove();
    parts = null;
    isOpen = wantsOpen = false;
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
      // The conversation ended before this page, and this page does not engage (C12).
      if (!data.stay && !hasReported && !offer.engage && !isOpen) leave();
      hasReported = true;
    },
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
  if (document.body) ask();
  else addEventListener("DOMContentLoaded", ask, { once: true });
})();
