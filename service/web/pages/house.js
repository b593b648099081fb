// What all pages share: words in the family's language, elements, what a browser keeps, and requests to the house.

const ANSWER_MS = 8000; // without an answer for so long a request is dead: a Wi-Fi that freezes leaves it open for minutes
const AGAIN_MS = 1000; // between two attempts at what is done until it is done

let words = {};
export let language = "en", languages = ["en"];

// In the language that was chosen on the page, else the browser's.
export async function loadWords() {
  const all = await ask("GET", "static/words.json");
  const wanted = [recall(() => localStorage, "monitord.language") ?? "", ...(navigator.languages || []), "en"];
  languages = Object.keys(all);
  language = wanted.map((code) => code.slice(0, 2)).find((code) => languages.includes(code));
  words = all[language];
  document.documentElement.lang = language;
  document.title = words.title;
}

// Says a word of the table, with its {placeholders} filled in.
export function say(key, values = {}) {
  return (words[key] || key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

// Says one of several, which a word of the daemon chooses; nothing where there is nothing to say.
export const sentence = (key) => words[key] ?? "";

// Why the house did not do it, by the status of HTTP; 0: it did not answer.
function refusal(status) {
  return words[`refused.${status}`] ?? say("refused.other", { status });
}

export function timeOf(when) {
  return new Date(when).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
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

// Puts these in the place of what stands there, where they differ: whoever has it read aloud hears each change once.
export function change(place, ...children) {
  const made = element(place.tagName, {}, ...children);
  if (made.innerHTML !== place.innerHTML) place.replaceChildren(...made.childNodes);
}

// Returns the answer's values; throws an Error in words, whose `status` is that of HTTP, 0 without an answer.
export async function ask(method, path, body) {
  const abort = new AbortController(), hangs = setTimeout(() => abort.abort(), ANSWER_MS);
  let status = 0;
  try {
    const response = await fetch(path, { method, body: body === undefined ? undefined : JSON.stringify(body), signal: abort.signal });
    if (response.ok) return await response.json();
    status = response.status;
    await response.text(); // or its connection stays in use
  } catch { /* no answer, or half of one */ } finally {
    clearTimeout(hangs);
  }
  throw Object.assign(new Error(refusal(status)), { status });
}

// Keeps a text in a store of the browser, which is given as a function: some throw at its name alone. A browser that can keep
// nothing (its disk is full, or it was told so) only knows less on the next visit.
export function keep(store, name, text) {
  try {
    store().setItem(name, text);
  } catch { /* said above */ }
}

export function recall(store, name) {
  try {
    return store().getItem(name);
  } catch {
    return null;
  }
}

// Does it until it is done: while the daemon begins anew nobody answers. What the house refuses is thrown, but for "too often".
export async function patiently(doing) {
  for (;;) {
    try {
      return await doing();
    } catch (error) {
      if (error.status >= 400 && error.status < 500 && error.status !== 429) throw error;
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }
}

// Wears the colours that were chosen on the page; else the style sheet goes by the device.
const theme = recall(() => localStorage, "monitord.theme");
if (theme && theme !== "auto") document.documentElement.dataset.theme = theme;
