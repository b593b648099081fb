// Sends sound with the index of its samples, and keeps up to a minute of it while nobody answers. It never gives up.

const RING_S = 60;      // what is kept without an answer; older sound is lost, and the daemon counts it by the index
const BATCH_S = 4;      // most sound in one post
const WATCHDOG_MS = 3000;  // a post without an answer for so long is dead; the next one is half as large
const WORD_MS = 1000;   // between two posts while there is no sound

export class Sender {
  // changed(): called after each answer, or its absence.
  constructor(room, changed) {
    Object.assign(this, { room, changed, says: "needs_tap", refused: 0, ring: [], answeredAt: performance.now() });
    this.begin(48000);
    this.run();
  }

  // A new axis of samples, at a rate (hertz). What waits on the one before is sent all the same, first.
  begin(rate) {
    const session = Array.from(crypto.getRandomValues(new Uint8Array(12)), (one) => one.toString(16).padStart(2, "0")).join("");
    Object.assign(this, { axis: { session, rate }, rate, next: 0, batch: BATCH_S, over: null });
  }

  push(samples) {
    this.ring.push({ axis: this.axis, start: this.next, samples });
    this.next += samples.length;
    while (this.keptS() > RING_S) this.ring.shift();
    this.wake?.();
  }

  // Sound was missing for so long (seconds): the index goes on by as much.
  skip(seconds) {
    this.next += Math.round(seconds * this.rate);
  }

  keptS() {
    return this.ring.reduce((sum, one) => sum + one.samples.length / one.axis.rate, 0);
  }

  say(word) {
    if (word === this.says || this.last) return;
    this.says = word;
    this.wake?.();
  }

  // Where the oldest sound goes that is kept; without any, the word alone.
  path() {
    const { axis, start } = this.ring[0] ?? { axis: this.axis, start: this.next };
    const asked = new URLSearchParams({ ...axis, start, says: this.says });
    return `api/microphone/${this.room}?${asked}`;
  }

  // The last word of a page that is closed or put to sleep: no answer is waited for. `last` false: it is back.
  sayLast(word) {
    this.says = word;
    this.last = true;
    navigator.sendBeacon(this.path());
  }

  async run() {
    let told = "", pause = 500;
    for (;;) {
      if (this.over || (!this.ring.length && this.says === told)) await this.rest(WORD_MS);
      if (this.over) continue;
      told = this.says;
      const answer = await this.post();
      if (answer === "ok") pause = 500;
      else await this.rest(pause = Math.min(2 * pause, 2000), true);
      this.changed();
    }
  }

  rest(ms, whole = false) {
    return new Promise((done) => {
      setTimeout(done, ms);
      if (!whole) this.wake = done;
    });
  }

  // Posts the oldest sound that hangs together; returns "ok", "wait" or "lost".
  async post() {
    const { ring } = this, axis = ring[0]?.axis ?? this.axis, first = ring[0]?.start ?? this.next;
    const path = this.path(), batch = [];
    let end = first;
    for (const one of ring) {
      if (one.axis !== axis || one.start !== end || (batch.length && end - first + one.samples.length > this.batch * axis.rate)) break;
      batch.push(one.samples);
      end += one.samples.length;
    }
    const abort = new AbortController();
    const watchdog = setTimeout(() => abort.abort(), WATCHDOG_MS);
    let response, values;
    try {
      response = await fetch(path, { method: "POST", body: new Blob(batch), signal: abort.signal, cache: "no-store" });
      values = await response.json();
    } catch {
      this.batch = Math.max(0.25, this.batch / 2);  // a slow network gets small posts
      return "lost";
    } finally {
      clearTimeout(watchdog);
    }
    this.refused = response.ok || response.status >= 500 ? 0 : response.status;
    if (response.status === 409) {
      this.end(axis, values.over);
      return "wait";
    }
    if (!response.ok) return "wait";
    this.answeredAt = performance.now();
    this.batch = Math.min(BATCH_S, 2 * this.batch);
    while (ring[0]?.axis === axis && ring[0].start + ring[0].samples.length <= values.have) ring.shift();
    return batch.length && values.have <= first ? "wait" : "ok";  // the daemon has no room for it now
  }

  // The daemon takes nothing more on this axis: a newer page has the room, or too much is missing.
  end(axis, why) {
    this.ring = this.ring.filter((one) => one.axis !== axis);
    if (why === "displaced" && axis === this.axis) this.over = why;
    else if (axis === this.axis) this.begin(this.rate);
  }
}
