// Plays int16 samples as they come, from a short store: it begins when the store holds enough, and waits again when it
// has run dry. What is more than `most` is left out, so that sound is never late.

const START_S = 0.2; // held before it plays: what a network's jitter takes
const MOST_S = 0.6; // held at most: what is older is left out

class Player extends AudioWorkletProcessor {
  #waiting = []; // Float32Array
  #held = 0; // samples in #waiting
  #used = 0; // samples of the first that are played
  #playing = false;
  #told = 0; // blocks since the last report

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      const samples = Float32Array.from(data, (sample) => sample / 32768);
      this.#waiting.push(samples);
      this.#held += samples.length;
      if (this.#held > MOST_S * sampleRate) this.#drop(this.#held - START_S * sampleRate);
    };
  }

  process(_, [[out]]) {
    if (!this.#playing && this.#held >= START_S * sampleRate) this.#playing = true;
    if (this.#playing) {
      for (let i = 0; i < out.length; i++) out[i] = this.#next();
      if (this.#held === 0) this.#playing = false;
    }
    if (++this.#told >= 50) {
      this.#told = 0;
      this.port.postMessage({ heldMs: Math.round((1000 * this.#held) / sampleRate), playing: this.#playing });
    }
    return true;
  }

  #next() {
    if (this.#held === 0) return 0;
    const sample = this.#waiting[0][this.#used++];
    this.#held--;
    if (this.#used === this.#waiting[0].length) {
      this.#waiting.shift();
      this.#used = 0;
    }
    return sample;
  }

  #drop(count) {
    for (let i = 0; i < count; i++) this.#next();
  }
}

registerProcessor("player", Player);
