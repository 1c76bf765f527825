// A thread whose first text begins the conversation.

import { Thread } from "../shared/thread.js";

export class VisitorThread extends Thread {
  constructor({ startUrl, about, onBegun, ...options }) {
    super({ ...options, me: "visitor" });
    Object.assign(this, { startUrl, about, onBegun });
  }

  async post(item) {
    if (this.messagesUrl) return super.post(item);
    const first = { client_id: item.id, body: item.body, ...this.about() };
    const response = await this.request(this.startUrl, first);
    if (response.ok) this.onBegun((await response.clone().json()).conversation);
    return response;
  }
}
