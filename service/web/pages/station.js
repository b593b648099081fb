// The nurse station: rooms that nobody hears, and rooms that cry; loudly where it does not know.
import { ask, element, loadWords, say, show, timeOf } from "./house.js";

const LOOK_MS = 2000;    // between two looks
const STALE_MS = 10000;  // what is older is no news: twice the station's own longest pause
const WHY = { shard: "station.nobody_hears", starting: "station.starting", off: "off" };

let known = null;        // what was told last
let knownAt = Date.now();
let refused = "";
let drawn = "";

function since(iso) {
  return say("station.since", { minutes: Math.max(0, Math.floor((Date.now() - new Date(iso)) / 60000)), time: timeOf(iso) });
}

function row(one, ...more) {
  return element("section", { class: "card" }, element("h2", {}, `${one.name} · ${one.site}`), ...more);
}

function draw() {
  const parts = [element("h1", {}, say("station.title"))];
  const lost = Date.now() - knownAt > STALE_MS;
  if (refused) parts.push(element("p", { class: "bad", role: "alert" }, refused));
  else if (lost) parts.push(element("p", { class: "bad", role: "alert" }, say("station.lost", { time: timeOf(knownAt) })));
  if (known && !lost && !refused) {
    if (known.detail) parts.push(element("p", { class: "bad", role: "alert" }, say("station.no_broker")));
    const count = known.not_heard.length;
    parts.push(count
      ? element("p", { class: "bad", role: "alert" }, say("station.not_heard", { count, rooms: known.rooms }))
      : element("p", { class: "good", role: "status" }, say("station.all_heard", { rooms: known.rooms })));
    for (const one of known.not_heard) {
      const why = WHY[one.fault] ? say(WHY[one.fault]) : say(`fault.${one.fault}`);
      parts.push(row(one, element("p", { class: "bad" }, why), element("p", { class: "faint" }, since(one.since))));
    }
    parts.push(element("h2", {}, say(known.crying.length ? "station.crying" : "station.nobody_cries")));
    for (const one of known.crying) {
      parts.push(row(one,
        element("p", {}, since(one.since)),
        one.distress === null ? null : element("p", {}, say("station.hard", { percent: Math.round(100 * one.distress) })),
        one.acknowledged ? element("p", { class: "faint" }, say("station.answered")) : null));
    }
    for (const one of known.missing) parts.push(element("p", { class: "bad" }, say("station.missing", one)));
  }
  const page = element("div", {}, parts).innerHTML;
  if (page === drawn) return;  // whoever has it read aloud hears each change once
  drawn = page;
  show(...parts);
}

async function look() {
  try {
    const told = await ask("GET", "api/ward");
    refused = "";
    if (!told.ts) throw new Error("cut off");  // a connection that breaks off in the middle of an answer brings no news
    // A station that does not move tells the same for ever: its clock says so, whatever ours says.
    if (!known || told.ts !== known.ts) knownAt = Date.now();
    known = told;
  } catch (error) {
    if (error.status === 401) refused = say("not_paired");
  }
  draw();
}

await loadWords();
document.title = say("station.title");
for (;;) {
  await look();
  await new Promise((done) => setTimeout(done, LOOK_MS));
}
