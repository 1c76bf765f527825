// The display of the whole, drawn again after each change; news sound and count once.

import { byId } from "./elements.js";
import { News } from "./news.js";

export class Screen {
  constructor(messenger) {
    this.messenger = messenger;
    this.wasSeen = false;
  }

  get isSeen() {
    return this.messenger.isOpen && document.visibilityState === "visible";
  }

  render() {
    const { messenger, isSeen } = this;
    const { composer, consent, conversation, engagement, scroll, session, survey, thread } = messenger;
    const surveyWaits = survey.waitsFor(conversation);
    const wasAtEnd = scroll.isAtEnd;
    const isLooking = isSeen && this.wasSeen && wasAtEnd;
    const news = this.newsOf(thread).look(thread, isLooking);
    const isCut = messenger.known.isUnreachable || thread.isCut;
    const { hasThanked } = survey;
    messenger.view.show({ conversation, engagement, surveyWaits, hasThanked, isCut });
    this.showDialogue(news);
    messenger.others.show(messenger.known.others, !thread.pending.length);
    consent.show();
    messenger.calling.show(conversation);
    messenger.callRequest.show(conversation, engagement);
    if (conversation || thread.pending.length) messenger.articles?.hide();
    messenger.email.show(conversation, !consent.isAsked);
    byId("person").hidden = conversation?.status !== "bot";
    byId("settings-open").hidden = !session.token || Boolean(session.guest);
    survey.show(conversation, isSeen);
    composer.isHidden = messenger.talk.isOver;
    composer.mayAttach = messenger.fileUrl("") !== null;
    if (isLooking) thread.markRead();
    this.tellSound(news, isLooking);
    this.tellUnread(isSeen);
    scroll.follow(wasAtEnd && (isSeen || !news.unseen), news.unseen);
    if (isSeen !== this.wasSeen) this.appear(isSeen, news);
  }

  /** Play the sound of news once, in one tab, if no tab shows them. */
  tellSound({ newest }, isLooking) {
    const [known, { id }] = [this.soundedOf, this.messenger.conversation ?? {}];
    this.soundedOf = { id, newest };
    if (!id || known?.id !== id || newest <= known.newest) return;
    this.messenger.tabs.once(`${id} ${newest}`, isLooking, () => this.messenger.sound.play());
  }

  /** The Messenger came into view or went: show news from their beginning. */
  appear(isSeen, { unseen }) {
    this.wasSeen = isSeen;
    if (!isSeen) return;
    const { dialogue, scroll } = this.messenger;
    if (unseen && dialogue.line) scroll.toLine(dialogue.line);
    else if (scroll.isAtEnd) scroll.toEnd();
    this.render();
  }

  newsOf(thread) {
    if (this.newsThread !== thread) this.news = new News();
    this.newsThread = thread;
    return this.news;
  }

  showDialogue(news) {
    const { messenger } = this;
    const { messages, pending, otherRead, translations } = messenger.thread;
    const { id, bot } = messenger.conversation ?? {};
    const greeting = messenger.view.greeting(messenger);
    const { isOpen } = messenger.talk;
    messenger.dialogue.show({ messages, translations, pending, otherRead, greeting, conversation: id, bot, news, isOpen });
    messenger.history.show(messenger.known.past.filter((one) => one.id !== id));
  }

  tellUnread(isSeen) {
    const { known, thread } = this.messenger;
    const elsewhere = known.others.reduce((sum, { unread }) => sum + (unread ?? 0), 0);
    const unread = (isSeen ? 0 : thread.unread) + elsewhere;
    if (unread === this.toldUnread) return;
    this.toldUnread = unread;
    this.messenger.host.tell("unread", { unread });
  }
}
