// The messages of one conversation, by the client rules of docs/protocol.md: nothing lost, nothing
// doubled, in order, whatever the connection does. It knows no DOM; each face shows it in its own
// way.

const SYNC_MS = 25_000;
const REQUEST_MS = 15_000;
const LONGEST_WAIT_S = 15;
const READ_DEBOUNCE_MS = 300;
const NO_STORE = { load: () => [], save: () => {} };

/** Return a random UUID, also on pages served without TLS, where crypto.randomUUID is missing. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export class Thread {
  /**
   * messagesUrl, readUrl  where messages are fetched and posted, and reading is reported
   * headers()             headers of each request (token, CSRF)
   * inTurn(ask)           runs `ask(signal)` when its turn has come, with an AbortSignal or none;
   *                       returns its answer
   * me                    "visitor" or "agent"
   * onChange(thread)      messages, pending, otherRead, unread or isCut changed
   * onState(payload)      the answer of each fetch
   * onRejected(body, sentence, code, attachment)  a refused message goes back to its author
   * onRefused(code, sentence)         fetching was refused (4xx)
   * store                 {load() -> pending, save(pending)}: stores unsent texts across reloads
   */
  constructor({
    messagesUrl,
    readUrl,
    headers = () => ({}),
    inTurn = (ask) => ask(),
    me,
    onChange = () => {},
    onState = () => {},
    onRejected = () => {},
    onRefused = () => {},
    store = NO_STORE,
  }) {
    Object.assign(this, { messagesUrl, readUrl, headers, inTurn, me, store });
    Object.assign(this, { onChange, onState, onRejected, onRefused });
    this.messages = [];
    this.translations = new Map(); // by seq: {seq, language, text, state}
    this.pending = store.load().map(({ id, body, attachment }) => ({ id, body, attachment, state: "waiting" }));
    this.lastSeq = 0;
    this.otherRead = 0;
    this.myRead = 0;
    this.isCut = false;
    this.ahead = new Map();
    this.stopper = new AbortController();
    this.timer = setInterval(() => this.#isVisible() && this.sync(), SYNC_MS);
    const { signal } = this.stopper;
    addEventListener("online", () => this.#lineIsBack(), { signal });
    document.addEventListener("visibilitychange", () => this.#isVisible() && this.#lineIsBack(), {
      signal,
    });
    // Not before a subclass is initialized.
    if (this.pending.length) queueMicrotask(() => this.#pump());
  }

  /** How many messages of others are unread here. */
  get unread() {
    return this.messages.filter(
      (message) => message.seq > this.myRead && !["system", this.me].includes(message.author),
    ).length;
  }

  /** Queue a text, or an uploaded attachment; it is shown as pending until the stored message
  arrives. *  With an `id` of its own it is sent once, however often this is called. */
  send(body, attachment = null, id = newId()) {
    if ([...this.pending, ...this.messages].some((one) => one.id === id)) return id;
    const item = { id, body, attachment, state: this.pending.length ? "waiting" : "sending" };
    this.pending.push(item);
    this.#keep();
    this.onChange(this);
    this.#pump();
    return item.id;
  }

  /** Take a message from the socket or from a response. */
  receive(message) {
    this.#take(message);
    if (this.ahead.size) this.sync();
    this.onChange(this);
  }

  /** Take a translation from the socket. */
  receiveTranslation(translation) {
    this.translations.set(translation.seq, translation);
    this.onChange(this);
  }

  /** Neither show nor fetch messages up to `seq`. */
  skipTo(seq) {
    this.lastSeq = Math.max(this.lastSeq, seq);
  }

  receiveRead({ by, seq }) {
    if (by === this.me) this.myRead = Math.max(this.myRead, seq);
    else this.otherRead = Math.max(this.otherRead, seq);
    this.onChange(this);
  }

  /** Fetch what is missing. Overlapping calls become one more fetch after the present one. */
  sync() {
    if (!this.messagesUrl || this.#isStopped()) return Promise.resolve();
    if (this.syncing) {
      this.syncAgain = true;
      return this.syncing;
    }
    this.syncing = this.#fetchMissing().finally(() => {
      this.syncing = null;
      if (!this.syncAgain) return;
      this.syncAgain = false;
      this.sync();
    });
    return this.syncing;
  }

  /** Report that everything so far was seen. */
  markRead() {
    this.seenSeq = this.lastSeq; // Messages before the report goes out may come unseen.
    if (this.reading || !this.unread) return;
    this.reading = setTimeout(async () => {
      this.reading = null;
      const seq = this.seenSeq;
      if (this.#isStopped() || !this.readUrl || !this.unread) return;
      const before = this.myRead;
      this.receiveRead({ by: this.me, seq });
      try {
        const response = await this.request(this.readUrl, { seq });
        if (!response.ok) throw new Error(response.status);
      } catch {
        this.myRead = before; // Reported again with the next call.
      }
    }, READ_DEBOUNCE_MS);
  }

  /** The conversation is closed: stop polling. */
  rest() {
    clearInterval(this.timer);
  }

  stop() {
    this.stopper.abort();
    clearInterval(this.timer);
    clearTimeout(this.reading);
    this.wakePump?.();
  }

  /** POST `data` as JSON, or GET without it. */
  request(url, data) {
    return this.inTurn((signal) => this.#request(url, data, signal));
  }

  #request(url, data, signal) {
    const options = { headers: { Accept: "application/json", ...this.headers() } };
    if (data !== undefined) {
      options.method = "POST";
      options.headers["Content-Type"] = "application/json";
      options.body = JSON.stringify(data);
    }
    const cut = new AbortController();
    const timer = setTimeout(() => cut.abort(), REQUEST_MS);
    signal?.addEventListener("abort", () => cut.abort());
    return fetch(url, { ...options, signal: cut.signal }).finally(() => clearTimeout(timer));
  }

  /** Post one message; a subclass may start a conversation with the first one instead. */
  post({ id, body, attachment }) {
    return this.request(this.messagesUrl, { client_id: id, body, ...(attachment && { attachment: attachment.id }) });
  }

  #isStopped() {
    return this.stopper.signal.aborted;
  }

  #isVisible() {
    return document.visibilityState === "visible";
  }

  #lineIsBack() {
    this.wakePump?.();
    this.sync();
  }

  #keep() {
    this.store.save(this.pending.map(({ id, body, attachment }) => ({ id, body, attachment })));
  }

  /** Put a message in its place; one beyond a gap waits for the fetch. */
  #take(message) {
    if (message.seq > this.lastSeq) this.ahead.set(message.seq, message);
    let next;
    while ((next = this.ahead.get(this.lastSeq + 1))) {
      this.ahead.delete(next.seq);
      this.messages.push(next);
      this.lastSeq = next.seq;
      if (next.author === this.me) this.myRead = Math.max(this.myRead, next.seq);
      this.#forget(next.id);
    }
  }

  #forget(id) {
    const left = this.pending.filter((item) => item.id !== id);
    if (left.length === this.pending.length) return;
    this.pending = left;
    this.#keep();
  }

  async #fetchMissing() {
    let payload;
    do {
      const from = this.lastSeq;
      try {
        const response = await this.request(`${this.messagesUrl}?after_seq=${from}`);
        payload = await response.json();
        if (this.#isStopped()) return;
        if (response.status >= 500) throw new Error(response.status);
        if (!response.ok) {
          this.onRefused(payload.error?.code, payload.error?.message);
          return;
        }
      } catch {
        this.#setCut(true);
        return;
      }
      payload.messages.forEach((message) => this.#take(message));
      payload.translations?.forEach((one) => this.translations.set(one.seq, one));
      if (payload.more && this.lastSeq === from) break; // Never loop on a strange answer.
    } while (payload.more);
    this.#readFrom(payload);
    this.#setCut(false);
    this.onState(payload);
    this.onChange(this);
  }

  #readFrom({ conversation, read_by_visitor: byVisitor, read_by_me: byMe }) {
    const other = conversation?.read_by_agent ?? byVisitor ?? 0;
    const mine = conversation?.read_by_me ?? byMe ?? 0;
    this.otherRead = Math.max(this.otherRead, other);
    this.myRead = Math.max(this.myRead, mine);
  }

  #setCut(isCut) {
    if (this.isCut === isCut) return;
    this.isCut = isCut;
    this.onChange(this);
  }

  /** Send what is pending, one message at a time, in order, until nothing is left. */
  async #pump() {
    if (this.pumping) return;
    this.pumping = true;
    let failures = 0;
    for (;;) {
      const item = this.pending.find(({ isStored }) => !isStored);
      if (!item || this.#isStopped()) break;
      item.state = "sending";
      this.onChange(this);
      const retryAfter = await this.#attempt(item);
      if (retryAfter === null) {
        failures = 0;
        continue;
      }
      this.pending.forEach((other) => (other.state = "waiting"));
      this.#setCut(true);
      this.onChange(this);
      await this.#pause(Math.min(LONGEST_WAIT_S, Math.max(retryAfter, 2 ** failures)));
      failures += 1;
    }
    this.pumping = false;
  }

  /** Make one POST. Return `null` when it is settled, otherwise the seconds to wait. */
  async #attempt(item) {
    let response, answer;
    try {
      response = await this.post(item);
      answer = await response.json().catch(() => null);
    } catch {
      return 0;
    }
    // A success without a message comes from something in between (a hotel's login page).
    if (response.status >= 500 || response.status === 429 || (response.ok && !answer?.message)) {
      return Number(response.headers.get("Retry-After")) || 0;
    }
    this.#setCut(false);
    if (response.ok) {
      item.isStored = true;
      this.receive(answer.message);
    } else {
      this.#forget(item.id);
      this.onRejected(item.body, answer?.error?.message ?? "", answer?.error?.code ?? "invalid", item.attachment);
      this.onChange(this);
    }
    return null;
  }

  #pause(seconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      this.wakePump = () => {
        clearTimeout(timer);
        resolve();
      };
    }).finally(() => (this.wakePump = null));
  }
}
