// Pairs this device with the token behind `#`, which is never part of a request's address.
import { ask, element, loadWords, patiently, say, show } from "./house.js";

const token = location.hash.slice(1);

async function pair(choice = {}) {
  show(element("h1", {}, say("title")), element("p", { role: "status" }, say("pairing")));
  try {
    const { role } = await ask("POST", "api/pair", { token, ...choice });
    // For a new room the daemon begins anew: a page that is opened meanwhile would be there in half, or not at all.
    if (role === "microphone") await patiently(async () => {
      if ((await ask("GET", "api/me")).begins_anew) throw new Error("not yet");
    });
    location.replace(role === "microphone" ? "microphone" : "./");  // nobody goes back to a link that is used up
  } catch (error) {
    refuse(error);
  }
}

function refuse(error) {
  const over = error.status === 410 || error.status === 400;
  show(element("h1", {}, say("title")), element("p", { class: "bad", role: "alert" }, over ? say("refused.410") : say("failed", { why: error.message })));
}

function chooseRoom(rooms) {
  const usual = say("nursery"); // once: two rooms of one name cannot be told apart
  const value = Object.values(rooms).includes(usual) ? "" : usual;
  const name = element("input", { id: "name", required: true, maxlength: 64, value, autocomplete: "off" });
  const make = (event) => {
    event.preventDefault();
    pair({ role: "microphone", name: name.value });
  };
  show(
    element("h1", {}, say("which_room")),
    Object.entries(rooms).map(([room, called]) =>
      element("button", { click: () => pair({ role: "microphone", room }) }, called)),
    element("form", { class: "card", submit: make },
      element("label", { for: "name" }, say("new_room")), name,
      element("button", { class: "main" }, say("go_on"))));
}

await patiently(loadWords);
try {
  const { role, room, rooms } = await ask("POST", "api/pair", { token, look: true });
  if (role === "owner") {
    show(
      element("h1", {}, say("what_is_it")),
      element("button", { click: () => chooseRoom(rooms) }, say("is_microphone")),
      element("button", { click: () => pair() }, say("is_mine")));
  } else if (role === "microphone" && !room) chooseRoom(rooms);
  else await pair();
} catch (error) {
  refuse(error);
}
