// A thread whose first text, or file, starts the conversation.

import { Thread } from "../shared/thread.js";

export class VisitorThread extends Thread {
  constructor({ startUrl, about, onBegun, ...options }) {
    super({ ...options, me: "visitor" });
    Object.assign(this, { startUrl, about, onBegun });
  }

  async post(item) {
    if (this.messagesUrl) return super.post(item);
    const { id, body, attachment } = item;
    const first = { client_id: id, body, ...(attachment && { attachment: attachment.id }), ...this.about() };
    const response = await this.request(this.startUrl, first);
    if (response.ok) this.onBegun((await response.clone().json()).conversation);
    return response;
  }
}
