// Make a piece of the page look like new HTML and leave alone whatever is the same:
// focus, half-typed text and selections survive. Elements are matched by id.

export function morph(target, html, id = null) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const wanted = id ? parsed.getElementById(id) : parsed.body;
  if (wanted) children(target, wanted);
}

function children(target, source) {
  const byId = new Map([...target.children].filter((each) => each.id).map((each) => [each.id, each]));
  let place = target.firstChild;
  for (const wanted of [...source.childNodes]) {
    const known = wanted.id ? byId.get(wanted.id) : place;
    if (known && same(known, wanted)) {
      if (known !== place) target.insertBefore(known, place);
      else place = place.nextSibling;
      node(known, wanted);
    } else {
      target.insertBefore(document.importNode(wanted, true), place);
    }
  }
  while (place) {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  }
}

function same(known, wanted) {
  return known.nodeName === wanted.nodeName && (known.id ?? "") === (wanted.id ?? "");
}

function node(known, wanted) {
  if (known.nodeType !== Node.ELEMENT_NODE) {
    if (known.nodeValue !== wanted.nodeValue) known.nodeValue = wanted.nodeValue;
    return;
  }
  if (known === document.activeElement && known.matches("input, select, textarea")) return;
  if (known.matches("time[data-live], [data-since]") && known.dateTime === wanted.dateTime
    && known.dataset.since === wanted.dataset.since) return;
  attributes(known, wanted);
  children(known, wanted);
}

function attributes(known, wanted) {
  for (const { name } of [...known.attributes]) {
    if (!wanted.hasAttribute(name)) known.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    if (known.getAttribute(name) !== value) known.setAttribute(name, value);
  }
}
