// An alarm in an open page: it sounds once a tap has allowed it, and says so when it could not.

import { keep } from "../house.js";
import { html, useEffect, useState } from "../vendor/preact-htm.js";
import { live } from "./live.js";
import { say } from "./words.js";

const TONES_HZ = [880, 1175]; // two tones that no room makes by itself
const TONE_S = 0.18;
const TIMES = 6; // that the two are played: some 3 s, and each reminder plays them again

let context = null;

async function allow() {
  context ??= new AudioContext();
  await context.resume();
}

function ring() {
  const begin = context.currentTime + 0.05;
  for (let i = 0; i < 2 * TIMES; i++) {
    const tone = context.createOscillator(), gain = context.createGain(), at = begin + i * 1.4 * TONE_S;
    tone.frequency.value = TONES_HZ[i % 2];
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(0.5, at + 0.02);
    gain.gain.linearRampToValueAtTime(0, at + TONE_S);
    tone.connect(gain).connect(context.destination);
    tone.start(at);
    tone.stop(at + TONE_S);
  }
}

export function Alarm() {
  const [wanted, setWanted] = useState(localStorage.getItem("monitord.alarm") === "on");
  const [blocked, setBlocked] = useState(false);
  useEffect(
    () =>
      live.onEvent((_, event) => {
        if (!wanted || !event.alert) return;
        if (context?.state === "running") ring();
        else setBlocked(true);
      }),
    [wanted],
  );
  const choose = async () => {
    const next = blocked || !wanted;
    keep(localStorage, "monitord.alarm", next ? "on" : "off");
    setWanted(next);
    setBlocked(false);
    if (next) {
      await allow();
      ring();
    }
  };
  // Wanted on an earlier visit: the first tap of this one, wherever it is, allows it.
  useEffect(() => {
    if (wanted && !context) addEventListener("pointerdown", allow, { once: true });
  }, [wanted]);
  return html`
    <button aria-pressed=${wanted} onClick=${choose}>${say(wanted ? "alarm_on" : "alarm_off")}</button>
    ${blocked && html`<p class="banner" role="alert"><button onClick=${choose}>${say("alarm_blocked")}</button></p>`}
  `;
}
