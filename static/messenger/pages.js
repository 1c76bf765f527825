// Which page of the site the visitor is on, told to the server: only once the visitor has agreed, so
// that there is somebody of whom to tell (B13).

export class Pages {
  constructor({ session, host, language }) {
    Object.assign(this, { session, host, language });
    this.told = null;
  }

  async tell() {
    const { session, host } = this;
    const { page: url, title, referrer } = host;
    if (host.isAlone || session.guest || !session.token || !url) return;
    const word = `${session.token} ${url}`; // Whoever is known from now on has seen it, too.
    if (word === this.told) return;
    this.told = word;
    const view = host.about(this.language);
    const answer = await session.ask("seen/", { url, title, referrer, view }).catch(() => null);
    // Nobody waits for it: told again with the next word of the page.
    if (!answer?.ok && this.told === word) this.told = null;
  }
}
