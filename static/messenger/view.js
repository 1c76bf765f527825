// What stands around the messages: who answers, the wait, the end, the line. Reads the Messenger's
// state and draws it; changes nothing but the page.

import { byId, element, initials } from "./elements.js";

const TYPING_GONE_MS = 6000;

export class View {
  /** config; room (says when it opens again); onTyping(): the dots came */
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

  /** A reason to say "in a few hours" unless somebody is surely there (C8). */
  greeting({ conversation, engagement }) {
    if (!conversation && !engagement) return "";
    if (!conversation && engagement.reason === "closed") return this.config.texts.out_of_hours;
    const isLive = (conversation ?? engagement).asynchronous === false;
    return isLive ? this.config.texts.greeting_live : this.config.texts.greeting_async;
  }

  showTyping(isOn, typist) {
    const name = typist || this.conversation?.agent?.name || this.config.brand;
    clearTimeout(this.typingTimer);
    byId("typing").hidden = !isOn;
    byId("typing-name").textContent = isOn ? this.strings.typing.replace("{name}", name) : "";
    if (!isOn) return;
    this.typingTimer = setTimeout(() => this.showTyping(false), TYPING_GONE_MS);
    this.onTyping();
  }

  #showHead() {
    const { status, agent } = this.conversation ?? {};
    const who = byId("who");
    const isTaken = agent && status !== "closed";
    const shown = isTaken ? agent.name : this.#absentLine(status);
    if (who.dataset.shown === shown) return;
    who.dataset.shown = shown;
    if (!isTaken) return who.replaceChildren(shown);
    const avatar = element("span", { className: "mini-avatar" }, initials(agent.name));
    avatar.setAttribute("aria-hidden", "true");
    who.replaceChildren(avatar, element("strong", {}, agent.name), ` ${this.strings.talking_with}`);
  }

  #absentLine(status) {
    if (status === "closed") return this.strings.ended;
    if (!this.conversation && this.engagement?.engage === false) return this.#busyLine();
    const { asynchronous } = this.conversation ?? this.engagement ?? {};
    if (asynchronous === undefined) return "";
    return asynchronous ? this.strings.usually_hours : this.strings.usually_now;
  }

  #busyLine() {
    if (this.engagement.reason !== "closed") return this.strings.busy;
    return this.room.reopening(this.engagement) || this.strings.closed_now;
  }

  #showWaiting() {
    const { status, place, within } = this.conversation ?? {};
    const note = byId("waiting");
    const isWaiting = status === "waiting";
    let line = this.strings.waiting;
    if (place) line += ` ${place === 1 ? this.strings.place_first : this.strings.place}`;
    line = line.replace("{n}", place);
    if (within) {
      const [name, n] = within < 120 ? ["within_minutes", within] : ["within_hours", within / 60];
      line += ` ${this.strings[name].replace("{n}", n)}`;
    }
    if (isWaiting && note.textContent !== line) note.textContent = line;
    note.hidden = !isWaiting;
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
