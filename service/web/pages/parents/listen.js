// Lets a parent hear a room: bare samples come by a streaming answer and go to an AudioWorklet. It tries for ever.

import { patiently } from "../house.js";
import { html, useEffect, useState } from "../vendor/preact-htm.js";
import { say } from "./words.js";

const RATE_HZ = 16000;
const AGAIN_MS = 1000; // between two attempts
const REPORT_MS = 1500; // without a word from what plays for so long, nothing plays: it reports some seven times a second
const SILENCE_MS = 4000; // without a sample for so long, the connection hangs: it is opened again

let current = null; // the one room that is listened to

class Listening {
  state = "wait"; // wait, heard, lost, paused
  heldMs = 0;

  constructor(room, changed) {
    this.room = room;
    this.changed = changed;
    this.abort = new AbortController();
  }

  async start() {
    // Asked for in the click itself, or a browser keeps it silent.
    this.context = new AudioContext({ sampleRate: RATE_HZ, latencyHint: "interactive" });
    await this.context.resume().catch(() => {}); // stopped meanwhile
    if (this.#over) return;
    // A phone call, or an alarm clock, stops all sound of a page, and some phones do not let it go on by itself.
    this.context.onstatechange = () => this.#is(this.context.state === "running" ? "wait" : "paused");
    // By another address each time: a context remembers for ever that one could not be loaded.
    await patiently(() => this.#over || this.context.audioWorklet.addModule(new URL(`player-worklet.js?${performance.now()}`, import.meta.url)));
    if (this.#over) return;
    this.player = new AudioWorkletNode(this.context, "player", { numberOfInputs: 0, outputChannelCount: [1] });
    this.player.port.onmessage = ({ data }) => {
      this.heldMs = data.heldMs;
      this.reportedAt = Date.now();
      this.#is(data.playing ? "heard" : this.state === "heard" ? "wait" : this.state);
    };
    this.player.connect(this.context.destination);
    this.watch = setInterval(() => {
      if (Date.now() - this.reportedAt > REPORT_MS && this.state === "heard") this.#is("paused");
    }, REPORT_MS);
    while (!this.#over) {
      const attempt = new AbortController();
      try {
        await this.#receive(attempt);
      } catch {
        // Told by the state: a network that comes back is no reason to give up.
      }
      attempt.abort();
      if (this.#over) return;
      this.#is("lost");
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }

  async #receive(attempt) {
    this.attempt = attempt;
    const unlessHangs = (doing) => {
      const hangs = setTimeout(() => attempt.abort(), SILENCE_MS);
      return doing.finally(() => clearTimeout(hangs));
    };
    const answer = await unlessHangs(fetch(`api/listen/${this.room}`, { signal: attempt.signal, cache: "no-store" }));
    if (!answer.ok) throw new Error(answer.statusText);
    const reader = answer.body.getReader();
    let odd = new Uint8Array(0); // half a sample
    for (;;) {
      const { value, done } = await unlessHangs(reader.read());
      if (done) return;
      const bytes = new Uint8Array(odd.length + value.length);
      bytes.set(odd);
      bytes.set(value, odd.length);
      const whole = bytes.length & ~1;
      odd = bytes.slice(whole);
      const samples = new Int16Array(bytes.buffer.slice(0, whole));
      this.player.port.postMessage(samples, [samples.buffer]);
    }
  }

  get #over() {
    return this.abort.signal.aborted;
  }

  #is(state) {
    this.state = state;
    this.changed();
  }

  stop() {
    clearInterval(this.watch);
    if (this.context) this.context.onstatechange = null;
    this.abort.abort();
    this.attempt?.abort();
    this.context?.close();
  }
}

export function Listen({ room }) {
  const [, redraw] = useState(0);
  useEffect(() => () => current?.room === room && stop(), [room]);
  const stop = () => {
    current?.stop();
    current = null;
    redraw(Math.random());
  };
  const start = () => {
    current?.stop();
    current?.changed();
    current = new Listening(room, () => redraw(Math.random()));
    current.start();
    redraw(Math.random());
  };
  const mine = current?.room === room ? current : null;
  const words = mine && { wait: "listen_wait", heard: "listen_heard", lost: "listen_lost", paused: "listen_paused" };
  const paused = mine?.state === "paused";
  return html`
    <button aria-pressed=${mine !== null && !paused} onClick=${mine && !paused ? stop : start}>
      ${say(mine && !paused ? "listen_stop" : "listen")}
    </button>
    ${mine && html`
      <p class="note"><span role="status">${say(words[mine.state])}</span>
        ${mine.state === "heard" && html`<span aria-hidden="true"> · ${say("listen_held", { ms: mine.heldMs })}</span>`}</p>`}
  `;
}
