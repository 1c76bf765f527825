// Communication with the brand's page around the iframe. `frame-ancestors` lets only the website's
// domains embed us; the first of them to say hello from our parent window is our page.

import { cut } from "../shared/text.js";

const PAGE_LIMIT = 2000;
const HELLO_MS = 5000;

export class Host {
  /** handlers: open(isBack): opened, or open again as on the page before; minimize();
  offer(answer): *  the engagement that the page got; page(): the visitor may be on another page;
  link(word): the *  visitor came by a link in an e-mail; identify(token): the customer's identity;
  logout(); mirror(data): a message of the recorder in the page */
  constructor(handlers) {
    this.isAlone = window.parent === window;
    this.origin = null;
    this.page = this.isAlone ? location.href : "";
    this.title = this.referrer = "";
    this.untold = [];
    this.view = null; // The page's last report on itself,
    this.viewedAt = 0; // and its time.
    /** What the page stores for us, once it has said hello. */
    this.kept = new Promise((resolve) => (this.resolveKept = resolve));
    /** Resolved once the page could have named its customer; one that never does delays nobody. */
    this.heard = Promise.race([this.isAlone || this.kept, new Promise((resolve) => setTimeout(resolve, HELLO_MS))]);
    addEventListener("message", ({ source, origin, data }) => {
      if (this.isAlone || source !== window.parent || origin === "null") return;
      if (typeof data !== "object" || data === null || data.causerie !== 1) return;
      if (data.type === "hello") this.#meet(origin, data.kept);
      if (origin !== this.origin) return;
      if (typeof data.page === "string") this.page = data.page.slice(0, PAGE_LIMIT);
      if (typeof data.title === "string") this.title = cut(data.title, 200);
      if (typeof data.referrer === "string") this.referrer = data.referrer.slice(0, PAGE_LIMIT);
      if (isRecord(data.view)) {
        this.view = data.view;
        this.viewedAt = performance.now();
      }
      if (data.page) handlers.page();
      if (isRecord(data.offer)) handlers.offer(data.offer);
      if (data.type === "hello" && data.link && typeof data.link === "string") handlers.link(data.link);
      if (data.type === "logout" || data.kept?.logout) this.#leave(handlers);
      if (data.identity && typeof data.identity === "string") handlers.identify(data.identity);
      if (data.type === "open") handlers.open(data.isBack === true);
      if (data.type === "minimize") handlers.minimize();
      if (String(data.type).startsWith("mirror:")) handlers.mirror(data);
    });
    // To any page: `frame-ancestors` has let it embed us, and the message contains nothing else.
    if (!this.isAlone) window.parent.postMessage({ causerie: 1, type: "here" }, "*");
  }

  /** Send the page a message; messages before its hello wait. */
  tell(type, detail = {}) {
    if (this.isAlone) return;
    if (this.origin === null) this.untold.push([type, detail]);
    else window.parent.postMessage({ causerie: 1, type, ...detail }, this.origin);
  }

  /** Return the page's view for the server: as its script reported it, with the time since. */
  about(language) {
    const since = Math.floor((performance.now() - this.viewedAt) / 1000);
    if (this.view) return { ...this.view, seconds: (Number(this.view.seconds) || 0) + since };
    return { url: this.page, language, seconds: since };
  }

  event(name, detail = {}) {
    this.tell("event", { name, detail });
  }

  #leave(handlers) {
    this.tell("keep", { name: "logout", value: null });
    handlers.logout();
  }

  #meet(origin, kept) {
    if (this.origin !== null) return;
    this.origin = origin;
    this.resolveKept(typeof kept === "object" && kept !== null ? kept : {});
    this.untold.splice(0).forEach(([type, detail]) => this.tell(type, detail));
  }
}

const isRecord = (value) => typeof value === "object" && value !== null;
