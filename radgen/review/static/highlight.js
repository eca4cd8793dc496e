/* Pointing at a sentence lights its regions on the image, and the other way round. */
"use strict";

const tokens = (element) =>
  (element.dataset.findings ?? element.dataset.finding ?? "").split(" ").filter(Boolean);

function light(event, on) {
  const from = event.target.closest?.("[data-findings], [data-finding]");
  if (!from) return;
  const lit = new Set(tokens(from));
  for (const other of document.querySelectorAll("[data-findings], [data-finding]")) {
    other.classList.toggle("lit", on && tokens(other).some((token) => lit.has(token)));
  }
}

document.addEventListener("pointerover", (event) => light(event, true));
document.addEventListener("pointerout", (event) => light(event, false));
document.addEventListener("focusin", (event) => light(event, true));
document.addEventListener("focusout", (event) => light(event, false));
