// What the daemon tells, as it stands now: one connection of server-sent events, and who wants to know of changes.

const SILENCE_MS = 8000; // the server says something each 2 s: after so long nothing that stands here is known any more
const AGAIN_MS = 2000; // between two attempts

const get = (path) => fetch(path, { cache: "no-store", signal: AbortSignal.timeout(SILENCE_MS) });

class Live {
  me = null; // {role, rooms: {id: name}}: this device, as it is paired; null until the server has said it
  topics = new Map(); // newest value of each retained topic, `nursery/state`
  lost = null; // since when nothing is known (milliseconds since 1970); null while all is told
  denied = false; // this device is not paired, or not any more
  heardAt = Date.now();
  #waits = false; // for the next attempt
  #changed = new Set();
  #events = new Set();
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

  // Calls back five times a second with what a room sounds like: {dbfs, columns}.
  onSound(room, callback) {
    this.#sound.set(room, callback);
    return () => this.#sound.delete(room);
  }

  async #connect() {
    this.#waits = false;
    try {
      const me = await get("api/me");
      this.denied = me.status === 401 || me.status === 403;
      if (!me.ok) throw new Error(me.statusText);
      this.me = await me.json();
      if (this.me.role === "microphone") return location.replace("microphone");
    } catch {
      return this.#again();
    }
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
      this.topics = new Map(Object.entries(topics));
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
    if (!this.#waits) setTimeout(() => this.#connect(), AGAIN_MS);
    this.#waits = true;
  }

  #watch() {
    // A connection that hangs is not noticed by the browser.
    if (this.source?.readyState === EventSource.OPEN && Date.now() - this.heardAt > SILENCE_MS) this.#again();
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
export async function post(path, body) {
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    return answer.ok ? "" : (await answer.json()).error;
  } catch (error) {
    return error.message;
  }
}

export const command = (room, name, value) => post("api/command", { room, command: name, value: String(value) });
