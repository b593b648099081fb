// This phone is a room's microphone: black, one line, a level, and it says what is wrong with itself.
import { ask, element, keep, loadWords, patiently, say, show } from "./house.js";
import { Sender } from "./sender.js";

const DEAF_MS = 3000;      // without a sample for so long, the microphone is asked for again
const REOPEN_MS = 30000;   // between two tries where it gives nothing but zeros: each costs a moment of sound
const HOLD_MS = 1500;      // so long the button must be held to stop
const BATTERY_LOW = 0.2;
const FLOOR_DB = -70;      // where the level's bar begins
const SOUND = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 };

let room = "", name = "", sender = null, wakeLock = null, battery = null;
let wanted = false, opening = false, loading = false, trouble = "", context = null, stream = null;
let level = FLOOR_DB;
let sampleAt = 0;          // when the last sample came (milliseconds): what is missing after it is counted
let zerosSince = null;     // since when there is nothing but zeros
let beganAt = 0;           // when somebody tapped
let lookedAt = 0, reopenedAt = -REOPEN_MS;  // when the microphone was asked for, and when because of its zeros

// --- The microphone ---

async function open() {
  if (opening) return;
  opening = true;
  close();
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: SOUND });
    await collect();
  } catch (error) {
    trouble = error.name === "NotAllowedError" || error.name === "SecurityError" ? "not_allowed" : "mic_taken";
  }
  opening = false;
  lookedAt = performance.now();
  tell();
}

async function collect() {
  const [track] = stream.getAudioTracks();
  let source;
  try {
    context = new AudioContext({ sampleRate: 16000 });
    source = context.createMediaStreamSource(stream);
  } catch {  // Firefox gives a real microphone at its own rate only
    context?.close();
    context = new AudioContext();
    source = context.createMediaStreamSource(stream);
  }
  loading = true;
  // By another address each time: a context remembers for ever that one could not be loaded.
  await patiently(() => context.audioWorklet.addModule(new URL(`worklet.js?${performance.now()}`, import.meta.url)));
  loading = false;
  beganAt = performance.now();
  const collector = new AudioWorkletNode(context, "collector", {
    channelCount: 1, channelCountMode: "explicit", outputChannelCount: [1],
  });
  let heard = false;
  const rate = context.sampleRate;
  collector.port.onmessage = ({ data }) => {
    if (track.muted) {  // a call has the microphone: what comes are zeros that nobody recorded
      heard = false;
      return;
    }
    const now = performance.now(), missingS = (now - sampleAt) / 1000 - data.length / rate;
    if (!heard && sender.rate === rate && sender.next) sender.skip(Math.max(0, missingS));
    else if (!heard) sender.begin(rate);
    heard = true;
    sampleAt = now;
    if (trouble) {  // over with the first sample, not with a promise of one
      trouble = "";
      tell();
    }
    zerosSince = measure(data) ? null : zerosSince ?? now;
    sender.push(data);
  };
  source.connect(collector).connect(context.destination);  // it gives silence; what leads nowhere may not be run
  track.onmute = track.onunmute = track.onended = tell;
  await context.resume();
}

function close() {
  stream?.getTracks().forEach((track) => track.stop());
  context?.close().catch(() => {});
  stream = context = null;
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
  try {
    wakeLock = await navigator.wakeLock.request("screen");
    wakeLock.addEventListener("release", draw);
  } catch {
    wakeLock = null;
  }
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
  return sum;
}

// --- The screen ---

const bar = element("div",
  { class: "level", role: "meter", "aria-valuemin": FLOOR_DB, "aria-valuemax": 0, "aria-valuenow": FLOOR_DB },
  element("div"));
const line = element("h1", { "aria-live": "polite" });
const notes = element("div");
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
  if (sender.over) sender.begin(sender.rate);  // it takes over again
  wanted = true;
  keep(sessionStorage, "listening", "yes");  // a reload goes on without a tap, where the browser lets it
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
  sessionStorage.removeItem("listening");
  close();
  wakeLock?.release();
  tell();
  draw();
}

function troubles() {
  const found = [], said = word();
  if (sender.over) return [say("displaced")];
  if ([401, 403].includes(sender.refused)) found.push(say("not_a_microphone"));
  if (said !== "ok" && said !== "needs_tap") found.push(say(`fault.${said}`));
  const silentS = (performance.now() - sender.answeredAt) / 1000;
  if (silentS > 60) found.push(say("losing"));
  else if (silentS > 3) found.push(say("catching_up", { seconds: Math.round(silentS) }));
  if (!wakeLock || wakeLock.released) found.push(say("screen_may_sleep"));
  return found;
}

function draw() {
  if (sender.over && wanted) end();
  const listens = wanted && word() !== "needs_tap";
  document.body.classList.toggle("listening", listens);
  const found = wanted || sender.over ? troubles() : [];
  line.textContent = listens ? say("phone_listening", { room: name }) : name;
  notes.replaceChildren(...found.map((text) => element("p", { class: "bad" }, text)));
  notes.setAttribute("role", "alert");
  const shown = listens ? [line, bar, notes, stop] : [line, notes, start, hint];
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
    return show(element("p", { role: "alert" }, error.status === 401 ? say("not_paired") : error.message));
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
  });
  setInterval(look, 1000);
  draw();
  if (sessionStorage.getItem("listening")) await begin();
}

main();
