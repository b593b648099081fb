// What a room sounds like: a level, and a spectrogram that runs to the left. The server computes both.

import { html, useEffect, useRef } from "../vendor/preact-htm.js";
import { live } from "./live.js";
import { say } from "./words.js";

const BANDS = 64; // rows of a column, lowest first
const COLUMNS_PER_S = 20;
const SECONDS = 30;
const QUIETEST_DBFS = -90, LOUDEST_DBFS = 0; // ends of the level's scale
const STALE_MS = 3000; // without sound for so long, the level says so

// Red, green and blue at equal steps of matplotlib's inferno (CC0): even steps to every eye, colour-blind or not.
const INFERNO = [
  [0, 0, 4], [33, 12, 74], [87, 16, 110], [138, 34, 106], [188, 55, 84], [228, 90, 49], [249, 142, 9], [249, 203, 53],
  [252, 255, 164],
];
const RED = [[0, 0, 0], [60, 0, 0], [130, 8, 0], [200, 30, 10], [255, 80, 50]]; // at night: only what the eye's rods do not see

function colours(steps) {
  return Array.from({ length: 256 }, (_, value) => {
    const at = (value / 255) * (steps.length - 1), i = Math.min(Math.floor(at), steps.length - 2);
    return steps[i].map((from, c) => from + (steps[i + 1][c] - from) * (at - i));
  });
}

const palettes = { red: colours(RED), other: colours(INFERNO) };

class Scroll {
  constructor(canvas) {
    canvas.width = SECONDS * COLUMNS_PER_S;
    canvas.height = BANDS;
    this.pen = canvas.getContext("2d", { alpha: false });
    this.canvas = canvas;
  }

  // Appends columns: bytes, each column from the lowest band to the highest.
  push(bytes) {
    const palette = palettes[document.documentElement.dataset.theme] ?? palettes.other;
    const count = bytes.length / BANDS;
    const image = this.pen.createImageData(count, BANDS);
    for (let x = 0; x < count; x++)
      for (let band = 0; band < BANDS; band++) {
        const [r, g, b] = palette[bytes[x * BANDS + band]];
        image.data.set([r, g, b, 255], 4 * ((BANDS - 1 - band) * count + x));
      }
    this.pen.drawImage(this.canvas, -count, 0);
    this.pen.putImageData(image, this.canvas.width - count, 0);
  }
}

const share = (dbfs) => Math.min(1, Math.max(0, (dbfs - QUIETEST_DBFS) / (LOUDEST_DBFS - QUIETEST_DBFS)));

// Level and spectrogram of a room. They change five times a second, past preact.
export function Picture({ room }) {
  const canvas = useRef(), meter = useRef();
  useEffect(() => {
    const scroll = new Scroll(canvas.current);
    let soundAt = 0;
    const nothing = () => {
      if (Date.now() - soundAt < STALE_MS) return;
      meter.current.style.setProperty("--level", 0);
      meter.current.setAttribute("aria-valuetext", say("no_sound_yet"));
    };
    const timer = setInterval(nothing, 1000);
    const end = live.onSound(room, ({ dbfs, columns }) => {
      const floor = live.of(room, "level")?.floor ?? QUIETEST_DBFS;
      soundAt = Date.now();
      scroll.push(Uint8Array.from(atob(columns), (c) => c.charCodeAt(0)));
      meter.current.style.setProperty("--level", share(dbfs));
      meter.current.style.setProperty("--floor", share(floor));
      meter.current.setAttribute("aria-valuenow", Math.round(dbfs));
      const [level, noise] = [Math.round(dbfs), Math.round(floor)];
      meter.current.setAttribute("aria-valuetext", say("level_value", { dbfs: level, floor: noise }));
    });
    nothing();
    return () => {
      clearInterval(timer);
      end();
    };
  }, [room]);
  return html`
    <div class="picture">
      <canvas ref=${canvas} role="img" aria-label=${say("spectrogram", { seconds: SECONDS })}></canvas>
      <div class="meter" ref=${meter} role="meter" aria-label=${say("level")} aria-valuemin=${QUIETEST_DBFS}
        aria-valuemax=${LOUDEST_DBFS} aria-valuenow=${QUIETEST_DBFS}></div>
    </div>
  `;
}
