// The parents' page: what stands around the rooms and the nights.

import { keep, recall } from "../house.js";
import { html, render, useEffect, useState } from "../vendor/preact-htm.js";
import { Alarm } from "./alarm.js";
import { live } from "./live.js";
import { Night } from "./night.js";
import { Room, standing } from "./room.js";
import { chooseLanguage, language, languages, say, sentence, timeOf } from "./words.js";

const THEMES = ["auto", "light", "dark", "red"];
const VIEWS = { now: Rooms, night: Night };
const FRAMED = window.parent !== window; // as in Home Assistant: no frame of another's gets a microphone

const device = matchMedia("(prefers-color-scheme: dark)");

const chosen = () => recall(() => localStorage, "monitord.theme") ?? "auto";
const viewed = () => (location.hash.slice(1) in VIEWS ? location.hash.slice(1) : "now");

// Shows the colours that are chosen; the style sheet does the rest.
function wear(theme) {
  document.documentElement.dataset.theme = theme === "auto" ? (device.matches ? "dark" : "light") : theme;
}

// Calls back while somebody wants it: the effect of a component.
const on = (whom, kind, callback) => () => {
  whom.addEventListener(kind, callback);
  return () => whom.removeEventListener(kind, callback);
};

function App() {
  const [, redraw] = useState(0);
  const [view, setView] = useState(viewed());
  const [theme, setTheme] = useState(chosen());
  useEffect(() => live.onChange(() => redraw(Math.random())), []);
  useEffect(() => {
    wear(theme);
    return on(device, "change", () => wear(theme))();
  }, [theme]);
  useEffect(on(window, "hashchange", () => setView(viewed())), []); // the browser's way back
  const go = (name) => {
    location.hash = name;
  };
  const choose = (name) => {
    keep(() => localStorage, "monitord.theme", name);
    setTheme(name);
  };
  const View = VIEWS[view];
  document.title = titleOf();
  return html`
    <header class="top">
      <h1>${say("title")}</h1>
      <nav aria-label="monitord">
        ${Object.keys(VIEWS).map((name) => html`
          <button aria-current=${view === name ? "page" : null} onClick=${() => go(name)}>${say(name)}</button>`)}
      </nav>
      <${Alarm} />
    </header>
    <${Banners} />
    <main class=${live.lost !== null ? "stale" : ""}>
      ${live.me ? html`<${View} />` : live.lost === null && html`<p class="note" role="status">${say("connecting")}</p>`}
    </main>
    <footer>
      <label>${say("theme")}
        <select value=${theme} onChange=${({ target }) => choose(target.value)}>
          ${THEMES.map((name) => html`<option value=${name}>${say(`theme_${name}`)}</option>`)}
        </select>
      </label>
      <label>${say("language")}
        <select value=${language} onChange=${({ target }) => chooseLanguage(target.value)}>
          ${languages.map((code) => html`<option value=${code}>${new Intl.DisplayNames(code, { type: "language" }).of(code)}</option>`)}
        </select>
      </label>
      ${live.me?.role === "owner" && html`<a href="devices">${say("devices")}</a>`}
      ${FRAMED && live.me && html`<a href=${live.me.page} target="_blank" rel="noopener">${say("own_page")}</a>`}
      <p>${say("cannot")} ${say("not_medical")}</p>
    </footer>
  `;
}

// The worst of all rooms, on the browser's tab.
function titleOf() {
  if (live.lost !== null) return `✕ ${say("lost")}`;
  if (live.me === null) return say("title");
  const rooms = live.rooms.map((room) => [standing(room.id), room.name]);
  for (const [kind, mark] of [["crying", "!"], ["unheard", "✕"]])
    for (const [one, name] of rooms) if (one.kind === kind) return `${mark} ${name}: ${one.word}`;
  return say("title");
}

// What is wrong with more than a room.
function Banners() {
  if (live.denied) return html`<${Banner} title=${say("refused.401")} />`;
  if (live.lost !== null) return html`<${Banner} title=${say("lost")} why=${say("lost_why", { time: timeOf(live.lost) })} />`;
  const { problems = [], demo } = live.topics.get("info") ?? {};
  return html`
    ${problems.length > 0 && html`<${Banner} title=${say("problem")} why=${problems.map((word) => sentence(`problem.${word}`)).join(" ")} />`}
    ${demo && html`<p class="note" role="status">${say("demo")}</p>`}
  `;
}

const Banner = ({ title, why }) => html`<div class="banner" role="alert"><strong>${title}</strong> ${why}</div>`;

function Rooms() {
  const { rooms } = live;
  if (!rooms.length) return html`<div class="room off"><p class="word">${say("no_rooms")}</p><p>${live.me.role === "owner" ? say("no_rooms_owner") : say("no_rooms_why")}</p></div>`;
  return html`<div class="rooms">${rooms.map((room) => html`<${Room} key=${room.id} room=${room} />`)}</div>`;
}

wear(chosen());
live.start();
render(html`<${App} />`, document.body);
