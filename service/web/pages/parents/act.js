// What a parent does: goes, puts off, tests, and decides what a room tells. Each button is a command as over MQTT.

import { html, useRef, useState } from "../vendor/preact-htm.js";
import { Check } from "./check.js";
import { command, live } from "./live.js";
import { decimal, percent, say, sentence, timeOf } from "./words.js";

const PROFILES = ["day", "night", "silent"];
const SNOOZES_MIN = [5, 10, 20, 40];
const OBEYED_MS = 2000; // after which what is in force is known: the worker of a calm house looks twice a second

// Sends commands, and says what was refused.
function useCommand(room) {
  const [refusal, setRefusal] = useState("");
  const send = async (name, value) => setRefusal(await command(room, name, value));
  return [send, refusal && html`<p class="refusal" role="alert">${say("failed", { why: refusal })}</p>`];
}

// While it cries: the two answers.
export function Answer({ room, state }) {
  const [send, refusal] = useCommand(room);
  return html`
    <div class="row answers">
      ${!state.acknowledged && html`<button class="main" onClick=${() => send("ack", state.episode)}>${say("going")}</button>`}
      <${Snooze} send=${send} />
      ${refusal}
    </div>
  `;
}

function Snooze({ send }) {
  const choose = ({ target }) => {
    if (target.value) send("snooze", target.value);
    target.value = "";
  };
  return html`
    <select aria-label=${say("snooze_for")} onKeyDown=${unfold} onChange=${choose}>
      <option value="">${say("snooze")} …</option>
      ${SNOOZES_MIN.map((n) => html`<option value=${n}>${say("minutes", { n })}</option>`)}
    </select>
  `;
}

// A folded list that is walked by keys would act at each step: it is unfolded, and acts when one is chosen.
export function unfold(event) {
  const walks = event.key.startsWith("Arrow") || (event.key.length === 1 && event.key !== " ");
  if (!walks || event.altKey || event.ctrlKey || event.metaKey || !event.target.showPicker) return;
  event.preventDefault();
  event.target.showPicker();
}

// Behind a fold: what a room tells, and the proof that it does.
export function Controls({ room, settings, snoozed }) {
  const [send, refusal] = useCommand(room);
  return html`
    ${snoozed && html`
      <p class="row note"><span>${say("snoozed", { time: timeOf(snoozed) })}</span>
        <button onClick=${() => send("snooze", 0)}>${say("end_snooze")}</button></p>`}
    <details>
      <summary>${say("settings")}</summary>
      <label class="switch">
        <input type="checkbox" role="switch" checked=${settings.enabled}
          onChange=${({ target }) => send("enabled", target.checked ? "ON" : "OFF")} />
        ${say("enabled")}
      </label>
      <fieldset class="choice">
        <legend>${say("profile")}</legend>
        ${PROFILES.map((profile) => html`
          <label><input type="radio" name="profile-${room}" checked=${settings.profile === profile}
            onChange=${() => send("profile", profile)} />${say(`profile_${profile}`)}</label>`)}
      </fieldset>
      <${Threshold} room=${room} threshold=${settings.threshold} send=${send} />
      <${Test} proof=${live.of(room, "proof")} start=${() => send("test_alarm", "PRESS")} />
      <${Check} room=${room} settings=${settings} send=${send} />
      ${refusal}
    </details>
  `;
}

// A slider that somebody holds stays in the hand, whatever is told meanwhile.
function Threshold({ room, threshold, send }) {
  const [held, setHeld] = useState(null), timer = useRef();
  const shown = held ?? threshold;
  const move = ({ target }) => {
    clearTimeout(timer.current);
    setHeld(target.value);
  };
  const leave = async ({ target }) => {
    await send("threshold", target.value);
    timer.current = setTimeout(() => setHeld(null), OBEYED_MS);
  };
  return html`
    <label class="threshold">
      <span>${say("threshold")} <output>${percent(shown)}</output></span>
      <input type="range" min="0.05" max="0.95" step="0.01" value=${shown} aria-valuetext=${percent(shown)}
        aria-describedby="help-${room}" onInput=${move} onChange=${leave} />
      <small id="help-${room}">${say("threshold_help")}</small>
    </label>
  `;
}

// The test alarm, with each step as it is done.
function Test({ proof, start }) {
  const steps = proof && proof.state !== "never" ? [
    proof.over_db != null && say("test_over", { db: decimal(proof.over_db) }),
    proof.state === "running" && proof.heard_ms === null && say("test_running"),
    proof.heard_ms !== null && say("test_heard", { s: decimal(proof.heard_ms / 1000) }),
    proof.published_ms !== null && say("test_passed_on", { s: decimal(proof.published_ms / 1000) }),
    ...Object.entries(proof.receivers).map(([who, ms]) => say("test_had", { who, s: decimal(ms / 1000) })),
    ...Object.entries(proof.not_told).map(([who, why]) => html`${say("test_not_told", { who })} <span lang="en">${why}</span>`),
    proof.state === "failed" && say("test_failed", { why: sentence(`test_why.${proof.why}`) || proof.detail }),
  ].filter(Boolean) : [];
  return html`
    <div class="test">
      <button onClick=${start} disabled=${proof?.state === "running"}>${say("test")}</button>
      <small>${proof?.proven ? say("test_proven", { time: timeOf(Date.parse(proof.proven)) }) : say("test_never")}</small>
      <small>${say("test_help")}</small>
      <ol aria-live="polite">${steps.map((step) => html`<li>${step}</li>`)}</ol>
    </div>
  `;
}
