// The builder's preview: the real Messenger plays a state that it was given, without the server.

const QUIET = ["click", "submit", "keydown", "paste", "drop", "beforeinput"];

export function rehearse(messenger, { known, engagement, conversation, messages }) {
  for (const type of QUIET) {
    addEventListener(
      type,
      (event) => {
        event.preventDefault();
        event.stopImmediatePropagation();
      },
      { capture: true },
    );
  }
  if (known) messenger.session.token = "rehearsal";
  messenger.isOpen = true;
  messenger.engagement = engagement;
  messenger.talk.conversation = conversation;
  messages.forEach((message) => messenger.thread.receive(message));
  if (conversation) messenger.thread.receiveRead({ by: "agent", seq: conversation.read_by_agent });
  messenger.thread.rest();
  messenger.render();
}
