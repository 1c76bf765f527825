// The frames of a visitor's page as they come: four bytes of the tab, a byte of flags, a part of a batch
// of events. Batches are put together here, for the live picture and for the replay.

const [START, FIRST, LAST, DEFLATED] = [1, 2, 4, 8];
const SOURCE_BYTES = 4;
const BATCH_BYTES = 4 * 1024 * 1024;
const INFLATED_BYTES = 48 * 1024 * 1024; // A hostile browser could send what inflates without end.

export class Frames {
  /** onBatch({parts, begins, isDeflated}): for eventsOf; `begins` with a full picture */
  constructor(onBatch) {
    this.onBatch = onBatch;
    this.parts = null;
    this.source = null;
    this.page = undefined; // The tab, as the server names it.
  }

  receive(bytes) {
    const source = bytes.subarray(0, SOURCE_BYTES).join();
    const flags = bytes[SOURCE_BYTES];
    if (flags & START) this.source = source;
    if (flags & START) this.page = [...bytes.subarray(0, SOURCE_BYTES)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    if (source !== this.source) return;
    if (flags & FIRST) this.parts = [];
    if (!this.parts) return;
    this.parts.push(bytes.subarray(SOURCE_BYTES + 1));
    if (flags & START) this.begins = true;
    const size = this.parts.reduce((sum, part) => sum + part.length, 0);
    if (size > BATCH_BYTES) this.parts = null;
    if (!(flags & LAST) || !this.parts) return;
    const { parts, begins = false } = this;
    this.parts = null;
    this.begins = false;
    this.onBatch({ parts, begins, isDeflated: Boolean(flags & DEFLATED) });
  }
}

/** Return the events of a batch; throw if it is none. */
export async function eventsOf({ parts, isDeflated }) {
  const events = JSON.parse(await textOf(new Blob(parts), isDeflated));
  if (!Array.isArray(events)) throw new Error("not a list of events");
  return events;
}

async function textOf(blob, isDeflated) {
  if (!isDeflated) return blob.text();
  const reader = blob.stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const pieces = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(pieces).text();
    size += value.length;
    if (size > INFLATED_BYTES) {
      await reader.cancel();
      throw new Error("too large");
    }
    pieces.push(value);
  }
}
