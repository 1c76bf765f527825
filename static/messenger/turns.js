// Requests run in parallel, except those that may change this browser's identity: a request under
// way with the token that ends there would be refused.

export class Turns {
  constructor() {
    this.underWay = new Set();
    this.alone = Promise.resolve();
  }

  /** Return the answer of `ask()`, asked after any exclusive request. */
  beside(ask) {
    const answer = this.alone.then(ask);
    const ended = answer
      .catch(() => {}) // Its own caller gets the error.
      .then(() => this.underWay.delete(ended));
    this.underWay.add(ended);
    return answer;
  }

  /** Return the answer of `ask()`, asked once nothing else is under way. */
  goAlone(ask) {
    const answer = this.alone.then(() => Promise.all(this.underWay)).then(ask);
    this.alone = answer.catch(() => {});
    return answer;
  }
}
