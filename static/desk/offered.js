// What a message of a bot or of the API offered the visitor: the desk reads it, and presses nothing.

import { element } from "./page.js";

/** The nodes of an `offer` (docs/protocol.md). Pictures are not fetched: the desk asks no brand. */
export function offered({ cards, choices }) {
  const nodes = cards.map(({ title, text, links }) => {
    const card = element("div", { class: "offered-card" }, element("strong", {}, title));
    if (text) card.append(element("p", {}, text));
    for (const { text: name, url } of links) {
      card.append(element("a", { href: url, target: "_blank", rel: "noopener noreferrer nofollow" }, name));
    }
    return card;
  });
  if (choices.length) {
    const list = element("ul", { class: "offered-choices" });
    list.append(...choices.map((choice) => element("li", {}, choice)));
    nodes.push(list);
  }
  return nodes;
}
