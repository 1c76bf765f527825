// Which tab takes part in a call: it survives a reload, and a copy of the tab does not take its place.

export class Tab {
  /** store  {load(), save(value)}: of this tab, and survives a reload */
  constructor(store) {
    this.store = store;
    this.id = crypto.randomUUID();
    this.before = null; // What it remembered of its call before the page was loaded again.
    this.isKnown = this.#reclaim(); // A promise: from then on `id` stands.
  }

  remember(call) {
    this.store.save({ ...call, tab: this.id });
  }

  forget() {
    this.store.save(null);
  }

  async #reclaim() {
    const stored = this.store.load();
    if (stored && (await this.#claim(stored.tab))) this.before = stored;
    else await this.#claim(this.id);
  }

  #claim(tab) {
    if (!navigator.locks) return Boolean((this.id = tab));
    return new Promise((resolve) => {
      navigator.locks
        .request(`causerie.call.${tab}`, { ifAvailable: true }, (lock) => {
          if (lock) this.id = tab;
          resolve(Boolean(lock));
          return lock && new Promise(() => {}); // Held until the page is left.
        })
        .catch(() => resolve(Boolean((this.id = tab)))); // A frame that may store nothing.
    });
  }
}
