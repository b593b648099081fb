// Collects what the microphone gives into quarters of a second of int16, each with the index of its first sample.
class Collector extends AudioWorkletProcessor {
  constructor() {
    super();
    this.fresh();
  }

  fresh() {
    this.samples = new Int16Array(Math.round(sampleRate / 4));
    this.filled = 0;
  }

  process([[channel]]) {
    if (channel) {  // none while the track gives nothing: then the page hears that no sound comes
      for (const value of channel) {
        this.samples[this.filled++] = Math.max(-32768, Math.min(32767, Math.round(value * 32768)));
        if (this.filled === this.samples.length) {
          this.port.postMessage(this.samples, [this.samples.buffer]);
          this.fresh();
        }
      }
    }
    return true;
  }
}

registerProcessor("collector", Collector);
