// Over plain http: how to trust this machine, and the way on to the page. Nothing of the family is here.
import { ask, element, loadWords, patiently, say, show } from "./house.js";

await patiently(loadWords);
const { https } = await patiently(() => ask("GET", "way"));
show(
  element("h1", {}, say("trust_title")),
  element("p", {}, element("a", { href: https }, say("trust_on"))),
  element("section", { class: "card" },
    element("p", {}, say("trust_why")),
    element("p", {}, element("a", { href: "monitord-ca.crt", download: "monitord-ca.crt" }, say("trust_get"))),
    ["trust_ios", "trust_android", "trust_computer"].map((key) => element("p", {}, say(key))),
    element("p", { class: "faint" }, say("trust_limits"))));
