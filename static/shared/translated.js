// A message that a machine has translated: one of its two texts, a mark, and a button for the other.

/**
 * Put a translation into a bubble, or replace the one that is there.
 *
 * said          the element with the message as it was written
 * nodes         the translation, as nodes
 * language      its code
 * isForReader   the translation comes first: this side reads it. The author's side reads the original
 * words         {mark, original, translation}: the mark, and the names of the button
 */
export function showTranslation(said, { nodes, language, isForReader, words }) {
  said.parentElement.querySelector(".translated")?.remove();
  const original = (said.original ??= [...said.childNodes]);
  const button = document.createElement("button");
  button.type = "button";
  const note = markOf(words.mark);
  note.append(" ", button);
  let isTranslation = isForReader;
  const show = () => {
    said.replaceChildren(...(isTranslation ? nodes : original));
    // For screen readers. Nobody knows for sure which language the original is in.
    said.lang = isTranslation ? language : "";
    button.textContent = isTranslation ? words.original : words.translation;
  };
  button.addEventListener("click", () => {
    isTranslation = !isTranslation;
    show();
  });
  show();
  said.after(note);
}

/** Say below a message that it could not be translated. */
export function showUntranslated(said, mark) {
  said.parentElement.querySelector(".translated")?.remove();
  said.after(markOf(mark));
}

function markOf(text) {
  const note = document.createElement("span");
  note.className = "translated";
  note.append(text);
  return note;
}
