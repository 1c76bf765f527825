// The agent's question whether they may act on the visitor's page (R191): accepted, declined, and
// taken back at any moment by a click or Escape.

import { byId, element } from "./elements.js";

export class CobrowsingCard {
  /** host, labels; onAnswer(accepts): a promise of the server's answer; onStop(); onShow() */
  constructor({ host, labels, onAnswer, onStop, onShow }) {
    Object.assign(this, { host, labels, onAnswer, onStop, onShow });
    this.session = null;
    this.card = byId("cobrowsing");
    byId("cobrowsing-accept").addEventListener("click", () => this.#answer(true));
    byId("cobrowsing-decline").addEventListener("click", () => (this.session?.is_on ? this.onStop() : this.#answer(false)));
    addEventListener("keydown", (event) => event.key === "Escape" && this.session?.is_on && this.onStop(), true);
  }

  show(session) {
    const { labels } = this;
    const isNew = session && session.id !== this.session?.id;
    this.session = session;
    this.card.hidden = !session;
    if (!session) return;
    const title = (session.is_on ? labels.on : labels.asks).replace("{name}", session.name);
    byId("cobrowsing-title").textContent = title;
    byId("cobrowsing-list").replaceChildren(...session.allowed.map((one) => element("li", {}, labels.permissions[one])));
    byId("cobrowsing-accept").hidden = session.is_on;
    byId("cobrowsing-decline").textContent = session.is_on ? labels.stop : labels.decline;
    byId("cobrowsing-problem").hidden = true;
    if (isNew && !session.is_on) this.host.tell("nudge", { text: title });
    this.onShow(isNew);
  }

  async #answer(accepts) {
    const buttons = this.card.querySelectorAll("button");
    buttons.forEach((button) => (button.disabled = true));
    const { ok, status } = await this.onAnswer(accepts);
    buttons.forEach((button) => (button.disabled = false));
    if (status === 409) return this.show(null);
    byId("cobrowsing-problem").textContent = this.labels.failed;
    byId("cobrowsing-problem").hidden = ok;
  }
}
