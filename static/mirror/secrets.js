// Fields whose content never leaves the visitor's browser, and which agents never fill in.

const COMPLETED = /\b(cc-[a-z-]+|(current|new)-password|one-time-code)\b/i;
// Payment fields whose page names no `autocomplete`.
const PAYMENT = /card.?(number|num|no\b|holder|code)|\b(cc|card|carte).?(num|number|cvc|csc|cvv|exp)|\b(cvc|cvv|csc|iban|bic)\b|security.?code|num(é|e)ro.?de.?carte|cryptogramme/i;
// Passwords that the page showed as text before anybody looked.
const PASSWORD = /pass.?(word|code|phrase)|passwd|\b(pwd|mdp)\b|mot.?de.?passe/i;
const NAMES = ["name", "id", "placeholder", "aria-label"];

const once = new WeakSet(); // Fields that were passwords: a page may show them as text.

export function isSecret(element) {
  if (element.type === "password" || element.hasAttribute?.("data-rr-is-password")) once.add(element);
  if (once.has(element) || COMPLETED.test(element.getAttribute?.("autocomplete") ?? "")) return true;
  if (!["input", "select", "textarea"].includes(element.localName)) return false;
  const named = NAMES.map((name) => element.getAttribute(name) ?? "");
  return named.some((name) => PAYMENT.test(name) || PASSWORD.test(name));
}
