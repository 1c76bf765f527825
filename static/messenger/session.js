// This browser's identity for the server, and what it stores between two pages.

import { Turns } from "./turns.js";

const REQUEST_MS = 15_000;
const SOCKET_MS = 5_000;
const TICKET_MS = 30_000; // Half of what the server grants: its clock began before ours.
// A draft, an e-mail's link and the chosen conversation are the tab's; all else is the browser's.
const OF_THE_TAB = ["draft", "guest", "talk", "call"];

/** Replaces storage where there is none. */
class Memory extends Map {
  getItem = (key) => this.get(key) ?? null;
  setItem = (key, value) => this.set(key, value);
  removeItem = (key) => this.delete(key);
}

export class Session {
  constructor({ base, website, language, rehearsal }) {
    this.isRehearsal = Boolean(rehearsal); // The builder's preview: nothing is stored.
    this.base = base;
    this.language = language;
    this.prefix = `causerie:${website}:`;
    this.memory = new Memory();
    this.turns = new Turns();
    this.isForbidden = isForbidden();
    this.lend = () => {};
  }

  /** If we may not store anything, the brand's page does it for us: `kept` is what it has, and
   *  `lend(name, value)` gives it more. */
  borrow(kept, lend) {
    for (const [name, value] of Object.entries(kept)) {
      if (typeof value === "string") this.memory.setItem(this.prefix + name, value);
    }
    this.lend = lend;
  }

  load(name) {
    return this.#keep(name, (storage, key) => storage.getItem(key));
  }

  /** `null` deletes. */
  save(name, value) {
    this.#keep(name, (storage, key) =>
      value === null ? storage.removeItem(key) : storage.setItem(key, value),
    );
    if (this.isForbidden) this.lend(name, value);
  }

  /** Storage may be forbidden in an iframe: some browsers refuse all third parties. */
  #keep(name, action) {
    if (this.isRehearsal) return action(this.memory, this.prefix + name);
    try {
      return action(OF_THE_TAB.includes(name) ? sessionStorage : localStorage, this.prefix + name);
    } catch {
      return action(this.memory, this.prefix + name);
    }
  }

  get token() {
    return this.load("token");
  }

  set token(token) {
    this.save("token", token);
  }

  /** Become a new visitor. The `ticket` that comes with the token opens their first socket. */
  begin(token, ticket) {
    this.token = token;
    this.first = ticket && { ticket, token, until: performance.now() + TICKET_MS };
  }

  /** The word of an e-mail's link: while it is set, this tab shows only that conversation (C11). */
  get guest() {
    return this.load("guest");
  }

  set guest(word) {
    this.save("guest", word);
  }

  get isKnown() {
    return Boolean(this.guest ?? this.token);
  }

  /** The text being written. Before consent nothing is stored. */
  get draft() {
    return (this.isKnown && this.load("draft")) || "";
  }

  set draft(text) {
    if (this.isKnown) this.save("draft", text || null);
  }

  /** Messages that the server has not accepted yet. */
  get unsent() {
    // Other tabs use the same entry: leave theirs alone.
    const mine = new Set();
    const know = (items) => items.forEach(({ id }) => mine.add(id));
    const stored = () => readList(this.load("unsent"));
    return {
      // Not with a link: unsent texts of this browser's visitor belong to another conversation.
      load: () => {
        const items = this.token && !this.guest ? stored() : [];
        know(items);
        return items;
      },
      save: (items) => {
        if (this.guest) return;
        know(items);
        const all = [...stored().filter(({ id }) => !mine.has(id)), ...items];
        this.save("unsent", all.length ? JSON.stringify(all) : null);
      },
      forget: () => this.save("unsent", null),
    };
  }

  /** Emoji used lately; not stored before consent. */
  get emoji() {
    return {
      load: () => readList(this.load("emoji")),
      save: (chars) => this.isKnown && this.save("emoji", JSON.stringify(chars)),
    };
  }

  get dismissed() {
    return readList(this.load("dismissed"));
  }

  dismiss(conversationId) {
    this.save("dismissed", JSON.stringify([...this.dismissed, conversationId].slice(-20)));
  }

  undismiss(conversationId) {
    const remaining = this.dismissed.filter((id) => id !== conversationId);
    if (remaining.length < this.dismissed.length) this.save("dismissed", JSON.stringify(remaining));
  }

  headers = () => {
    const headers = { "Accept-Language": this.language };
    if (this.isKnown) headers.Authorization = `Bearer ${this.guest ?? this.token}`;
    return headers;
  };

  url(path) {
    return new URL(this.base + path, location.href).href;
  }

  /** Return the answer as `{ok, status, data}`; throw if the server could not be reached. With a
   *  `word`, ask as the bearer of that link. */
  ask(path, data, word) {
    return this.turns.beside((signal) => this.#ask(path, { data, word, signal }));
  }

  /** Send a proof of the customer's identity; the answer may contain a new token. */
  identify(proof) {
    return this.turns.goAlone(async (signal) => {
      const answer = await this.#ask("identity/", { data: proof, signal });
      if (answer.ok && answer.data.token) this.token = answer.data.token;
      return answer;
    });
  }

  /** End the present token, and drop what was asked with it. */
  leave() {
    const { token } = this;
    this.turns.drop();
    return this.turns.goAlone((signal) => this.#ask("logout/", { data: {}, word: token, signal }));
  }

  async #ask(path, { data, word, signal }) {
    const options = { headers: this.headers() };
    if (word) options.headers.Authorization = `Bearer ${word}`;
    if (data !== undefined) {
      options.method = "POST";
      options.headers["Content-Type"] = "application/json";
      options.body = JSON.stringify(data);
    }
    const cut = new AbortController();
    const timer = setTimeout(() => cut.abort(), REQUEST_MS);
    signal.addEventListener("abort", () => cut.abort());
    try {
      const response = await fetch(this.url(path), { ...options, signal: cut.signal });
      const answer = response.status === 204 ? {} : await response.json();
      return { ok: response.ok, status: response.status, data: answer };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Return the URL of one socket. Its ticket is good for the present token only: until the socket
   *  has `settled`, the identity stays as it is, for a few seconds at most. */
  async socketUrl(path, settled) {
    const { ok, data } = await this.turns.beside((signal) => {
      const timeout = new Promise((resolve) => setTimeout(resolve, SOCKET_MS));
      this.turns.hold(Promise.race([settled, timeout]));
      return this.#firstTicket() ?? this.#ask("ticket/", { data: {}, signal });
    });
    if (!ok) throw new Error(data.error?.code);
    const url = new URL(`/ws/messenger/${path}`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    url.searchParams.set("ticket", data.ticket);
    return url.href;
  }

  /** Return a new visitor's first ticket as an answer, once, if it is still good. */
  #firstTicket() {
    const { first } = this;
    this.first = null;
    const isGood = first && !this.guest && first.token === this.token;
    if (!isGood || performance.now() > first.until) return null;
    return { ok: true, data: { ticket: first.ticket } };
  }
}

function readList(text) {
  try {
    const list = JSON.parse(text ?? "[]");
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}

function isForbidden() {
  try {
    return !localStorage;
  } catch {
    return true;
  }
}
