// The order list follows every tick without a new page (SHP-11).
//
// A form with data-live="list" is sent by fetch when one of its controls changes and when it is
// submitted: to the same address, with the same fields, and the header X-Fragment: list. The answer
// holds <aside id="order-list"> and <a class="stub">; both are put in place. Anything else (an error,
// another page, no network) sends the form as if there were no script, so the server has the word.
//
// What was changed is named beside the fields ("changed"), because the page shows more than was drawn
// once it has been kept up to date.
//
// Requests go one after another. While more is waiting, answers are not shown: the last state wins.
// A submit button with formaction or data-whole goes to its page and is left alone.

/** Faster answers show no waiting. */
const BUSY_AFTER_MS = 200;
/** Slower ones count as none. */
const LONGEST_MS = 10_000;

/** What is to be sent: a form as it is then with the offers that were changed in it, or the fields
 *  of a button as they were. */
const waiting = [];
let sending = false;

const list = () => document.getElementById("order-list");
const stub = () => document.querySelector("a.stub");
const isLive = (form) => form instanceof HTMLFormElement && form.dataset.live === "list";

document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (!isLive(form)) return;
  mirror(event.target);
  let turn = waiting.find((one) => one.form === form && !one.fields);
  if (!turn) waiting.push((turn = { form, changed: new Set() }));
  const offer = offerOf(event.target);
  if (offer) turn.changed.add(offer);
  send();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  const submitter = event.submitter;
  if (!isLive(form) || event.defaultPrevented || form.dataset.whole === "now") return;
  if (submitter?.hasAttribute("formaction") || submitter?.dataset.whole !== undefined) return;
  event.preventDefault();
  waiting.push({ form, submitter, fields: new FormData(form, submitter) });
  send();
});

// Back from the next page: the list may have changed there.
addEventListener("pageshow", (event) => {
  if (event.persisted && list()) location.reload();
});

async function send() {
  if (sending) return;
  sending = true;
  const timer = setTimeout(() => setBusy(true), BUSY_AFTER_MS);
  let turn, answer;
  while (waiting.length > 0) {
    turn = waiting.shift();
    answer = await ask(turn);
    if (!answer) break;
  }
  clearTimeout(timer);
  setBusy(false);
  sending = false;
  if (answer) show(answer);
  else sendWhole(turn);
}

/** The answer's nodes, or nothing when it is not a list. */
async function ask({ form, fields, changed = [] }) {
  try {
    const body = new URLSearchParams(fields ?? new FormData(form));
    for (const offer of changed) body.append("changed", offer);
    const reply = await fetch(form.getAttribute("action") || location.href, {
      method: "POST",
      body,
      headers: { "X-Fragment": "list" },
      signal: AbortSignal.timeout(LONGEST_MS),
    });
    if (!reply.ok || reply.redirected) return null;
    const template = document.createElement("template");
    template.innerHTML = await reply.text();
    return template.content.querySelector("#order-list") ? template.content : null;
  } catch {
    return null;
  }
}

/** Sends the form as a page, with what else was changed in it. */
function sendWhole({ form, submitter, changed = [] }) {
  const later = waiting.filter((turn) => turn.form === form && turn.changed);
  waiting.length = 0;
  for (const offer of new Set([...changed, ...later.flatMap((turn) => [...turn.changed])])) {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "changed", value: offer });
    form.append(field);
  }
  form.dataset.whole = "now";
  form.requestSubmit(submitter && form.contains(submitter) ? submitter : null);
  delete form.dataset.whole;
}

function setBusy(busy) {
  for (const part of [list(), stub()]) {
    if (busy) part?.setAttribute("aria-busy", "true");
    else part?.removeAttribute("aria-busy");
  }
}

function show(content) {
  const focus = noteFocus();
  const scrolled = list()?.querySelector(".lines")?.scrollTop ?? 0;
  replace(list(), content.querySelector("#order-list"));
  replace(stub(), content.querySelector("a.stub"));
  list()?.querySelector(".lines")?.scrollTo(0, scrolled);
  focus?.();
  mirrorAll();
}

/** Puts what is fresh in the place of what was there. The three figures that are read aloud stay
 *  the same element: one that is new would not be announced. */
function replace(old, fresh) {
  if (!old || !fresh) return;
  const steps = sharedSteps(old, fresh);
  copyAttributes(old, fresh);
  if (steps.length === 0) {
    old.replaceChildren(...fresh.childNodes);
    return;
  }
  for (const [mine, theirs] of steps) {
    for (const node of [...mine.parentNode.childNodes]) if (node !== mine) node.remove();
    const nodes = [...theirs.parentNode.childNodes];
    const at = nodes.indexOf(theirs);
    mine.before(...nodes.slice(0, at));
    mine.after(...nodes.slice(at + 1));
    copyAttributes(mine, theirs);
  }
  const [mine, theirs] = steps[0];
  mine.replaceChildren(...theirs.childNodes);
}

/** Pairs of elements from the figures up to below the two roots; none when the two differ. */
function sharedSteps(old, fresh) {
  let mine = old.querySelector("[aria-live]");
  let theirs = fresh.querySelector("[aria-live]");
  const steps = [];
  while (mine && theirs && mine !== old && theirs !== fresh) {
    if (mine.tagName !== theirs.tagName) return [];
    steps.push([mine, theirs]);
    mine = mine.parentElement;
    theirs = theirs.parentElement;
  }
  return mine === old && theirs === fresh ? steps : [];
}

function copyAttributes(to, from) {
  for (const { name } of [...to.attributes]) if (!from.hasAttribute(name)) to.removeAttribute(name);
  for (const { name, value } of from.attributes) if (to.getAttribute(name) !== value) to.setAttribute(name, value);
}

const FOCUSABLE = 'a[href], button, input:not([type="hidden"]), select, textarea, [tabindex="0"]';

/** Remembers what in the list has the focus; returns what gives it back. */
function noteFocus() {
  const active = document.activeElement;
  const aside = list();
  if (!aside?.contains(active)) return null;
  const at = [...aside.querySelectorAll(FOCUSABLE)].indexOf(active);
  const isTyped = active.matches('textarea, input:not([type="checkbox"], [type="radio"])');
  const typed = isTyped && active.value !== active.defaultValue ? active.value : null;
  const caret = isTyped ? [active.selectionStart, active.selectionEnd] : null;
  const key = isTyped || active.matches("select") ? [active.name] : [active.name, active.value, active.getAttribute("href")];
  return () => {
    const now = [...list().querySelectorAll(FOCUSABLE)];
    const same = now.find((e) => active.id && e.id === active.id)
      ?? now.find((e) => active.dataset.offer && e.dataset.offer === active.dataset.offer && e.type === active.type)
      ?? now.find((e) => e.tagName === active.tagName && key.some(Boolean) && key.every((part, i) => part === [e.name, e.value, e.getAttribute("href")][i]));
    // The line is gone: its neighbour, not the top of the page.
    const next = same ?? now[Math.min(Math.max(at, 0), now.length - 1)] ?? list();
    if (same && typed !== null) same.value = typed;
    if (next === list()) next.tabIndex = -1;
    next.focus({ preventScroll: true });
    // Somebody is typing: what was selected will be typed over.
    if (same && caret) same.setSelectionRange(...caret);
  };
}

/** A tick in one place is a tick in the other, at once. */
function mirror(control) {
  if (control.type !== "checkbox" || !control.dataset.offer) return;
  for (const other of boxes()) if (other.dataset.offer === control.dataset.offer) other.checked = control.checked;
}

/** Which offer a control is about. */
function offerOf(control) {
  return control.dataset.offer ?? control.dataset.amount ?? control.closest("[data-amount-of]")?.dataset.amountOf ?? "";
}

/** Ticks, quantities and tiers on the page as the server's list has them. */
function mirrorAll() {
  const aside = list();
  if (!aside) return;
  const ticked = new Set([...boxes(aside)].filter((box) => box.checked).map((box) => box.dataset.offer));
  for (const box of boxes()) if (!aside.contains(box)) box.checked = ticked.has(box.dataset.offer);
  for (const control of aside.querySelectorAll("[data-amount]")) {
    // What is being typed is not on the list yet.
    const amount = control.defaultValue ?? control.value;
    for (const part of document.querySelectorAll(`[data-amount-of="${control.dataset.amount}"]`)) mirrorAmount(part, amount);
  }
}

/** Shows an amount in a part of the page that chooses it or says what it costs. */
function mirrorAmount(part, amount) {
  for (const radio of part.querySelectorAll('input[type="radio"]')) radio.checked = radio.value === amount;
  const field = part.querySelector('input[name="quantity"]:not([type="radio"])');
  if (field && field !== document.activeElement) field.value = amount;
  const faces = [...part.querySelectorAll("[data-tier]")];
  if (!faces.some((face) => face.dataset.tier === amount)) return;
  for (const face of faces) face.hidden = face.dataset.tier !== amount;
}

function boxes(root = document) {
  return root.querySelectorAll('input[type="checkbox"][data-offer]');
}
