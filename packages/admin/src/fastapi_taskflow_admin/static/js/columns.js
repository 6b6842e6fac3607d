// Columns that are not everybody's: chosen in a menu, kept by the browser, sent by the server.
import { changed } from "./ask.js";
import { menu } from "./menu.js";

const KEPT = "taskflow-columns";

export function chooseColumns(button) {
  const chosen = new Set((localStorage.getItem(KEPT) ?? "").split(",").filter(Boolean));
  menu(button, button.dataset.columns.trim().split(" ").map((each) => {
    const [name, words] = each.split(":");
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = chosen.has(name);
    box.addEventListener("change", () => {
      if (box.checked) chosen.add(name);
      else chosen.delete(name);
      if (chosen.size) localStorage.setItem(KEPT, [...chosen].join(","));
      else localStorage.removeItem(KEPT);
      changed();
    });
    label.append(box, words);
    return label;
  }));
}
