// The owner's list of devices: who they are, when they were seen; a link for another one; remove.
import { ask, element, loadWords, say, show, timeOf } from "./house.js";

let made = null;  // {link, picture}: of the invitation that was made last

async function attempt(doing) {
  try {
    await doing();
    await draw();
  } catch (error) {
    show(element("p", { class: "bad", role: "alert" }, error.status === 401 ? say("not_paired") : error.message));
  }
}

function invite(role) {
  return attempt(async () => { made = await ask("POST", "api/devices", { role }); });
}

function rename(device, name) {
  return attempt(() => ask("POST", `api/devices/${device.id}`, { name }));
}

async function draw() {
  const { devices } = await ask("GET", "api/devices");
  const when = (iso) => `${new Date(iso).toLocaleDateString(document.documentElement.lang)} ${timeOf(iso)}`;
  show(
    element("nav", {}, element("h1", {}, say("devices")), element("a", { href: "./" }, say("now"))),
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
      element("p", {}, say(`role.${device.role}`) + (device.room ? `: ${device.room}` : "")),
      element("p", { class: "faint" }, say("seen", { time: when(device.seen) })),
      element("label", {}, say("device_name"), " ",
        element("input", { value: device.name, maxlength: 64, change: ({ target }) => rename(device, target.value) })),
      element("button", { click: () => attempt(() => ask("DELETE", `api/devices/${device.id}`)) }, say("remove")))));
}

await loadWords();
await attempt(async () => {});
