// The rich content of a message: cards, and choices of which one can be pressed, once.

import { element } from "./elements.js";

/** The id of the visitor's answer to the message `id`: always the same, so that the server stores
only *  one, however many tabs and repeats there are. A UUID of version 8 (RFC 9562). */
export const answerId = (id) => `${id.slice(0, 14)}8${id.slice(15)}`;

export class Offered {
  /** strings; onChoice(id of the message, text) */
  constructor({ strings, onChoice }) {
    Object.assign(this, { strings, onChoice });
  }

  /** Return the nodes of `offer`, the rich content of the message `id`. */
  nodes(offer, id) {
    const nodes = [];
    if (offer.cards.length) nodes.push(this.#cards(offer.cards));
    if (offer.choices.length) nodes.push(this.#choices(offer.choices, id));
    return nodes;
  }

  /** `answer` is the visitor's answer, undefined as long as there is none. */
  update(node, { answer, isOpen }) {
    for (const button of node.querySelectorAll(".choices button")) {
      button.setAttribute("aria-disabled", String(answer !== undefined || !isOpen));
      button.setAttribute("aria-pressed", String(answer === button.textContent));
    }
  }

  #choices(choices, id) {
    const group = element("div", { className: "choices" });
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", this.strings.choices);
    for (const choice of choices) {
      // Not `disabled` after the answer: the focus would be lost.
      const button = element("button", { type: "button" }, choice);
      button.addEventListener("click", () => {
        if (button.getAttribute("aria-disabled") !== "true") this.onChoice(id, choice);
      });
      group.append(button);
    }
    return group;
  }

  #cards(cards) {
    const list = element("ul", { className: "offered" }, ...cards.map((card) => this.#card(card)));
    if (cards.length > 1) list.tabIndex = 0; // It scrolls, by the keyboard too.
    list.setAttribute("aria-label", this.strings.cards);
    return list;
  }

  #card({ title, text, image, links }) {
    const card = element("li", {});
    if (image) card.append(element("img", { src: image, alt: "", loading: "lazy" }));
    card.append(element("strong", {}, title));
    if (text) card.append(element("p", {}, text));
    for (const { text: name, url } of links) {
      const link = element("a", { href: url, target: "_blank", rel: "noopener nofollow noreferrer" }, name);
      link.append(element("span", { className: "visually-hidden" }, ` (${this.strings.link_opens})`));
      card.append(link);
    }
    return card;
  }
}
