// One room at a glance: quiet, crying, or not heard and why; and what a parent can do about it.

import { html } from "../vendor/preact-htm.js";
import { Controls, Answer } from "./act.js";
import { Listen } from "./listen.js";
import { live } from "./live.js";
import { Picture } from "./picture.js";
import { decimal, duration, percent, say, sentence, timeOf } from "./words.js";

const HARD = 0.7; // share of the strongest cries from which a cry is called hard

const ICONS = { quiet: "☾", crying: "!", unheard: "✕", badly: "≈", off: "⏻" };

// How a room stands: {kind, word, why}. Whatever is not known to be quiet is not called so.
export function standing(room) {
  const of = (topic) => live.of(room, topic);
  const health = of("health"), state = of("state"), settings = of("settings");
  const fault = health?.fault ?? "ok";
  const why = sentence(`fault.${fault}`);
  if (settings && !settings.enabled) return { kind: "off", word: say("off"), why: say("off_why") };
  if (of("status") !== "online")
    return health && fault === "ok"
      ? { kind: "unheard", word: say("starting"), why: say("not_heard_why", { why: "" }) }
      : { kind: "unheard", word: say("not_heard"), why: say("not_heard_why", { why }) };
  if (state?.crying) {
    const hard = (state.distress ?? 0) >= HARD;
    return { kind: "crying", word: say(hard ? "crying_hard" : "crying"), why: sentence(`reason.${state.reason}`) };
  }
  if (fault !== "ok") return { kind: "badly", word: say("heard_badly"), why };
  return { kind: "quiet", word: say("quiet"), why: "" };
}

export function Room({ room }) {
  const { id, name } = room;
  const { kind, word, why } = standing(id);
  const state = live.of(id, "state"), episode = live.of(id, "episode"), settings = live.of(id, "settings");
  const since = state?.since && (kind === "crying" || kind === "quiet") ? Date.parse(state.since) : null;
  const lastAudio = live.of(id, "health")?.last_audio, answered = kind === "crying" && state.acknowledged;
  const snoozed = settings?.snoozed_until ? Date.parse(settings.snoozed_until) : null;
  return html`
    <section class="room ${kind} ${answered ? "answered" : ""}" aria-labelledby="room-${id}">
      <header>
        <h2 id="room-${id}">${name}</h2>
        <span class="icon" aria-hidden="true">${ICONS[kind]}</span>
      </header>
      <p class="word" aria-live=${kind === "quiet" ? "polite" : "assertive"}>${word}</p>
      <p class="since">
        ${kind === "unheard" && lastAudio && say("last_heard", { time: timeOf(Date.parse(lastAudio)) })}
        ${since && `${say("since", { time: timeOf(since) })}, ${duration(Date.now() - since)}`}
        ${answered && html`<strong> · ${onTheWay(state, episode, snoozed)}</strong>`}
      </p>
      ${why && html`<p class="why">${why}</p>`}
      ${(kind === "crying" || kind === "quiet") && html`<${Evidence} room=${id} state=${state} episode=${episode} />`}
      ${kind === "crying" && live.acts && html`<${Answer} room=${id} state=${state} />`}
      <${Picture} room=${id} />
      <div class="row"><${Listen} room=${id} /></div>
      <${Today} today=${live.of(id, "today")} />
      ${live.acts && settings && html`<${Controls} room=${id} settings=${settings} snoozed=${snoozed} />`}
    </section>
  `;
}

// What became of an alarm: somebody goes, and who, where it was said on a device of the family; or it was put off.
function onTheWay(state, episode, snoozed) {
  const who = episode?.episode === state.episode ? episode.answered_by : null;
  if (who) return say("goes", { who });
  return who === null && snoozed ? say("snoozed", { time: timeOf(snoozed) }) : say("on_the_way");
}

// What speaks for crying, how hard it is, where the model says so, and how sure the model is.
function Evidence({ room, state, episode }) {
  const { evidence = 0, on = 1 } = live.of(room, "level") ?? {};
  const mine = state?.crying && episode?.episode === state.episode ? episode : null;
  if (!state?.crying && !evidence) return null;
  const meter = (word, share) => html`
    <label>${say(word)} <meter min="0" max="1" value=${share}>${percent(share)}</meter></label>`;
  return html`
    <div class="evidence">
      ${meter("evidence", Math.min(1, evidence / on))}
      ${state?.crying && state.distress != null && meter("hard", state.distress)}
      ${mine && html`<span>${say("sure", { percent: percent(mine.p_cry) })}</span>`}
    </div>
  `;
}

function Today({ today }) {
  if (!today) return null;
  const words = today.episodes || today.crying_min
    ? say("today", { episodes: today.episodes, minutes: decimal(today.crying_min) })
    : say("today_none");
  return html`<p class="today">${words}</p>`;
}
