// Past conversations, folded above the present one (R15).

import { day } from "../shared/moments.js";
import { Dialogue } from "./dialogue.js";
import { byId, element, icon } from "./elements.js";

export class History {
  constructor(session, config, attached) {
    Object.assign(this, { session, config, attached });
    this.section = byId("history");
    this.folds = new Map();
  }

  /** `conversations` come newest first, as the server sends them. */
  show(conversations) {
    this.section.hidden = !conversations.length;
    const shown = conversations.map((conversation) => {
      if (!this.folds.has(conversation.id)) {
        this.folds.set(conversation.id, this.#fold(conversation));
      }
      return this.folds.get(conversation.id);
    });
    this.section.replaceChildren(...shown.reverse());
  }

  forget() {
    this.folds.clear();
    this.show([]);
  }

  #fold(conversation) {
    const { strings } = this.config;
    const date = day(new Date(conversation.opened_at));
    const title = conversation.agent
      ? strings.history_with.replace("{name}", conversation.agent.name)
      : strings.history_of;
    const list = element("ol", {});
    const fold = element(
      "details",
      { className: "fold" },
      element("summary", {}, element("span", {}, title.replace("{date}", date)), icon("minimize")),
      list,
    );
    fold.addEventListener("toggle", () => {
      if (fold.open && !list.childElementCount) this.#fill(list, conversation);
    });
    return fold;
  }

  async #fill(list, conversation) {
    const messages = [];
    const translations = new Map();
    try {
      let more = true;
      while (more) {
        const after = messages.length ? messages[messages.length - 1].seq : 0;
        const path = `conversations/${conversation.id}/messages/?after_seq=${after}`;
        const { ok, data } = await this.session.ask(path);
        if (!ok) throw new Error(data.error?.code);
        messages.push(...data.messages);
        data.translations?.forEach((one) => translations.set(one.seq, one));
        more = Boolean(data.more);
      }
      list.replaceChildren();
      const dialogue = new Dialogue(list, this.config, this.attached);
      const { id, read_by_agent: otherRead } = conversation;
      dialogue.show({ messages, translations, otherRead, conversation: id });
    } catch {
      list.closest("details").open = false;
      const sentence = element("p", { className: "problem" }, this.config.strings.history_failed);
      sentence.setAttribute("role", "alert");
      list.closest("details").after(sentence);
      setTimeout(() => sentence.remove(), 6000);
    }
  }
}
