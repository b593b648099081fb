// Now: each room at a glance. What is not heard says so, and so does a page that hears nothing from the house.
import { ask, element, loadWords, say, show, timeOf } from "./house.js";

const DEAD_MS = 35000;  // twice the longest silence of /api/live, and some
const topics = {};
let me = null, heardAt = Date.now(), stream = null;

function room(source, name) {
  const of = (topic) => topics[`${source}/${topic}`] || {};
  const online = topics[`${source}/status`] === "online", state = of("state"), fault = of("health").fault;
  const enabled = of("settings").enabled !== false;
  let words, kind;
  if (!enabled) [words, kind] = [say("switched_off"), "faint"];
  else if (!online) [words, kind] = [say("not_heard"), "bad"];
  else if (state.crying) [words, kind] = [say("crying", { time: timeOf(state.since) }), "bad"];
  else [words, kind] = [say("quiet"), "good"];
  const why = fault && fault !== "ok" ? element("p", {}, say(`fault.${fault}`)) : null;
  const going = online && state.crying && !state.acknowledged && me.role !== "guest"
    ? element("button", { class: "main", click: () => command(source, "ack", state.episode || "PRESS") }, say("going"))
    : null;
  return element("section", { class: "card" },
    element("h2", {}, name), element("p", { class: kind, role: "status" }, words), why, going);
}

async function command(source, name, value) {
  try {
    await ask("POST", "/api/command", { room: source, command: name, value });
  } catch (error) {
    alert(say("failed", { why: error.message }));
  }
}

function draw() {
  const dead = Date.now() - heardAt > DEAD_MS || !stream || stream.readyState !== EventSource.OPEN;
  const rooms = Object.entries(me.rooms).map(([source, name]) => room(source, name));
  show(
    element("nav", {}, element("h1", {}, say("now")),
      me.role === "owner" ? element("a", { href: "/devices" }, say("devices")) : null),
    dead ? element("p", { class: "bad", role: "alert" }, say("no_connection", { time: timeOf(heardAt) })) : rooms,
    dead || rooms.length ? [] : element("p", { class: "faint" }, say("no_room")));
}

function connect() {
  if (stream) stream.close();
  stream = new EventSource("/api/live");
  const heard = (take) => (event) => {
    heardAt = Date.now();
    take(JSON.parse(event.data));
    draw();
  };
  stream.addEventListener("state", heard((values) => {
    for (const topic of Object.keys(topics)) delete topics[topic];
    Object.assign(topics, values.topics);
  }));
  stream.addEventListener("message", heard((values) => { topics[values.topic] = values.content; }));
  stream.addEventListener("breath", heard(() => {}));
  stream.addEventListener("error", draw);
}

await loadWords();
try {
  me = await ask("GET", "/api/me");
} catch (error) {
  const words = error.status === 401 ? say("not_paired") : error.message;
  show(element("h1", {}, say("title")), element("p", { role: "alert" }, words));
}
if (me) {
  connect();
  setInterval(() => {
    if (stream.readyState === EventSource.CLOSED || Date.now() - heardAt > 2 * DEAD_MS) connect();
    draw();
  }, 5000);
}
