// The parts of a page one at a time: the one of the address, else the one to begin with.
// `signal`: when they are gone.
export function startParts(parts, signal = undefined) {
  const show = () => {
    const links = [...parts.querySelectorAll("#part-tabs a")];
    const wanted = [location.hash, `#${parts.dataset.shown}`];
    const link = wanted.map((each) => links.find((it) => it.hash === each)).find(Boolean) ?? links[0];
    parts.dataset.shown = link.hash.slice(1);
    for (const each of links) {
      if (each === link) each.setAttribute("aria-current", "true");
      else each.removeAttribute("aria-current");
    }
  };

  parts.addEventListener("click", (event) => {
    const link = event.target.closest("#part-tabs a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    history.replaceState(history.state, "", link.hash);
    show();
  });
  window.addEventListener("hashchange", show, { signal });
  parts.addEventListener("taskflow:fresh", show);
  show();
}
