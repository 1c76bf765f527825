// Who this browser is for the server, and what it keeps between two pages.

const REQUEST_MS = 15_000;

/** What stands in for storage where there is none. */
class Memory extends Map {
  getItem = (key) => this.get(key) ?? null;
  setItem = (key, value) => this.set(key, value);
  removeItem = (key) => this.delete(key);
}

export class Session {
  constructor({ base, website, language }) {
    this.base = base;
    this.language = language;
    this.prefix = `causerie:${website}:`;
    this.memory = new Memory();
    this.isForbidden = isForbidden();
    this.lend = () => {};
  }

  /** Where we may store nothing, the brand's page keeps our things: `kept` is what it has, and
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

  /** `null` forgets. */
  save(name, value) {
    this.#keep(name, (storage, key) =>
      value === null ? storage.removeItem(key) : storage.setItem(key, value),
    );
    if (this.isForbidden) this.lend(name, value);
  }

  /** Storage may be forbidden in an iframe: some browsers refuse all third parties. */
  #keep(name, action) {
    try {
      // A draft belongs to its tab; everything else to the browser.
      return action(name === "draft" ? sessionStorage : localStorage, this.prefix + name);
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

  /** What is being written. Not kept before consent: nothing is, until then. */
  get draft() {
    return (this.token && this.load("draft")) || "";
  }

  set draft(text) {
    if (this.token) this.save("draft", text || null);
  }

  /** Texts that the server has not accepted yet. */
  get unsent() {
    return {
      load: () => (this.token ? readList(this.load("unsent")) : []),
      save: (items) => this.save("unsent", items.length ? JSON.stringify(items) : null),
    };
  }

  get dismissed() {
    return readList(this.load("dismissed"));
  }

  dismiss(conversationId) {
    this.save("dismissed", JSON.stringify([...this.dismissed, conversationId].slice(-20)));
  }

  headers = () => {
    const headers = { "Accept-Language": this.language };
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    return headers;
  };

  url(path) {
    return new URL(this.base + path, location.href).href;
  }

  /** The answer as `{ok, status, data}`; throws where the server could not be reached. */
  async ask(path, data) {
    const options = { headers: this.headers() };
    if (data !== undefined) {
      options.method = "POST";
      options.headers["Content-Type"] = "application/json";
      options.body = JSON.stringify(data);
    }
    const cut = new AbortController();
    const timer = setTimeout(() => cut.abort(), REQUEST_MS);
    try {
      const response = await fetch(this.url(path), { ...options, signal: cut.signal });
      const answer = response.status === 204 ? {} : await response.json();
      return { ok: response.ok, status: response.status, data: answer };
    } finally {
      clearTimeout(timer);
    }
  }

  /** The address of one socket. */
  async socketUrl() {
    const { ok, data } = await this.ask("ticket/", {});
    if (!ok) throw new Error(data.error?.code);
    const url = new URL("/ws/messenger/", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    url.searchParams.set("ticket", data.ticket);
    return url.href;
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
