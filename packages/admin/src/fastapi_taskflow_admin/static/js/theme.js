// The theme that was chosen, before anything is drawn: a plain script in the head, no module.
(() => {
  const chosen = localStorage.getItem("taskflow-theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
  document.addEventListener("click", (event) => {
    if (!event.target.closest("#theme")) return;
    const root = document.documentElement;
    const dark = getComputedStyle(root).colorScheme === "dark"
      || (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("taskflow-theme", root.dataset.theme);
  });
})();
