// Make a piece of the page look like new HTML and leave alone whatever is the same:
// focus, half-typed text and selections survive. Elements are matched by id.

import { LIVE } from "./times.js";

// `id`: the part of the HTML that is meant, or all of it. `still`: the id of a list that keeps
// the rows it has; they are brought up to date, none comes and none goes. `base`: the address
// that its links are relative to, if it is not the present one. Tells how many rows there are in
// that list, and how many of them it did not take.
export function morph(target, html, { id = null, still = null, base = null } = {}) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const wanted = id ? parsed.getElementById(id) : parsed.body;
  if (!wanted) return { rows: 0, left: 0 };
  if (base) settle(wanted, base);
  const rows = still ? [...wanted.querySelectorAll(`#${still} > [id]`)] : [];
  const left = rows.filter((each) => !document.getElementById(each.id));
  children(target, wanted, still);
  return { rows: rows.length, left: left.length };
}

// Let links and forms lead where they do from *base*, when the address becomes another.
export function settle(root, base) {
  for (const link of root.querySelectorAll("a[href]:not([href^='#'])")) link.href = new URL(link.getAttribute("href"), base);
  for (const form of root.querySelectorAll("form")) form.action = new URL(form.getAttribute("action") ?? "", base);
}

function children(target, source, still) {
  const byId = new Map([...target.children].filter((each) => each.id).map((each) => [each.id, each]));
  if (still && target.id === still) {
    for (const wanted of source.children) {
      const known = byId.get(wanted.id);
      if (known) node(known, wanted, still);
    }
    return;
  }
  const kept = new Set([...source.children].map((each) => each.id));
  let place = target.firstChild;
  const drop = () => {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  };
  for (const wanted of [...source.childNodes]) {
    const known = wanted.id ? byId.get(wanted.id) : place;
    // What is moved loses the focus: better remove what stands before it, if that goes anyway.
    while (wanted.id && known && place && place !== known && !(place.id && kept.has(place.id))) drop();
    if (known && same(known, wanted)) {
      if (known !== place) target.insertBefore(known, place);
      else place = place.nextSibling;
      node(known, wanted, still);
    } else {
      target.insertBefore(document.importNode(wanted, true), place);
    }
  }
  while (place) drop();
}

function same(known, wanted) {
  return known.nodeName === wanted.nodeName && (known.id ?? "") === (wanted.id ?? "");
}

function node(known, wanted, still) {
  if (known.nodeType !== Node.ELEMENT_NODE) {
    if (known.nodeValue !== wanted.nodeValue) known.nodeValue = wanted.nodeValue;
    return;
  }
  if (known === document.activeElement && known.matches("input, select, textarea")) return;
  if (known.matches(`${LIVE}, [data-since]`) && known.dateTime === wanted.dateTime
    && known.dataset.since === wanted.dataset.since) return;
  attributes(known, wanted);
  children(known, wanted, still);
}

function attributes(known, wanted) {
  for (const { name } of [...known.attributes]) {
    const kept = name === "title" ? known.textContent === wanted.textContent
      : name === "aria-expanded" || (name === "open" && known.nodeName === "DETAILS");
    if (!wanted.hasAttribute(name) && !kept) known.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    if (known.getAttribute(name) !== value) known.setAttribute(name, value);
  }
}
