// The editor's live chat: the real Messenger talks to the draft of a bot, which the server plays
// again from its beginning after each message. Nothing is stored.

const HEADERS = { "Content-Type": "application/json", Accept: "application/json" };

export function rehearse(messenger, { url, csrf, settings, conversation, failed }) {
  const lines = [];
  messenger.session.token = "rehearsal";
  messenger.isOpen = true;
  messenger.engagement = { engage: true, asynchronous: false };
  messenger.talk.conversation = conversation;
  const { thread } = messenger;
  thread.rest();

  async function play() {
    const response = await fetch(url, {
      method: "POST",
      headers: { ...HEADERS, "X-CSRFToken": csrf },
      body: JSON.stringify({ said: lines, settings }),
    });
    if (!response.ok) return messenger.composer.complain(failed);
    const { messages, status } = await response.json();
    for (const message of messages.slice(thread.messages.length)) thread.receive(message);
    messenger.talk.conversation = { ...conversation, status };
    messenger.scroll.toEnd();
    messenger.render();
    tellEditor();
  }

  /** The editor's page can save what was written as a test conversation. */
  function tellEditor() {
    const field = window.parent.document.getElementById("said");
    if (field) field.value = JSON.stringify(lines.map(({ text }) => text));
  }

  thread.send = (text, attachment, id = crypto.randomUUID()) => {
    if (!text || lines.some((one) => one.id === id)) return id;
    lines.push({ id, text });
    tellEditor(); // Before the bot's answer: somebody may save at once.
    play();
    return id;
  };
  play();
}
