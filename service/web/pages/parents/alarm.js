// An alarm in an open page: it sounds once a tap has allowed it, and says so when it may not yet, and when it could not.

import { keep, recall } from "../house.js";
import { html, useEffect, useState } from "../vendor/preact-htm.js";
import { live } from "./live.js";
import { standing } from "./room.js";
import { say } from "./words.js";

const TONES_HZ = [880, 1175]; // two tones that no room makes by itself
const TONE_S = 0.18;
const TIMES = 6; // that the two are played: some 3 s, and each reminder plays them again

const DEAF_MS = 60_000; // for so long a room may be unheard, as for phones: most of that is over by itself

let context = null;

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

// Calls back with each alarm: a cry that wakes somebody, and, once, each room that is not heard for a minute, or the house.
function onAlarm(sound) {
  const deaf = new Map(); // by room, "" for the house: since when it is not heard; Infinity once that was told
  const known = new Map(); // by room: the last cry that this page knows of
  const ends = [
    live.onEvent((_, event) => event.alert && sound()),
    // A cry that began while the page was cut off, or slept, was told to nobody here.
    live.onReturn(() => {
      const missed = live.rooms.filter(({ id }) => {
        const state = live.of(id, "state");
        return state?.crying && !state.acknowledged && known.get(id) !== state.episode && live.of(id, "settings")?.profile !== "silent";
      });
      if (missed.length) sound();
    }),
    live.onChange(() => {
      for (const { id } of live.me ? live.rooms : []) known.set(id, live.of(id, "state")?.episode);
      const rooms = live.me ? live.rooms.map(({ id }) => [id, standing(id).kind === "unheard"]) : [];
      for (const [name, unheard] of [["", live.lost !== null], ...rooms])
        if (!unheard) deaf.delete(name);
        else if (!deaf.has(name)) deaf.set(name, Date.now());
        else if (deaf.get(name) < Date.now() - DEAF_MS) {
          deaf.set(name, Infinity);
          sound();
        }
    }),
  ];
  return () => ends.forEach((end) => end());
}

export function Alarm() {
  const [wanted, setWanted] = useState(recall(() => localStorage, "monitord.alarm") === "on");
  const [may, setMay] = useState(false); // whether the browser lets the page sound
  const [missed, setMissed] = useState(false); // an alarm came that could not sound
  const allow = () => {
    context ??= new AudioContext();
    // A phone call ends what a tap allowed.
    context.onstatechange = () => setMay(context.state === "running");
    setMay(context.state === "running");
    context.resume();
  };
  useEffect(() => {
    if (!wanted) return;
    allow(); // an earlier visit may have allowed it for good; else the next tap does, wherever it is
    addEventListener("pointerdown", allow);
    return () => removeEventListener("pointerdown", allow);
  }, [wanted]);
  useEffect(() => (wanted ? onAlarm(() => (context?.state === "running" ? ring() : setMissed(true))) : undefined), [wanted]);
  const choose = async () => {
    const next = !(wanted && may) || missed;
    keep(() => localStorage, "monitord.alarm", next ? "on" : "off");
    setWanted(next);
    setMissed(false);
    if (!next) return;
    allow();
    await context.resume();
    ring();
  };
  return html`
    <button aria-pressed=${wanted} onClick=${choose}>${say(wanted ? "alarm_on" : "alarm_off")}</button>
    ${wanted && (!may || missed) && html`
      <p class="banner" role="alert"><button onClick=${choose}>${say(missed ? "alarm_missed" : "alarm_blocked")}</button></p>`}
  `;
}
