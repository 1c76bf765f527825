// Requests run in parallel, except those that may change this browser's identity: a request under
// way with the token that ends there would be refused. Where an identity ends for good, what its
// visitor had asked is dropped: it is aborted, or never sent.

export class Turns {
  constructor() {
    this.underWay = new Set();
    this.alone = Promise.resolve();
    this.stoppers = new Set();
  }

  /** Return the answer of `ask(signal)`, asked after any exclusive request. */
  beside(ask) {
    const answer = this.alone.then(this.#unlessDropped(ask));
    const ended = answer
      .catch(() => {}) // Its own caller gets the error.
      .then(() => this.underWay.delete(ended));
    this.underWay.add(ended);
    return answer;
  }

  /** Let exclusive requests wait for `ended`, too, which never fails. */
  hold(ended) {
    const held = ended.then(() => this.underWay.delete(held));
    this.underWay.add(held);
  }

  /** Return the answer of `ask(signal)`, asked once nothing else is under way. */
  goAlone(ask) {
    const answer = this.alone.then(() => Promise.all(this.underWay)).then(this.#unlessDropped(ask));
    this.alone = answer.catch(() => {});
    return answer;
  }

  /** Abort what is under way, and never send what waits; their callers get an error. */
  drop() {
    this.stoppers.forEach((stopper) => stopper.abort());
    this.stoppers.clear();
  }

  #unlessDropped(ask) {
    const stopper = new AbortController(); // One each: a signal keeps what listens to it.
    const { signal } = stopper;
    this.stoppers.add(stopper);
    return async () => {
      if (signal.aborted) throw signal.reason;
      try {
        return await ask(signal);
      } finally {
        this.stoppers.delete(stopper);
      }
    };
  }
}
