// Arrow keys move the focus to what lies in their direction (SHP-16, ARC-07): a television has no
// other keys. What uses arrows itself keeps them: text, numbers, lists to choose from, regions that
// can still scroll. On a television they give them up at their edges, and Enter opens or ticks. Where
// nothing in sight lies in the direction, the page scrolls as always. Whoever holds a mouse scrolls
// with arrows until the focus is somewhere by key.

const DIRECTIONS = {
  ArrowUp: { axis: "y", sign: -1 },
  ArrowDown: { axis: "y", sign: 1 },
  ArrowLeft: { axis: "x", sign: -1 },
  ArrowRight: { axis: "x", sign: 1 },
};
const FOCUSABLE = 'a[href], button:not(:disabled), input:not([type="hidden"], :disabled), select:not(:disabled), textarea:not(:disabled), summary, [tabindex="0"]';
const OWN_ARROWS = '[role="slider"], [role="listbox"], [role="menu"], [role="tree"], [role="grid"], [role="tablist"], [role="application"], audio, video, iframe';
const PRESSED = ["button", "submit", "reset", "image", "file", "checkbox"];
const TEXT = ["text", "search", "email", "tel", "url", "password"];

/** Read from the sofa: there is no Tab to leave a field with. */
const sofa = matchMedia("(min-width: 110rem), (pointer: none)");
let byPointer = false;

for (const kind of ["pointermove", "pointerdown", "wheel"]) {
  addEventListener(kind, () => {
    byPointer = true;
    document.documentElement.classList.remove("arrows");
  }, { passive: true });
}

addEventListener("keydown", (event) => {
  if (event.key === "Tab") byPointer = false;
  if (event.defaultPrevented || event.isComposing) return;
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (event.key === "Enter") press(event);
  const direction = DIRECTIONS[event.key];
  if (!direction) return;
  const active = document.activeElement ?? document.body;
  const isNowhere = active === document.body || active === document.documentElement || active.matches("main");
  if (byPointer && !sofa.matches && (isNowhere || !active.matches(":focus-visible"))) return;
  if (!isNowhere && keepsArrows(active, direction)) return;
  if (active.type === "radio" && withinGroup(active, direction, event)) return;
  const target = isNowhere || !isSeen(boxOf(active)) ? firstSeen(direction) : nearest(active, direction);
  if (!target) return;
  event.preventDefault();
  go(target);
});

function go(target) {
  byPointer = false;
  document.documentElement.classList.add("arrows");
  target.focus({ preventScroll: true, focusVisible: true });
  (target.closest("label") ?? target).scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** The middle key of a remote control is Enter: it ticks and opens. */
function press(event) {
  const active = document.activeElement;
  if (!document.documentElement.classList.contains("arrows")) return;
  if (active.matches('input[type="checkbox"], input[type="radio"]')) {
    event.preventDefault();
    active.click();
  } else if (sofa.matches && active.matches("select") && active.showPicker) {
    event.preventDefault();
    active.showPicker();
  }
}

function keepsArrows(element, direction) {
  if (element.isContentEditable || element.closest(OWN_ARROWS)) return true;
  if (element.matches("select")) return !sofa.matches;
  if (element.matches("textarea")) return !(sofa.matches && isAtEdge(element, direction.sign));
  if (element.matches("input") && element.type !== "radio" && !PRESSED.includes(element.type)) {
    if (!sofa.matches || !TEXT.includes(element.type) || element.list) return true;
    return direction.axis === "x" && !isAtEdge(element, direction.sign);
  }
  return canScroll(element, direction);
}

/** Whether the caret cannot go further; kinds of input that do not tell are left when empty. */
function isAtEdge(field, sign) {
  if (field.selectionStart === null) return field.value === "";
  if (field.selectionStart !== field.selectionEnd) return false;
  return field.selectionStart === (sign > 0 ? field.value.length : 0);
}

function canScroll(element, { axis, sign }) {
  const [at, size, room] = axis === "x"
    ? [element.scrollLeft, element.scrollWidth, element.clientWidth]
    : [element.scrollTop, element.scrollHeight, element.clientHeight];
  if (size <= room + 1 || !element.matches('[tabindex="0"]')) return false;
  return sign > 0 ? at + room < size - 1 : at > 0;
}

/** Inside a group of radio buttons an arrow chooses, as ever; at its edge it leaves. */
function withinGroup(radio, direction, event) {
  const group = [...document.querySelectorAll('input[type="radio"]:not(:disabled)')]
    .filter((other) => other.name === radio.name && other.form === radio.form);
  const there = nearest(radio, direction, group);
  if (!there) return false;
  const usual = group[(group.indexOf(radio) + direction.sign + group.length) % group.length];
  if (there === usual) return true;
  event.preventDefault();
  go(there);
  there.click();
  return true;
}

/** Where an element is, for the eye: a box with its words counts as one, unless a link is among them. */
function boxOf(element) {
  const label = element.matches("input") ? element.closest("label") : null;
  return (label && !label.querySelector("a, button") ? label : element).getBoundingClientRect();
}

function isSeen(box) {
  return box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
}

function candidates() {
  return [...document.querySelectorAll(FOCUSABLE)]
    .filter((e) => !e.matches(".skip") && e.checkVisibility({ visibilityProperty: true }));
}

/** Where to begin: what the reader sees first, or last when going up; in the page before its head. */
function firstSeen({ sign }) {
  const seen = candidates().filter((e) => isSeen(boxOf(e)));
  const order = sign > 0 ? seen : seen.reverse();
  return order.find((e) => e.closest("main")) ?? order[0];
}

/** The nearest in a direction: distance along it, and, at a multiple, distance beside it. */
function nearest(from, direction, among = candidates()) {
  const start = boxOf(from);
  const [near, far, beside, past] = direction.axis === "x"
    ? ["left", "right", "top", "bottom"]
    : ["top", "bottom", "left", "right"];
  const middle = (box, a, b) => (box[a] + box[b]) / 2;
  let best = null;
  let least = Infinity;
  for (const candidate of among) {
    if (candidate === from) continue;
    const box = boxOf(candidate);
    const along = direction.sign > 0 ? box[near] - start[far] : start[near] - box[far];
    const ahead = (middle(box, near, far) - middle(start, near, far)) * direction.sign;
    const overlap = Math.min(start[far] - start[near], box[far] - box[near]) / 2;
    if (ahead <= 1 || along < -overlap) continue;
    const gap = Math.max(0, box[beside] - start[past], start[beside] - box[past]);
    const aside = Math.abs(middle(box, beside, past) - middle(start, beside, past));
    const score = Math.max(0, along) + gap * (direction.axis === "x" ? 5 : 2) + aside * 0.15;
    if (score < least) [best, least] = [candidate, score];
  }
  const room = direction.axis === "x" ? innerWidth : innerHeight;
  return best && (isSeen(boxOf(best)) || least < room * 0.9) ? best : null;
}
