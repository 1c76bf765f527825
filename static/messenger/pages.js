// Reports the visitor's page to the server: only once they have consented, so that there is a
// visitor to report on (B13).

export class Pages {
  constructor({ session, host, language }) {
    Object.assign(this, { session, host, language });
    this.lastWord = null;
  }

  async tell() {
    const { session, host } = this;
    const { page: url, title, referrer } = host;
    if (host.isAlone || session.guest || !session.token || !url) return;
    const word = `${session.token} ${url}`; // A new identity has seen the page, too.
    if (word === this.lastWord) return;
    this.lastWord = word;
    const view = host.about(this.language);
    const answer = await session.ask("seen/", { url, title, referrer, view }).catch(() => null);
    // Nothing waits for it: report it again with the page's next message.
    if (!answer?.ok && this.lastWord === word) this.lastWord = null;
  }
}
