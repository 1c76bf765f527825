// The other open conversations of the same person, started in another browser before it was known
// to be theirs: each has a button that shows it.

import { nearMoment } from "../shared/moments.js";
import { byId, element } from "./elements.js";

export class Others {
  constructor({ strings }, onChoose) {
    Object.assign(this, { strings, onChoose });
    this.place = byId("others");
  }

  /** `mayLeave`: no message written here is still under way. */
  show(conversations, mayLeave) {
    const shown = JSON.stringify([conversations.map((one) => [one.id, this.#line(one)]), mayLeave]);
    if (shown === this.shown) return;
    this.shown = shown;
    const focused = this.place.contains(document.activeElement) && document.activeElement.dataset.id;
    this.place.hidden = !conversations.length;
    this.place.replaceChildren(...conversations.map((one) => this.#button(one, mayLeave)));
    if (focused) this.place.querySelector(`[data-id="${focused}"]`)?.focus();
  }

  #button(conversation, mayLeave) {
    const button = element("button", { type: "button", className: "other", disabled: !mayLeave });
    button.dataset.id = conversation.id;
    button.append(element("span", {}, this.#title(conversation)));
    const news = this.#news(conversation);
    if (news) button.append(element("span", { className: "other-news" }, news));
    button.addEventListener("click", () => {
      this.onChoose(conversation);
      byId("text").focus({ preventScroll: true });
    });
    return button;
  }

  #title({ agent, opened_at: openedAt }) {
    if (agent) return this.strings.other_with.replace("{name}", agent.name);
    return this.strings.other_of.replace("{date}", nearMoment(new Date(openedAt)));
  }

  #news({ unread }) {
    if (!unread) return "";
    return unread === 1 ? this.strings.news_one : this.strings.news_many.replace("{n}", unread);
  }

  #line(conversation) {
    return `${this.#title(conversation)} ${this.#news(conversation)}`;
  }
}
