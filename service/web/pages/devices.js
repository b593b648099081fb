// The owner's list of devices: who they are, when they were seen; a link for another one; remove.
import { ask, element, language, loadWords, patiently, say, show, timeOf } from "./house.js";

let made = null;  // {link, picture}: of the invitation that was made last

let devices = [], rooms = {};  // as told last; names of the rooms by id
let refusal = "";              // of what was tried last

// Does it, and shows what stands then; what was refused stands above, in words.
async function attempt(doing) {
  refusal = "";
  try {
    await doing();
  } catch (error) {
    refusal = say("failed", { why: error.message });
  }
  try {
    [{ devices }, { rooms }] = await Promise.all([ask("GET", "api/devices"), ask("GET", "api/me")]);
  } catch (error) {
    refusal = error.message;
    if (error.status) devices = [];  // it may not see them any more
  }
  draw();
}

function invite(role) {
  return attempt(async () => { made = await ask("POST", "api/devices", { role }); });
}

function rename(device, name) {
  return attempt(() => name.trim() && ask("POST", `api/devices/${device.id}`, { name }));
}

function draw() {
  const when = (iso) => `${new Date(iso).toLocaleDateString(language, { dateStyle: "medium" })} ${timeOf(iso)}`;
  show(
    element("nav", {}, element("h1", {}, say("devices")), element("a", { href: "./" }, say("now"))),
    refusal ? element("p", { class: "bad", role: "alert" }, refusal) : [],
    element("section", { class: "card" },
      element("h2", {}, say("invite")),
      ["microphone", "guest", "parent", "owner"].map((role) =>
        element("button", { click: () => invite(role) }, say(`role.${role}`))),
      made ? [
        element("img", { class: "code", src: made.picture, alt: say("invite_code") }),
        element("p", { class: "link" }, made.link),
        element("p", { class: "faint" }, say("invite_hint")),
      ] : null),
    devices.map((device) => element("section", { class: "card" },
      element("h2", {}, device.name + (device.this ? ` (${say("this_device")})` : "")),
      element("p", {}, say(`role.${device.role}`) + (device.room ? `: ${rooms[device.room] ?? device.room}` : "")),
      element("p", { class: "faint" }, say("seen", { time: when(device.seen) })),
      element("label", {}, say("device_name"), " ",
        element("input", { value: device.name, maxlength: 64, change: ({ target }) => rename(device, target.value) })),
      element("button", { click: () => attempt(() => ask("DELETE", `api/devices/${device.id}`)) }, say("remove")))));
}

await patiently(loadWords);
await attempt(async () => {});
