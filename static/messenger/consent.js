// Consent, asked before the first message (R26, R27).

import { byId, linked } from "./elements.js";

export class Consent {
  /** session, config; mayDecline: whether there is a page to go back to;
   *  onGiven({token, visitor}) */
  constructor({ session, config, mayDecline, onGiven }) {
    Object.assign(this, { session, config, onGiven });
    this.card = byId("consent");
    byId("accept").addEventListener("click", ({ target }) => this.#give(target));
    byId("decline").hidden = !mayDecline;
  }

  show() {
    const { config, session, card } = this;
    const isAsked = !session.isKnown;
    if (isAsked && card.hidden) {
      const text = linked(config.texts.consent, config.strings.link_opens);
      byId("consent-text").replaceChildren(...text);
    }
    card.hidden = !isAsked;
  }

  async #give(button) {
    button.disabled = true;
    this.#complain("");
    try {
      const { language, consent } = this.config;
      const { ok, data } = await this.session.ask("visitors/", { language, consent });
      if (ok) this.onGiven(data);
      else this.#complain(data.error?.message ?? this.config.strings.failed);
    } catch {
      this.#complain(this.config.strings.failed);
    }
    button.disabled = false;
  }

  #complain(sentence) {
    const problem = byId("consent-problem");
    problem.textContent = sentence;
    problem.hidden = !sentence;
  }
}
