// Words in the language that is chosen, else the browser's; the sentences for faults and reasons are those that phones are told.

import { keep } from "../house.js";

const all = await (await fetch("static/words.json")).json();

export const languages = Object.keys(all);

const kept = localStorage.getItem("monitord.language");
const wanted = [kept, ...navigator.languages.map((code) => code.slice(0, 2)), "en"];
export const language = wanted.find((code) => languages.includes(code));
const table = all[language];
document.documentElement.lang = language;

// Says a word of the table, with its {placeholders} filled in.
export function say(key, values = {}) {
  return table[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// Why a room is not heard, or why it cries; nothing where there is nothing to say.
export const sentence = (kind, word) => table[`${kind}.${word}`] ?? "";

export function chooseLanguage(code) {
  keep(localStorage, "monitord.language", code);
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
