// The identity of the brand's customer: a signed token, passed on to the server (C14).

export class Identity {
  /** session, host, language; onKnown(): the browser is identified now, with another token;
   *  onForeign(): it was somebody else's */
  constructor({ session, host, language, onKnown, onForeign }) {
    Object.assign(this, { session, host, language, onKnown, onForeign });
    this.lastToken = "";
    this.proof = null; // Of a customer not known yet: it is sent with their consent.
    this.refused = ""; // Sent while consent was withdrawn.
    this.turn = Promise.resolve();
  }

  /** The same token comes with every message of the page: send it once. */
  receive(token, loading) {
    if (token === this.lastToken || this.session.guest) return;
    this.lastToken = token;
    this.turn = this.turn.then(() => loading).then(() => this.#tell(token));
  }

  /** The proof of a customer not known yet, or null, once all that was sent is answered. */
  async proven() {
    await this.turn;
    return this.proof;
  }

  /** Consent was given again: send once more what was refused without it. */
  again() {
    const token = this.refused;
    this.refused = "";
    if (token) this.turn = this.turn.then(() => this.#tell(token));
  }

  forget() {
    this.lastToken = "";
    this.refused = "";
    this.proof = null;
  }

  async #tell(token) {
    if (token !== this.lastToken) return; // Logged out meanwhile, or somebody else logged in.
    try {
      const { ok, data } = await this.session.identify({ identity: token, language: this.language });
      if (!ok) {
        if (data.error?.code === "consent") this.refused = token;
        this.host.tell("warn", { text: `identify: ${data.error?.message}` });
        return;
      }
      this.proof = data.known ? null : token;
      if (!data.known && this.session.token) this.onForeign();
      if (data.token) this.onKnown();
    } catch {
      this.lastToken = ""; // Sent again with the page's next message.
    }
  }
}
