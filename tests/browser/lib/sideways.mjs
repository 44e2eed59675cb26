// Runs inside the page: what makes it, or a part of it that is not `.scroll`,
// scroll sideways. Returns one line for each culprit, at most five.

export function sideways() {
  const name = (element) => {
    const id = element.id ? `#${element.id}` : '';
    const classes = [...element.classList].map((one) => `.${one}`).join('');
    return `${element.localName}${id}${classes}`;
  };
  const view = document.documentElement.clientWidth;
  const found = [];

  // Fields scroll their own text.
  const hasOwnScroll = (element) => element.matches('.scroll, input, textarea, select');
  const all = [...document.querySelectorAll('body, body *')];
  for (const element of all) {
    if (hasOwnScroll(element) || element.scrollWidth <= element.clientWidth + 1) continue;
    const { overflowX } = getComputedStyle(element);
    if (overflowX === 'auto' || overflowX === 'scroll') {
      const { scrollWidth, clientWidth } = element;
      found.push(`${name(element)} is ${scrollWidth} px wide inside ${clientWidth}`);
    }
  }

  const page = document.scrollingElement ?? document.documentElement;
  if (page.scrollWidth > view) {
    // Text can run out of its element; then scrollWidth says how far.
    const end = (element) => {
      const { left, right } = element.getBoundingClientRect();
      return Math.round(Math.max(right, left + element.scrollWidth) + window.scrollX);
    };
    const wide = all.filter((element) => !element.closest('.scroll, .vh') && end(element) > view);
    // The innermost elements say most: leave out those that hold another.
    const isInner = (element) =>
      !wide.some((other) => other !== element && element.contains(other));
    const culprits = wide
      .filter(isInner)
      .map((element) => `${name(element)} ends at ${end(element)} px`);
    found.push(...(culprits.length ? culprits : [`the page is ${page.scrollWidth} px wide`]));
  }
  return found.slice(0, 5);
}
