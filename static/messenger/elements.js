// Creation of elements. Text only ever becomes a text node: nothing written is parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";
// A URL ends at a mark that changes the writing direction, which could make it look like another.
const ADDRESS = /https?:\/\/[^\s<>"'\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g;

export const byId = (id) => document.getElementById(id);

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children.filter((child) => child !== null));
  return made;
}

export const hidden = (text) => element("span", { className: "visually-hidden" }, text);

export function svg(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
  made.append(...children);
  return made;
}

export const icon = (name) =>
  svg("svg", { "aria-hidden": "true" }, svg("use", { href: `#icon-${name}` }));

/** Return `text` as nodes, with its http(s) URLs as links. */
export function linked(text, opensLabel) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    // Punctuation at the end seldom belongs to the URL.
    const address = match[0].replace(/[.,;:!?»)\]}*_]+$/, "");
    if (!isWeb(address)) continue;
    nodes.push(text.slice(end, match.index), link(address, opensLabel));
    end = match.index + address.length;
  }
  nodes.push(text.slice(end));
  return nodes;
}

export function isWeb(address) {
  try {
    const { protocol, username, password } = new URL(address);
    // https://bank.example@elsewhere.example leads elsewhere.
    return ["http:", "https:"].includes(protocol) && !username && !password;
  } catch {
    return false;
  }
}

export function link(address, opensLabel, name = address) {
  return element(
    "a",
    { href: address, target: "_blank", rel: "noopener nofollow noreferrer" },
    name,
    hidden(` (${opensLabel})`),
  );
}

/** What stands for a bot in its round place: its picture, or the symbol of bots. */
export const face = (bot) =>
  bot?.picture ? [element("img", { src: bot.picture, alt: "", referrerPolicy: "no-referrer" })] : [icon("bot")];

/** "Alice Martin" -> "AM". */
export function initials(name) {
  const words = name.trim().split(/\s+/);
  const last = words.length > 1 ? words[words.length - 1] : "";
  return [words[0], last].map((word) => [...word][0] ?? "").join("").toUpperCase();
}
