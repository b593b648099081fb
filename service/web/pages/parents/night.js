// What the nights were: cries, what was not heard, and who went when, on a line for each room; then in words.

import { ask } from "../house.js";
import { html, useEffect, useState } from "../vendor/preact-htm.js";
import { live, post } from "./live.js";
import { Learnt, Missed, WhatItWas } from "./said.js";
import { clockOf, dateOf, decimal, duration, percent, say, sentence, weekdayOf } from "./words.js";

const HOUR_MS = 3_600_000, DAY_MS = 24 * HOUR_MS;
const AGAIN_MS = 30_000; // between two looks while the page stands open
const OBEYED_MS = 700; // after which a command was obeyed: the worker of a calm house looks twice a second
const NIGHT_FROM_H = 18, NIGHT_TO_H = 10; // local hours: from the evening meal to when everybody is up
const LEAST_SHARE = 0.003; // of the line's length: shorter is drawn as long, or nobody sees it

// Midnight of the local day that is `days` before today (milliseconds since 1970); days of 23 and 25 hours are right.
function midnight(days, hour = 0) {
  const day = new Date();
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() - days, hour).getTime();
}

// The lines of a view, oldest first: [{from, to, title}], all in milliseconds since 1970.
function linesOf(view, back) {
  if (view === "week")
    return Array.from({ length: 7 }, (_, i) => {
      const days = 7 * back + 6 - i;
      return { from: midnight(days), to: midnight(days - 1), title: dateOf(midnight(days)) };
    });
  if (view === "day") return [{ from: midnight(back), to: midnight(back - 1), title: dateOf(midnight(back)) }];
  const days = back + (new Date().getHours() < NIGHT_FROM_H ? 1 : 0); // before the evening: the last night
  const from = midnight(days, NIGHT_FROM_H), to = midnight(days - 1, NIGHT_TO_H);
  return [{ from, to, title: `${dateOf(from)} – ${weekdayOf(to)}` }];
}

const get = ({ from, to }) => ask("GET", `api/night?from=${from / 1000}&to=${to / 1000}`);

export function Night() {
  const [view, setView] = useState("night"), [back, setBack] = useState(0);
  const [found, setFound] = useState(null), [refusal, setRefusal] = useState("");
  const [asked, setAsked] = useState(0); // grows when something was said that the answer should show
  const lines = linesOf(view, back), [{ from }] = lines; // a page that stays open sees the next evening come
  useEffect(() => {
    let over = false;
    const look = async () => {
      try {
        const spans = await Promise.all(lines.map(get));
        if (!over) setFound({ view, from, spans });
        setRefusal("");
      } catch (error) {
        setRefusal(error.message);
      }
    };
    look();
    const timer = setInterval(look, AGAIN_MS);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [view, from, asked]);
  const changed = () => setTimeout(() => setAsked((before) => before + 1), OBEYED_MS);
  const spans = found?.view === view && found.from === from ? found.spans : null;
  const choose = (name) => () => {
    setView(name);
    setBack(0);
  };
  return html`
    <div class="bar">
      <div role="group" class="segments">
        ${["night", "day", "week"].map((name) => html`
          <button aria-pressed=${view === name} onClick=${choose(name)}>${say(`view_${name}`)}</button>`)}
      </div>
      <div class="segments">
        <button onClick=${() => setBack(back + 1)} aria-label=${say("earlier")}>‹</button>
        <h2>${view === "week" ? `${lines[0].title} – ${lines[6].title}` : lines[0].title}</h2>
        <button onClick=${() => setBack(back - 1)} disabled=${back === 0} aria-label=${say("later")}>›</button>
      </div>
    </div>
    ${refusal && html`<p class="refusal" role="alert">${say("failed", { why: refusal })}</p>`}
    <ul class="legend">
      ${["cry", "gap", "went"].map((kind) => html`<li><i class=${kind}></i>${say(`legend_${kind}`)}</li>`)}
    </ul>
    ${spans && live.rooms.map((room) => html`<${RoomNight} room=${room} lines=${lines} spans=${spans} week=${view === "week"} changed=${changed} />`)}
    <${Learnt} />
  `;
}

function RoomNight({ room, lines, spans, week, changed }) {
  return html`
    <section class="past" aria-labelledby="night-${room.id}">
      <h3 id="night-${room.id}">${room.name}</h3>
      ${lines.map((line, i) => html`<${Line} room=${room} line=${line} span=${spans[i]} titled=${week} />`)}
      ${!week && html`<${List} room=${room} span=${spans[0]} changed=${changed} />`}
      ${!week && live.acts && live.learns && html`<${Missed} room=${room.id} changed=${changed} />`}
    </section>
  `;
}

const ofRoom = (span, room) => ({
  episodes: span.episodes.filter(({ rooms }) => rooms.includes(room.id)),
  gaps: span.gaps.filter((gap) => gap.room === room.id || gap.room === ""),
});

const isUnrecorded = ({ why }) => why === "unrecorded";

// What a room cried on a line; of a time of which nothing is known, that. A room that has just come is in no answer yet.
function summaryOf({ episodes, minutes } = { episodes: 0, minutes: 0 }, gaps, to) {
  if (episodes || minutes) return say("cried", { episodes, minutes: decimal(minutes) });
  return gaps.some((gap) => isUnrecorded(gap) && gap.until * 1000 >= to) ? say("not_recorded") : say("cried_none");
}

// One line of time, with a mark for each cry and gap.
function Line({ room, line, span, titled }) {
  const { from, to } = line, now = Date.now();
  const { episodes, gaps } = ofRoom(span, room), summary = summaryOf(span.cried[room.id], gaps, to);
  const box = (kind, since, until, title, level) => {
    const begin = Math.max(0, (since * 1000 - from) / (to - from));
    const end = Math.min(1, ((until === null ? now : until * 1000) - from) / (to - from));
    const width = Math.max(LEAST_SHARE, end - begin);
    return html`<i class=${kind} title=${title} style=${{ left: `${100 * begin}%`, width: `${100 * width}%`, "--hard": level ?? 1 }}></i>`;
  };
  const step = to - from > 20 * HOUR_MS ? 6 : 4;
  const hours = [];
  for (let at = from; at <= to; at += HOUR_MS) if (new Date(at).getHours() % step === 0 && at < to) hours.push(at);
  return html`
    <div class="line">
      ${titled && html`<h4>${line.title}</h4>`}
      <div class="track" role="img" aria-label=${say("timeline", { room: titled ? line.title : room.name, summary })}>
        ${hours.map((at) => html`<b style=${{ left: `${(100 * (at - from)) / (to - from)}%` }}>${clockOf(at)}</b>`)}
        ${gaps.map((gap) => box(isUnrecorded(gap) ? "gap unrecorded" : "gap", gap.since, gap.until, gapWords(gap)))}
        ${episodes.map((one) => box("cry", one.since, one.until, clockOf(one.since * 1000), one.distress))}
        ${episodes.filter((one) => one.answered).map((one) => box("went", one.answered, one.answered, `${clockOf(1000 * one.answered)} ${whoOf(one)}`))}
        ${now > from && now < to && html`<i class="now" style=${{ left: `${(100 * (now - from)) / (to - from)}%` }} title=${say("now_is")}></i>`}
      </div>
      <p>${summary}</p>
    </div>
  `;
}

const gapWords = ({ why }) => (["off", "down", "unrecorded"].includes(why) ? say(`gap_${why}`) : sentence(`fault.${why}`));

// The same in words, for whoever wants to know exactly, or hears this page.
function List({ room, span, changed }) {
  const { episodes, gaps } = ofRoom(span, room);
  const missed = span.corrections.filter((one) => one.room === room.id && one.episode === null);
  const all = [
    ...episodes.map((one) => [one.since, html`<${Cry} key=${one.id} one=${one} span=${span} changed=${changed} />`]),
    ...gaps.map((one) => {
      const [since, title] = isUnrecorded(one) ? [one.until, ""] : [one.since, lasted(one)];
      return [since, html`<${Item} kind="gap" since=${since} title=${title} words=${gapWords(one)} />`];
    }),
    ...missed.map((one) => [one.since, html`<${Item} kind="missed" since=${one.since} title="" words=${say("missed_here")} />`]),
  ].sort(([a], [b]) => a - b);
  if (!all.length) return html`<p class="note">${say("all_calm")}</p>`;
  return html`<ol class="happened">${all.map(([, item]) => item)}</ol>`;
}

const lasted = ({ since, until }) => (until === null ? say("still") : duration(1000 * (until - since)));

function Item({ kind, since, title, words, hard, children }) {
  return html`
    <li>
      <time>${clockOf(1000 * since)}</time><i class=${kind} style=${{ "--hard": hard ?? 1 }}></i>
      <span><strong>${title}</strong> ${words}</span>
      ${children}
    </li>
  `;
}

const whoOf = ({ answered_by: who }) => who || say(who === "" ? "who_mqtt" : "who_unknown");

function Cry({ one, span, changed }) {
  const said = span.corrections.findLast(({ episode }) => episode === one.id);
  const went = one.answered && say("went", { who: whoOf(one), duration: duration(1000 * (one.answered - one.since)) });
  const words = [
    one.distress !== null && `${say("hard")} ${percent(one.distress)}`,
    sentence(`reason.${one.reason}`).replace(/\.$/, ""),
    went || say("nobody_went"),
  ].filter(Boolean);
  return html`
    <${Item} kind="cry" since=${one.since} title=${lasted(one)} words=${words.join(" · ")} hard=${one.distress}>
      ${live.acts && live.learns && html`<${WhatItWas} episode=${one} said=${said} changed=${changed} />`}
      ${one.clip && html`<${Clip} one=${one} changed=${changed} />`}
    </${Item}>
  `;
}

function Clip({ one, changed }) {
  const [refusal, setRefusal] = useState("");
  const remove = async () => {
    setRefusal(await post(`api/clips/${one.id}`, undefined, "DELETE"));
    changed();
  };
  return html`
    <div class="row clip">
      <div class="player"><audio controls preload="none" src="api/clips/${one.id}"
        aria-label=${say("clip", { time: clockOf(1000 * one.since) })}></audio></div>
      ${live.acts && html`<button onClick=${remove} aria-label=${say("clip_delete")} title=${say("clip_delete")}>✕</button>`}
      ${one.picture && html`<div class="drawn"><img loading="lazy" width="640" height="360" src="api/clips/${one.id}/picture"
        alt=${say("clip_picture", { time: clockOf(1000 * one.since) })} /></div>`}
      ${refusal && html`<p class="refusal" role="alert">${say("failed", { why: refusal })}</p>`}
    </div>
  `;
}
