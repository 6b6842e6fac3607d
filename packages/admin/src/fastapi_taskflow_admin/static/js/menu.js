// Menus: what can be done with one row, and which columns there are. One is open at a time;
// it goes when somebody clicks elsewhere, presses Escape or leaves it.
let shown = null;
let opener = null;

export function close() {
  shown?.remove();
  opener?.removeAttribute("aria-expanded");
  shown = null;
}

// `entries`: buttons, links or labels, which are the menu's.
export function menu(button, entries) {
  const again = opener === button && shown;
  close();
  if (again) return;
  opener = button;
  shown = document.createElement("div");
  shown.className = "menu";
  shown.append(...entries);
  document.body.append(shown);
  const place = button.getBoundingClientRect();
  const left = Math.min(place.left, document.documentElement.clientWidth - shown.offsetWidth - 8);
  const below = place.bottom + shown.offsetHeight + 8 < window.innerHeight;
  shown.style.left = `${Math.max(8, left) + window.scrollX}px`;
  shown.style.top = `${window.scrollY + (below ? place.bottom + 2 : place.top - shown.offsetHeight - 2)}px`;
  button.setAttribute("aria-expanded", "true");
  shown.querySelector("a, button, input").focus();
}

export function entry(words, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = words;
  made.addEventListener("click", () => {
    close();
    opener.focus(); // a dialog gives the focus back to it
    act();
  });
  return made;
}

export function link(words, href) {
  const made = document.createElement("a");
  made.textContent = words;
  made.href = href;
  return made;
}

document.addEventListener("click", (event) => {
  if (shown && !shown.contains(event.target) && !opener.contains(event.target)) close();
});
document.addEventListener("keydown", (event) => {
  if (!shown) return;
  const all = [...shown.querySelectorAll("a, button, input")];
  const at = all.indexOf(document.activeElement);
  if (event.key === "Escape") {
    event.stopImmediatePropagation();
    close();
    opener.focus();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    all.at((at + (event.key === "ArrowDown" ? 1 : -1)) % all.length).focus();
  } else if (event.key === "Tab") { // on from where it was opened, not from the end of the page
    close();
    opener.focus();
  }
}, true);
