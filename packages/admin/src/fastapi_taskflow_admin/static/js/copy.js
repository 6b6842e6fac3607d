// Put text where it can be pasted from. Over plain HTTP browsers offer only the old way.
import { toast } from "./ask.js";

export function copy(button) {
  const target = document.getElementById(button.dataset.target);
  copyText(target.dataset.text ?? target.innerText.trim());
}

export async function copyText(text) {
  try {
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else old(text);
    toast("Copied.");
  } catch {
    toast("The browser does not let pages copy.", { bad: true });
  }
}

function old(text) {
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("refused");
}
