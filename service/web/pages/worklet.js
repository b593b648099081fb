// Collects what the microphone gives into quarters of a second of int16, each with the moment in which it was full
// (milliseconds since 1970): on this thread no sample waits for the page.
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
          this.port.postMessage({ samples: this.samples, at: Date.now() }, [this.samples.buffer]);
          this.fresh();
        }
      }
    }
    return true;
  }
}

registerProcessor("collector", Collector);
