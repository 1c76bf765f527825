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
  const STICKY = ["ready", "displayed"]; // Told also to whoever asks too late.
  const LENT = ["token", "unsent", "dismissed", "visitor", "logout"]; // Names under which the iframe may keep something.
  const OPEN = ":open"; // Under this name the tab keeps that it is open.
  const VISIT_MS = 30 * 60_000; // Who comes back after that returns.
  const STYLE = "%STYLE%";

  const listeners = { __proto__: null }; // By name; as all that the page names, of no other object's names.
  const happened = { __proto__: null };
  const data = { __proto__: null }; // What the page says of its visitor, by name.
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
  let view; // What we said of this page,
  let offer; // and what the server said to that.
  let parts; // The elements, once shown.
  let shown = ""; // What of them was told as "displayed".
  let hushed = ""; // The proactive text that was dismissed.
  let isOpen = false;
  let isBack = false; // It was open on the page before.
  /* A mail's link names its conversation behind the #, where it must not stay. */
  let link = /[#&]causerie=([\w.:-]+)/.exec(location.hash)?.[1] || "";
  if (link) safely(() => history.replaceState(history.state, "", location.pathname + location.search));
  let wantsOpen = link !== "";
  let unread = 0;
  let identity = ""; // Who the page's server says its customer is, signed.

  /* The parts, from embed/, are put in here by messenger/bundle.py. */
  "%PARTS%";
})();
