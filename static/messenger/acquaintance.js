// This browser's identity for the server, and the state that the server returns: fetched when the
// page loads, when another tab did something, and by a link in an e-mail; forgotten when the server
// says so.

const LONGEST_WAIT_MS = 15_000;
const ELSEWHERE_MS = 300;

export class Acquaintance {
  constructor(messenger) {
    this.messenger = messenger;
    this.session = messenger.session;
    this.past = []; // Closed conversations.
    this.open = []; // Open ones: several if two browsers turned out to be one person's.
    this.visitorId = null;
    this.shownToken = null; // The token whose conversation is shown: another tab may have a newer one.
    this.loading = null; // The last request for our state, while it is under way.
    this.isUnreachable = false;
  }

  /** Ask the server for our state, until it answers. */
  async load() {
    this.shownToken = this.session.token;
    for (let failures = 0; ; failures += 1) {
      try {
        const { ok, status, data } = await this.session.ask("state/");
        if (status === 401) return await this.forgetToken();
        if (ok) return this.loaded(data);
      } catch {
        this.isUnreachable = true;
        this.messenger.render();
      }
      const wait = Math.min(LONGEST_WAIT_MS, 1000 * 2 ** failures);
      await new Promise((resolve) => {
        setTimeout(resolve, wait);
        addEventListener("online", resolve, { once: true });
      });
    }
  }

  /** Another tab consented, started, answered or left: bring this one to the same state. */
  async catchUp() {
    if (this.session.guest) return;
    await this.loading;
    if (!this.session.token) {
      if (this.shownToken) this.forgetToken();
      this.shownToken = null;
      return;
    }
    const { talk } = this.messenger;
    if (talk.isOver) talk.thread.sync(); // Its survey may have been answered there.
    this.loading = this.load();
  }

  loaded({ conversation, others, history, visitor, guest, email, privacy }) {
    this.isUnreachable = false;
    if (guest && !conversation) return this.leaveLink(); // Hidden since the e-mail.
    if (privacy) this.#showSince(privacy.hidden_at);
    this.messenger.privacy.receive(privacy);
    this.messenger.consent.standing = privacy?.consent ?? null;
    if (!guest) this.visitorId = visitor.id;
    this.messenger.email.receive(email);
    this.past = history;
    this.open = [conversation, ...(others ?? [])].filter(Boolean);
    // A survey that was not answered is offered again at the next visit (C42).
    const last = history.find(({ survey, id }) => survey && !this.session.dismissed.includes(id));
    const present = this.#chosen() ?? (last === history[0] ? last : null);
    // A text that waited for the connection may have started it while we asked.
    if (present) this.messenger.talk.take(present);
    this.messenger.talk.listen();
    this.messenger.render();
  }

  /** Of the open conversations: the one shown, or shown on the page before; otherwise the first. */
  #chosen() {
    const known = [this.messenger.conversation?.id, this.session.load("talk")];
    const match = known.map((id) => this.open.find((one) => one.id === id)).find(Boolean);
    return match ?? this.open[0];
  }

  /** The open conversations besides the one that is shown. */
  get others() {
    const shown = this.messenger.conversation?.id;
    return this.open.filter(({ id }) => id !== shown);
  }

  /** Show another open conversation from now on, on the next pages of this tab too. */
  turnTo(conversation) {
    this.session.save("talk", conversation.id);
    this.messenger.reset({ keepsSocket: true });
    this.messenger.talk.take(conversation);
    this.messenger.talk.listen();
    this.messenger.tellStay();
    this.messenger.render();
    this.messenger.scroll.toEnd();
    this.refreshHistory();
  }

  /** Something happened in a conversation that is not shown. */
  elsewhere() {
    clearTimeout(this.askedLater);
    this.askedLater = setTimeout(() => this.refreshHistory(), ELSEWHERE_MS);
  }

  /** Remove at once what is shown of a history that is hidden, or was until now. */
  #showSince(hiddenAt) {
    const before = this.hiddenAt;
    this.hiddenAt = hiddenAt;
    if (before !== undefined && before !== hiddenAt) this.#forgetShown();
  }

  #forgetShown() {
    this.messenger.history.forget();
    this.messenger.reset({ keepsSocket: true });
  }

  /** The history was hidden or shown again, here or elsewhere; `since` if it is known. */
  async hidden(since) {
    await this.loading;
    if (since !== undefined && since === this.hiddenAt) return;
    if (since) this.#forgetShown();
    await this.loadAgain();
  }

  /** Something of this person changed elsewhere. */
  async loadAgain() {
    await this.loading;
    this.loading = this.load();
    await this.loading;
  }

  async refreshHistory() {
    try {
      const { ok, data } = await this.session.ask("state/");
      if (!ok) return;
      this.past = data.history;
      this.open = [data.conversation, ...data.others].filter(Boolean);
      this.messenger.render();
    } catch {
      this.past = []; // The next visit asks again.
    }
  }

  /** Follow an e-mail's link to its conversation or survey, whatever this browser knows (C11). */
  async follow(word) {
    await this.loading;
    const { composer, strings, talk } = this.messenger;
    let answer;
    try {
      answer = await this.session.ask("state/", undefined, word);
    } catch {
      composer.complain(strings.failed);
      return;
    }
    if (!answer.ok) {
      if (!this.messenger.conversation) composer.hint(strings.link_over);
      return;
    }
    const { visitor, conversation } = answer.data;
    if (!conversation) return; // Hidden by its visitor since the e-mail.
    const isMine = this.visitorId === visitor.id;
    this.session.guest = isMine ? null : word;
    this.session.undismiss(conversation.id);
    if (this.messenger.conversation?.id !== conversation.id) this.messenger.reset();
    if (isMine) talk.take(conversation);
    else this.loaded(answer.data);
    this.messenger.render();
    this.messenger.tellStay();
    this.messenger.scroll.toEnd();
  }

  async borrow() {
    const lend = (name, value) => this.messenger.host.tell("keep", { name, value });
    this.session.borrow(await this.messenger.host.kept, lend);
    this.messenger.talk.reset(); // With what was not sent on the page before.
    this.messenger.render();
  }

  /** This browser's identity has changed, perhaps as another tab reported. */
  renew() {
    this.messenger.reset();
    this.messenger.history.forget();
    this.loading = this.load();
    this.messenger.pages.tell();
    return this.loading;
  }

  /** The customer has logged out of the brand's site: forget everything of theirs here. */
  async logout() {
    this.messenger.identity.forget(); // Before anybody logs in again.
    await this.loading;
    if (!this.messenger.privacy.isIdentified || this.session.guest) return;
    const leaving = this.session.leave();
    this.forgetToken({ isLeaving: true }); // At once: no more requests with the token that ends.
    await leaving.catch(() => {}); // Without a connection the token lives on, but nobody has it.
    this.messenger.tabs.tell();
  }

  /** The server does not know us any more: start again, with consent. Unsent text stays, unless its
   *  author `isLeaving`: the next visitor at this screen may be somebody else. */
  forgetToken({ isLeaving = false } = {}) {
    // Another tab was identified meanwhile, and has a newer token for all tabs.
    const { token, guest } = this.session;
    if (!guest && token && token !== this.shownToken) return this.renew();
    const { composer, thread } = this.messenger;
    if (isLeaving) composer.clear();
    else composer.restore(thread.pending.map(({ body }) => body).filter(Boolean).join("\n"));
    this.session.unsent.forget();
    this.past = [];
    this.open = [];
    this.messenger.history.forget();
    this.messenger.email.receive(null);
    this.messenger.privacy.receive(null);
    this.messenger.consent.standing = null;
    if (this.session.guest) {
      this.leaveLink();
      return;
    }
    this.session.token = null;
    this.messenger.reset();
  }

  /** Go back from an e-mail's conversation to this browser's own state. */
  leaveLink() {
    this.session.guest = null;
    this.messenger.reset();
    if (this.session.token) this.load();
  }
}
