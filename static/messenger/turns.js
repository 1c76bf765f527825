// Requests go beside each other, but what may change who this browser is goes alone: a question under
// way by the token that ends there would be refused.

export class Turns {
  constructor() {
    this.underWay = new Set();
    this.alone = Promise.resolve();
  }

  /** The answer of `ask()`, asked after whatever goes alone. */
  beside(ask) {
    const answer = this.alone.then(ask);
    const ended = answer
      .catch(() => {}) // Its own caller hears of it.
      .then(() => this.underWay.delete(ended));
    this.underWay.add(ended);
    return answer;
  }

  /** The answer of `ask()`, asked once nothing else is under way. */
  goAlone(ask) {
    const answer = this.alone.then(() => Promise.all(this.underWay)).then(ask);
    this.alone = answer.catch(() => {});
    return answer;
  }
}
