// Messages on the screen: grouped by author and day, with ticks. Nodes are reused by key, so that a
// message that was "sending" becomes "sent" in place, and screen readers read each one once.

import { clock, longDay } from "../shared/moments.js";
import { showTranslation } from "../shared/translated.js";
import { element, face, hidden, icon, initials, linked } from "./elements.js";
import { Offered } from "./offered.js";

const GROUP_MS = 10 * 60_000;

export class Dialogue {
  constructor(list, { strings, brand }, attached, onChoice = () => {}) {
    Object.assign(this, { list, strings, brand, attached });
    this.offered = new Offered({ strings, onChoice });
    this.nodes = new Map();
  }

  /** `greeting` comes first and has no date: it is the brand's, not a stored message.
  `conversation` *  is the id for requests of attachments, and `bot` the name and picture of the bot
  that began it. `news` has the place of the line before new messages *  (`line`, a seq) and how many it announces (`count`). While the conversation
  `isOpen`, choices can *  be pressed. */
  show({ messages, translations = new Map(), pending = [], otherRead = 0, greeting = "", conversation = "", bot = null, news = {}, isOpen = false }) {
    Object.assign(this, { conversation, bot });
    this.news = news;
    const entries = [];
    if (greeting) entries.push({ key: "greeting", author: "brand", name: this.brand, body: greeting });
    for (const message of messages) {
      entries.push({
        ...message,
        key: message.id,
        at: new Date(message.at),
        translation: translations.get(message.seq),
        state: message.seq <= otherRead ? "read" : "sent",
      });
    }
    for (const { id, body, attachment, state } of pending) {
      entries.push({ key: id, author: "visitor", name: "", body, attachment, at: null, state });
    }
    for (const entry of entries.filter(({ offer }) => offer)) {
      const after = entries.slice(entries.indexOf(entry) + 1);
      entry.answer = after.find(({ author }) => author === "visitor")?.body;
      entry.isOpen = isOpen;
    }
    this.#place(this.#withDays(entries));
  }

  #withDays(entries) {
    const rows = [];
    let day = "";
    entries.forEach((entry, index) => {
      const thisDay = entry.at ? entry.at.toDateString() : day;
      if (entry.at && thisDay !== day) rows.push({ key: `day ${thisDay}`, day: entry.at });
      const before = thisDay === day ? entries[index - 1] : undefined;
      const isNew = entry.seq !== undefined && entry.seq === this.news.line;
      if (isNew) rows.push({ key: `news ${entry.seq}`, count: this.news.count });
      entry.isFirst = isNew || !isSameGroup(before, entry);
      const next = entries[index + 1];
      entry.isLast = !isSameGroup(entry, next) || next.seq === this.news.line;
      day = thisDay;
      rows.push(entry);
    });
    return rows;
  }

  #place(rows) {
    const wanted = new Set(rows.map(({ key }) => key));
    for (const [key, node] of this.nodes) {
      if (wanted.has(key)) continue;
      node.remove();
      this.nodes.delete(key);
    }
    rows.forEach((row, index) => {
      let node = this.nodes.get(row.key);
      // The same id with another text: another tab's choice came first.
      if (!node || node.shownBody !== row.body) {
        node?.remove();
        node = this.#node(row);
        node.shownBody = row.body;
        this.nodes.set(row.key, node);
      }
      this.#update(node, row);
      if (this.list.children[index] !== node) {
        this.list.insertBefore(node, this.list.children[index] ?? null);
      }
    });
  }

  /** The line before the new messages, if there is one. */
  get line() {
    return this.list.querySelector(".news");
  }

  #node(row) {
    if (row.author) return this.#messageNode(row);
    return element("li", { className: row.day ? "day" : "news" }, element("span", {}));
  }

  #update(node, row) {
    if (row.author) return this.#updateMessage(node, row);
    const { news_one: one, news_many: many } = this.strings;
    const news = row.count === 1 ? one : many.replace("{n}", row.count);
    // "Today" becomes "Yesterday" after midnight.
    const text = row.day ? this.dayName(row.day) : news;
    if (node.textContent !== text) node.firstChild.textContent = text;
  }

  dayName(day) {
    const today = new Date();
    const yesterday = new Date(today);
    yesterday.setDate(today.getDate() - 1);
    if (day.toDateString() === today.toDateString()) return this.strings.today;
    if (day.toDateString() === yesterday.toDateString()) return this.strings.yesterday;
    return longDay(day);
  }

  #messageNode({ id, author, name, body, attachment, offer }) {
    const isMine = author === "visitor";
    const speaker = isMine ? this.strings.you : name || this.brand;
    const side = author === "system" ? "aside" : isMine ? "mine" : "theirs";
    const node = element("li", { className: `message ${side}` });
    if (side === "theirs") {
      const isBot = author === "bot";
      const avatar = element("span", { className: "avatar" }, ...(isBot ? face(this.bot) : [initials(speaker)]));
      avatar.setAttribute("aria-hidden", "true");
      const badge = isBot ? [" ", element("span", { className: "badge" }, this.strings.bot)] : [];
      node.append(avatar, element("span", { className: "name" }, speaker, ...badge));
    } else if (side === "mine") {
      node.append(hidden(`${speaker} : `));
    }
    if (attachment) node.append(this.attached.node(attachment, this.conversation));
    const text = offer ? offer.text : body;
    if (text) node.append(element("p", { className: "bubble" }, element("span", {}, ...this.#linked(text))));
    if (offer) node.append(...this.offered.nodes(offer, id));
    node.append(element("p", { className: "meta" }));
    return node;
  }

  #linked(text) {
    return linked(text, this.strings.link_opens);
  }

  #translate(node, author, { text, language }) {
    const said = node.querySelector(".bubble")?.firstChild;
    if (!said || node.translation === text || author === "bot") return;
    node.translation = text;
    const { translated, translated_for: translatedFor, original, translation } = this.strings;
    const isForReader = author === "agent";
    const words = { mark: isForReader ? translated : translatedFor, original, translation };
    showTranslation(said, { nodes: this.#linked(text), language, isForReader, words });
  }

  #updateMessage(node, { author, at, state, isFirst, isLast, offer, answer, isOpen, translation }) {
    if (offer) this.offered.update(node, { answer, isOpen });
    if (translation) this.#translate(node, author, translation);
    node.classList.toggle("first", isFirst);
    node.classList.toggle("last", isLast);
    const shown = `${state} ${at?.getTime()}`;
    if (node.dataset.shown === shown) return;
    node.dataset.shown = shown;
    const isPending = author === "visitor" && !at;
    node.classList.toggle("pending", isPending);
    const meta = node.querySelector(".meta");
    meta.replaceChildren();
    if (at) {
      meta.append(element("time", { dateTime: at.toISOString() }, clock(at)));
    }
    if (author !== "visitor") return;
    const words = { sending: "sending", waiting: "waiting_line", sent: "sent", read: "read" };
    const label = this.strings[words[state]];
    meta.append(
      icon(isPending ? "sending" : state),
      isPending ? element("span", {}, label) : hidden(label),
    );
    meta.dataset.state = state;
  }
}

function isSameGroup(one, other) {
  if (!one || !other || one.author !== other.author || one.name !== other.name) return false;
  if (!one.at || !other.at) return !one.at && !other.at;
  return other.at - one.at < GROUP_MS && one.at.toDateString() === other.at.toDateString();
}
