// The satisfaction survey after a conversation (R198): CSAT, NPS and a comment, each optional.

import { byId, element, hidden, svg } from "./elements.js";

// The curve of each face's mouth, from very dissatisfied to very satisfied.
const MOUTHS = [
  "M8 17q4-4 8 0",
  "M8 16.5q4-2 8 0",
  "M8 16h8",
  "M8 15q4 2.5 8 0",
  "M7.5 14.5q4.5 5 9 0",
];

export class Survey {
  /** session, host, strings; isOn: whether this website has a survey; onDone(): it was answered or
   *  dismissed */
  constructor({ session, host, strings, isOn, onDone }) {
    Object.assign(this, { session, host, strings, isOn, onDone });
    this.form = byId("survey");
    this.problem = byId("survey-problem");
    this.button = byId("send-survey");
    this.hasThanked = false;
    byId("csat").append(...MOUTHS.map((mouth, index) => csatChoice(mouth, index + 1, strings)));
    byId("nps").append(...Array.from({ length: 11 }, (_, score) => npsChoice(score)));
    byId("dismiss-survey").addEventListener("click", () => this.#dismiss());
    this.form.addEventListener("input", () => this.#refresh());
    this.form.addEventListener("submit", async (event) => {
      event.preventDefault();
      this.button.disabled = true;
      this.#complain(await this.#send());
      this.#refresh();
    });
    this.#refresh();
  }

  waitsFor(conversation) {
    const { status, survey, id } = conversation ?? {};
    const isAsked = this.isOn && Boolean(survey) && ["closed", "solved"].includes(status);
    return isAsked && !this.session.dismissed.includes(id);
  }

  show(conversation, isSeen) {
    this.conversation = conversation;
    const waits = this.waitsFor(conversation);
    if (this.isShown !== waits) this.isShown = waits;
    if (!waits || !isSeen || this.seenId === conversation.id) return;
    this.seenId = conversation.id;
    this.host.event("survey:shown", { conversation: conversation.id });
  }

  /** Another conversation starts. */
  forget() {
    this.hasThanked = false;
  }

  /** Return "" or what went wrong. */
  async #send() {
    const { id } = this.conversation;
    const answers = this.#answers();
    try {
      const { ok, status, data } = await this.session.ask(`conversations/${id}/survey/`, answers);
      // 409: answered in another tab. Either way there is nothing left to ask.
      if (!ok && status !== 409) return data.error?.message ?? this.strings.failed;
    } catch {
      return this.strings.failed;
    }
    this.conversation.survey = false;
    this.hasThanked = true;
    this.host.event("survey:answered", { conversation: id, csat: answers.csat, nps: answers.nps });
    this.onDone();
    return "";
  }

  #dismiss() {
    this.session.dismiss(this.conversation.id);
    this.onDone();
  }

  get isShown() {
    return !this.form.hidden;
  }

  set isShown(isShown) {
    if (this.isShown && !isShown) this.form.reset();
    this.form.hidden = !isShown;
    this.#refresh();
  }

  #answers() {
    const data = new FormData(this.form);
    const number = (name) => (data.get(name) === null ? null : Number(data.get(name)));
    return { csat: number("csat"), nps: number("nps"), comment: byId("comment").value.trim() };
  }

  #refresh() {
    const { csat, nps, comment } = this.#answers();
    this.button.disabled = csat === null && nps === null && !comment;
  }

  #complain(sentence) {
    this.problem.textContent = sentence;
    this.problem.hidden = !sentence;
  }
}

function choice(name, value, ...label) {
  const radio = element("input", { type: "radio", name, value: String(value) });
  return element("label", { className: "choice" }, radio, ...label);
}

function csatChoice(mouth, score, strings) {
  const face = svg(
    "svg",
    { viewBox: "0 0 24 24", "aria-hidden": "true" },
    svg("circle", { cx: 12, cy: 12, r: 10 }),
    svg("path", { d: "M9 9.5v.01M15 9.5v.01" }),
    svg("path", { d: mouth }),
  );
  const made = choice("csat", score, face, hidden(strings[`csat_${score}`]));
  made.title = strings[`csat_${score}`];
  return made;
}

function npsChoice(score) {
  return choice("nps", score, element("span", {}, String(score)));
}
