// Ten quiet minutes: what a room sounds like when nobody makes a sound, and what helps.

import { html, useState } from "../vendor/preact-htm.js";
import { live, post } from "./live.js";
import { decimal, duration, percent, say, timeOf } from "./words.js";

export function Check({ room }) {
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
      ${check.state === "done" && html`<${Found} found=${check} />`}
      ${refusal && html`<p class="refusal" role="alert">${say("failed", { why: refusal })}</p>`}
    </div>
  `;
}

function Found({ found }) {
  const facts = [
    say("check_floor", { dbfs: decimal(found.floor_dbfs) }),
    found.hum_hz && say("check_hum", { hz: found.hum_hz, db: decimal(found.hum_db) }),
    found.holes && say("check_holes", { n: found.holes, s: decimal(found.lost_s) }),
    found.clipped_s && say("check_clipped", { s: found.clipped_s }),
    found.nearest != null && say("check_nearest", { share: percent(found.nearest) }),
    found.stirred_s && say("check_stirred", { duration: duration(1000 * found.stirred_s) }),
  ].filter(Boolean);
  return html`
    <ul class="advice" aria-live="polite">${found.advice.map((one) => html`<li><strong>${say(`advice_${one}`)}</strong></li>`)}</ul>
    <small>${timeOf(Date.parse(found.at))}: ${facts.join(", ")}.</small>
  `;
}
