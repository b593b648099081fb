// What the family says of an episode: it was a cry, or the cat, or one was missed. The model's own word stays.

import { html, useState } from "../vendor/preact-htm.js";
import { unfold } from "./act.js";
import { command, live } from "./live.js";
import { fine, say, sentence, timeOf } from "./words.js";

const NO_CRIES = ["cat", "laughter", "talk", "toy", "other"];
const REASONS = ["hunger", "boredom", "tiredness", "discomfort"];

const wordOf = ({ was, reason }) =>
  reason ? say(`why_${reason}`) : was === "cry" || NO_CRIES.includes(was) ? say(`was_${was}`) : was;

// The choice beside an episode; what was said last stands in it.
export function WhatItWas({ episode, said, changed }) {
  const [refusal, setRefusal] = useState("");
  const choose = async ({ target }) => {
    const [was, reason] = target.value.split(" ");
    const value = { episode: episode.id, was, ...(reason && { reason }) };
    setRefusal(await command(episode.room, "correct", JSON.stringify(value)));
    changed();
  };
  const value = said ? [said.was, said.reason].filter(Boolean).join(" ") : "";
  const options = ["cry", ...REASONS.map((reason) => `cry ${reason}`), ...NO_CRIES];
  const option = (one) => {
    const [was, reason] = one.split(" ");
    return html`<option value=${one} selected=${one === value}>${wordOf({ was, reason })}</option>`;
  };
  return html`
    <select class="said" aria-label=${say("what_was_it")} onKeyDown=${unfold} onChange=${choose}>
      ${!options.includes(value) && html`<option value="" selected disabled>${said ? wordOf(said) : say("what_was_it")}</option>`}
      ${options.map(option)}
    </select>
    ${refusal && html`<p class="refusal" role="alert">${say("failed", { why: refusal })}</p>`}
  `;
}

// A cry that nobody was told of.
export function Missed({ room, changed }) {
  const [told, setTold] = useState("");
  const send = async (event) => {
    event.preventDefault();
    const at = new Date(event.target.elements.at.value);
    const refusal = await command(room, "correct", JSON.stringify({ missed_at: at.toISOString() }));
    setTold(refusal ? say("failed", { why: refusal }) : say("missed_kept", { time: timeOf(at) }));
    changed();
  };
  const now = new Date(Date.now() - 60_000 * new Date().getTimezoneOffset()).toISOString().slice(0, 16);
  return html`
    <details>
      <summary>${say("missed")}</summary>
      <form class="row" onSubmit=${send}>
        <label>${say("missed_at")} <input type="datetime-local" name="at" required max=${now} /></label>
        <button>${say("missed_send")}</button>
        <span role="status">${told}</span>
      </form>
    </details>
  `;
}

// What this home has taught the model so far.
export function Learnt() {
  const adaptation = live.topics.get("info")?.adaptation;
  const { corrections: n = 0, settled, left_out, cries_lost, outcome, source } = adaptation ?? {};
  const came = sentence(`outcome.${outcome}`).replace("{room}", live.me.rooms[source] ?? "");
  if (!n && !came) return null;
  return html`
    <section class="past" aria-labelledby="learnt">
      <h3 id="learnt">${say("learnt")}</h3>
      ${n > 0 && html`<p>${say("learnt_settled", { n, settled })} ${left_out > 0 && say("learnt_left_out", { n: left_out })}
        ${" "}${settled > 0 && say("learnt_cost", { share: fine(cries_lost) })}</p>`}
      ${came && html`<p role="status">${came}</p>`}
    </section>
  `;
}
