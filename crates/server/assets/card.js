// Hands a card from the browser to the card processor, past the shop.
//
// data-card says what the page wants:
//   pay      another card beside kept ones: its token goes into the field "method" of the form
//   add      a card to be kept: bound to the customer by the secret of data-card-secret
//   confirm  the bank's question about a payment, by the same kind of secret
// The processor's script is loaded before this one. Where it is missing, the form says so.

const place = document.querySelector("[data-card]");
const form = place?.closest("form");
const problem = document.querySelector("[data-card-error]");

/** Says what is wrong, or clears it. */
function say(text) {
  if (!problem) return;
  problem.hidden = !text;
  const words = problem.querySelector("span");
  if (words) words.textContent = text;
}

/** True for a button of the same form that has nothing to do with the card. */
const isOther = (event) => event.submitter?.dataset.noCard !== undefined;

const chosen = () => form.querySelector("input[name=card]:checked")?.value ?? "new";

function start() {
  if (typeof globalThis.Stripe !== "function") {
    say("The card processor cannot be reached. Try again in a minute, or pay another way.");
    form.addEventListener("submit", (event) => {
      if (isOther(event)) return;
      if (place.dataset.card !== "pay" || chosen() === "new") event.preventDefault();
    });
    return;
  }
  const stripe = globalThis.Stripe(place.dataset.cardKey);
  const secret = place.dataset.cardSecret;
  let element = null;
  if (place.dataset.card !== "confirm") {
    element = stripe.elements().create("card");
    element.mount("#card-entry");
  }
  const show = () => {
    if (place.dataset.card === "pay") place.hidden = chosen() !== "new";
  };
  show();
  form.addEventListener("change", show);

  const ask = {
    pay: async () => {
      const made = await stripe.createPaymentMethod({ type: "card", card: element });
      return { error: made?.error, method: made?.paymentMethod?.id };
    },
    add: async () => {
      const done = await stripe.confirmCardSetup(secret, { payment_method: { card: element } });
      return { error: done?.error, method: done?.setupIntent?.payment_method };
    },
    confirm: async () => {
      const done = await stripe.confirmCardPayment(secret);
      // Whatever the bank said: the shop asks the processor how the payment stands.
      return { error: done?.error?.payment_intent ? null : done?.error, method: "" };
    },
  };
  let busy = false;
  let ready = false;
  form.addEventListener("submit", async (event) => {
    const kind = place.dataset.card;
    if (ready || isOther(event) || (kind === "pay" && chosen() !== "new")) return;
    event.preventDefault();
    if (busy) return;
    busy = true;
    say("");
    try {
      const { error, method } = await ask[kind]();
      if (error || (kind !== "confirm" && typeof method !== "string")) {
        say(error?.message ?? "The card was not taken. Check it and try again.");
        return;
      }
      const field = form.elements.namedItem("method");
      if (field) field.value = method;
      ready = true;
      form.requestSubmit(event.submitter ?? undefined);
    } catch {
      say("The card processor does not answer. Try again in a minute.");
    } finally {
      busy = false;
    }
  });
}

if (form) start();
