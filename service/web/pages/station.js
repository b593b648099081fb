// The nurse station: rooms that nobody hears, and rooms that cry; loudly where it does not know.
import { ask, change, element, loadWords, patiently, say, sentence, show, timeOf } from "./house.js";

const LOOK_MS = 2000;    // between two looks
const DRAW_MS = 1000;    // the page grows old by itself, also while an answer is waited for
const STALE_MS = 10000;  // what is older is no news: twice the station's own longest pause
const WHY = { shard: "station.nobody_hears", starting: "station.starting", off: "off" };

let known = null;        // what was told last
let knownAt = Date.now();
let refused = "";

const stands = element("div", { class: "rows" });  // read aloud whenever it changes
const rooms = element("div", { class: "rows" });

function since(iso) {
  return say("station.since", { minutes: Math.max(0, Math.floor((Date.now() - new Date(iso)) / 60000)), time: timeOf(iso) });
}

function row(one, ...more) {
  return element("section", { class: "card" }, element("h2", {}, `${one.name} · ${one.site}`), ...more);
}

const alarm = (text) => element("p", { class: "bad", role: "alert" }, text);

function draw() {
  const lost = Date.now() - knownAt > STALE_MS;
  if (refused || lost || !known) {
    change(stands, refused || lost ? alarm(refused || say("station.lost", { time: timeOf(knownAt) })) : []);
    change(rooms);
    return;
  }
  const count = known.not_heard.length;
  change(stands,
    known.detail ? alarm(say("station.no_broker")) : [],
    count
      ? alarm(say("station.not_heard", { count, rooms: known.rooms }))
      : element("p", { class: "good", role: "status" }, say("station.all_heard", { rooms: known.rooms })));
  change(rooms,
    known.not_heard.map((one) => {
      const why = WHY[one.fault] ? say(WHY[one.fault]) : sentence(`fault.${one.fault}`) || one.fault;
      return row(one, element("p", { class: "bad" }, why), element("p", { class: "faint" }, since(one.since)));
    }),
    element("h2", {}, say(known.crying.length ? "station.crying" : "station.nobody_cries")),
    known.crying.map((one) => row(one,
      element("p", {}, since(one.since)),
      one.distress === null ? null : element("p", {}, say("station.hard", { percent: Math.round(100 * one.distress) })),
      one.acknowledged ? element("p", { class: "faint" }, say("station.answered")) : null)),
    known.missing.map((one) => element("p", { class: "bad" }, say("station.missing", one))));
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
    if (error.status === 401) refused = error.message;
  }
  draw();
}

await patiently(loadWords);
document.title = say("station.title");
show(element("h1", {}, say("station.title")), stands, rooms);
setInterval(draw, DRAW_MS);
for (;;) {
  await look();
  await new Promise((done) => setTimeout(done, LOOK_MS));
}
