// Which messages are new to the reader: a line stands before the first of them and stays while they
// read on. Their own message, or news after the next absence, removes it.

export class News {
  constructor() {
    this.line = 0; // The seq before which the line stands; 0 is none.
    this.seen = 0; // Everything up to here was in view.
    this.isFirst = true;
  }

  /** Take a thread's messages, and whether its end is in view. What was there before the first look
  is *  new, even if it is shown at once. Return `line`, how many messages it announces, how many of
  them *  are `unseen`, and the seq of the `newest`. */
  look({ messages, pending, lastSeq, myRead }, isLooking) {
    this.seen = Math.max(this.seen, myRead);
    const others = messages.filter(({ author }) => !["visitor", "system"].includes(author));
    const next = others.find(({ seq }) => seq > this.seen);
    if (next && this.line <= this.seen && !(isLooking && !this.isFirst)) this.line = next.seq;
    const hasAnswered = pending.length > 0 || messages.some(isMineAfter(this.line));
    if (this.line && hasAnswered) this.line = 0;
    if (isLooking && lastSeq) this.seen = Math.max(this.seen, lastSeq);
    if (lastSeq || pending.length) this.isFirst = false;
    const after = (from) => others.filter(({ seq }) => seq > from).length;
    return {
      newest: others.at(-1)?.seq ?? 0,
      line: this.line,
      count: this.line ? after(this.line - 1) : 0,
      unseen: after(this.seen),
    };
  }
}

const isMineAfter =
  (line) =>
  ({ author, seq }) =>
    author === "visitor" && seq > line;
