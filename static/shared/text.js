// Texts are cut between characters as people see them: half an emoji is no character, and half of
// its code units cannot even be stored.

/** Return at most `limit` code points of `text`, as the server counts them. */
export function cut(text, limit) {
  const whole = text.slice(0, 8 * limit).toWellFormed?.() ?? text.slice(0, 8 * limit);
  const parts = Intl.Segmenter ? Array.from(new Intl.Segmenter().segment(whole), ({ segment }) => segment) : [...whole];
  let room = limit;
  let start = "";
  for (const part of parts) {
    room -= [...part].length;
    if (room < 0) break;
    start += part;
  }
  return start;
}
