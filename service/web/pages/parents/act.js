// What a parent does: goes, puts off, tests, and decides what a room tells. Each button is a command as over MQTT.

import { html, useState } from "../vendor/preact-htm.js";
import { Check } from "./check.js";
import { command, live } from "./live.js";
import { decimal, percent, say, timeOf } from "./words.js";

const PROFILES = ["day", "night", "silent"];
const SNOOZES_MIN = [5, 10, 20, 40];

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
    <select aria-label=${say("snooze_for")} onChange=${choose}>
      <option value="">${say("snooze")} …</option>
      ${SNOOZES_MIN.map((n) => html`<option value=${n}>${say("minutes", { n })}</option>`)}
    </select>
  `;
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
      <label class="threshold">
        <span>${say("threshold")} <output>${percent(settings.threshold)}</output></span>
        <input type="range" min="0.05" max="0.95" step="0.01" value=${settings.threshold}
          aria-describedby="help-${room}" onChange=${({ target }) => send("threshold", target.value)} />
        <small id="help-${room}">${say("threshold_help")}</small>
      </label>
      <${Test} proof=${live.of(room, "proof")} start=${() => send("test_alarm", "PRESS")} />
      <${Check} room=${room} settings=${settings} send=${send} />
      ${refusal}
    </details>
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
    ...Object.entries(proof.not_told).map(([who, why]) => say("test_not_told", { who, why })),
    proof.state === "failed" && say("test_failed", { why: proof.detail }),
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
