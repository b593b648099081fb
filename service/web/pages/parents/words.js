// Words and numbers in the language that is chosen, else the browser's; the sentences for faults and reasons are those that phones are told.

import { keep, language, loadWords, patiently } from "../house.js";

export { language, languages, say, sentence } from "../house.js";

await patiently(loadWords);

export function chooseLanguage(code) {
  keep(() => localStorage, "monitord.language", code);
  location.reload();
}

const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dayAndClock = new Intl.DateTimeFormat(language, {
  weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
});
const weekday = new Intl.DateTimeFormat(language, { weekday: "short" });
const date = new Intl.DateTimeFormat(language, { weekday: "short", day: "numeric", month: "short" });

// A time of day, `19:02`; with its weekday where it is not of the last twelve hours. Milliseconds since 1970.
export const timeOf = (ms) => (Math.abs(Date.now() - ms) < 12 * 3.6e6 ? clock : dayAndClock).format(ms);
export const clockOf = (ms) => clock.format(ms);
export const dateOf = (ms) => date.format(ms);
export const weekdayOf = (ms) => weekday.format(ms);

// Whole units that have passed, as on a phone: `40 s`, `3 min`, `1 h 12 min`.
export function duration(ms) {
  const s = Math.max(0, Math.floor(ms / 1000)), min = Math.floor(s / 60);
  return min >= 60 ? `${Math.floor(min / 60)} h ${min % 60} min` : min ? `${min} min` : `${s} s`;
}

export const percent = (p) => new Intl.NumberFormat(language, { style: "percent" }).format(p);
export const fine = (p) => new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 2 }).format(p);
export const decimal = (x) => new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(x);
