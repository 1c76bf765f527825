// What the panel says and which buttons it offers, from how a call is. Pure: no elements, no network.

/** The sentence about a call that is going on. `flags` is what the other side reports. */
export function sentenceOf({ state, isHeld, flags }, texts) {
  if (state === "interrupted") return texts.interrupted;
  if (state === "connecting") return texts.connecting;
  if (isHeld) return texts.on_hold;
  if (flags?.held) return texts.holds_you;
  if (flags?.screen) return texts.shares;
  return flags?.muted ? texts.is_muted : texts.connected;
}

/** The last sentence, about a call that is over. */
export function endOf(call, side, texts) {
  const byMe = call.ended_by === side;
  const byCaller = call.begun_by === side;
  const sentences = {
    hung_up: byMe ? texts.over : texts.over_by_other,
    declined: byMe ? texts.over : texts.declined,
    cancelled: byMe ? texts.over : texts.missed,
    no_answer: byCaller ? texts.no_answer : texts.missed,
    lost: texts.lost,
    moved: texts.moved,
    failed: texts.failed,
  };
  return sentences[call.end] ?? texts.over;
}

/** The buttons during a call, as Panel.draw takes them. `can` is what browser and website allow. */
export function buttonsOf({ isMuted, isHeld, hasCamera, hasScreen, hasDevices }, can, texts) {
  const buttons = [
    ["mute", isMuted ? "mic-off" : "mic", isMuted ? texts.unmute : texts.mute, "", isMuted],
    can.camera && ["camera", hasCamera ? "video" : "video-off", hasCamera ? texts.camera_off : texts.camera_on, "", hasCamera],
    can.share && ["share", "screen-share", hasScreen ? texts.unshare : texts.share, "", hasScreen],
    ["hold", "pause", isHeld ? texts.unhold : texts.hold, "", isHeld],
    can.float && ["float", "picture-in-picture-2", texts.float],
    can.fill && ["fill", "maximize", texts.fill],
    ["setUp", "settings-2", texts.devices, "", hasDevices],
    ["end", "phone-off", texts.hang_up, "danger"],
  ];
  return buttons.filter(Boolean);
}

/** The buttons while it rings here. */
export function ringingButtons({ video, room }, texts) {
  return [
    ["answer", "phone", texts.answer, "accept wide"],
    ...(video && !room ? [["answerVideo", "video", texts.answer_video, "accept wide"]] : []),
    ["end", "phone-off", texts.decline, "danger wide"],
  ];
}
