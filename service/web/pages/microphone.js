// This phone is a room's microphone: black, one line, a level, and it says what is wrong with itself.
import { ask, change, element, keep, loadWords, patiently, recall, say, show } from "./house.js";
import { Sender } from "./sender.js";

const HICCUP_S = 1;        // by so much an audio thread may be late: more than that was not recorded
const DEAF_MS = 3000;      // without a sample for so long, the microphone is asked for again
const REOPEN_MS = 30000;   // between two tries where it gives nothing but zeros: each costs a moment of sound
const HOLD_MS = 1500;      // so long the button must be held to stop
const BATTERY_LOW = 0.2;
const FLOOR_DB = -70;      // where the level's bar begins
const SOUND = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 };

let room = "", name = "", sender = null, wakeLock = null, battery = null;
let wanted = false, opening = false, loading = false, trouble = "", context = null, stream = null;
let turn = 0;              // how often the microphone was asked for: who comes late with an answer finds another one here
let locking = false;       // the screen is being kept on
let level = FLOOR_DB;
let sampleAt = 0;          // when the last sample came (milliseconds): what is missing after it is counted
let filledAt = 0;          // the same by the clock of the worklet
let zerosSince = null;     // since when there is nothing but zeros
let beganAt = 0;           // when somebody tapped
let lookedAt = 0, reopenedAt = -REOPEN_MS;  // when the microphone was asked for, and when because of its zeros

// --- The microphone ---

async function open() {
  if (opening) return;
  opening = true;
  close();
  const mine = ++turn;
  try {
    const given = await navigator.mediaDevices.getUserMedia({ audio: SOUND });
    if (mine === turn) await collect(mine, (stream = given));
    else given.getTracks().forEach((track) => track.stop());
  } catch (error) {
    if (mine === turn)
      trouble = error.name === "NotAllowedError" || error.name === "SecurityError" ? "not_allowed" : "mic_taken";
  }
  if (mine !== turn) return;
  opening = false;
  lookedAt = performance.now();
  tell();
}

async function collect(mine, given) {
  const [track] = given.getAudioTracks();
  let source;
  try {
    context = new AudioContext({ sampleRate: 16000 });
    source = context.createMediaStreamSource(given);
  } catch {  // Firefox gives a real microphone at its own rate only
    context?.close();
    context = new AudioContext();
    source = context.createMediaStreamSource(given);
  }
  const { audioWorklet } = context;
  loading = true;
  // By another address each time: a context remembers for ever that one could not be loaded.
  await patiently(() => mine !== turn || audioWorklet.addModule(new URL(`worklet.js?${performance.now()}`, import.meta.url)));
  if (mine !== turn) return;
  loading = false;
  beganAt = performance.now();
  const collector = new AudioWorkletNode(context, "collector", {
    channelCount: 1, channelCountMode: "explicit", outputChannelCount: [1],
  });
  let heard = false;
  const rate = context.sampleRate;
  collector.port.onmessage = ({ data: { samples, at } }) => {
    if (mine !== turn) return;
    if (track.muted) {  // a call has the microphone: what comes are zeros that nobody recorded
      heard = false;
      return;
    }
    // A page that is busy takes its samples late, and a clock that is set makes no hole: both must say that one is there.
    const now = performance.now(), missingS = Math.min(now - sampleAt, at - filledAt) / 1000 - samples.length / rate;
    if (!heard && !(sender.rate === rate && sender.next)) sender.begin(rate);
    else if (!heard || missingS > HICCUP_S) sender.skip(Math.max(0, missingS));
    heard = true;
    [sampleAt, filledAt] = [now, at];
    if (trouble) {  // over with the first sample, not with a promise of one
      trouble = "";
      tell();
    }
    zerosSince = measure(samples) ? null : zerosSince ?? now;
    sender.push(samples);
  };
  source.connect(collector).connect(context.destination);  // it gives silence; what leads nowhere may not be run
  track.onmute = track.onunmute = track.onended = tell;
  await context.resume();
}

function close() {
  stream?.getTracks().forEach((track) => track.stop());
  context?.close().catch(() => {});
  stream = context = null;
  loading = false;
}

// Trusts nothing but samples that come: after a call a track may say that it is live, and be silent.
function look() {
  const now = performance.now();
  if (wanted && Math.min(now - sampleAt, now - lookedAt) > DEAF_MS) open();
  else if (wanted && zerosSince && now - zerosSince > DEAF_MS && now - reopenedAt > REOPEN_MS) {
    reopenedAt = now;
    open();
  }
  if (wanted && !document.hidden && (!wakeLock || wakeLock.released)) stayAwake();
  tell();
  draw();
}

// --- What is wrong with this phone ---

function word() {
  if (!wanted || (opening && !stream && !sampleAt)) return "needs_tap";  // on the button, or on the browser's question
  if (loading) return "ok";  // the daemon begins anew: nobody is there to be told
  const deaf = performance.now() - Math.max(sampleAt, beganAt) > DEAF_MS;
  const [track] = stream?.getAudioTracks() || [];
  if (trouble === "not_allowed") return trouble;
  if (document.hidden && deaf) return "screen_off";
  if (trouble || (track && track.readyState === "ended")) return trouble || "mic_taken";
  if (context?.state === "suspended") return "needs_tap";
  if (deaf) return "mic_taken";
  if (document.hidden) return "screen_off";
  return battery && battery.level <= BATTERY_LOW && !battery.charging ? "battery_low" : "ok";
}

function tell() {
  sender?.say(word());
}

async function stayAwake() {
  if (locking) return;
  locking = true;
  try {
    wakeLock = await navigator.wakeLock.request("screen");
    wakeLock.addEventListener("release", draw);
    if (!wanted) wakeLock.release();
  } catch {
    wakeLock = null;
  }
  locking = false;
  draw();
}

// Shows the level; returns the sum of the squares: zero is no sound that a microphone gives.
function measure(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  level = Math.max(FLOOR_DB, 10 * Math.log10(sum / samples.length / 32768 ** 2 + 1e-12));
  const part = Math.round(100 * (1 - level / FLOOR_DB));
  bar.firstChild.style.width = `${part}%`;
  bar.setAttribute("aria-valuenow", Math.round(level));
  bar.setAttribute("aria-valuetext", `${Math.round(level)} dB`);
  return sum;
}

// --- The screen ---

const bar = element("div",
  { class: "level", role: "meter", "aria-valuemin": FLOOR_DB, "aria-valuemax": 0, "aria-valuenow": FLOOR_DB },
  element("div"));
const line = element("h1", { "aria-live": "polite" });
const notes = element("div", { role: "alert" });
const kept = element("p", { class: "bad", "aria-hidden": "true" });  // it counts seconds: too much to be read aloud
const start = element("button", { class: "main", click: begin });
const hint = element("p", { class: "faint" });
const stop = element("button", { class: "stop" });
let holding = 0;

function hold() {
  clearTimeout(holding);
  stop.classList.add("held");
  holding = setTimeout(end, HOLD_MS);
}

function release() {
  clearTimeout(holding);
  stop.classList.remove("held");
}

async function begin() {
  if (sender.over) {  // it takes over again
    sender.begin(sender.rate);
    sender.answeredAt = performance.now();
  }
  wanted = true;
  keep(() => sessionStorage, "listening", "yes");  // a reload goes on without a tap, where the browser lets it
  beganAt = lookedAt = performance.now();
  draw();
  stayAwake();
  await open();
}

function end() {
  release();
  wanted = false;
  sampleAt = 0;
  if (!sender.over) sender.begin(sender.rate);  // what nobody wanted to record is not lost
  keep(() => sessionStorage, "listening", "");
  turn++;
  opening = false;
  close();
  wakeLock?.release();
  tell();
  draw();
}

const silentS = () => (performance.now() - sender.answeredAt) / 1000;  // without an answer

function troubles() {
  const found = [], said = word();
  if (sender.over) return [say("displaced")];
  if ([401, 403].includes(sender.refused)) return [say("not_a_microphone")];
  if (said !== "ok" && said !== "needs_tap") found.push(say(`fault.${said}`));
  if (silentS() > 3) found.push(say(loading ? "not_recording" : silentS() > 60 ? "losing" : "catching_up"));
  if (!wakeLock || wakeLock.released) found.push(say("screen_may_sleep"));
  return found;
}

function draw() {
  if (sender.over && wanted) end();
  const listens = wanted && word() !== "needs_tap";
  document.body.classList.toggle("listening", listens);
  const found = wanted || sender.over ? troubles() : [];
  change(line, listens ? say("phone_listening", { room: name }) : name);
  change(notes, ...found.map((text) => element("p", { class: "bad" }, text)));
  change(kept, found.includes(say("catching_up")) ? say("kept_s", { seconds: Math.round(silentS()) }) : "");
  kept.hidden = !kept.textContent;
  const shown = listens ? [line, bar, notes, kept, stop] : [line, notes, start, hint];
  if (shown.some((one) => !one.isConnected) || start.isConnected === listens) show(...shown);
}

// --- The page's life ---

function back() {
  sender.last = false;
  if (!document.hidden) opening = false;  // what was asked for in the background may never be answered
  look();
}

async function main() {
  await patiently(loadWords);
  let me;
  try {
    me = await patiently(() => ask("GET", "api/me"));
  } catch (error) {
    return show(element("p", { role: "alert" }, error.message));
  }
  if (me.role !== "microphone") return show(element("p", { role: "alert" }, say("not_a_microphone")));
  if (!navigator.mediaDevices) return show(element("p", { role: "alert" }, say("no_microphone")));
  room = me.room;
  name = me.rooms[room];
  start.textContent = say("start_listening");
  stop.textContent = say("hold_to_stop");
  hint.textContent = say("start_hint");
  bar.setAttribute("aria-label", say("level"));
  sender = new Sender(room, draw);
  for (const kind of ["pointerdown", "keydown"]) stop.addEventListener(kind, (event) => {
    if (event.type === "pointerdown" || (!event.repeat && [" ", "Enter"].includes(event.key))) hold();
  });
  for (const kind of ["pointerup", "pointerleave", "pointercancel", "keyup", "blur"]) stop.addEventListener(kind, release);
  document.addEventListener("visibilitychange", () => document.hidden ? look() : back());
  document.addEventListener("freeze", () => wanted && sender.sayLast("page_asleep"));
  document.addEventListener("resume", back);
  addEventListener("pagehide", () => sender.over || sender.sayLast("page_closed"));
  addEventListener("pageshow", back);
  navigator.getBattery?.().then((found) => {
    battery = found;
    for (const kind of ["levelchange", "chargingchange"]) battery.addEventListener(kind, tell);
  }).catch(() => {});  // a browser that keeps it to itself
  setInterval(look, 1000);
  draw();
  if (recall(() => sessionStorage, "listening")) await begin();
}

main();
