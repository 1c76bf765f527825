// Which element an agent means, and what it is called: the same in the visitor's page and in its
// picture at the desk, so that the browser can tell whether the agent saw what is there now.

const ACTIVE = `a, button, input, select, textarea, label, summary, option, [role=button], [role=link],
  [role=tab], [role=menuitem], [role=option], [role=checkbox], [role=radio], [role=switch]`;
const UNREAD = new Set(["script", "style", "noscript", "template", "textarea", "select", "title", "desc"]);
const LENGTH = 120;
const BUTTONS = new Set(["button", "submit", "reset"]);

/** The element that a click on `element` would act on: the next one that is made for it. */
export const targetOf = (element) => element?.closest?.(ACTIVE) ?? element;

export const tagOf = (element) => element.localName;

/** What people call it: a field's label, a button's text. Never what somebody typed, nor what
`isHidden`. */
export function labelOf(element, isHidden = () => false) {
  const named = element.getAttribute("aria-label");
  if (named) return short(named);
  if (["input", "select", "textarea"].includes(element.localName)) return short(fieldLabel(element, isHidden));
  return short(textOf(element, isHidden) || element.getAttribute("title") || element.getAttribute("alt") || "");
}

function fieldLabel(element, isHidden) {
  if (BUTTONS.has(element.type)) return element.getAttribute("value") ?? "";
  const [label] = element.labels ?? [];
  return (label && textOf(label, isHidden)) || element.getAttribute("placeholder") || element.getAttribute("title") || "";
}

function textOf(element, isHidden) {
  let text = "";
  if (element.isContentEditable || isHidden(element)) return text;
  for (const node of element.childNodes) {
    if (text.length > 4 * LENGTH) break;
    if (node.nodeType === 3) text += node.data;
    else if (node.nodeType === 1 && !UNREAD.has(node.localName)) text += ` ${textOf(node, isHidden)} `;
  }
  return text;
}

const short = (text) => text.replace(/\s+/g, " ").trim().slice(0, LENGTH);
