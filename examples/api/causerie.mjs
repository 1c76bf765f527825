// A client of Causerie's API: an example to start from (docs/api.md). For Node 18 and browsers.
//
//   const api = new Causerie("https://chat.example.com", "causerie_…");
//   for await (const conversation of api.pages("conversations", { status: "queued" })) {
//     console.log(conversation.number);
//   }
//   await api.send(1042, "Your parcel arrives tomorrow.");
//
// Requests that fail on the way are repeated, and nothing happens twice: each POST has an
// idempotency key. A refusal throws Refused, whose code is for programs and whose message is for
// people. Never give a token to a page that visitors load.

const LONGEST_WAIT = 60;

export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ?? `HTTP ${status}`);
    this.status = status;
    this.code = problem.code ?? "";
    this.fields = problem.fields ?? {};
    this.problem = problem;
  }
}

export class Causerie {
  // `root` is the address of the installation. A request is tried `tries` times.
  constructor(root, token, { tries = 4, timeout = 30 } = {}) {
    this.root = new URL("/api/v1/", root).href;
    this.token = token;
    this.tries = tries;
    this.timeout = timeout;
    this.sleep = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));
  }

  // --- What one does with any row

  async get(path, parameters) {
    return (await this.request("GET", path, { parameters })).body;
  }

  async post(path, body = {}) {
    return (await this.request("POST", path, { body })).body;
  }

  async delete(path) {
    await this.request("DELETE", path);
  }

  // All rows of a list, page by page.
  async *pages(path, parameters) {
    let page = await this.get(path, parameters);
    for (;;) {
      yield* page.results;
      if (!page.next) return;
      page = await this.get(page.next);
    }
  }

  // Changes a row by what `change` returns for it, anew if somebody was faster.
  async edit(path, change) {
    for (;;) {
      const { body: row, headers } = await this.request("GET", path);
      const match = { "If-Match": headers.get("ETag") };
      try {
        return (await this.request("PATCH", path, { body: await change(row), headers: match })).body;
      } catch (error) {
        if (error.code !== "changed") throw error;
      }
    }
  }

  // --- Conversations

  // Writes to the visitor; `choices`, `cards` and `attachment` are optional.
  async send(number, text, more = {}) {
    const body = { id: crypto.randomUUID(), body: text, ...more };
    return (await this.post(`conversations/${number}/messages`, body)).message;
  }

  // Uploads a file and returns its id, to be sent as the `attachment` of a message.
  async upload(number, name, content) {
    const file = crypto.randomUUID();
    const path = `conversations/${number}/files/${file}`;
    await this.request("PUT", path, { parameters: { name }, content });
    return file;
  }

  // What happens, for ever: the cursor to store and the entries up to there. Store the cursor
  // together with what you have done with the entries, and begin with it next time.
  async *follow(after = "now", { pause = 5 } = {}) {
    for (;;) {
      const page = await this.get("events", { after });
      if (page.next !== after) {
        after = page.next;
        yield { cursor: after, entries: page.results };
      }
      if (!page.has_more) await this.sleep(pause);
    }
  }

  // --- Requests

  // Returns the body and the headers of an answer; repeats what may be repeated.
  async request(method, path, { parameters, body, content, headers = {} } = {}) {
    const sent = { Authorization: `Bearer ${this.token}`, ...headers };
    if (method === "POST") sent["Idempotency-Key"] = crypto.randomUUID();
    if (body !== undefined) {
      content = JSON.stringify(body);
      sent["Content-Type"] = "application/json";
    } else if (content !== undefined) {
      sent["Content-Type"] = "application/octet-stream";
    }
    const address = this.#address(path, parameters);
    for (let attempt = 1; ; attempt += 1) {
      let wait = 2 ** attempt;
      try {
        const signal = AbortSignal.timeout(this.timeout * 1000);
        const options = { method, headers: sent, body: content, signal, redirect: "error" };
        const answer = await fetch(address, options);
        const text = await answer.text();
        if (answer.ok) return { body: text ? JSON.parse(text) : {}, headers: answer.headers };
        const problem = read(text);
        const mayRepeat = [429, 503].includes(answer.status) || problem.code === "in_progress";
        if (!mayRepeat || attempt >= this.tries) throw new Refused(answer.status, problem);
        wait = Number(answer.headers.get("Retry-After")) || wait;
      } catch (error) {
        if (error instanceof Refused || attempt >= this.tries) throw error;
      }
      await this.sleep(Math.min(wait, LONGEST_WAIT));
    }
  }

  #address(path, parameters = {}) {
    const isWhole = path.startsWith("http");
    const clean = path.replace(/^\/|\/$/g, "");
    const address = new URL(isWhole ? path : `${clean}/`, this.root);
    if (!address.href.startsWith(this.root)) {
      throw new Error("This address belongs to another server.");
    }
    for (const [name, value] of Object.entries(parameters)) address.searchParams.append(name, value);
    return address.href;
  }
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
