// On every page: says that scripts run, sends a form only once, and closes menus.
//
// Pages work without any of this. `html.js` hides the buttons (`.nojs`) that a script makes needless.

/** A form that did not lead to another page, such as a download, can be sent again after this. */
const HELD_MS = 15_000;

document.documentElement.classList.add("js");

// Times are written in the reader's time zone: the next page is told which one this browser has.
const zone = encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone ?? "");
if (zone && !document.cookie.split("; ").includes(`zone=${zone}`)) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `zone=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
}

/** Buttons that wait for the answer to their form. */
const held = new Set();

function hold(form, submitter) {
  const buttons = [...form.elements].filter((e) => e.matches('button, input[type="submit"], input[type="image"]'));
  for (const button of buttons) {
    if (button.disabled || (button.type !== "submit" && button.type !== "image")) continue;
    button.disabled = true;
    held.add(button);
  }
  if (submitter && held.has(submitter)) submitter.setAttribute("aria-busy", "true");
  setTimeout(() => release(buttons), HELD_MS);
}

function release(buttons) {
  for (const button of buttons) {
    if (!held.delete(button)) continue;
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  // Afterwards, when it is known whether somebody else took the form, and the fields have been read.
  setTimeout(() => {
    if (event.defaultPrevented || form.target === "_blank") return;
    hold(form, event.submitter);
  });
});

// A menu closes by Escape, where its word gets the focus back, and when something else is chosen.
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest?.("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// Back from the next page: the browser shows this one as it was left.
addEventListener("pageshow", (event) => {
  if (event.persisted) release([...held]);
});
