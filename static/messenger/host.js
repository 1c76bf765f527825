// Talking with the brand's page around the iframe. `frame-ancestors` lets only the website's
// domains embed us; the first of them to say hello from our parent window is the one we talk with.

const PAGE_LIMIT = 2000;

export class Host {
  /** handlers: open(), minimize() */
  constructor(handlers) {
    this.isAlone = window.parent === window;
    this.origin = null;
    this.page = this.isAlone ? location.href : "";
    this.untold = [];
    /** What the page keeps for us, once it has said hello. */
    this.kept = new Promise((resolve) => (this.resolveKept = resolve));
    addEventListener("message", ({ source, origin, data }) => {
      if (this.isAlone || source !== window.parent || origin === "null") return;
      if (typeof data !== "object" || data === null || data.causerie !== 1) return;
      if (data.type === "hello") this.#meet(origin, data.kept);
      if (origin !== this.origin) return;
      if (typeof data.page === "string") this.page = data.page.slice(0, PAGE_LIMIT);
      if (data.type === "open") handlers.open();
      if (data.type === "minimize") handlers.minimize();
    });
  }

  /** Tell the page something; what is told before it said hello waits. */
  tell(type, detail = {}) {
    if (this.isAlone) return;
    if (this.origin === null) this.untold.push([type, detail]);
    else window.parent.postMessage({ causerie: 1, type, ...detail }, this.origin);
  }

  event(name, detail = {}) {
    this.tell("event", { name, detail });
  }

  #meet(origin, kept) {
    if (this.origin !== null) return;
    this.origin = origin;
    this.resolveKept(typeof kept === "object" && kept !== null ? kept : {});
    this.untold.splice(0).forEach(([type, detail]) => this.tell(type, detail));
  }
}
