// What the daemon tells, as it stands now: one connection of server-sent events, and who wants to know of changes.

import { ask } from "../house.js";

const SILENCE_MS = 8000; // the server says something each 2 s: after so long nothing that stands here is known any more
const AGAIN_MS = 2000; // between two attempts
const DENIED_MS = 10_000; // the same while this device is not paired: the server counts who asks without being it

class Live {
  me = null; // {role, rooms: {id: name}}: this device, as it is paired; null until the server has said it
  topics = new Map(); // newest value of each retained topic, `nursery/state`
  lost = null; // since when nothing is known (milliseconds since 1970); null while all is told
  denied = false; // this device is not paired, or not any more
  heardAt = Date.now();
  #askedAt = 0; // when the newest connection was asked for
  #waits = false; // for the next attempt
  #changed = new Set();
  #events = new Set();
  #returns = new Set();
  #sound = new Map(); // by room: who draws it

  start() {
    setInterval(() => this.#watch(), 1000);
    this.#connect();
  }

  // Whether a parent holds this device, and not a guest.
  get acts() {
    return this.me?.role === "parent" || this.me?.role === "owner";
  }

  // Whether the daemon takes corrections.
  get learns() {
    return this.topics.get("info")?.adaptation !== undefined;
  }

  // The rooms: [{id, name}].
  get rooms() {
    return Object.entries(this.me.rooms).map(([id, name]) => ({ id, name }));
  }

  // The value of a topic of a room, or undefined.
  of(room, topic) {
    return this.topics.get(`${room}/${topic}`);
  }

  // Calls back after each change; returns what ends that.
  onChange(callback) {
    this.#changed.add(callback);
    return () => this.#changed.delete(callback);
  }

  // Calls back with each event of a cry: (room, event).
  onEvent(callback) {
    this.#events.add(callback);
    return () => this.#events.delete(callback);
  }

  // Calls back when all is told anew, after a time in which nothing was: what happened meanwhile is in no event.
  onReturn(callback) {
    this.#returns.add(callback);
    return () => this.#returns.delete(callback);
  }

  // Calls back five times a second with what a room sounds like: {dbfs, columns}.
  onSound(room, callback) {
    this.#sound.set(room, callback);
    return () => this.#sound.delete(room);
  }

  async #connect() {
    this.#waits = false;
    try {
      this.me = await ask("GET", "api/me");
      this.denied = false;
      if (this.me.role === "microphone") return location.replace("microphone");
    } catch ({ status }) {
      this.denied = status === 401 || status === 403;
      if (this.denied) this.#forget();
      return this.#again();
    }
    this.#askedAt = Date.now();
    const source = (this.source = new EventSource("api/live"));
    const on = (name, take) =>
      source.addEventListener(name, ({ data }) => {
        this.heardAt = Date.now();
        take(JSON.parse(data));
        if (name === "sound") return;
        if (name === "state") this.lost = null;
        this.#tell();
      });
    on("state", ({ topics }) => {
      // A page that stays open over an update is of yesterday's program.
      const before = this.topics.get("info")?.version, now = topics.info?.version;
      if (before && now && before !== now) location.reload();
      const again = this.topics.size > 0;
      this.topics = new Map(Object.entries(topics));
      if (again) for (const callback of this.#returns) callback();
    });
    on("message", ({ topic, content }) => {
      const [room, kind] = topic.split("/");
      if (kind !== "event") this.topics.set(topic, content);
      else for (const callback of this.#events) callback(room, content);
    });
    on("sound", (rooms) => {
      for (const [room, sound] of Object.entries(rooms)) this.#sound.get(room)?.(sound);
    });
    on("breath", () => {});
    // The browser would try again by itself, but not after each kind of end, and it would not see that it is refused.
    source.onerror = () => this.#again();
  }

  #again() {
    this.source?.close();
    this.#loseAt(this.heardAt);
    if (!this.#waits) setTimeout(() => this.#connect(), this.denied ? DENIED_MS : AGAIN_MS);
    this.#waits = true;
  }

  // What the house has told is not for a device that it has removed.
  #forget() {
    this.me = null;
    this.topics.clear();
  }

  #watch() {
    // A connection that hangs is not noticed by the browser, nor one that is not answered.
    const tries = this.source && this.source.readyState !== EventSource.CLOSED;
    if (tries && Date.now() - Math.max(this.heardAt, this.#askedAt) > SILENCE_MS) this.#again();
    this.#tell(); // durations go on
  }

  #loseAt(at) {
    this.lost ??= at;
    this.#tell();
  }

  #tell() {
    for (const callback of this.#changed) callback();
  }
}

export const live = new Live();

// Asks for something; returns nothing, or why it was refused, in words.
export async function post(path, body, method = "POST") {
  try {
    await ask(method, path, body);
    return "";
  } catch (error) {
    return error.message;
  }
}

export const command = (room, name, value) => post("api/command", { room, command: name, value: String(value) });
