// Everything around the messages: who answers, the wait, the end, the connection. It reads the
// Messenger's state and draws it; it changes only the page.

import { byId, element, face, initials } from "./elements.js";

const TYPING_GONE_MS = 6000;

export class View {
  /** config; room (knows when it opens again); onTyping(): the typing dots appeared */
  constructor({ config, room, onTyping }) {
    Object.assign(this, { config, room, onTyping, strings: config.strings });
  }

  /** `conversation` and `engagement` may be null; `isCut`: the server cannot be reached. */
  show({ conversation, engagement, surveyWaits, hasThanked, isCut }) {
    this.conversation = conversation;
    this.engagement = engagement;
    this.#showHead();
    this.#showWaiting();
    this.#showOver(surveyWaits, hasThanked);
    this.#showOffline(isCut);
  }

  /** Return the greeting: "in a few hours" unless an agent is certainly there (C8). */
  greeting({ conversation, engagement }) {
    if (!conversation && !engagement) return "";
    if (!conversation && engagement.reason === "closed") return this.config.texts.out_of_hours;
    if (isAway(conversation, engagement)) return this.config.texts.greeting_closed;
    const isLive = (conversation ?? engagement).asynchronous === false;
    return isLive ? this.config.texts.greeting_live : this.config.texts.greeting_async;
  }

  showTyping(isOn, typist) {
    const { agent, bot } = this.conversation ?? {};
    const name = typist || agent?.name || bot?.name || this.config.brand;
    clearTimeout(this.typingTimer);
    byId("typing").hidden = !isOn;
    byId("typing-name").textContent = isOn ? this.strings.typing.replace("{name}", name) : "";
    if (!isOn) return;
    this.typingTimer = setTimeout(() => this.showTyping(false), TYPING_GONE_MS);
    this.onTyping();
  }

  #showHead() {
    const { status, agent, bot } = this.conversation ?? {};
    const who = byId("who");
    const isBot = status === "bot" && bot;
    const line = status !== "closed" && this.strings[isBot ? "bot_talking" : `agent_${agent?.part}`];
    const name = isBot ? bot.name : agent?.name;
    const shown = line ? line.replace("{name}", name) : this.#absentLine(status);
    if (who.dataset.shown === shown) return;
    who.dataset.shown = shown;
    if (!line) return who.replaceChildren(shown);
    const avatar = element("span", { className: "mini-avatar" }, ...(isBot ? face(bot) : [initials(name)]));
    avatar.setAttribute("aria-hidden", "true");
    const [before, after] = line.split("{name}");
    who.replaceChildren(avatar, element("span", {}, before, element("strong", {}, name), after));
  }

  /** The line when no agent has the conversation. */
  #absentLine(status) {
    const { strings, conversation, engagement } = this;
    if (!conversation && engagement?.engage === false) return this.#busyLine();
    const line = strings[`status_${status}`];
    if (line) return line;
    if (isAway(conversation, engagement)) return this.#backLine(conversation ?? engagement);
    const { asynchronous } = conversation ?? engagement ?? {};
    if (asynchronous === undefined) return "";
    if (asynchronous) return strings.usually_hours;
    return conversation ? strings.waiting_live : strings.usually_now;
  }

  #busyLine() {
    if (this.engagement.reason !== "closed") return this.strings.busy;
    return this.#backLine(this.engagement);
  }

  #backLine(known) {
    return this.room.reopening(known) || this.strings.closed_now;
  }

  #showWaiting() {
    const { status, agent } = this.conversation ?? {};
    const note = byId("waiting");
    const isGone = agent?.part === "away";
    const isShown = status === "waiting" || isGone;
    const line = isGone ? this.strings.away_note.replace("{name}", agent.name) : this.#waitingLine();
    if (isShown && note.textContent !== line) note.textContent = line;
    note.hidden = !isShown;
  }

  #waitingLine() {
    const { strings, conversation } = this;
    const { place, within, agent, closed, channel } = conversation ?? {};
    if (agent?.part === "expected") return strings.waiting_for.replace("{name}", agent.name);
    const isCall = channel === "call" || channel === "video";
    const lines = closed ? [strings.arrived, this.#backLine(conversation)] : [isCall ? strings.waiting_call : strings.waiting];
    if (place) lines.push(place === 1 ? strings.place_first : strings.place.replace("{n}", place));
    if (within) {
      const [name, n] = within < 120 ? ["within_minutes", within] : ["within_hours", within / 60];
      lines.push(strings[name].replace("{n}", n));
    }
    return lines.join(" ");
  }

  #showOver(surveyWaits, hasThanked) {
    const isOver = this.conversation?.status === "closed";
    const isShown = isOver ? !surveyWaits : hasThanked;
    const { texts } = this.config;
    byId("over").hidden = !isShown;
    const mayRestart = this.engagement?.engage === true;
    byId("restart").hidden = !isOver || !mayRestart;
    if (!isShown) return;
    let line = hasThanked ? texts.survey_thanks : texts.over;
    if (isOver && this.engagement?.engage === false) {
      line += ` ${this.room.reopening(this.engagement) || this.strings.no_engagement}`;
    }
    if (byId("over-text").textContent !== line) byId("over-text").textContent = line;
  }

  #showOffline(isCut) {
    const banner = byId("offline");
    const isOffline = isCut || navigator.onLine === false;
    if (isOffline) banner.textContent = this.strings.offline;
    banner.hidden = !isOffline;
  }
}

/** Whether nobody answers before the team opens: the (possible) queue is a closed group's. */
function isAway(conversation, engagement) {
  return conversation ? conversation.closed === true : Boolean(engagement?.opens_at);
}
