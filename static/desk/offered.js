// Rich content that a bot or the API sent to the visitor: the desk shows it without buttons.

import { element } from "./page.js";

/** Return the nodes of an `offer` (docs/protocol.md). Pictures are not fetched from the brand. */
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
