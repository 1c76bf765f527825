// Consent, requested before the first message, after its text has changed, and after a withdrawal
// (R26, R27).

import { byId, isWeb, link, linked } from "./elements.js";

export class Consent {
  /** session, config; mayDecline: whether there is a page to go back to; proof(): a promise of the
  *  token of a customer who is not identified yet, since the page and the server may be slower than
  *  the visitor's consent; onGiven({token, ticket, privacy}): a token for a new visitor */
  constructor({ session, config, mayDecline, proof, onGiven }) {
    Object.assign(this, { session, config, proof, onGiven });
    this.standing = null; // "given", "outdated" or "withdrawn", once the server has answered.
    this.card = byId("consent");
    byId("accept").addEventListener("click", ({ target }) => this.#give(target));
    byId("decline").hidden = !mayDecline;
  }

  get isAsked() {
    const { guest, isKnown } = this.session;
    return !isKnown || (!guest && ["outdated", "withdrawn"].includes(this.standing));
  }

  show() {
    const { config, card, isAsked } = this;
    const { strings } = config;
    const title = { outdated: strings.consent_outdated, withdrawn: strings.consent_withdrawn };
    byId("consent-title").textContent = title[this.standing] ?? strings.consent_title;
    if (isAsked && card.hidden) {
      const { consent, consent_link: address } = config.texts;
      const text = linked(consent, strings.link_opens);
      if (isWeb(address)) text.push(" ", link(address, strings.link_opens, strings.privacy_policy));
      byId("consent-text").replaceChildren(...text);
    }
    card.hidden = !isAsked;
  }

  async #give(button) {
    button.disabled = true;
    this.#complain("");
    try {
      const { language, consent } = this.config;
      const identity = this.session.isKnown ? null : await this.proof();
      const isNew = !this.session.isKnown; // They may have been identified meanwhile.
      const body = { language, consent, ...(identity && { identity }) };
      const { ok, data } = await this.session.ask(isNew ? "visitors/" : "consent/", body);
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
