// Pairs this device with the token behind `#`, which is never part of a request's address.
import { ask, element, loadWords, say, show } from "./house.js";

await loadWords();
const token = location.hash.slice(1);
history.replaceState(null, "", location.pathname);  // the link is used up; nobody shall copy it
show(element("p", { role: "status" }, say("pairing")));
try {
  await ask("POST", "/api/pair", { token });
  location.replace("/");
} catch (error) {
  const words = error.status === 410 || error.status === 400 ? say("link_over") : say("failed", { why: error.message });
  show(element("p", { class: "bad", role: "alert" }, words));
}
