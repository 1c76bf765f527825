/* Causerie: puts the Messenger on a brand's page. Nothing here throws into that page, nothing is
   stored before the visitor acts, and no style leaks either way (shadow root and iframe). */
(() => {
  "use strict";

  const script = document.currentScript || document.querySelector("script[data-website]");
  if (!script || (window.Causerie?.isLoaded)) return;
  const origin = new URL(script.src, location.href).origin;
  const key = script.dataset.website || "";
  const base = `${origin}/messenger/${encodeURIComponent(key)}/`;
  const flag = `causerie:${key}`;
  const STICKY = ["ready", "displayed"]; // Late listeners get these events, too.
  const LENT = ["token", "unsent", "dismissed", "visitor", "logout"]; // Of the iframe.
  const OPEN = ":open"; // The tab's flag that the Messenger is open.
  const VISIT_MS = 30 * 60_000; // After this pause a visitor counts as returning.
  const STYLE = "%STYLE%";

  const listeners = { __proto__: null }; // By name; the page chooses the names.
  const happened = { __proto__: null };
  const data = { __proto__: null }; // What the page reports about its visitor, by name.
  const device = !matchMedia("(pointer: coarse)").matches
    ? "desktop"
    : Math.min(screen.width, screen.height) < 600
      ? "phone"
      : "tablet";
  let language = document.documentElement.lang || navigator.language || "";
  let page = ""; // The URL for which we asked.
  let since = 0; // When it was opened.
  let asks = 0;
  let timer;
  let view; // What we reported about this page,
  let offer; // and the server's answer.
  let parts; // The elements, once shown.
  let shown = ""; // What was announced as "displayed".
  let hushed = ""; // The proactive text that was dismissed.
  let isOpen = false;
  let isBack = false; // It was open on the page before.
  /* A link in an e-mail names its conversation after the #, where it must not stay. */
  let link = /[#&]causerie=([\w.:-]+)/.exec(location.hash)?.[1] || "";
  if (link) safely(() => history.replaceState(history.state, "", location.pathname + location.search));
  let wantsOpen = link !== "";
  let unread = 0;
  let identity = ""; // The signed token of the page's customer.

  /* messenger/bundle.py inserts the parts from embed/ here. */
  "%PARTS%";
})();
