// What all pages share: words in the browser's language, elements, and requests to the house.

let words = {};

export async function loadWords() {
  const all = await (await fetch("static/words.json")).json();
  const code = (navigator.languages || ["en"]).map((one) => one.slice(0, 2)).find((one) => one in all) || "en";
  words = all[code];
  document.documentElement.lang = code;
  document.title = words.title;
}

export function say(key, values = {}) {
  return (words[key] || key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

export function timeOf(iso) {
  return new Date(iso).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
}

// element("p", { class: "faint" }, "text", child): values that are functions are listeners, by their event's name.
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child != null));
  return made;
}

export function show(...children) {
  document.getElementById("main").replaceChildren(...children.flat());
}

// Returns the answer's values; throws an Error whose `status` is that of HTTP, 0 without a connection.
export async function ask(method, path, body) {
  let response;
  try {
    response = await fetch(path, { method, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw Object.assign(new Error(say("no_connection", { time: timeOf(Date.now()) })), { status: 0 });
  }
  const values = await response.json().catch(() => ({}));
  if (!response.ok) throw Object.assign(new Error(values.error || response.statusText), { status: response.status });
  return values;
}

// Keeps a text in this browser. One that cannot (its disk is full, or it was told so) only knows less on the next visit.
export function keep(store, name, text) {
  try {
    store.setItem(name, text);
  } catch { /* said above */ }
}

// Does it until it is done: while the daemon begins anew nobody answers. What the house refuses is thrown.
export async function patiently(doing) {
  for (;;) {
    try {
      return await doing();
    } catch (error) {
      if (error.status >= 400 && error.status < 500) throw error;
      await new Promise((done) => setTimeout(done, 1000));
    }
  }
}
