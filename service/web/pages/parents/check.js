// Ten quiet minutes: what a room sounds like when nobody makes a sound, what helps, and what monitord itself can do.

import { html, useState } from "../vendor/preact-htm.js";
import { live, post } from "./live.js";
import { decimal, duration, percent, say, timeOf } from "./words.js";

const FAINT_DB = 20; // over the room's noise: a cry from the next room; where none was measured here, the test alarm is as loud

// `settings` are the room's, `send` asks for a command.
export function Check({ room, settings, send }) {
  const [refusal, setRefusal] = useState("");
  const check = live.of(room, "check") ?? { state: "never" };
  const ask = async () => setRefusal(await post("api/check", { room, begin: check.state !== "running" }));
  return html`
    <div class="test">
      <button onClick=${ask}>${say(check.state === "running" ? "check_stop" : "check")}</button>
      <small>${say("check_help")}</small>
      ${check.state === "running" && html`
        <label>${say("check_running", { rest: duration(1000 * (check.whole_s - check.heard_s)) })}
          <progress max=${check.whole_s} value=${check.heard_s}>${percent(check.heard_s / check.whole_s)}</progress></label>`}
      ${check.state === "done" && html`
        <${Found} found=${check} />
        ${check.proposal && html`
          <${Proposed} found=${check} settings=${settings} send=${send} tests=${live.of(room, "proof")?.state === "running"} />`}`}
      ${settings.tuned && html`
        <p class="row"><span>${say("tuned")}</span>
          <button onClick=${() => send("tuning", "UNDO")}>${say("tuning_undo")}</button></p>`}
      ${refusal && html`<p class="refusal" role="alert">${say("failed", { why: refusal })}</p>`}
    </div>
  `;
}

function Found({ found }) {
  const facts = [
    say("check_floor", { dbfs: decimal(found.floor_dbfs) }),
    found.hum_hz && say("check_hum", { hz: found.hum_hz, db: decimal(found.hum_db) }),
    found.holes && say("check_holes", { n: found.holes, s: decimal(found.lost_s) }),
    found.clipped_s && say("check_clipped", { s: decimal(found.clipped_s) }),
    found.nearest != null && say("check_nearest", { share: percent(found.nearest) }),
    found.stirred_s && say("check_stirred", { duration: duration(1000 * found.stirred_s) }),
  ].filter(Boolean);
  return html`
    <ul class="advice" aria-live="polite">${found.advice.map((one) => html`<li><strong>${say(`advice_${one}`)}</strong></li>`)}</ul>
    <small>${timeOf(Date.parse(found.at))}: ${facts.join(", ")}.</small>
  `;
}

// What would be heard better, why, and what it would have done to the last nights; then a test as loud as a cry here.
function Proposed({ found, settings, send, tests }) {
  const { gain_db, threshold, cry_db } = found.proposal;
  const louder = gain_db !== null && gain_db !== settings.gain_db;
  const higher = threshold !== null && threshold > settings.threshold;
  const change = { ...(louder && { gain_db }), ...(higher && { threshold }) };
  const over_db = cry_db === null ? FAINT_DB : Math.min(60, Math.max(0, cry_db));
  return html`
    <ul class="advice">
      ${louder && html`<li><strong>${say("propose_gain", { db: decimal(gain_db), now: decimal(settings.gain_db) })}</strong>${" "}
        ${say(gain_db > settings.gain_db ? "propose_louder_why" : "propose_softer_why")}</li>`}
      ${higher && html`<li><strong>${say("propose_threshold", { p: percent(threshold), now: percent(settings.threshold) })}</strong>${" "}
        ${say("propose_threshold_why")} ${nights(found.proposal)}</li>`}
    </ul>
    ${louder || higher
      ? html`<button onClick=${() => send("tuning", JSON.stringify(change))}>${say("propose_apply")}</button>`
      : !found.advice.includes("not_quiet") && html`<small>${say("propose_nothing")}</small>`}
    <button onClick=${() => send("test_alarm", over_db)} disabled=${tests}>
      ${say("test_real", { db: decimal(over_db) })}</button>
    <small>${say(cry_db === null ? "test_real_faint" : "test_real_measured")}</small>
  `;
}

// Of the cries of the last days: how many this threshold would have told, and when the others were.
function nights({ days, episodes, not_told, no_cry }) {
  if (!episodes) return say("nights_none", { days });
  if (!not_told.length) return say("nights_all", { days, n: episodes });
  const times = not_told.slice(-5).map((since) => timeOf(1000 * since)).join(", ");
  return [
    say("nights_some", { days, n: episodes, told: episodes - not_told.length, lost: not_told.length, times }),
    no_cry > 0 && say("nights_no_cry", { n: no_cry }),
  ].filter(Boolean).join(" ");
}
